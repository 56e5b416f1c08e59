"""Variational information bottlenecks between word vectors and a parser (Li and Eisner 2019)."""
