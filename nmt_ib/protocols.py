"""What a stranger must offer to be measured: duck typing, no base class."""

from collections.abc import Sequence
from typing import Protocol, SupportsFloat, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from nmt_ib.results.attribution import Attribution
from nmt_ib.types import AttentionBlock, Decoded, MixingBlock, Sentence, TokenBatch


@runtime_checkable
class EncoderModel(Protocol):
    """Layers over the pieces of a sentence that can be entered and left at any of them.

    Attributes:
        name: What the user called it.
        encoder_layers: Number of layers.
        max_source_pieces: Longest sentence, special pieces included.
        pad_id: Piece that fills up sentences.
        unknown_id: The unknown piece.
    """

    name: str
    encoder_layers: int
    max_source_pieces: int
    pad_id: int
    unknown_id: int

    @property
    def fingerprint(self) -> str:
        """Hash of the weights and of the settings that change an input."""
        ...

    @property
    def words_by(self) -> str:
        """What splits sentences into words, for the run's signature."""
        ...

    def tokenize_source(self, text: str) -> Sentence:
        """Pieces and words of one sentence."""
        ...

    def pad(self, sentences: Sequence[Sentence]) -> TokenBatch:
        """A padded batch on the model's device."""
        ...

    def embed(self, ids: Int[Tensor, "B S"]) -> Float[Tensor, "B S D"]:
        """Input embeddings: what `encode` reads at layer 0."""
        ...

    def encode(
        self,
        states: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
        from_layer: int = 0,
        to_layer: int | None = None,
    ) -> Float[Tensor, "B S D"]:
        """Output of layer `to_layer` (None: the last states), from embeddings or from the output of `from_layer`."""
        ...

    def encoder_states(
        self, embeddings: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> tuple[Float[Tensor, "B S D"], ...]:
        """Output of every layer."""
        ...


@runtime_checkable
class Classifier(EncoderModel, Protocol):
    """An encoder with a classifier on top.

    Attributes:
        labels: Names of the classes.
    """

    labels: tuple[str, ...]

    def classify(
        self, states: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"], from_layer: int = 0
    ) -> Float[Tensor, "B K"]:
        """Unnormalised log-probabilities of the classes, in nats, from embeddings or from the output of a layer."""
        ...

    def pooled(
        self, states: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"], from_layer: int = 0
    ) -> Float[Tensor, "B D2"]:
        """The state of the whole sentence that the classifier's output layer reads."""
        ...


@runtime_checkable
class TranslationModel(EncoderModel, Protocol):
    """An encoder-decoder whose encoder can be entered at any layer and whose decoder can be forced.

    Its embeddings are scaled as the model scales them, without positions.

    Attributes:
        decoder_layers: Number of decoder layers.
        max_target_pieces: Longest target, `</s>` included.
    """

    decoder_layers: int
    max_target_pieces: int

    def tokenize_target(self, text: str) -> Sentence:
        """Pieces of one target sentence, `</s>` at the end, without words."""
        ...

    def embedding_table(self) -> Float[Tensor, "V D"]:
        """Embeddings of the whole vocabulary, scaled as `embed` does."""
        ...

    def embed_target(self, targets: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """Embeddings of what the decoder reads before each target piece: at 0 the start, at t piece t - 1."""
        ...

    def decode(
        self,
        encoded: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
        targets: Int[Tensor, "B T"],
        *,
        inputs: Float[Tensor, "B T D"] | None = None,
        with_layers: bool = False,
    ) -> Decoded:
        """Decoder states while it is forced to write `targets`; `inputs` stands in for `embed_target(targets)`."""
        ...

    def logits(
        self, states: Float[Tensor, "*B D"], candidates: Int[Tensor, " K"] | None = None
    ) -> Float[Tensor, "*B K"]:
        """Output scores of the candidates, or of the whole vocabulary."""
        ...

    def translate(self, batch: TokenBatch, *, beams: int = 1) -> list[Sentence]:
        """The model's own translation of each sentence of the batch; greedy with one beam."""
        ...


@runtime_checkable
class AttendingEncoder(EncoderModel, Protocol):
    """An encoder whose layers mix positions by attention that can be read."""

    def encoder_blocks(
        self, embeddings: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> tuple[AttentionBlock, ...]:
        """What the self-attention of each layer did."""
        ...


@runtime_checkable
class AttendingTranslator(AttendingEncoder, TranslationModel, Protocol):
    """A translation model of which every block that mixes positions can be read."""

    def decoder_blocks(
        self,
        encoded: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
        targets: Int[Tensor, "B T"],
        *,
        inputs: Float[Tensor, "B T D"] | None = None,
    ) -> tuple[tuple[MixingBlock, AttentionBlock], ...]:
        """What self-attention, or what stands in its place, and cross-attention of each decoder layer did.

        Where the decoder starts with several pieces, all but the last stand before the T positions of the targets.
        """
        ...


@runtime_checkable
class Embedder(Protocol):
    """Frozen word vectors.

    Attributes:
        name: What the user called it.
        layers: Number of layers that can be asked for: 0, which knows no other word, to `layers` - 1.
        width: Width of a vector, the same in all layers.
    """

    name: str
    layers: int
    width: int

    @property
    def fingerprint(self) -> str:
        """Hash of the weights and of the settings that change a vector."""
        ...

    def vectors(self, sentences: Sequence[Sequence[str]], layers: Sequence[int]) -> list[Float[Tensor, "L W D"]]:
        """Vectors of the words of each sentence, which are read as one batch; those of a sentence depend on no other.

        The layers come in the order in which they are asked for; a sentence without words has none.
        """
        ...

    def types(self, words: Sequence[str]) -> Float[Tensor, "V D"]:
        """The context-free vector of each word: layer 0 of the word read alone."""
        ...


@runtime_checkable
class Attributor(Protocol):
    """A method that tells what each piece of a sentence is worth to a model."""

    def __call__(
        self,
        model: EncoderModel,
        sources: Sequence[Sentence],
        targets: Sequence[Sentence] | Sequence[int],
        *,
        batch_size: int = 32,
    ) -> list[Attribution]:
        """One attribution a sentence, in order; `targets` are tokenised translations, or labels."""
        ...


@runtime_checkable
class InformationEstimator(Protocol):
    """An estimator of I(X;Y) from samples; keyword arguments are its own."""

    def __call__(
        self,
        x: Shaped[np.ndarray, "N ..."] | Shaped[Tensor, "N ..."],
        y: Shaped[np.ndarray, "M ..."] | Shaped[Tensor, "M ..."],
    ) -> SupportsFloat:
        """Nats, of which `float` makes a number; row i of x and of y are one sample."""
        ...
