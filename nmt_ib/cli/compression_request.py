"""The request of `nmt-ib compress`: betas, layers, treebanks and the signature of the run."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from nmt_ib.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nmt_ib.protocols import Embedder
    from nmt_ib.signature import RunSignature
    from nmt_ib.studies.parsing.compression import CompressionStudy
    from nmt_ib.types import Tree

MIX = "mix"


def betas(text: str) -> list[float]:
    """The values of `--beta`.

    Args:
        text: Comma-separated numbers.

    Returns:
        The numbers, without duplicates.

    Raises:
        RequestError: A value is not a number, or missing.
    """
    try:
        numbers = [float(number) for number in text.split(",")]
    except ValueError as error:
        raise RequestError(f"--beta {text!r}: expected comma-separated numbers, as in 0.01,0.1") from error
    return list(dict.fromkeys(numbers))


def with_words(trees: "Iterable[Tree]", name: str) -> "list[Tree]":
    """The sentences of a treebank that are not empty.

    Args:
        trees: The sentences.
        name: Name of the treebank.

    Returns:
        The sentences with words.

    Raises:
        RequestError: No sentence has a word.
    """
    nonempty = [tree for tree in trees if tree]
    if not nonempty:
        raise RequestError(f"{name} has no words")
    return nonempty


def chosen_layers(layer: str | None, embedder: "Embedder") -> list[int]:
    """The layers of `--layer`.

    Args:
        layer: A number, "mix" or None.
        embedder: The embedder of the words.

    Returns:
        Indices of layers; by default the middle one, since the last ones encode less syntax.

    Raises:
        RequestError: There is no such layer.
    """
    if layer is None:
        return [embedder.layers // 2]
    if layer == MIX:
        return list(range(embedder.layers))
    if not layer.isdecimal() or int(layer) >= embedder.layers:
        raise RequestError(f"--layer {layer!r}: {embedder.name} has layers 0 to {embedder.layers - 1}, or {MIX}")
    return [int(layer)]


def signature_of(
    studies: "list[CompressionStudy]", embedder: "Embedder", trees: "dict[str, list[Tree]]", layers: list[int]
) -> "RunSignature":
    """Everything that affects the results of a sweep."""
    from nmt_ib.signature import RunSignature, fingerprint_lines

    data = {role: fingerprint_lines(line for tree in found for line in tree.lines) for role, found in trees.items()}
    settings = {**asdict(studies[0]), "layers": layers, "beta": [study.objective.beta for study in studies]}
    return RunSignature("compress", embedder.name, embedder.fingerprint, data, settings, studies[0].training.seed)
