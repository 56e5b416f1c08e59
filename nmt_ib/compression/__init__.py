"""Variational information bottlenecks between word vectors and a dependency parser (Li and Eisner 2019)."""
