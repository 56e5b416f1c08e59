"""Checks of settings that would otherwise fail deep inside a computation."""

from numbers import Integral, Real
from typing import cast

from nmt_ib.errors import RequestError
from nmt_ib.protocols import EncoderModel, TranslationModel

# Type -> accepted types, which include numpy's, and their name in messages.
NUMBERS: dict[type, tuple[type, str]] = {int: (Integral, "a whole number"), float: (Real, "a number")}


def check_number(name: str, value: object, kind: type = int) -> None:
    """Raises RequestError if a setting is not a number.

    Args:
        name: Name of the setting.
        value: The value given.
        kind: A key of `NUMBERS`.

    Raises:
        RequestError: The value is not a number of that kind.
    """
    accepted, description = NUMBERS[kind]
    if not isinstance(value, accepted):
        raise RequestError(f"{name} must be {description}, not {value!r}")


def check_count(name: str, value: object, minimum: int = 1) -> None:
    """Raises RequestError if a setting is not a whole number >= `minimum`.

    Args:
        name: Name of the setting.
        value: Its value.
        minimum: Smallest allowed value.

    Raises:
        RequestError: It is not a whole number, or too small.
    """
    check_number(name, value)
    if cast(int, value) < minimum:
        raise RequestError(f"{name} must be at least {minimum}, not {value}")


def check_reads_targets(model: EncoderModel) -> None:
    """Raises RequestError if a model is not a translation model, and so would ignore translations.

    Args:
        model: Any model.

    Raises:
        RequestError: It is not a translation model.
    """
    if not isinstance(model, TranslationModel):
        raise RequestError(f"{model.name} is not a translation model: it reads no targets")
