"""What a stranger must offer to be measured: duck typing, no base class."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Float, Int
from torch import Tensor

from nmt_ib.types import Decoded, Sentence, TokenBatch


@runtime_checkable
class TranslationModel(Protocol):
    """An encoder-decoder whose encoder can be entered at any layer and whose decoder can be forced.

    Attributes:
        name: What the user called it.
        encoder_layers: Number of encoder layers.
        decoder_layers: Number of decoder layers.
        max_source_pieces: Longest source, special pieces included.
        max_target_pieces: Longest target, `</s>` included.
        pad_id: Piece that fills up sources.
        unknown_id: The unknown piece.
    """

    name: str
    encoder_layers: int
    decoder_layers: int
    max_source_pieces: int
    max_target_pieces: int
    pad_id: int
    unknown_id: int

    @property
    def fingerprint(self) -> str:
        """Hash of the weights and of the settings that change an input."""
        ...

    @property
    def words_by(self) -> str:
        """What splits sources into words, for the run's signature."""
        ...

    def tokenize_source(self, text: str) -> Sentence:
        """Pieces and words of one source sentence."""
        ...

    def tokenize_target(self, text: str) -> Sentence:
        """Pieces of one target sentence, `</s>` at the end, without words."""
        ...

    def pad(self, sentences: Sequence[Sentence]) -> TokenBatch:
        """A padded batch on the model's device."""
        ...

    def embed(self, ids: Int[Tensor, "B S"]) -> Float[Tensor, "B S D"]:
        """Input embeddings, scaled as the model scales them, without positions."""
        ...

    def embedding_table(self) -> Float[Tensor, "V D"]:
        """Embeddings of the whole vocabulary, scaled as `embed` does."""
        ...

    def encode(
        self, states: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"], from_layer: int = 0
    ) -> Float[Tensor, "B S D"]:
        """The encoder's last states, from embeddings (`from_layer` 0) or from the output of a layer."""
        ...

    def encoder_states(
        self, embeddings: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> tuple[Float[Tensor, "B S D"], ...]:
        """Output of every encoder layer."""
        ...

    def decode(
        self,
        encoded: Float[Tensor, "B S D"],
        mask: Bool[Tensor, "B S"],
        targets: Int[Tensor, "B T"],
        *,
        with_layers: bool = False,
    ) -> Decoded:
        """Decoder states while it is forced to write `targets`."""
        ...

    def logits(
        self, states: Float[Tensor, "*B D"], candidates: Int[Tensor, " K"] | None = None
    ) -> Float[Tensor, "*B K"]:
        """Output scores of the candidates, or of the whole vocabulary."""
        ...

    def translate(self, batch: TokenBatch, *, beams: int = 1) -> list[Sentence]:
        """The model's own translation of each sentence of the batch; greedy with one beam."""
        ...
