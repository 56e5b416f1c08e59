"""A question that is asked through noise gates: what the answer costs, and what goes through."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from nmt_ib.attribution.gate import Channel
from nmt_ib.attribution.question import Question, Translation
from nmt_ib.attribution.statistics import CorpusStatistics
from nmt_ib.errors import RequestError
from nmt_ib.protocols import EncoderModel

NORMALIZATIONS = ("word", "mean")


@dataclass(frozen=True)
class GatedQuestion:
    """A batch of sentences whose words, and whose translations' prefixes, stand behind gates.

    Attributes:
        question: What is asked; of a translation with a gated prefix its last token alone.
        layer: Encoder layer whose output is gated; 0: the embeddings.
        channels: The source, and the prefix where that is gated, too.
    """

    question: Question
    layer: int
    channels: tuple[Channel, ...]

    @classmethod
    def about(
        cls, question: Question, layer: int, statistics: CorpusStatistics, *, prefix: bool = False
    ) -> "GatedQuestion":
        """Puts a gate before each word.

        Args:
            question: What is asked.
            layer: Encoder layer whose output is gated.
            statistics: What closed gates let out.
            prefix: Whether to put gates before the tokens that the decoder has written, too, and to ask for the last
                token of the translation alone.

        Returns:
            The same question behind gates.
        """
        batch, model = question.batch, question.model
        with torch.no_grad():
            states = model.encode(model.embed(batch.ids), batch.mask, to_layer=layer)
            channels = [Channel(states, statistics.layer(layer), batch.word_index)]
            if prefix and isinstance(question, Translation):
                tokens = torch.arange(question.answers.shape[1], device=batch.ids.device)
                gate = torch.where(question.answers & (tokens > 0), tokens, -1)
                channels.append(Channel(question.prefix(), statistics.parts["decoder.0"], gate))
        return cls(question, layer, tuple(channels))

    def information_nats(self, gates: Sequence[Tensor]) -> Float[Tensor, " B"]:
        """What goes through, at most, summed over words and dimensions.

        Args:
            gates: alpha for each channel.

        Returns:
            One figure a sentence, >= 0.
        """
        parts = [channel.nats(gate).sum(1) for channel, gate in zip(self.channels, gates, strict=True)]
        return torch.stack(parts).sum(0)

    def elements(self, normalization: str) -> Float[Tensor, " B"]:
        """What the information is divided by in a loss.

        Args:
            normalization: "word": the width. "mean": the number of all gated elements.

        Returns:
            One figure a sentence.
        """
        states = self.channels[0].states
        gated = torch.stack([(channel.gate >= 0).sum(1) for channel in self.channels]).sum(0)
        pieces = torch.ones_like(gated) if normalization == "word" else gated.clamp(min=1)
        return (pieces * states.shape[2]).to(states)

    def answer_nats(self, gates: Sequence[Tensor], noise: Sequence[Float[Tensor, "B N _ D"]]) -> Float[Tensor, " B"]:
        """-ln p of the answer behind the gates, averaged over draws of noise.

        Args:
            gates: alpha for each channel.
            noise: Standard normal, for each channel.

        Returns:
            One figure a sentence.
        """
        rows, draws = noise[0].shape[:2]
        outputs = [
            channel.output(gate, drawn).flatten(0, 1)
            for channel, gate, drawn in zip(self.channels, gates, noise, strict=True)
        ]
        index = torch.arange(rows, device=outputs[0].device).repeat_interleave(draws)
        return self._ask(self.question.rows(index), *outputs).view(rows, draws).mean(1)

    @torch.no_grad()
    def undisturbed_nats(self) -> Float[Tensor, " B"]:
        """-ln p of the answer without gates, one figure a sentence."""
        return self._ask(self.question, *(channel.states for channel in self.channels))

    def noise(self, generators: Sequence[torch.Generator], draws: int) -> list[Float[Tensor, "B N _ D"]]:
        """Standard normal noise for each channel, in antithetic pairs where there is more than one draw.

        Args:
            generators: One a sentence; the noise of a sentence depends on nothing else.
            draws: 1, or an even number.

        Returns:
            Fresh noise; 0 where no gate stands.
        """
        found = []
        for channel in self.channels:
            states = channel.states
            noise = states.new_zeros(len(states), draws, *states.shape[1:])
            for row, generator in enumerate(generators):
                behind = channel.gate[row] >= 0
                drawn = torch.randn(max(1, draws // 2), int(behind.sum()), states.shape[2], generator=generator)
                noise[row][:, behind] = (torch.cat([drawn, -drawn]) if draws > 1 else drawn).to(noise)
            found.append(noise)
        return found

    def _ask(self, question: Question, *inputs: Float[Tensor, "B _ D"]) -> Float[Tensor, " B"]:
        if len(inputs) == 1 or not isinstance(question, Translation):
            return -question.logprobs(*inputs, from_layer=self.layer).sum(1)
        # `question.logprobs` would score every token: the output layer is half of the work.
        last, rows = question.answers.sum(1) - 1, torch.arange(len(question.answers), device=inputs[0].device)
        logits = question.model.logits(question.answer_states(*inputs, from_layer=self.layer)[rows, last])
        return logits.logsumexp(1) - logits[rows, question.targets.ids[rows, last]]


def check_layer(model: EncoderModel, layer: int) -> None:
    """Refuses a layer that the model does not have.

    Args:
        model: The model.
        layer: 0: the embeddings.

    Raises:
        RequestError: There is no such layer.
    """
    if not 0 <= layer <= model.encoder_layers:
        raise RequestError(f"{model.name} has layers 0 (embeddings) to {model.encoder_layers}, not {layer}")


def check_normalization(normalization: str) -> None:
    """Refuses an unknown one.

    Args:
        normalization: Its name.

    Raises:
        RequestError: It is unknown.
    """
    if normalization not in NORMALIZATIONS:
        raise RequestError(f"unknown normalization {normalization!r}; known: {', '.join(NORMALIZATIONS)}")
