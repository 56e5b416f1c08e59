"""Information, in bits, inside translation and language models."""
