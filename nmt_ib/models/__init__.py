"""Models: the only room that imports transformers, sentencepiece and spacy, and that reads the Marian file format."""
