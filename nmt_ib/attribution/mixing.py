"""Attributions from how layers mix positions: rollout over layers, and assembly into one Attribution per sentence."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import pad

from nmt_ib.attribution.assemble import assemble_attribution
from nmt_ib.batching import map_pairs_in_batches
from nmt_ib.errors import RequestError
from nmt_ib.protocols import AttendingEncoder, AttendingTranslator, Classifier, EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence, Target, TokenBatch


@dataclass(frozen=True)
class Mixing:
    """Shares of the inputs in the positions of a batch.

    Attributes:
        source_shares: Rows: positions of the encoder, or of the decoder, the first of which predicts the first target
            token; columns: source pieces.
        prefix_shares: Columns: what the decoder reads at each position; None where it is not known.
        passes: Number of network passes per sentence.
        details: Further numbers of each sentence, by name.
    """

    source_shares: Float[Tensor, "B R S"]
    prefix_shares: Float[Tensor, "B R R"] | None
    passes: int = 1
    details: dict[str, Float[Tensor, " B"]] = field(default_factory=dict)


def mixing_attributions(
    model: EncoderModel,
    sources: Sequence[Sentence],
    targets: Sequence[Target] | None,
    batch_size: int,
    mix: Callable[[TokenBatch, TokenBatch | None], Mixing],
    *,
    method: str,
    layer: int,
) -> list[Attribution]:
    """Attributions of sentences from the mixing of their positions.

    Args:
        model: The model.
        sources: Tokenised sentences.
        targets: Tokenised translations, labels, or None where no output is explained.
        batch_size: Number of sentences per forward pass.
        mix: Computes the mixing of a batch of sources and their forced translations, if any.
        method: Name of the method.
        layer: Layer that is analysed, of the decoder in a translation model.

    Returns:
        One per sentence, in order. A translation is explained by the rows that predict its tokens, a label by the row
        of the first piece, and an encoder without classifier by the mean of its rows. Special pieces are set to 0;
        `details["special"]` is their share, averaged over target tokens.

    Raises:
        RequestError: A translation model was given no translations.
    """
    translates = isinstance(model, AttendingTranslator)
    if translates and targets is None:
        raise RequestError(f"{model.name} is a translation model: {method} explains translations, pass targets")

    def explain(sources: list[Sentence], targets: list[Target | None]) -> Iterator[Attribution]:
        batch = model.pad(sources)
        forced = model.pad(cast(list[Sentence], targets)) if translates else None
        mixing = mix(batch, forced)
        rows = mixing.source_shares
        matrices = (rows if translates else _pooled_rows(model, rows, batch.mask)).transpose(1, 2)
        # The decoder reads token j at position j + 1; it never reads the last token.
        prefix = mixing.prefix_shares
        prefixes = None if prefix is None else pad(prefix[..., 1:], (0, 1)).transpose(1, 2)
        for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
            length = len(target) if isinstance(target, Sentence) else 1
            pieces, words = matrices[row, : len(source), :length], batch.word_index[row, : len(source), None] >= 0
            details = {name: values[row].item() for name, values in mixing.details.items()}
            yield assemble_attribution(
                model,
                source,
                target,
                method=method,
                part="decoder" if translates else "encoder",
                layer=layer,
                matrix=pieces * words,
                prefix_matrix=None if prefixes is None else prefixes[row, :length, :length],
                passes=mixing.passes,
                details={**details, "special": (pieces * ~words).sum(0).mean().item()},
            )

    answers: Sequence[Target | None] = [None] * len(sources) if targets is None else targets
    return map_pairs_in_batches(explain, sources, answers, batch_size)


def _pooled_rows(
    model: EncoderModel, rows: Float[Tensor, "B S S"], mask: Bool[Tensor, "B S"]
) -> Float[Tensor, "B 1 S"]:
    """The row of the first piece, whose state classifiers of the BERT family read; without classifier the mean row."""
    if isinstance(model, Classifier):
        return rows[:, :1]
    return (rows * mask[..., None]).sum(1, keepdim=True) / mask.sum(1)[:, None, None]


def resolve_layer(model: EncoderModel, layer: int | None) -> int:
    """The number of the layer to analyse, of the decoder in a translation model, else of the encoder.

    Args:
        model: The model.
        layer: 1 to the number of layers; None: the last.

    Returns:
        The number of the layer, from 1.

    Raises:
        RequestError: The model has no such layer, or its attention cannot be read.
    """
    if not isinstance(model, AttendingEncoder):
        raise RequestError(f"{model.name} has no attention that can be read: this method needs a Transformer")
    part = "decoder" if isinstance(model, AttendingTranslator) else "encoder"
    layers = getattr(model, f"{part}_layers")
    if layer is not None and not 1 <= layer <= layers:
        raise RequestError(f"{model.name} has {part} layers 1 to {layers}, not {layer}")
    return layers if layer is None else layer


def rollout(layers: Sequence[Float[Tensor, "B S S"]]) -> Float[Tensor, "B S S"]:
    """Shares of the inputs of the first layer in the outputs of the last.

    Args:
        layers: Shares of each layer (rows: its outputs, columns: its inputs), the first layer first; at least one.

    Returns:
        The product of the layers.
    """
    return reduce(lambda below, above: above @ below, layers)


def decoder_rollout(
    layers: Sequence[tuple[Float[Tensor, "B T T"], Float[Tensor, "B T _"]]], encoded: Float[Tensor, "B S S"]
) -> Float[Tensor, "B T _"]:
    """Shares of source pieces and target prefix in the outputs of the last of several decoder layers.

    Args:
        layers: For each layer the shares of its self-attention, and those of its cross-attention: S columns for the
            encoder's states and one for the decoder's own state at that position.
        encoded: Shares of the source pieces in the encoder's last states.

    Returns:
        S columns for source pieces, then T for what the decoder reads.
    """
    length, identity = encoded.shape[1], torch.eye(layers[0][0].shape[1]).to(encoded)
    shares = torch.cat([encoded.new_zeros(len(identity), length), identity], dim=1).expand(len(encoded), -1, -1)
    for own, cross in layers:
        shares = cross[..., length:] * (own @ shares)
        shares[..., :length] += cross[..., :length] @ encoded
    return shares
