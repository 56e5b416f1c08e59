"""One research question, one file: objects in, results out."""
