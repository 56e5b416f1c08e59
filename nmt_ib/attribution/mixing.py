"""From how each layer mixes positions to what each piece is worth: rollout, and one Attribution a sentence."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import pad

from nmt_ib.attribution.outcome import outcome
from nmt_ib.batching import map_pairs_in_batches
from nmt_ib.errors import RequestError
from nmt_ib.protocols import AttendingEncoder, AttendingTranslator, Classifier, EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence, Target, TokenBatch


@dataclass(frozen=True)
class Mixed:
    """What the positions of a batch are made of.

    Attributes:
        source: Rows: positions of the encoder, or of the decoder, of which the first predicts the first target token;
            columns: source pieces.
        prefix: Columns: what the decoder has read at each position; None where that is not told.
        passes: Network passes spent.
        details: Further figures of each sentence, by name.
    """

    source: Float[Tensor, "B R S"]
    prefix: Float[Tensor, "B R R"] | None
    passes: int = 1
    details: dict[str, Float[Tensor, " B"]] = field(default_factory=dict)


def mixed_outcomes(
    model: EncoderModel,
    sources: Sequence[Sentence],
    targets: Sequence[Target] | None,
    batch_size: int,
    mix: Callable[[TokenBatch, TokenBatch | None], Mixed],
    *,
    method: str,
    layer: int,
) -> list[Attribution]:
    """Attributions of each sentence, batch by batch.

    Args:
        model: The model.
        sources: Tokenised sentences.
        targets: Tokenised translations, labels, or None where none is explained.
        batch_size: Sentences that go through the model at once.
        mix: From sources and their forced translations, if any, to what positions are made of.
        method: Name of the method.
        layer: Layer that was looked at, of the decoder in a translation model.

    Returns:
        One a sentence, in order. A translation is explained by the rows where its tokens are predicted, a label by
        the row of the first piece, and an encoder without classes by the mean of its rows. Special pieces count 0;
        what they had is told in `details["special"]`, the mean over target tokens.

    Raises:
        RequestError: A translation model was given no translations.
    """
    translates = isinstance(model, AttendingTranslator)
    if translates and targets is None:
        raise RequestError(f"{model.name} is a translation model: {method} explains translations, pass targets")

    def explain(sources: list[Sentence], targets: list[Target | None]) -> Iterator[Attribution]:
        batch = model.pad(sources)
        forced = model.pad(cast(list[Sentence], targets)) if translates else None
        mixed = mix(batch, forced)
        matrices = (mixed.source if translates else _summary(model, mixed.source, batch.mask)).transpose(1, 2)
        # Token j is what the decoder reads at position j + 1; it never reads the last one.
        prefixes = None if mixed.prefix is None else pad(mixed.prefix[..., 1:], (0, 1)).transpose(1, 2)
        for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
            length = len(target) if isinstance(target, Sentence) else 1
            pieces, inside = matrices[row, : len(source), :length], batch.word_index[row, : len(source), None] >= 0
            figures = {name: each[row].item() for name, each in mixed.details.items()}
            yield outcome(
                model,
                source,
                target,
                method=method,
                part="decoder" if translates else "encoder",
                layer=layer,
                matrix=pieces * inside,
                prefix_matrix=None if prefixes is None else prefixes[row, :length, :length],
                passes=mixed.passes,
                details={**figures, "special": (pieces * ~inside).sum(0).mean().item()},
            )

    answers: Sequence[Target | None] = [None] * len(sources) if targets is None else targets
    return map_pairs_in_batches(explain, sources, answers, batch_size)


def _summary(model: EncoderModel, source: Float[Tensor, "B S S"], mask: Bool[Tensor, "B S"]) -> Float[Tensor, "B 1 S"]:
    """The row of the first piece, which classifiers of the BERT family read; without classes the mean of the rows."""
    if isinstance(model, Classifier):
        return source[:, :1]
    return (source * mask[..., None]).sum(1, keepdim=True) / mask.sum(1)[:, None, None]


def chosen_layer(model: EncoderModel, layer: int | None) -> int:
    """The layer that is looked at: one of the decoder in a translation model, else one of the encoder.

    Args:
        model: The model.
        layer: 1 to the number of layers; None: the last.

    Returns:
        Its number.

    Raises:
        RequestError: The model has no such layer, or no attention that could be read.
    """
    if not isinstance(model, AttendingEncoder):
        raise RequestError(f"{model.name} has no attention that could be read: this method needs a Transformer")
    part = "decoder" if isinstance(model, AttendingTranslator) else "encoder"
    layers = getattr(model, f"{part}_layers")
    if layer is not None and not 1 <= layer <= layers:
        raise RequestError(f"{model.name} has {part} layers 1 to {layers}, not {layer}")
    return layers if layer is None else layer


def rolled_out(mixtures: Sequence[Float[Tensor, "B S S"]]) -> Float[Tensor, "B S S"]:
    """What the positions behind several layers are made of.

    Args:
        mixtures: Rows of each layer, the first layer first; at least one.

    Returns:
        Their product.
    """
    return reduce(lambda below, above: above @ below, mixtures)


def decoder_rolled_out(
    layers: Sequence[tuple[Float[Tensor, "B T T"], Float[Tensor, "B T _"]]], encoded: Float[Tensor, "B S S"]
) -> Float[Tensor, "B T _"]:
    """What the positions behind several decoder layers are made of.

    Args:
        layers: Of each layer the rows of self-attention, and those of cross-attention: S columns for the encoder's
            states and one for the decoder's own state at that position.
        encoded: What the encoder's last states are made of.

    Returns:
        S columns for source pieces, then T for what the decoder has read.
    """
    length, read = encoded.shape[1], torch.eye(layers[0][0].shape[1]).to(encoded)
    made = torch.cat([encoded.new_zeros(len(read), length), read], dim=1).expand(len(encoded), -1, -1)
    for own, cross in layers:
        made = cross[..., length:] * (own @ made)
        made[..., :length] += cross[..., :length] @ encoded
    return made
