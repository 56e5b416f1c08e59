"""Base classes of results: plain data and back, and run directories."""

import math
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, TypeAdapter

Line = TypeVar("Line", bound="Document")

# Lines of a result: a tuple, or read from disk when they are asked for.
Lines = Annotated[
    Sequence[Line], AfterValidator(tuple), PlainSerializer(lambda lines: [line.to_dict() for line in lines])
]

# A number that is not a number where it is undefined; JSON has only null for that.
Figure = Annotated[
    float,
    BeforeValidator(lambda value: math.nan if value is None else value),
    PlainSerializer(lambda value: value if math.isfinite(value) else None),
]


class Document:
    """A frozen dataclass of numbers, texts, tuples, dictionaries and other such dataclasses, as plain data and back."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as JSON holds it: tuples have become lists."""
        fields: dict[str, Any] = _adapter(type(self)).dump_python(self, mode="json")
        return fields

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Self:
        """The inverse of `to_dict`.

        Args:
            fields: Plain data, also after a JSON round trip; unknown fields are ignored.

        Returns:
            An equal object.
        """
        document: Self = _adapter(cls).validate_python(fields)
        return document

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The object that a JSON text holds.

        Args:
            text: One JSON object.

        Returns:
            An object whose `to_dict` it is.
        """
        document: Self = _adapter(cls).validate_json(text)
        return document


class Result(Document):
    """What a study returns.

    Attributes:
        sentence_type: Type of the lines of `sentences.jsonl`; None where a result is one document.
        signature: What produced it, as `RunSignature.to_dict` gives it.
    """

    sentence_type: ClassVar[type[Document] | None] = None
    summary_type: ClassVar[type[Document] | None] = None
    signature: dict[str, Any]

    def save(self, out: str | Path) -> Path:
        """Writes the run directory that the same study writes with `out`: data, report and figures.

        Args:
            out: A directory that does not exist, is empty, or holds the same run.

        Returns:
            The directory.

        Raises:
            RequestError: The directory holds something else, or cannot be written to.
        """
        # Run directories stand a floor above results.
        path: Path = import_module("nmt_ib.runs.saving").save(self, out)
        return path


_ADAPTERS: dict[type, TypeAdapter[Any]] = {}  # building one takes milliseconds


def _adapter(kind: type) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
