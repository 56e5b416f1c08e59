"""Targets scored behind noise gates: their log-probability, and the information that the gates let through."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.gate import Channel
from nmt_ib.attribution.scoring import Scorer, TranslationScorer
from nmt_ib.attribution.statistics import CorpusStatistics
from nmt_ib.errors import RequestError
from nmt_ib.protocols import EncoderModel

NORMALIZATIONS = ("word", "mean")


@dataclass(frozen=True)
class GatedScorer:
    """A batch with a noise gate in front of each source word, and optionally of each token of the target prefix.

    Attributes:
        scorer: Sources and targets; with a gated prefix only the last token of each target is scored.
        layer: Encoder layer whose output is gated; 0: the embeddings.
        channels: The source, and the prefix if it is gated.
    """

    scorer: Scorer
    layer: int
    channels: tuple[Channel, ...]

    @classmethod
    def create(cls, scorer: Scorer, layer: int, statistics: CorpusStatistics, *, prefix: bool = False) -> "GatedScorer":
        """Puts a gate in front of each word.

        Args:
            scorer: Sources and targets.
            layer: Encoder layer whose output is gated; 0: the embeddings.
            statistics: Prior of the noise that closed gates let out.
            prefix: Whether to gate the tokens of the target prefix, too, and to score the last target token only.

        Returns:
            The same batch behind gates.
        """
        batch, model = scorer.batch, scorer.model
        with torch.no_grad():
            states = model.encode(model.embed(batch.ids), batch.mask, to_layer=layer)
            channels = [Channel(states, statistics.layer(layer), batch.word_index)]
            if prefix and isinstance(scorer, TranslationScorer):
                tokens = torch.arange(scorer.target_mask.shape[1], device=batch.ids.device)
                gate = torch.where(scorer.target_mask & (tokens > 0), tokens, -1)
                channels.append(Channel(scorer.prefix_embeddings(), statistics.parts["decoder.0"], gate))
        return cls(scorer, layer, tuple(channels))

    def information_nats(self, alphas: Sequence[Tensor]) -> Float[Tensor, " B"]:
        """Upper bound of the information that passes the gates, summed over words and dimensions.

        Args:
            alphas: Gate parameters of each channel.

        Returns:
            Nats per sentence, >= 0.
        """
        parts = [channel.nats(alpha).sum(1) for channel, alpha in zip(self.channels, alphas, strict=True)]
        return torch.stack(parts).sum(0)

    def elements(self, normalization: str) -> Float[Tensor, " B"]:
        """K, the number by which the loss divides the information.

        Args:
            normalization: "word": the width. "mean": the number of all gated elements.

        Returns:
            One number per sentence, >= 1.
        """
        states = self.channels[0].states
        gated = torch.stack([(channel.gate_index >= 0).sum(1) for channel in self.channels]).sum(0)
        pieces = torch.ones_like(gated) if normalization == "word" else gated.clamp(min=1)
        return (pieces * states.shape[2]).to(states)

    def target_nats(self, alphas: Sequence[Tensor], noise: Sequence[Float[Tensor, "B N _ D"]]) -> Float[Tensor, " B"]:
        """-ln p(target) behind the gates, averaged over noise draws.

        Args:
            alphas: Gate parameters of each channel.
            noise: Standard normal noise for each channel.

        Returns:
            Nats per sentence, >= 0.
        """
        rows, draws = noise[0].shape[:2]
        outputs = [
            channel.output(alpha, drawn).flatten(0, 1)
            for channel, alpha, drawn in zip(self.channels, alphas, noise, strict=True)
        ]
        index = torch.arange(rows, device=outputs[0].device).repeat_interleave(draws)
        return self._target_nats(self.scorer.rows(index), *outputs).view(rows, draws).mean(1)

    @torch.no_grad()
    def ungated_nats(self) -> Float[Tensor, " B"]:
        """-ln p(target) without gates, in nats per sentence, >= 0."""
        return self._target_nats(self.scorer, *(channel.states for channel in self.channels))

    def noise(self, generators: Sequence[torch.Generator], draws: int) -> list[Float[Tensor, "B N _ D"]]:
        """Standard normal noise for each channel, in antithetic pairs if there is more than one draw.

        Args:
            generators: One per sentence, so that its noise does not depend on the batch.
            draws: 1, or an even number.

        Returns:
            Fresh noise; 0 where there is no gate.
        """
        noise = []
        for channel in self.channels:
            states = channel.states
            drawn = states.new_zeros(len(states), draws, *states.shape[1:])
            for row, generator in enumerate(generators):
                gated = channel.gate_index[row] >= 0
                half = torch.randn(max(1, draws // 2), int(gated.sum()), states.shape[2], generator=generator)
                drawn[row][:, gated] = (torch.cat([half, -half]) if draws > 1 else half).to(drawn)
            noise.append(drawn)
        return noise

    def _target_nats(self, scorer: Scorer, *inputs: Float[Tensor, "B _ D"]) -> Float[Tensor, " B"]:
        if len(inputs) == 1 or not isinstance(scorer, TranslationScorer):
            return -scorer.logprobs(*inputs, from_layer=self.layer).sum(1)
        # `scorer.logprobs` would score every token: the output layer is half of the work.
        last, rows = scorer.target_mask.sum(1) - 1, torch.arange(len(scorer.target_mask), device=inputs[0].device)
        logits = scorer.model.logits(scorer.output_states(*inputs, from_layer=self.layer)[rows, last])
        return logits.logsumexp(1) - logits[rows, scorer.targets.ids[rows, last]]


def check_layer(model: EncoderModel, layer: int) -> None:
    """Raises RequestError if the model has no such encoder layer.

    Args:
        model: The model.
        layer: Number of the layer; 0: the embeddings.

    Raises:
        RequestError: There is no such layer.
    """
    if not 0 <= layer <= model.encoder_layers:
        raise RequestError(f"{model.name} has layers 0 (embeddings) to {model.encoder_layers}, not {layer}")


def check_normalization(normalization: str) -> None:
    """Raises RequestError if the normalization is unknown.

    Args:
        normalization: A name of `NORMALIZATIONS`.

    Raises:
        RequestError: It is unknown.
    """
    if normalization not in NORMALIZATIONS:
        raise RequestError(f"unknown normalization {normalization!r}; known: {', '.join(NORMALIZATIONS)}")
