"""ELMo's bidirectional language model: characters, convolutions, and projected LSTMs in both directions."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

SENTENCE_START, SENTENCE_END, WORD_START, WORD_END, PADDING = range(256, 261)  # behind the 256 bytes
CHARACTERS = 261
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}
Characters = bytes | tuple[int, ...]
State = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class ElmoShape:
    """The sizes of an ELMo.

    Attributes:
        character_width: Width of a character's embedding.
        filters: Width in characters and number of the filters of each convolution.
        activation: What follows the convolutions, a key of `ACTIVATIONS`.
        highways: Number of highway layers.
        longest_word: Characters that are read of a word, its start and its end included.
        layers: Number of LSTM layers.
        cell: Width of their memory.
        projection: Width of their output, and of token vectors.
        cell_clip: Largest absolute value of the memory.
        projection_clip: Largest absolute value of the output.
    """

    character_width: int
    filters: tuple[tuple[int, int], ...]
    activation: str
    highways: int
    longest_word: int
    layers: int
    cell: int
    projection: int
    cell_clip: float
    projection_clip: float


def character_ids(words: Sequence[Characters], longest: int) -> Int[Tensor, "V C"]:
    """Words as ELMo reads them: their bytes between a start and an end, padded.

    Args:
        words: At least one; UTF-8, or `(SENTENCE_START,)` and `(SENTENCE_END,)`.
        longest: Characters of a word, start and end included; longer words are cut.

    Returns:
        Ids from 0 to 260. AllenNLP's are larger by one: it needs a 0 for words that fill up a sentence.
    """
    spelled = [[WORD_START, *word[: longest - 2], WORD_END] for word in words]
    return torch.tensor([row + [PADDING] * (longest - len(row)) for row in spelled])


class Highway(nn.Module):
    r"""A gated layer, :math:`c \odot \mathrm{relu}(W x + b) + (1 - c) \odot x`, :math:`c = \sigma(W_c x + b_c)`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.transform, self.carry = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, states: Float[Tensor, "V D"]) -> Float[Tensor, "V D"]:
        """The layer's output."""
        carry = torch.sigmoid(self.carry(states))
        return carry * torch.relu(self.transform(states)) + (1 - carry) * states


class CharacterEncoder(nn.Module):
    """A word's characters -> its context-free vector."""

    def __init__(self, shape: ElmoShape) -> None:
        super().__init__()
        width = sum(count for _, count in shape.filters)
        self.activation = ACTIVATIONS[shape.activation]
        self.widest = max(size for size, _ in shape.filters)
        self.embedding = nn.Embedding(CHARACTERS, shape.character_width)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(shape.character_width, count, size) for size, count in shape.filters
        )
        self.highways = nn.ModuleList(Highway(width) for _ in range(shape.highways))
        self.projection = nn.Linear(width, shape.projection)

    def forward(self, ids: Int[Tensor, "V C"]) -> Float[Tensor, "V E"]:
        """One vector a word.

        Args:
            ids: As `character_ids` gives them.

        Returns:
            The vectors.
        """
        # Behind one full window of padding all windows are alike, and the largest value is that of the different ones.
        used = int((ids != PADDING).sum(1).max()) + self.widest
        characters = self.embedding(ids[:, :used]).transpose(1, 2)
        found = [self.activation(convolution(characters).amax(2)) for convolution in self.convolutions]
        states = torch.cat(found, dim=1)
        for highway in self.highways:
            states = highway(states)
        return self.projection(states)


class ProjectedLstm(nn.Module):
    r"""One LSTM layer in two directions that do not know each other: axis 2 is forward and backward.

    The gates stand in TensorFlow's order, input, candidate, forget, output; the forget gate's bias is one larger than
    its weight says. Memory and projected output are clipped.

    References:
        Sak et al., "Long short-term memory recurrent neural network architectures for large scale acoustic modeling",
        2014, equations 1 to 6 (without peepholes).
    """

    def __init__(self, shape: ElmoShape) -> None:
        super().__init__()
        self.cell, self.width = shape.cell, shape.projection
        self.cell_clip, self.projection_clip = shape.cell_clip, shape.projection_clip
        self.kernel = nn.Parameter(torch.zeros(2, 2 * self.width, 4 * self.cell))
        self.bias = nn.Parameter(torch.zeros(2, 4 * self.cell))
        self.projection = nn.Parameter(torch.zeros(2, self.cell, self.width))

    def forward(
        self, inputs: Float[Tensor, "2 B S E"], mask: Bool[Tensor, "B S"], state: State | None = None
    ) -> tuple[Float[Tensor, "2 B S E"], State]:
        """Reads sentences from left to right; for the backward direction they have been turned round.

        Args:
            inputs: What is read in each direction.
            mask: False on padding, which stands at the end.
            state: Memory and output to begin with; None: zeros.

        Returns:
            Output of each position, and memory and output behind the last word of each sentence.
        """
        _, sentences, length, _ = inputs.shape
        memory, output = state or (inputs.new_zeros(2, sentences, size) for size in (self.cell, self.width))
        from_input, from_output = self.kernel.split(self.width, dim=1)
        read = torch.baddbmm(self.bias[:, None], inputs.flatten(1, 2), from_input).unflatten(1, (sentences, length))
        outputs = []
        for place in range(length):
            enter, candidate, keep, leave = torch.baddbmm(read[:, :, place], output, from_output).chunk(4, dim=2)
            fresh = torch.sigmoid(enter) * torch.tanh(candidate) + torch.sigmoid(keep + 1) * memory
            fresh = fresh.clamp(-self.cell_clip, self.cell_clip)
            projected = (torch.sigmoid(leave) * torch.tanh(fresh)) @ self.projection
            here = mask[:, place, None]
            memory = torch.where(here, fresh, memory)
            output = torch.where(here, projected.clamp(-self.projection_clip, self.projection_clip), output)
            outputs.append(output)
        return torch.stack(outputs, dim=2), (memory, output)


class BidirectionalLanguageModel(nn.Module):
    """ELMo: token vectors from characters, then layers of LSTMs, each but the first added to what it reads.

    References:
        Peters et al., "Deep contextualized word representations", NAACL 2018, section 3.
    """

    def __init__(self, shape: ElmoShape) -> None:
        super().__init__()
        self.shape = shape
        self.characters = CharacterEncoder(shape)
        self.layers = nn.ModuleList(ProjectedLstm(shape) for _ in range(shape.layers))

    def forward(
        self,
        tokens: Float[Tensor, "B S E"],
        mask: Bool[Tensor, "B S"],
        carried: Sequence[State | None] | None = None,
        *,
        top: int | None = None,
    ) -> tuple[list[Tensor], list[State]]:
        """States of every layer.

        Args:
            tokens: Vectors from `characters`, those of the sentence's start and end included.
            mask: False on padding, which stands at the end.
            carried: What an earlier call gave, to go on as if this batch's sentences followed that batch's: so the
                original implementation runs. None: each sentence is read by itself.
            top: Last layer to run; None: all.

        Returns:
            Layers 0 to `top`, forward and backward side by side, [B S 2E]; layer 0 is the token vectors, twice. And
            what to carry on.
        """
        turned = _turned(mask)[..., None].expand_as(tokens)
        states = torch.stack([tokens, tokens.gather(1, turned)])
        outputs, carry = [torch.cat([tokens, tokens], dim=2)], []
        for number, layer in enumerate(self.layers[:top]):
            read = states
            states, state = layer(read, mask, carried[number] if carried else None)
            states = states + read if number else states
            outputs.append(torch.cat([states[0], states[1].gather(1, turned)], dim=2))
            carry.append(state)
        return outputs, carry


def _turned(mask: Bool[Tensor, "B S"]) -> Int[Tensor, "B S"]:
    """Positions that turn each sentence round and leave its padding where it is; twice is not at all."""
    places = torch.arange(mask.shape[1], device=mask.device)
    return torch.where(mask, mask.sum(1, keepdim=True) - 1 - places, places)
