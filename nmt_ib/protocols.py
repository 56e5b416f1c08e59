"""Protocols that models, methods and estimators satisfy: duck typing, no base class."""

from collections.abc import Sequence
from typing import Protocol, SupportsFloat, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from nmt_ib.blocks import AttentionBlock, MixingBlock
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Decoded, Sentence, TokenBatch


@runtime_checkable
class EncoderModel(Protocol):
    """An encoder over subword pieces that can be run from any layer to any other.

    Attributes:
        name: Name or path by which the user loaded it.
        encoder_layers: Number of layers.
        max_source_pieces: Maximum length of a sentence in pieces, special pieces included.
        pad_id: Id of the padding piece.
        unknown_id: Id of the unknown piece.
    """

    name: str
    encoder_layers: int
    max_source_pieces: int
    pad_id: int
    unknown_id: int

    @property
    def fingerprint(self) -> str:
        """Hash of the weights and of the settings that affect inputs."""
        ...

    @property
    def words_by(self) -> str:
        """Name of the word splitter, for the signature of a run."""
        ...

    def tokenize_source(self, text: str) -> Sentence:
        """Pieces and words of one sentence."""
        ...

    def pad(self, sentences: Sequence[Sentence]) -> TokenBatch:
        """A padded batch on the model's device."""
        ...

    def embed(self, ids: Int[Tensor, "B S"]) -> Float[Tensor, "B S D"]:
        """Input embeddings, which `encode` reads at layer 0."""
        ...

    def encode(
        self,
        states: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
        from_layer: int = 0,
        to_layer: int | None = None,
    ) -> Float[Tensor, "B S D"]:
        """Output of layer `to_layer` (None: the final states), from embeddings or from the output of `from_layer`."""
        ...

    def encoder_states(
        self, embeddings: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> tuple[Float[Tensor, "B S D"], ...]:
        """Output of every layer."""
        ...


@runtime_checkable
class Classifier(EncoderModel, Protocol):
    """An encoder with a classification layer.

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
        """The sentence vector that the output layer reads."""
        ...


@runtime_checkable
class TranslationModel(EncoderModel, Protocol):
    """An encoder-decoder whose encoder can be run from any layer and whose decoder can be forced.

    Its embeddings are scaled as the model scales them, without positions.

    Attributes:
        decoder_layers: Number of decoder layers.
        max_target_pieces: Maximum length of a target in pieces, `</s>` included.
    """

    decoder_layers: int
    max_target_pieces: int

    def tokenize_target(self, text: str) -> Sentence:
        """Pieces of one target sentence, with `</s>` at the end and without words."""
        ...

    def embedding_table(self) -> Float[Tensor, "V D"]:
        """Embeddings of the whole vocabulary, scaled as `embed` does."""
        ...

    def embed_target(self, targets: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """Embeddings that the decoder reads before each target piece: at 0 the start piece, at t piece t - 1."""
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
        """Decoder states when forced to produce `targets`; `inputs` replaces `embed_target(targets)`."""
        ...

    def logits(
        self, states: Float[Tensor, "*B D"], candidates: Int[Tensor, " K"] | None = None
    ) -> Float[Tensor, "*B K"]:
        """Logits of the candidates, or of the whole vocabulary."""
        ...

    def translate(self, batch: TokenBatch, *, beams: int = 1) -> list[Sentence]:
        """The model's own translation of each sentence; greedy with one beam."""
        ...


@runtime_checkable
class AttendingEncoder(EncoderModel, Protocol):
    """An encoder whose self-attention blocks can be read."""

    def encoder_blocks(
        self, embeddings: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> tuple[AttentionBlock, ...]:
        """The self-attention block of each layer."""
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
        """Self-attention (or SSRU) block and cross-attention block of each decoder layer.

        If the decoder starts with several pieces, all but the last precede the T positions of the targets.
        """
        ...


@runtime_checkable
class Embedder(Protocol):
    """Frozen word vectors.

    Attributes:
        name: Name or path by which the user loaded it.
        layers: Number of layers, from 0, which is context-free, to `layers` - 1.
        width: Dimension of the vectors, the same in all layers.
    """

    name: str
    layers: int
    width: int

    @property
    def fingerprint(self) -> str:
        """Hash of the weights and of the settings that affect vectors."""
        ...

    def vectors(self, sentences: Sequence[Sequence[str]], layers: Sequence[int]) -> list[Float[Tensor, "L W D"]]:
        """Vectors of the words of each sentence, from one batch; they do not depend on the other sentences.

        Layers are in the order requested; a sentence without words has no vectors.
        """
        ...

    def types(self, words: Sequence[str]) -> Float[Tensor, "V D"]:
        """The context-free vector of each word: layer 0 of the word read alone."""
        ...


@runtime_checkable
class Attributor(Protocol):
    """A method that scores how much each piece of a sentence matters to a model's output or state."""

    def __call__(
        self,
        model: EncoderModel,
        sources: Sequence[Sentence],
        targets: Sequence[Sentence] | Sequence[int],
        *,
        batch_size: int = 32,
    ) -> list[Attribution]:
        """One attribution per sentence, in order; `targets` are tokenised translations, or numbers of labels."""
        ...


@runtime_checkable
class InformationEstimator(Protocol):
    """An estimator of I(X;Y) from samples; further arguments are keyword-only."""

    def __call__(
        self,
        x: Shaped[np.ndarray, "N ..."] | Shaped[Tensor, "N ..."],
        y: Shaped[np.ndarray, "M ..."] | Shaped[Tensor, "M ..."],
    ) -> SupportsFloat:
        """An estimate that `float` converts to nats; row i of x and row i of y are one sample."""
        ...
