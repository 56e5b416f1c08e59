"""Results to files: sees results.py only, so that a run is rendered without a model."""
