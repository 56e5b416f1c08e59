"""A compressed parser on disk: config.json and model.safetensors."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from nmt_ib.compression.corpus import Labels
from nmt_ib.compression.kinds import TagSettings, WordShape, compressor
from nmt_ib.compression.parser import CompressedParser, moved
from nmt_ib.errors import RequestError
from nmt_ib.files import write_bytes, write_json
from nmt_ib.parsing.biaffine import BiaffineParser, ParserSettings

CONFIG, WEIGHTS = "config.json", "model.safetensors"


@dataclass(frozen=True)
class ParserConfig:
    """Everything about a compressed parser but its weights.

    Attributes:
        embedder: Name of the embedder of the words.
        pooling: How the vectors of a word's pieces are pooled; "" where words have no pieces.
        embedder_fingerprint: Fingerprint of the embedder.
        layers: Layers of the embedder; several are averaged with learned weights.
        words: Sizes of the compressor's inputs.
        labels: Label inventories.
        tags: Settings of the compressor.
        parser: Size of the parser.
        source_language: Source language with which the embedder is loaded, if it needs one.
        target_language: Target language with which the embedder is loaded, if it needs one.
        prefix: Task prefix with which the embedder is loaded, if it needs one.
    """

    embedder: str
    pooling: str
    embedder_fingerprint: str
    layers: tuple[int, ...]
    words: WordShape
    labels: Labels
    tags: TagSettings
    parser: ParserSettings
    source_language: str | None = None
    target_language: str | None = None
    prefix: str | None = None

    def build(self) -> CompressedParser:
        """The untrained parser; its weights are drawn from torch's global generator."""
        tags = compressor(self.tags, self.words)
        parser = BiaffineParser(tags.width, len(self.labels.relations), self.parser)
        return CompressedParser(tags, parser, len(self.layers), self.labels.root)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ParserConfig":
        """The inverse of `asdict`, also after a JSON round trip."""
        parts = {
            "layers": tuple(data["layers"]),
            "words": WordShape(**data["words"]),
            "labels": Labels(tuple(data["labels"]["relations"]), tuple(data["labels"]["upos"])),
            "tags": TagSettings(**data["tags"]),
            "parser": ParserSettings(**data["parser"]),
        }
        return cls(**{**data, **parts})


@dataclass(frozen=True)
class SavedParser:
    """A trained parser as it was loaded.

    Attributes:
        name: The directory, as the user named it.
        config: The parser's configuration.
        model: The parser, in evaluation mode.
    """

    name: str
    config: ParserConfig
    model: CompressedParser = field(repr=False)

    def to(self, device: torch.device | str | None) -> CompressedParser:
        """Moves the parser.

        Args:
            device: Device; None: the parser stays where it is.

        Returns:
            The parser.
        """
        return self.model if device is None else moved(self.model, device)


def save_parser(directory: Path, config: ParserConfig, model: CompressedParser) -> None:
    """Writes a parser; the configuration last, so that a directory that has one is complete.

    Args:
        directory: An existing directory.
        config: The parser's configuration.
        model: The parser.
    """
    tensors = {key: value.contiguous() for key, value in model.state_dict().items()}
    write_bytes(directory / WEIGHTS, save(tensors))
    write_json(directory / CONFIG, asdict(config))


def load_parser(directory: str | Path) -> SavedParser:
    """Reads a parser.

    Args:
        directory: A directory that `save_parser` wrote to.

    Returns:
        The parser with its configuration.

    Raises:
        RequestError: The directory holds no parser, or a damaged one.
    """
    folder = Path(directory)
    if folder.is_file():
        raise RequestError(f"{directory} is a file: expected the --out directory of `nmt-ib compress`")
    try:
        config = ParserConfig.from_dict(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
        with torch.random.fork_rng(devices=[]):  # initial weights, soon overwritten, must not touch the global state
            model = config.build()
        model.load_state_dict(load_file(folder / WEIGHTS))
    except FileNotFoundError as error:
        raise RequestError(f"{directory} holds no finished parser: {_hint(folder)}") from error
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise RequestError(f"{directory} holds a damaged parser: {str(error).splitlines()[0]}") from error
    return SavedParser(str(directory), config, model.eval().requires_grad_(False))


def _hint(folder: Path) -> str:
    """Where to find a parser instead."""
    inside = sorted(str(file.parent) for file in folder.glob(f"*/{CONFIG}"))
    if inside:
        return f"the parsers of a sweep are in its subdirectories, such as {inside[0]}"
    return "expected the --out directory of `nmt-ib compress`"
