"""Training of a compressed parser: seeded, resumable, with early stopping on the development set."""

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from nmt_ib.checkpoint import load_checkpoint, save_checkpoint
from nmt_ib.compression.corpus import ParsingCorpus
from nmt_ib.compression.objective import CompressionObjective
from nmt_ib.compression.parser import CompressedParser
from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.parsing.metrics import ParsingScores, score_tree
from nmt_ib.seeding import sentence_generator

CHECKPOINT = "checkpoint.safetensors"
MAX_GRADIENT_NORM = 5.0


@dataclass(frozen=True)
class ParserTraining:
    """Settings of the training of a compressed parser.

    Attributes:
        epochs: Maximum number of epochs.
        batch_size: Sentences per training step.
        learning_rate: Initial Adam learning rate, decayed linearly to 0 over all epochs.
        samples: Samples of each tag per training step, over which the nll is averaged.
        patience: Number of epochs without a better LAS on the development set after which training stops.
        seed: Seed of initial weights, order of sentences, samples and dropout.
    """

    epochs: int = 40
    batch_size: int = 32
    learning_rate: float = 4e-3
    samples: int = 1
    patience: int = 15
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_size, self.samples, self.patience) < 1:
            raise RequestError("epochs, batch_size, samples and patience must be at least 1")
        if not 0 < self.learning_rate < math.inf:
            raise RequestError(f"the learning rate must be finite and above 0, not {self.learning_rate}")


@dataclass(frozen=True)
class Epoch:
    """The results of one epoch.

    Attributes:
        number: Number of the epoch, from 1.
        loss_nats: Mean loss of its training steps, in nats per word.
        bits: Mean rate per word of the development set; NaN where tags have no finite rate.
        uas: Unlabelled attachment score on the development set, 0 to 1.
        las: Labelled attachment score on the development set, 0 to 1.
    """

    number: int
    loss_nats: float
    bits: float
    uas: float
    las: float


def train(
    model: CompressedParser,
    objective: CompressionObjective,
    corpora: tuple[ParsingCorpus, ParsingCorpus],
    settings: ParserTraining,
    directory: Path,
    after_epoch: Callable[[Epoch], object] = lambda epoch: None,
    fingerprint: str = "",
) -> list[Epoch]:
    """Trains a parser, or resumes its training, and leaves the weights of the best epoch in it.

    Args:
        model: The parser.
        objective: The loss.
        corpora: Training set and development set.
        settings: Settings of the training.
        directory: Directory of the checkpoint.
        after_epoch: Called after each epoch.
        fingerprint: Fingerprint of data and settings; a checkpoint with another one is not resumed.

    Returns:
        The results of all epochs.

    Raises:
        RequestError: The directory holds another training run, or training diverged.
    """
    best = deepcopy(model)
    trainable = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(trainable, settings.learning_rate, betas=(0.9, 0.95))
    modules = {"model": model, "best": best}
    epochs: list[Epoch] = []
    if (directory / CHECKPOINT).is_file():
        metadata = load_checkpoint(directory / CHECKPOINT, modules, optimizer)
        if metadata["fingerprint"] != fingerprint:
            raise RequestError(f"{directory} holds a training run with other settings or data: use another directory")
        epochs = [Epoch(**epoch) for epoch in metadata["epochs"]]
    while not finished(epochs, settings):
        loss = train_parser_epoch(model, objective, corpora[0], settings, optimizer, len(epochs))
        scores, bits = evaluate(model, corpora[1])
        epochs.append(Epoch(len(epochs) + 1, loss, bits, scores.uas, scores.las))
        if best_epoch(epochs) is epochs[-1]:
            best.load_state_dict(model.state_dict())
        metadata = {"fingerprint": fingerprint, "epochs": [asdict(epoch) for epoch in epochs]}
        save_checkpoint(directory / CHECKPOINT, modules, optimizer, metadata)
        after_epoch(epochs[-1])
    model.load_state_dict(best.state_dict())
    return epochs


def finished(epochs: Sequence[Epoch], settings: ParserTraining) -> bool:
    """Whether all epochs are done, or LAS has not improved for `patience` epochs."""
    return bool(epochs) and (
        len(epochs) >= settings.epochs or len(epochs) - best_epoch(epochs).number >= settings.patience
    )


def best_epoch(epochs: Sequence[Epoch]) -> Epoch:
    """The first epoch with the highest LAS on the development set."""
    return max(epochs, key=lambda epoch: epoch.las)


def train_parser_epoch(
    model: CompressedParser,
    objective: CompressionObjective,
    corpus: ParsingCorpus,
    settings: ParserTraining,
    optimizer: torch.optim.Optimizer,
    epochs_done: int,
) -> float:
    """One pass over the training set.

    Args:
        model: The parser.
        objective: The loss.
        corpus: The training set.
        settings: Settings of the training.
        optimizer: The optimizer of the model's parameters.
        epochs_done: Number of epochs before this one.

    Returns:
        Mean loss of the training steps, in nats per word.

    Raises:
        RequestError: The loss is not finite.
    """
    generator = sentence_generator(settings.seed, f"epoch {epochs_done}")
    batches = list(corpus.shuffled_batches(settings.batch_size, generator))
    device, total = model.mix.device, 0.0
    for step, sentences in enumerate(batches):
        progress = (epochs_done + step / len(batches)) / settings.epochs
        model.compressor.anneal_(progress)
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * (1 - progress)
        batch = corpus.batch(sentences, device)
        tags = model.tags(batch, settings.samples, generator)
        loss = objective(model.nll(batch, tags, generator), tags, progress)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
        optimizer.step()
        total += loss.item()
    if not math.isfinite(total):
        raise RequestError(
            f"training diverged in epoch {epochs_done + 1}: the loss is {total}; "
            f"start again with a learning rate below {settings.learning_rate:g}"
        )
    return total / len(batches)


def evaluate(model: CompressedParser, corpus: ParsingCorpus, batch_size: int = 128) -> tuple[ParsingScores, float]:
    """Attachment scores and mean rate of a parser on a treebank.

    Args:
        model: The parser.
        corpus: The treebank.
        batch_size: Sentences parsed at once; does not affect results beyond rounding.

    Returns:
        Scores, and the mean rate in bits per word, NaN where tags have no finite rate.
    """
    scores, nats, words = ParsingScores(), 0.0, 0
    for sentences in corpus.batches_by_length(batch_size):
        parsed = model.parse(corpus.batch(sentences, model.mix.device))
        for index, heads, relations in zip(sentences, parsed.heads, parsed.relations, strict=True):
            names = [corpus.labels.relations[relation] for relation in relations.tolist()]
            scores += score_tree(corpus.trees[index], heads.tolist(), names)
        nats += parsed.rate_nats.sum().item()
        words += len(parsed.rate_nats)
    return scores, nats * BITS_PER_NAT / words if words else float("nan")
