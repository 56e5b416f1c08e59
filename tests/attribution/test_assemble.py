"""From tensors over pieces to an Attribution: sums over words, targets, and defaults."""

import pytest
import torch

from nmt_ib.attribution.assemble import assemble_attribution
from tests.attribution.examples import example_inputs


def test_a_translation(tiny_model, tiny_encoder):
    model, sources, targets = example_inputs(tiny_model, tiny_encoder, "bart")
    source, target = sources[0], targets[0]
    matrix = torch.arange(len(source) * len(target)).reshape(len(source), len(target)).double()
    prefix = torch.ones(len(target), len(target)).triu(1)
    found = assemble_attribution(
        model, source, target, method="given", unit="bits", layer=1, matrix=matrix, prefix_matrix=prefix, passes=3
    )
    assert found.scores == tuple(matrix.sum(1).tolist())
    for word, row in enumerate(found.matrix):
        pieces = [place for place, index in enumerate(source.word_index) if index == word]
        assert row == tuple(matrix[pieces].sum(0).tolist())
    assert found.prefix_matrix == tuple(map(tuple, prefix.tolist()))
    assert (found.text, found.tokens, found.target, found.target_tokens) == (
        source.text, source.pieces, target.text, target.pieces,
    )  # fmt: skip
    assert [source.text[start:end] for start, end in found.word_spans] == list(found.words)
    assert (found.bits, found.sigma, found.converged, found.details) == (None, None, None, {})


def test_a_label_has_a_name_and_no_matrix(tiny_encoder):
    model = tiny_encoder("bert-classifier")
    source = model.tokenize_source("no")
    found = assemble_attribution(model, source, 1, method="given", matrix=torch.ones(len(source), 1), passes=1)
    assert (found.target, found.target_tokens, found.matrix) == (model.labels[1], (model.labels[1],), None)


def test_nothing_explained(tiny_encoder):
    model = tiny_encoder("bert")
    source = model.tokenize_source("no")
    scores = torch.arange(len(source)).double()
    found = assemble_attribution(model, source, None, method="given", scores=scores, sigma=scores, passes=1)
    assert (found.target, found.scores, found.sigma) == ("", tuple(scores.tolist()), tuple(scores.tolist()))
    with pytest.raises(ValueError, match="needs scores or a matrix"):
        assemble_attribution(model, source, None, method="given", passes=1)
