"""A trained parser, given as such or by its directory."""

from pathlib import Path

from nmt_ib.compression.saved import SavedParser, load_parser
from nmt_ib.errors import RequestError
from nmt_ib.models.fingerprints import fingerprint_of


def resolve_parser(model: SavedParser | str | Path) -> SavedParser:
    """The given parser, or the one in that directory.

    Args:
        model: A parser that `load_parser` returned, or its directory.

    Returns:
        The parser.

    Raises:
        RequestError: The directory holds no parser or a damaged one, or the model is something else.
    """
    if isinstance(model, str | Path):
        return load_parser(model)
    if not isinstance(model, SavedParser):
        raise RequestError(f"model is {type(model).__name__}, expected the directory of a parser")
    return model


def parser_fingerprint(parser: SavedParser) -> str:
    """Fingerprint of a parser's weights and configuration."""
    return fingerprint_of(parser.model, (parser.config,))
