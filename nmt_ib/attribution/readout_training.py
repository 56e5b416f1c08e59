"""Training of a readout network: the loss of the bottleneck, averaged over a corpus."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from nmt_ib.attribution.gated_scoring import GatedScorer, check_layer, check_normalization
from nmt_ib.attribution.readout import ReadoutNetwork
from nmt_ib.attribution.scoring import target_scorer
from nmt_ib.attribution.statistics import CorpusStatistics
from nmt_ib.attribution.statistics_measurement import measure_statistics
from nmt_ib.batching import length_buckets
from nmt_ib.checkpoint import load_checkpoint, save_checkpoint
from nmt_ib.errors import RequestError
from nmt_ib.files import read_json, write_json
from nmt_ib.protocols import EncoderModel
from nmt_ib.seeding import sentence_generator
from nmt_ib.types import Sentence, Target

Progress = Callable[[int, dict[str, float]], None]
CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True)
class ReadoutTraining:
    r"""Settings of the training of a readout network.

    Attributes:
        layer: Encoder layer whose output is gated, 0 to the number of layers; 0: the embeddings.
        beta: :math:`\beta`, weight of the information term as in `Bottleneck`, >= 0; it rises linearly from 0 over the
            first half of the steps.
        normalization: "word" or "mean", as in `Bottleneck`.
        steps: Number of Adam steps, >= 1.
        batch_size: Number of sentences per step.
        learning_rate: Learning rate of Adam.
        seed: Seed of the initial weights, the order of sentences and the noise.
    """

    layer: int = 0
    beta: float = 1.0
    normalization: str = "word"
    steps: int = 1000
    batch_size: int = 16
    learning_rate: float = 3e-4
    seed: int = 0

    def __post_init__(self) -> None:
        check_normalization(self.normalization)

    def beta_at(self, step: int) -> float:
        """Weight of the information term at a step, counted from 0."""
        # Differs from Schulz et al. (2020), who use the full weight from the start: all gates then close in 100
        # steps on SST-2, before the network can distinguish words, and closed gates have no gradient to reopen them.
        return self.beta * min(1.0, 2 * (step + 1) / self.steps)


def train_readout(
    model: EncoderModel,
    sources: Sequence[Sentence],
    targets: Sequence[Target],
    folder: Path,
    *,
    training: ReadoutTraining = ReadoutTraining(),  # noqa: B008 - frozen
    statistics: CorpusStatistics | None = None,
    progress: Progress = lambda step, terms: None,
    save_every: int = 50,
) -> ReadoutNetwork:
    """Trains a readout network, or resumes an interrupted training.

    Args:
        model: The model that is explained; its weights and mode are left unchanged.
        sources: Tokenised sentences.
        targets: Their translations, or numbers of labels.
        folder: Directory of the network and of the checkpoint to resume from.
        training: The settings.
        statistics: Statistics of the model; None: measured on `sources`.
        progress: Called after each step with its number, from 1, and the terms of the loss, "loss", "target_nats" and
            "information_nats", averaged over the batch.
        save_every: Number of steps between checkpoints.

    Returns:
        The network.

    Raises:
        RequestError: The directory holds a training with another model, other sentences or other settings.
    """
    check_layer(model, training.layer)
    settings = {"model": model.fingerprint, "corpus": _fingerprint(sources, targets), **asdict(training)}
    path = folder / "training.json"
    if path.is_file() and read_json(path) != settings:
        raise RequestError(f"{folder} holds another training (see training.json): choose another directory")
    statistics = statistics or measure_statistics(model, sources)
    network = ReadoutNetwork(statistics, layer=training.layer, seed=training.seed)
    optimizer = torch.optim.Adam(network.parameters(), training.learning_rate)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, settings)
    modules, done = {"network": network}, 0
    if (folder / CHECKPOINT).is_file():
        done = load_checkpoint(folder / CHECKPOINT, modules, optimizer)
    order = _Order([len(source) for source in sources], training)
    for step in range(done, training.steps):
        batch = order.batch(step)
        scorer = target_scorer(model, [sources[index] for index in batch], [targets[index] for index in batch])
        generators = [sentence_generator(training.seed, f"{step}\0{sources[index].text}") for index in batch]
        with torch.enable_grad():
            gated = GatedScorer.create(scorer, training.layer, statistics)
            alphas = [network.gates(model, scorer.batch)]
            target, information = gated.target_nats(alphas, gated.noise(generators, 1)), gated.information_nats(alphas)
            loss = (target + training.beta_at(step) * information / gated.elements(training.normalization)).mean()
            weights = list(network.parameters())
            for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                weight.grad = gradient
        optimizer.step()
        terms = {"loss": loss, "target_nats": target.mean(), "information_nats": information.mean()}
        if (step + 1) % save_every == 0 or step + 1 == training.steps:
            save_checkpoint(folder / CHECKPOINT, modules, optimizer, step + 1)
        progress(step + 1, {name: float(term.detach()) for name, term in terms.items()})
    network.save(folder)
    return network.eval()


def _fingerprint(sources: Sequence[Sentence], targets: Sequence[Target]) -> str:
    digest = hashlib.sha256()
    for source, target in zip(sources, targets, strict=True):
        text = target.text if isinstance(target, Sentence) else target
        digest.update(f"{source.text}\0{text}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


class _Order:
    """The batch of each step: all sentences once per epoch, in batches of similar length and random order."""

    def __init__(self, lengths: Sequence[int], training: ReadoutTraining) -> None:
        self.lengths, self.training = lengths, training
        self.epoch, self.batches = -1, length_buckets(lengths, training.batch_size)

    def batch(self, step: int) -> list[int]:
        epoch, number = divmod(step, len(self.batches))
        if epoch != self.epoch:
            generator = sentence_generator(self.training.seed, f"epoch {epoch}")
            shuffled = torch.randperm(len(self.lengths), generator=generator).tolist()
            buckets = length_buckets([self.lengths[index] for index in shuffled], self.training.batch_size)
            order = torch.randperm(len(buckets), generator=generator).tolist()
            self.epoch, self.batches = epoch, [[shuffled[index] for index in buckets[place]] for place in order]
        return self.batches[number]
