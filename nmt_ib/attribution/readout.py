"""The bottleneck's readout: a network that has learned where the gates come to stand, and needs one pass."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from nmt_ib.attribution.gate import OPEN, Channel
from nmt_ib.attribution.gated_question import check_layer
from nmt_ib.attribution.outcome import outcome
from nmt_ib.attribution.statistics import CorpusStatistics
from nmt_ib.batching import map_pairs_in_batches
from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.protocols import EncoderModel
from nmt_ib.results.attribution import Attribution
from nmt_ib.types import Sentence, Target, TokenBatch

INSIDE = 0.03  # of the range of gates: at its end they have no slope, and a network might never start to learn


class ReadoutNetwork(nn.Module):
    """From what all encoder layers hold of a word to its gate.

    The embeddings and the outputs of all layers, in deviations from their corpus' mean, go through two hidden layers
    piece by piece. The gates start open.

    Args:
        statistics: Of the model that is to be explained.
        layer: Encoder layer whose output is gated; 0: the embeddings.
        hidden: Widths of the hidden layers.
        seed: Seed of the first weights.
    """

    def __init__(
        self, statistics: CorpusStatistics, *, layer: int = 0, hidden: Sequence[int] = (256, 128), seed: int = 0
    ) -> None:
        super().__init__()
        self.statistics, self.layer, self.hidden = statistics, layer, tuple(hidden)
        layers = sum(name.startswith("encoder.") for name in statistics.parts)
        self.read = [statistics.layer(number) for number in range(layers)]
        first = self.read[0].mean
        widths = [sum(len(part.mean) for part in self.read), *hidden, 1]
        steps: list[nn.Module] = []
        for given, wanted in zip(widths, widths[1:], strict=False):
            steps += [nn.Linear(given, wanted, dtype=first.dtype, device=first.device), nn.ReLU()]
        self.steps = nn.Sequential(*steps[:-1])
        self._start_(torch.Generator().manual_seed(seed))

    @torch.no_grad()
    def _start_(self, generator: torch.Generator) -> None:
        linear = [step for step in self.steps if isinstance(step, nn.Linear)]
        for step in linear:
            drawn = torch.randn(step.weight.shape, generator=generator)
            step.weight.copy_(drawn * (2 / step.in_features) ** 0.5)
            step.bias.zero_()
        linear[-1].weight.mul_(1e-3)
        linear[-1].bias.fill_(OPEN - INSIDE)

    def forward(
        self, states: Sequence[Float[Tensor, "B S _"]], word_index: Int[Tensor, "B S"]
    ) -> Float[Tensor, "B W 1"]:
        """Gates of a padded batch.

        Args:
            states: Embeddings and the output of each encoder layer.
            word_index: Word of each piece, -1 for special pieces and padding.

        Returns:
            alpha of each word, from -5 to 5: the mean over its pieces.
        """
        standard = [(state - part.mean) / part.std for state, part in zip(states, self.read, strict=True)]
        alpha = self.steps(torch.cat(standard, dim=2))[..., 0].clamp(-OPEN, OPEN)
        inside, place = (word_index >= 0).to(alpha), word_index.clamp(min=0)
        sums = alpha.new_zeros(len(alpha), max(1, int(word_index.max()) + 1))
        counts = sums.scatter_add(1, place, inside)
        return (sums.scatter_add(1, place, alpha * inside) / counts.clamp(min=1))[..., None]

    def gates(self, model: EncoderModel, batch: TokenBatch) -> Float[Tensor, "B W 1"]:
        """One pass of the encoder, and what the network makes of it.

        Args:
            model: The model that the network was made for.
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
            folder: Directory; made where it is missing.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.statistics.save(folder / "statistics.npz")
        np.savez(folder / "network.npz", **{name: value.cpu().numpy() for name, value in self.state_dict().items()})
        about = {"model": self.statistics.model, "layer": self.layer, "hidden": self.hidden}
        (folder / "readout.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def load_readout(folder: Path, model: EncoderModel) -> ReadoutNetwork:
    """Reads what `ReadoutNetwork.save` wrote.

    Args:
        folder: The directory.
        model: The model that is to be explained.

    Returns:
        The network.

    Raises:
        RequestError: There is no network in the directory, or it was made for another model.
    """
    about = folder / "readout.json"
    if not about.is_file():
        raise RequestError(f"{folder} holds no readout network: it has no readout.json; train one first")
    settings = json.loads(about.read_text(encoding="utf-8"))
    if settings["model"] != model.fingerprint:
        raise RequestError(f"the readout network in {folder} was trained for another model than {model.name}")
    statistics = CorpusStatistics.load(folder / "statistics.npz", model)
    network = ReadoutNetwork(statistics, layer=settings["layer"], hidden=settings["hidden"])
    with np.load(folder / "network.npz", allow_pickle=False) as file:
        network.load_state_dict({name: torch.from_numpy(file[name]) for name in file.files})
    return network.eval()


@dataclass(frozen=True)
class Readout:
    """Bits of each word at the gates that a trained network sets, without a search; the answer is not read.

    Attributes:
        network: The network, or the directory that holds it.

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
            targets: Tokenised translations, or labels, in the same order; they change nothing.
            batch_size: Sentences that go through the model at once; changes no result.

        Returns:
            One a sentence, in order.

        Raises:
            RequestError: The network was made for another model.
        """
        network = self.network if isinstance(self.network, ReadoutNetwork) else load_readout(Path(self.network), model)
        if network.statistics.model != model.fingerprint:
            raise RequestError(f"this readout network was trained for another model than {model.name}")
        check_layer(model, network.layer)

        def explain(sources: list[Sentence], targets: list[Target]) -> Iterator[Attribution]:
            batch = model.pad(sources)
            states = model.encode(model.embed(batch.ids), batch.mask, to_layer=network.layer)
            channel = Channel(states, network.statistics.layer(network.layer), batch.word_index)
            bits = channel.nats(network.gates(model, batch)) * BITS_PER_NAT
            for source, target, padded_bits in zip(sources, targets, bits, strict=True):
                scores = padded_bits[: len(source)]
                yield outcome(
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
