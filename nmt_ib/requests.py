"""What a user asks for in Python, refused at the door in one line where it would fail somewhere inside."""

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

from nmt_ib.errors import RequestError
from nmt_ib.protocols import EncoderModel, TranslationModel

NUMBERS: dict[type, tuple[type, str]] = {int: (Integral, "a whole number"), float: (Real, "a number")}  # numpy's, too


def check_request(model: EncoderModel, batch_size: int, seed: int) -> None:
    """Refuses what would fail somewhere inside.

    Args:
        model: Should be a model.
        batch_size: Should be at least 1.
        seed: Should be a whole number.

    Raises:
        RequestError: One of them is not.
    """
    if not isinstance(model, EncoderModel):
        kind = type(model).__name__
        raise RequestError(f"model is {kind}, expected what load_translation_model or load_encoder_model gives")
    check_number("seed", seed)
    check_number("batch_size", batch_size)
    if batch_size < 1:
        raise RequestError(f"batch_size is at least 1, not {batch_size}")


def check_number(name: str, value: object, kind: type = int) -> None:
    """Refuses what is no number.

    Args:
        name: What the user knows it by.
        value: What was given.
        kind: A key of `NUMBERS`.

    Raises:
        RequestError: It is none.
    """
    accepted, words = NUMBERS[kind]
    if not isinstance(value, accepted):
        raise RequestError(f"{name} is {words}, not {value!r}")


def check_count(name: str, value: object, minimum: int = 1) -> None:
    """Raises RequestError if a value is not a whole number from `minimum` on.

    Args:
        name: Name of the setting.
        value: Its value.
        minimum: Smallest allowed value.

    Raises:
        RequestError: It is not a whole number, or too small.
    """
    check_number(name, value)
    if int(str(value)) < minimum:
        raise RequestError(f"{name} is at least {minimum}, not {value}")


def check_reads_targets(model: EncoderModel) -> None:
    """Refuses a model that would pass over translations.

    Args:
        model: Any model.

    Raises:
        RequestError: It writes none.
    """
    if not isinstance(model, TranslationModel):
        raise RequestError(f"{model.name} translates nothing: it reads no targets")


def listed(given: Iterable[Any], name: str, kind: type = str) -> list[Any]:
    """What a user gave, as a list; a string alone would be taken letter by letter.

    Args:
        given: Several of the kind.
        name: What the user knows them by.
        kind: What each of them is.

    Returns:
        All of them.

    Raises:
        RequestError: They are no list, or one of them is of another kind.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise RequestError(f"{name} must be a list, not {type(given).__name__}: put one sentence into a list")
    found = list(given)
    for index, one in enumerate(found):
        if not isinstance(one, kind):
            raise RequestError(f"{name}[{index}] is {type(one).__name__}, expected {kind.__name__}")
    return found
