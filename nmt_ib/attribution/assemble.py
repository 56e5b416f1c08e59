"""An Attribution, plain data, from the tensors that a method computed for one sentence."""

from typing import Any, cast

from jaxtyping import Float
from torch import Tensor

from nmt_ib.protocols import Classifier, EncoderModel
from nmt_ib.results.attribution import Attribution, Matrix
from nmt_ib.types import Sentence, Target


def assemble_attribution(
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
    """The attribution of one sentence, from tensors without padding.

    Args:
        model: The model, which names the labels.
        source: The sentence.
        target: Its translation, its label, or None where no output is explained.
        method: Name of the method.
        part: Part of the model that is analysed; see `Site`.
        layer: Layer of that part; 0: the embeddings.
        unit: Unit of scores and matrices: "bits", or "" for none.
        scores: Score of each piece; None: the sum of each row of `matrix`.
        matrix: Scores of pieces x target tokens; rows of the pieces of a word are summed.
        prefix_matrix: Row j: target token j as read by the decoder; column t: the target token that is explained.
        bits: Bits of each piece.
        sigma: Tolerated noise of each piece.
        passes: Number of forward and backward passes spent on this sentence.
        converged: Whether a search converged; None: the method does not search.
        details: Further numbers, by name.

    Returns:
        The attribution.
    """
    return Attribution(
        method=method,
        part=part,
        layer=layer,
        unit=unit,
        **_source_fields(source),
        scores=tuple(_scores(scores, matrix).tolist()),
        bits=None if bits is None else tuple(bits.tolist()),
        sigma=None if sigma is None else tuple(sigma.tolist()),
        **_target_fields(model, target),
        matrix=None if matrix is None or not isinstance(target, Sentence) else _rows(_sum_over_pieces(source, matrix)),
        prefix_matrix=None if prefix_matrix is None else _rows(prefix_matrix),
        passes=passes,
        converged=converged,
        details=details or {},
    )


def _source_fields(source: Sentence) -> dict[str, Any]:
    return {
        "text": source.text,
        "tokens": source.pieces,
        "special": tuple(word < 0 for word in source.word_index),
        "word_index": source.word_index,
        "words": tuple(word.text for word in source.words),
        "word_spans": tuple((word.start, word.end) for word in source.words),
    }


def _scores(scores: Float[Tensor, " S"] | None, matrix: Float[Tensor, "S T"] | None) -> Float[Tensor, " S"]:
    if scores is not None:
        return scores
    if matrix is None:
        raise ValueError("an attribution needs scores or a matrix")
    return matrix.sum(1)


def _target_fields(model: EncoderModel, target: Target | None) -> dict[str, Any]:
    if target is None:
        return {}
    if isinstance(target, Sentence):
        return {"target": target.text, "target_tokens": target.pieces}
    label = cast(Classifier, model).labels[target]  # labels are only ever given to a classifier
    return {"target": label, "target_tokens": (label,)}


def _sum_over_pieces(source: Sentence, matrix: Float[Tensor, "S T"]) -> Float[Tensor, "W T"]:
    index = matrix.new_tensor(source.word_index).long()
    inside = index >= 0
    return matrix.new_zeros(len(source.words), matrix.shape[1]).index_add_(0, index[inside], matrix[inside])


def _rows(matrix: Tensor) -> Matrix:
    return tuple(tuple(row) for row in matrix.tolist())
