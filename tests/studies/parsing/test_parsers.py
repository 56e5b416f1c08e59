"""A parser, or its directory."""

import pytest

from nmt_ib.compression.saved import load_parser
from nmt_ib.errors import RequestError
from nmt_ib.studies.parsing.parsers import parser_fingerprint, resolve_parser


def test_a_parser_or_its_directory(trained, tmp_path):
    parser = load_parser(tmp_path / "model")
    assert resolve_parser(parser) is parser
    for directory in (tmp_path / "model", str(tmp_path / "model")):
        assert parser_fingerprint(resolve_parser(directory)) == parser_fingerprint(parser)
    with pytest.raises(RequestError, match="model is int, expected the directory of a parser"):
        resolve_parser(3)


def test_the_fingerprint_is_that_of_the_weights(trained, tmp_path):
    parser = load_parser(tmp_path / "model")
    before = parser_fingerprint(parser)
    parser.model.mix.add_(1)
    assert parser_fingerprint(parser) != before
