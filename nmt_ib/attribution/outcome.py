"""From tensors over pieces to an Attribution."""

from typing import Any, cast

from jaxtyping import Float
from torch import Tensor

from nmt_ib.protocols import Classifier, EncoderModel
from nmt_ib.results.attribution import Attribution, Matrix
from nmt_ib.types import Sentence, Target


def outcome(
    model: EncoderModel,
    source: Sentence,
    target: Target | None,
    *,
    method: str,
    part: str = "encoder",
    layer: int = 0,
    unit: str = "",
    scores: Float[Tensor, " S"] | None = None,
    matrix: Float[Tensor, "S T"] | None = None,
    prefix_matrix: Float[Tensor, "T T"] | None = None,
    bits: Float[Tensor, " S"] | None = None,
    sigma: Float[Tensor, " S"] | None = None,
    passes: int,
    converged: bool | None = None,
    details: dict[str, float] | None = None,
) -> Attribution:
    """What a method found for one sentence, without padding.

    Args:
        model: Names the labels.
        source: The sentence.
        target: Its translation, its label, or None where none was explained.
        method: Name of the method.
        part: Part of the model that was looked at; see `Site`.
        layer: Layer of it.
        unit: "bits" or "".
        scores: One a piece; None: the sum of each row of `matrix`.
        matrix: Pieces x target tokens; the pieces of each word are added up.
        prefix_matrix: Row j: token j of the target as the decoder has read it; column t: the token that is explained.
        bits: One a piece.
        sigma: One a piece.
        passes: Network passes spent on this sentence.
        converged: Whether a search came to rest.
        details: Further figures.

    Returns:
        Plain data.
    """
    return Attribution(
        method=method,
        part=part,
        layer=layer,
        unit=unit,
        **_read(source),
        scores=tuple(_worth(scores, matrix).tolist()),
        bits=None if bits is None else tuple(bits.tolist()),
        sigma=None if sigma is None else tuple(sigma.tolist()),
        **_described(model, target),
        matrix=None if matrix is None or not isinstance(target, Sentence) else _rows(_of_words(source, matrix)),
        prefix_matrix=None if prefix_matrix is None else _rows(prefix_matrix),
        passes=passes,
        converged=converged,
        details=details or {},
    )


def _read(source: Sentence) -> dict[str, Any]:
    return {
        "text": source.text,
        "tokens": source.pieces,
        "special": tuple(word < 0 for word in source.word_index),
        "word_index": source.word_index,
        "words": tuple(word.text for word in source.words),
        "word_spans": tuple((word.start, word.end) for word in source.words),
    }


def _worth(scores: Float[Tensor, " S"] | None, matrix: Float[Tensor, "S T"] | None) -> Float[Tensor, " S"]:
    if scores is not None:
        return scores
    if matrix is None:
        raise ValueError("an attribution has scores, or a matrix")
    return matrix.sum(1)


def _described(model: EncoderModel, target: Target | None) -> dict[str, Any]:
    if target is None:
        return {}
    if isinstance(target, Sentence):
        return {"target": target.text, "target_tokens": target.pieces}
    label = cast(Classifier, model).labels[target]  # labels are only ever given to a classifier
    return {"target": label, "target_tokens": (label,)}


def _of_words(source: Sentence, matrix: Float[Tensor, "S T"]) -> Float[Tensor, "W T"]:
    index = matrix.new_tensor(source.word_index).long()
    inside = index >= 0
    return matrix.new_zeros(len(source.words), matrix.shape[1]).index_add_(0, index[inside], matrix[inside])


def _rows(matrix: Tensor) -> Matrix:
    return tuple(tuple(row) for row in matrix.tolist())
