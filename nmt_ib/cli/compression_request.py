"""What `nmt-ib compress` was asked for: prices, layers, treebanks that have words, and what decides the numbers."""

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


def prices(betas: str) -> list[float]:
    """The prices that a user named.

    Args:
        betas: Numbers with commas between.

    Returns:
        The numbers, each once.

    Raises:
        RequestError: One is no number, or there is none.
    """
    try:
        found = [float(price) for price in betas.split(",")]
    except ValueError as error:
        raise RequestError(f"--beta {betas!r}: expected numbers with commas between, as in 0.01,0.1") from error
    return list(dict.fromkeys(found))


def with_words(trees: "Iterable[Tree]", name: str) -> "list[Tree]":
    """The sentences of a treebank from which something can be learnt.

    Args:
        trees: The sentences.
        name: Of the treebank.

    Returns:
        Those that have words.

    Raises:
        RequestError: No sentence has a word.
    """
    found = [tree for tree in trees if tree]
    if not found:
        raise RequestError(f"{name} has no words")
    return found


def chosen_layers(layer: str | None, embedder: "Embedder") -> list[int]:
    """The layers that a user named.

    Args:
        layer: A number, "mix" or None.
        embedder: Whose layers.

    Returns:
        Their numbers; the middle one by default: the last ones know less of syntax.

    Raises:
        RequestError: It is no layer.
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
    """What decides a sweep's numbers."""
    from nmt_ib.signature import RunSignature, fingerprint_lines

    data = {role: fingerprint_lines(line for tree in found for line in tree.lines) for role, found in trees.items()}
    settings = {**asdict(studies[0]), "layers": layers, "beta": [study.objective.beta for study in studies]}
    return RunSignature("compress", embedder.name, embedder.fingerprint, data, settings, studies[0].training.seed)
