"""The only place that knows transformers, sentencepiece and the Marian file format."""
