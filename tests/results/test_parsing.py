"""Results of parsers: JSON round trips and data frames."""

import json
import math

import pytest

from nmt_ib.results.parsing import (
    CompressionPoint,
    CompressionSweep,
    ParsedSentence,
    ParserTest,
    Parses,
    finite_or_none,
)

SIGNATURE = {"command": "compress", "seed": 3}
SWEEP = CompressionSweep(
    (CompressionPoint(0.01, 54.7, 0.8, 0.7, 3, 5, "beta-0.01"), CompressionPoint(None, None, 0.5, 0.4, 1, 1, ".")),
    SIGNATURE,
)
CONLLU = "# text = Não sei.\n\n"
PARSES = Parses(
    (
        ParsedSentence(
            "Não sei.", ("Não", "sei", "."), (2, 0, 2), ("advmod", "root", "punct"), "# text = Não sei.\n\n"
        ),
        ParsedSentence("", (), (), (), "# text =\n\n"),
    ),
    SIGNATURE,
)
TEST = ParserTest(0.8, 0.7, 0.6, None, 10, 2, 100.5, SIGNATURE)


@pytest.mark.parametrize("result", [SWEEP, PARSES, TEST], ids=lambda result: type(result).__name__)
def test_json_round_trip(result):
    assert type(result).from_dict(json.loads(json.dumps(result.to_dict()))) == result
    assert "<table" in result._repr_html_()


def test_data_frames():
    assert SWEEP.to_dataframe()["directory"].tolist() == ["beta-0.01", "."]
    assert PARSES.to_dataframe()[["sentence", "number", "word", "head"]].values.tolist() == [
        [0, 1, "Não", 2],
        [0, 2, "sei", 0],
        [0, 3, ".", 2],
    ]
    assert "signature" not in TEST.to_dataframe()


def test_parses_are_their_sentences_in_order():
    assert len(PARSES) == 2
    assert PARSES[0].words[1] == "sei"
    assert PARSES.to_conllu() == "# text = Não sei.\n\n# text =\n\n"


def test_a_rate_that_is_not_finite_is_none():
    assert finite_or_none(math.nan) is None
    assert finite_or_none(0.5) == 0.5
