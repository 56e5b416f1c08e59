"""What produced a result: two results are comparable where their signatures differ only as intended."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import version
from typing import Any

from nmt_ib.results.result import Document

SCHEMA = 1  # of run directories; one more whenever their files change their meaning


@dataclass(frozen=True)
class RunSignature(Document):
    """Everything that decides a run's numbers; what cannot change them (batch size, threads) is left out.

    Attributes:
        command: The study.
        model: What the user called the model.
        model_fingerprint: Hash of its weights and settings.
        data: Name of each input -> hash of its lines.
        settings: Method settings.
        seed: Random seed.
        version: Version of nmt_ib.
        schema: Version of the files in the run directory.
    """

    command: str
    model: str
    model_fingerprint: str
    data: dict[str, str]
    settings: dict[str, Any]
    seed: int
    version: str = field(default_factory=lambda: version("nmt_ib"))
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", _plain(self.settings))
        object.__setattr__(self, "seed", int(self.seed))

    def difference(self, other: dict[str, Any]) -> str | None:
        """The first field in which this run differs from another, in words.

        Args:
            other: What another run's `run.json` holds.

        Returns:
            None where they agree.
        """
        mine, theirs = _flat(self.to_dict()), _flat(other)
        for key in sorted(mine.keys() | theirs.keys()):
            if mine.get(key) != theirs.get(key):
                return f"{key} is {mine.get(key)!r} now and was {theirs.get(key)!r}"
        return None


def _plain(value: Any) -> Any:
    """The value as JSON holds it: numbers of numpy become Python's, tuples lists."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value.item() if hasattr(value, "item") else value


def _flat(fields: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in fields.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def fingerprint_lines(lines: Iterable[str]) -> str:
    """First 16 hexadecimal digits of the SHA-256 of a text.

    Args:
        lines: Its lines, without their ends.

    Returns:
        Equal for equal texts, however they are stored.
    """
    digest = sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogatepass"))
        digest.update(b"\n")
    return digest.hexdigest()[:16]
