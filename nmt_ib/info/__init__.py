"""Information theory on arrays; knows no language."""
