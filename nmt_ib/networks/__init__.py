"""Small fully connected networks for the information plane: many trained at once."""
