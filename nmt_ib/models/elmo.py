"""ELMo's bidirectional language model: a character CNN and projected LSTMs in both directions."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

SENTENCE_START, SENTENCE_END, WORD_START, WORD_END, PADDING = range(256, 261)  # follow the 256 bytes
CHARACTERS = 261
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}
Characters = bytes | tuple[int, ...]
State = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class ElmoShape:
    """The hyperparameters of an ELMo.

    Attributes:
        character_width: Width of character embeddings.
        filters: Width in characters and number of filters of each convolution.
        activation: Activation after the convolutions, a key of `ACTIVATIONS`.
        highways: Number of highway layers.
        max_characters: Maximum number of characters of a word, including its start and end.
        layers: Number of LSTM layers.
        cell: Width of the memory cells.
        projection: Width of the projected outputs, and of token vectors.
        cell_clip: Maximum absolute value of the memory cells.
        projection_clip: Maximum absolute value of the projected outputs.
    """

    character_width: int
    filters: tuple[tuple[int, int], ...]
    activation: str
    highways: int
    max_characters: int
    layers: int
    cell: int
    projection: int
    cell_clip: float
    projection_clip: float


def character_ids(words: Sequence[Characters], max_characters: int) -> Int[Tensor, "V C"]:
    """The input of ELMo: the bytes of each word between a start and an end, padded.

    Args:
        words: At least one; UTF-8, or `(SENTENCE_START,)` and `(SENTENCE_END,)`.
        max_characters: Maximum number of characters of a word, including start and end; longer words are truncated.

    Returns:
        Ids from 0 to 260. AllenNLP's are larger by one: it reserves 0 for the padding of sentences.
    """
    spelled = [[WORD_START, *word[: max_characters - 2], WORD_END] for word in words]
    return torch.tensor([row + [PADDING] * (max_characters - len(row)) for row in spelled])


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
    """The characters of a word -> its context-free vector."""

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
        """One vector per word.

        Args:
            ids: Output of `character_ids`.

        Returns:
            The vectors.
        """
        # All windows of mere padding give the same value: one of them is enough for the maximum.
        used = int((ids != PADDING).sum(1).max()) + self.widest
        characters = self.embedding(ids[:, :used]).transpose(1, 2)
        maxima = [self.activation(convolution(characters).amax(2)) for convolution in self.convolutions]
        states = torch.cat(maxima, dim=1)
        for highway in self.highways:
            states = highway(states)
        return self.projection(states)


class ProjectedLstm(nn.Module):
    """One LSTM layer in two independent directions, forward and backward, along the axis of size 2.

    The gates are in TensorFlow's order: input, candidate, forget, output; 1 is added to the stored bias of the forget
    gate. Memory cells and projected outputs are clipped.

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
        """Reads sentences from left to right; the caller reverses them for the backward direction.

        Args:
            inputs: Inputs of each direction.
            mask: False on padding, which is on the right.
            state: Initial memory and output; None: zeros.

        Returns:
            Output at each position, and memory and output after the last word of each sentence.
        """
        _, sentences, length, _ = inputs.shape
        memory, output = state or (inputs.new_zeros(2, sentences, size) for size in (self.cell, self.width))
        from_input, from_output = self.kernel.split(self.width, dim=1)
        projected_inputs = torch.baddbmm(self.bias[:, None], inputs.flatten(1, 2), from_input).unflatten(
            1, (sentences, length)
        )
        outputs = []
        for position in range(length):
            gates = torch.baddbmm(projected_inputs[:, :, position], output, from_output)
            input_gate, candidate, forget_gate, output_gate = gates.chunk(4, dim=2)
            updated = torch.sigmoid(input_gate) * torch.tanh(candidate) + torch.sigmoid(forget_gate + 1) * memory
            updated = updated.clamp(-self.cell_clip, self.cell_clip)
            projected = (torch.sigmoid(output_gate) * torch.tanh(updated)) @ self.projection
            inside = mask[:, position, None]
            memory = torch.where(inside, updated, memory)
            output = torch.where(inside, projected.clamp(-self.projection_clip, self.projection_clip), output)
            outputs.append(output)
        return torch.stack(outputs, dim=2), (memory, output)


class BidirectionalLanguageModel(nn.Module):
    """ELMo: token vectors from characters, then LSTM layers, with residual connections around all but the first.

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
        initial: Sequence[State | None] | None = None,
        *,
        top: int | None = None,
    ) -> tuple[list[Tensor], list[State]]:
        """States of every layer.

        Args:
            tokens: Output of `characters`, including sentence start and end.
            mask: False on padding, which is on the right.
            initial: Final states of the previous batch, to run statefully as the original implementation does; None:
                each sentence is read by itself.
            top: Last layer to run; None: all.

        Returns:
            Layers 0 to `top`, forward and backward concatenated, [B S 2E], where layer 0 holds the token vectors twice;
            and the final state of each LSTM layer.
        """
        reverse = _reversed_positions(mask)[..., None].expand_as(tokens)
        states = torch.stack([tokens, tokens.gather(1, reverse)])
        outputs, final = [torch.cat([tokens, tokens], dim=2)], []
        for number, layer in enumerate(self.layers[:top]):
            inputs = states
            states, state = layer(inputs, mask, initial[number] if initial else None)
            states = states + inputs if number else states
            outputs.append(torch.cat([states[0], states[1].gather(1, reverse)], dim=2))
            final.append(state)
        return outputs, final


def _reversed_positions(mask: Bool[Tensor, "B S"]) -> Int[Tensor, "B S"]:
    """Positions that reverse each sentence and leave its padding in place; their own inverse."""
    positions = torch.arange(mask.shape[1], device=mask.device)
    return torch.where(mask, mask.sum(1, keepdim=True) - 1 - positions, positions)
