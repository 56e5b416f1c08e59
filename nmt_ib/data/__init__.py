"""The only place that reads corpora."""
