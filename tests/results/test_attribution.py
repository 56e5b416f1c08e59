"""Attributions: JSON round trip, words, data frames, HTML; the contract runs them for every method, too."""

import json

import pytest

from nmt_ib.results.attribution import Attribution

ONE = Attribution(
    text="<b>ab c",
    method="sigma",
    layer=2,
    unit="bits",
    tokens=("<b>", "ab", "c", "</s>"),
    special=(False, False, False, True),
    word_index=(0, 0, 1, -1),
    words=("<b>ab", "c"),
    scores=(1.0, 0.5, 2.0, 0.0),
    bits=(1.0, 0.5, 2.0, 0.0),
    target="x y",
    target_tokens=("x", "y"),
    matrix=((1.0, 0.5), (0.25, 1.75)),
    part="decoder",
    word_spans=((0, 5), (6, 7)),
)


def test_json_round_trip():
    assert Attribution.from_dict(json.loads(json.dumps(ONE.to_dict()))) == ONE


def test_words_and_heading():
    assert ONE.word_scores == (1.5, 2.0)
    assert ONE.matrix_bits == ONE.matrix
    assert ONE.heading == "sigma, decoder layer 2, bits"


def test_data_frames():
    frame = ONE.to_dataframe()
    assert list(frame.columns) == ["token", "special", "word", "score", "bits"]
    assert frame["score"].tolist() == pytest.approx([1.0, 0.5, 2.0, 0.0])
    matrix = ONE.matrix_to_dataframe()
    assert (list(matrix.index), list(matrix.columns)) == (list(ONE.words), ["x", "y"])
    assert matrix.to_numpy().tolist() == [list(row) for row in ONE.matrix]


def test_html_is_escaped():
    assert "&lt;b&gt;" in ONE._repr_html_()
    assert "<b>ab" not in ONE._repr_html_()
