"""A compressed parser in a directory: config.json and model.safetensors."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from nmt_ib.checkpoint import write_whole
from nmt_ib.compression.corpus import Labels
from nmt_ib.compression.kinds import TagSettings, WordShape, compressor
from nmt_ib.compression.parser import CompressedParser
from nmt_ib.errors import RequestError
from nmt_ib.parsing.biaffine import BiaffineParser, ParserSettings

CONFIG, WEIGHTS = "config.json", "model.safetensors"


@dataclass(frozen=True)
class ParserConfig:
    """What a compressed parser is, apart from its weights.

    Attributes:
        embedder: Name of what gives the words' vectors.
        pooling: How the vectors of a word's pieces become one; "" where words have no pieces.
        embedder_fingerprint: Of the embedder.
        layers: Whose vectors are read; several are averaged with learned weights.
        words: Shape of what is known of words.
        labels: What the parser can say.
        tags: What is made of a word's vector.
        parser: Size of the parser.
    """

    embedder: str
    pooling: str
    embedder_fingerprint: str
    layers: tuple[int, ...]
    words: WordShape
    labels: Labels
    tags: TagSettings
    parser: ParserSettings

    def build(self) -> CompressedParser:
        """The parser, untrained; its weights come from torch's global generator."""
        made = compressor(self.tags, self.words)
        parser = BiaffineParser(made.width, len(self.labels.relations), self.parser)
        return CompressedParser(made, parser, len(self.layers), self.labels.root)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ParserConfig":
        """The configuration that `asdict` wrote."""
        return cls(
            embedder=data["embedder"],
            pooling=data["pooling"],
            embedder_fingerprint=data["embedder_fingerprint"],
            layers=tuple(data["layers"]),
            words=WordShape(**data["words"]),
            labels=Labels(tuple(data["labels"]["relations"]), tuple(data["labels"]["upos"])),
            tags=TagSettings(**data["tags"]),
            parser=ParserSettings(**data["parser"]),
        )


def save_parser(directory: Path, config: ParserConfig, model: CompressedParser) -> None:
    """Writes a parser; the configuration last, so that a directory with one is whole.

    Args:
        directory: Where to.
        config: What the parser is.
        model: Its weights.
    """
    tensors = {key: value.contiguous() for key, value in model.state_dict().items()}
    text = json.dumps(asdict(config), ensure_ascii=False, indent=1)
    write_whole(directory / WEIGHTS, save(tensors))
    write_whole(directory / CONFIG, f"{text}\n".encode())


def load_parser(directory: str | Path) -> tuple[ParserConfig, CompressedParser]:
    """Reads a parser.

    Args:
        directory: What `save_parser` filled.

    Returns:
        What the parser is, and the parser.

    Raises:
        RequestError: There is none, or it is damaged.
    """
    folder = Path(directory)
    if folder.is_file():
        raise RequestError(f"{directory} is a file: expected the directory that `nmt-ib compress` was given as --out")
    try:
        config = ParserConfig.from_dict(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
        with torch.random.fork_rng(devices=[]):  # weights that are written over draw nothing from the caller's
            model = config.build()
        model.load_state_dict(load_file(folder / WEIGHTS))
    except FileNotFoundError as error:
        inside = sorted(str(file.parent) for file in folder.glob(f"*/{CONFIG}"))
        hint = (
            f"a sweep's parsers are inside, {inside[0]} for one" if inside else "expected what `nmt-ib compress` wrote"
        )
        raise RequestError(f"{directory} holds no finished parser: {hint}") from error
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise RequestError(f"{directory} holds a damaged parser: {str(error).splitlines()[0]}") from error
    return config, model.eval().requires_grad_(False)
