"""Small fully connected networks for the information plane: tasks, training of many at once, estimators."""
