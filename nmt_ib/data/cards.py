"""Data cards: description, licence, source and checksums of a data set."""

import re
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

import yaml

from nmt_ib.errors import RequestError

FRONT = "---\n"
CHECKSUM = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class DataCard:
    """One data set.

    Attributes:
        name: Its name.
        licence: Licence of the texts, an SPDX identifier where there is one.
        source: Its origin, with version or commit.
        sha256: File name -> SHA-256 of the file.
        languages: ISO 639-1 codes.
        splits: Its parts and their use.
        citation: Authors, year, title.
        prose: The text after the front matter.
    """

    name: str
    licence: str
    source: str
    sha256: dict[str, str]
    languages: list[str]
    splits: str
    citation: str
    prose: str


def read_card(path: Path) -> DataCard:
    """Reads a card: YAML front matter between two lines of three dashes, then prose.

    Args:
        path: A Markdown file.

    Returns:
        The card.

    Raises:
        RequestError: It cannot be read, its front matter is missing, incomplete or has unknown fields, or a checksum is
            malformed.
    """
    try:
        before, *rest = path.read_text(encoding="utf-8").split(FRONT, maxsplit=2)
        if before or len(rest) != 2:
            raise RequestError(f"{path} has no front matter between two lines of ---")
        fields = yaml.safe_load(rest[0])
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"cannot read {path}: {error}") from error
    except yaml.YAMLError as error:
        raise RequestError(f"{path}: its front matter is not YAML ({' '.join(str(error).split())})") from error
    fields = fields if isinstance(fields, dict) else {}
    expected = sorted(set(DataCard.__dataclass_fields__) - {"prose"})
    filled = sorted(str(field) for field, value in fields.items() if value)
    if filled != expected:
        raise RequestError(f"{path}: expected the fields {', '.join(expected)}; found {', '.join(filled) or 'none'}")
    checksums = fields["sha256"]
    if not isinstance(checksums, dict) or not all(CHECKSUM.fullmatch(str(value)) for value in checksums.values()):
        raise RequestError(f"{path}: expected under sha256 a file name and 64 hexadecimal digits for each file")
    return DataCard(**fields, prose=rest[1].strip())


def changed_files(card: DataCard, folder: Path) -> list[str]:
    """The files of a card that are missing from a folder, or whose checksum differs.

    Args:
        card: The card.
        folder: Folder of the files.

    Returns:
        File names; empty if all files match.
    """
    return [name for name, checksum in card.sha256.items() if _checksum(folder / name) != checksum]


def _checksum(path: Path) -> str | None:
    if not path.is_file():
        return None
    with open(path, "rb") as file:
        return file_digest(file, "sha256").hexdigest()
