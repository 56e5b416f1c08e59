"""Example sentences and targets of tiny models of both kinds, for the tests of attribution methods."""

import torch

from tests.tiny_models import PORTUGUESE

SOURCES = ("A small dog sleeps near the red door.", "no", "The house is old.")
TARGETS = (PORTUGUESE[1], "Um c", "Nunca dissemos.")
LABELS = (2, 0, 1)


def example_inputs(tiny_model, tiny_encoder, name):
    """A model, tokenised sentences, and translations of them or labels."""
    model = tiny_encoder(name) if name.endswith("classifier") else tiny_model(name).model
    sources = [model.tokenize_source(text) for text in SOURCES]
    labels = name.endswith("classifier")
    return model, sources, list(LABELS) if labels else [model.tokenize_target(text) for text in TARGETS]


def figures(numbers):
    """Scores or a matrix of an attribution as a tensor."""
    return torch.tensor(numbers, dtype=torch.float64)
