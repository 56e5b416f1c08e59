"""The readout bottleneck: a trained network that predicts the gates in one pass."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from nmt_ib.attribution.assemble import assemble_attribution
from nmt_ib.attribution.gate import OPEN, Channel
from nmt_ib.attribution.gated_scoring import check_layer
from nmt_ib.attribution.statistics import CorpusStatistics
from nmt_ib.batching import map_pairs_in_batches
from nmt_ib.errors import RequestError
from nmt_ib.files import read_json, write_bytes, write_json
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.protocols import EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence, Target, TokenBatch

MARGIN = 0.03  # between the initial gates and the clamp, beyond which the gradient is 0 and nothing is learned


class ReadoutNetwork(nn.Module):
    """Predicts the gate of each word from the states of all encoder layers.

    The embeddings and the outputs of all layers, standardised over the corpus, pass through hidden layers piece by
    piece. The gates are initially open.

    Args:
        statistics: Statistics of the model that is explained.
        layer: Encoder layer whose output is gated; 0: the embeddings.
        hidden: Widths of the hidden layers.
        seed: Seed of the initial weights.
    """

    def __init__(
        self, statistics: CorpusStatistics, *, layer: int = 0, hidden: Sequence[int] = (256, 128), seed: int = 0
    ) -> None:
        super().__init__()
        self.statistics, self.layer, self.hidden = statistics, layer, tuple(hidden)
        layers = sum(name.startswith("encoder.") for name in statistics.parts)
        self.inputs = [statistics.layer(number) for number in range(layers)]
        first = self.inputs[0].mean
        widths = [sum(len(part.mean) for part in self.inputs), *hidden, 1]
        steps: list[nn.Module] = []
        for fan_in, fan_out in zip(widths, widths[1:], strict=False):
            steps += [nn.Linear(fan_in, fan_out, dtype=first.dtype, device=first.device), nn.ReLU()]
        self.steps = nn.Sequential(*steps[:-1])
        self._initialise_(torch.Generator().manual_seed(seed))

    @torch.no_grad()
    def _initialise_(self, generator: torch.Generator) -> None:
        linear = [step for step in self.steps if isinstance(step, nn.Linear)]
        for step in linear:
            drawn = torch.randn(step.weight.shape, generator=generator)
            step.weight.copy_(drawn * (2 / step.in_features) ** 0.5)
            step.bias.zero_()
        linear[-1].weight.mul_(1e-3)
        linear[-1].bias.fill_(OPEN - MARGIN)

    def forward(
        self, states: Sequence[Float[Tensor, "B S _"]], word_index: Int[Tensor, "B S"]
    ) -> Float[Tensor, "B W 1"]:
        """Gates of a padded batch.

        Args:
            states: Embeddings and the output of each encoder layer.
            word_index: Index of the word of each piece, -1 for special pieces and padding.

        Returns:
            alpha of each word, -5 to 5: the mean over its pieces.
        """
        standard = [(state - part.mean) / part.std for state, part in zip(states, self.inputs, strict=True)]
        alpha = self.steps(torch.cat(standard, dim=2))[..., 0].clamp(-OPEN, OPEN)
        in_word, place = (word_index >= 0).to(alpha), word_index.clamp(min=0)
        sums = alpha.new_zeros(len(alpha), max(1, int(word_index.max()) + 1))
        counts = sums.scatter_add(1, place, in_word)
        return (sums.scatter_add(1, place, alpha * in_word) / counts.clamp(min=1))[..., None]

    def gates(self, model: EncoderModel, batch: TokenBatch) -> Float[Tensor, "B W 1"]:
        """Gates of a batch, from one pass of the encoder.

        Args:
            model: The model that the network was trained for.
            batch: Sentences.

        Returns:
            alpha of each word.
        """
        with torch.no_grad():
            embeddings = model.embed(batch.ids)
            states = (embeddings, *model.encoder_states(embeddings, batch.mask))
        return self(states, batch.word_index)

    def save(self, folder: Path) -> None:
        """Writes weights, statistics and settings, without pickle.

        Args:
            folder: The directory; it is created if missing.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.statistics.save(folder / "statistics.npz")
        weights = BytesIO()
        np.savez(weights, **{name: value.cpu().numpy() for name, value in self.state_dict().items()})
        write_bytes(folder / "network.npz", weights.getvalue())
        settings = {"model": self.statistics.model, "layer": self.layer, "hidden": self.hidden}
        write_json(folder / "readout.json", settings)


def load_readout(folder: Path, model: EncoderModel) -> ReadoutNetwork:
    """Loads a network that `ReadoutNetwork.save` wrote.

    Args:
        folder: The directory.
        model: The model that is explained.

    Returns:
        The network.

    Raises:
        RequestError: There is no network in the directory, or it was trained for another model.
    """
    path = folder / "readout.json"
    if not path.is_file():
        raise RequestError(f"{folder} holds no readout network: it has no readout.json; train one first")
    settings = read_json(path)
    if settings["model"] != model.fingerprint:
        raise RequestError(f"the readout network in {folder} was trained for another model, not for {model.name}")
    statistics = CorpusStatistics.load(folder / "statistics.npz", model)
    network = ReadoutNetwork(statistics, layer=settings["layer"], hidden=settings["hidden"])
    with np.load(folder / "network.npz", allow_pickle=False) as file:
        network.load_state_dict({name: torch.from_numpy(file[name]) for name in file.files})
    return network.eval()


@dataclass(frozen=True)
class Readout:
    """Bits of each word at gates predicted by a trained network, in one pass; the target is not read.

    Attributes:
        network: The network, or the directory that it was saved to.

    References:
        Schulz et al. (2020), "Restricting the Flow: Information Bottlenecks for Attribution", section 3.3.
    """

    network: ReadoutNetwork | Path | str

    @torch.no_grad()
    def __call__(
        self, model: EncoderModel, sources: Sequence[Sentence], targets: Sequence[Target], *, batch_size: int = 32
    ) -> list[Attribution]:
        """Attributions of each sentence.

        Args:
            model: The model that the network was trained for.
            sources: Tokenised sentences.
            targets: Tokenised translations, or numbers of labels, in the same order; they do not affect the scores.
            batch_size: Number of sentences per forward pass; does not affect results.

        Returns:
            One per sentence, in order; scores are bits, >= 0.

        Raises:
            RequestError: The network was trained for another model.
        """
        network = self.network if isinstance(self.network, ReadoutNetwork) else load_readout(Path(self.network), model)
        if network.statistics.model != model.fingerprint:
            raise RequestError(f"this readout network was trained for another model, not for {model.name}")
        check_layer(model, network.layer)

        def explain(sources: list[Sentence], targets: list[Target]) -> Iterator[Attribution]:
            batch = model.pad(sources)
            states = model.encode(model.embed(batch.ids), batch.mask, to_layer=network.layer)
            channel = Channel(states, network.statistics.layer(network.layer), batch.word_index)
            bits = channel.nats(network.gates(model, batch)) * BITS_PER_NAT
            for source, target, padded_bits in zip(sources, targets, bits, strict=True):
                scores = padded_bits[: len(source)]
                yield assemble_attribution(
                    model,
                    source,
                    target,
                    method="readout",
                    layer=network.layer,
                    unit="bits",
                    scores=scores,
                    bits=scores,
                    passes=1,
                )

        return map_pairs_in_batches(explain, sources, targets, batch_size)
