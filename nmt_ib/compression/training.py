"""Training of a compressed parser: seeded, resumable, stopped when the development set no longer gains."""

import math
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from nmt_ib.checkpoint import load_checkpoint, save_checkpoint
from nmt_ib.compression.corpus import ParsingCorpus
from nmt_ib.compression.objective import Objective
from nmt_ib.compression.parser import CompressedParser
from nmt_ib.errors import RequestError
from nmt_ib.numerics import BITS_PER_NAT
from nmt_ib.parsing.metrics import ParsingScores, score_tree
from nmt_ib.seeding import sentence_generator

CHECKPOINT = "checkpoint.safetensors"
MAX_GRADIENT_NORM = 5.0  # its norm


@dataclass(frozen=True)
class TrainingSettings:
    """How a compressed parser is trained.

    Attributes:
        epochs: At most.
        batch_size: Sentences of a step.
        learning_rate: Of Adam at the start; it falls to 0 in a straight line over all epochs.
        samples: Samples of each tag, whose nll is averaged.
        patience: Epochs without a better LAS on the development set after which training stops.
        seed: Of weights, order, samples and dropout.
    """

    epochs: int = 40
    batch_size: int = 32
    learning_rate: float = 4e-3
    samples: int = 1
    patience: int = 15
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_size, self.samples, self.patience) < 1:
            raise RequestError("epochs, batch size, samples and patience are at least 1")
        if not 0 < self.learning_rate < math.inf:
            raise RequestError(f"the learning rate is a number above 0, not {self.learning_rate}")


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to.

    Attributes:
        number: From 1.
        loss_nats: Mean loss of its steps.
        bits: Mean rate per word of the development set; NaN where tags have none.
        uas: On the development set.
        las: On the development set.
        seconds: Of the epoch, evaluation included.
    """

    number: int
    loss_nats: float
    bits: float
    uas: float
    las: float
    seconds: float


def train(
    model: CompressedParser,
    objective: Objective,
    corpora: tuple[ParsingCorpus, ParsingCorpus],
    settings: TrainingSettings,
    directory: Path,
    after_epoch: Callable[[Epoch], object] = lambda epoch: None,
    claim: str = "",
) -> list[Epoch]:
    """Trains a parser, or goes on where a killed training was, and leaves the best epoch's weights in it.

    Args:
        model: The parser.
        objective: What it minimises.
        corpora: What it learns from, and what decides which epoch is best.
        settings: How it is trained.
        directory: Where its checkpoint is kept.
        after_epoch: Called after each epoch.
        claim: What decides the numbers; a training with another claim is not gone on with.

    Returns:
        The epochs.

    Raises:
        RequestError: The directory holds another training, or training has gone astray.
    """
    known, unseen = corpora
    best = deepcopy(model)
    free = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(free, settings.learning_rate, betas=(0.9, 0.95))
    modules = {"model": model, "best": best}
    epochs: list[Epoch] = []
    if (directory / CHECKPOINT).is_file():
        facts = load_checkpoint(directory / CHECKPOINT, modules, optimizer)
        if facts["claim"] != claim:
            raise RequestError(f"{directory} holds a training with other settings or data: choose another directory")
        epochs = [Epoch(**epoch) for epoch in facts["epochs"]]
    while not finished(epochs, settings):
        began = time.perf_counter()
        loss = train_epoch(model, objective, known, settings, optimizer, len(epochs))
        scores, bits = evaluate(model, unseen)
        spent = time.perf_counter() - began
        epochs.append(Epoch(len(epochs) + 1, loss, bits, scores.uas, scores.las, spent))
        if best_of(epochs) is epochs[-1]:
            best.load_state_dict(model.state_dict())
        facts = {"claim": claim, "epochs": [asdict(epoch) for epoch in epochs]}
        save_checkpoint(directory / CHECKPOINT, modules, optimizer, facts)
        after_epoch(epochs[-1])
    model.load_state_dict(best.state_dict())
    return epochs


def finished(epochs: Sequence[Epoch], settings: TrainingSettings) -> bool:
    """Whether training has run its course, or waits in vain for a better epoch."""
    return bool(epochs) and (
        len(epochs) >= settings.epochs or len(epochs) - best_of(epochs).number >= settings.patience
    )


def best_of(epochs: Sequence[Epoch]) -> Epoch:
    """The first epoch with the highest LAS on the development set."""
    return max(epochs, key=lambda epoch: epoch.las)


def train_epoch(
    model: CompressedParser,
    objective: Objective,
    corpus: ParsingCorpus,
    settings: TrainingSettings,
    optimizer: torch.optim.Optimizer,
    done: int,
) -> float:
    """One pass over the training sentences.

    Args:
        model: The parser.
        objective: What is minimised.
        corpus: The sentences.
        settings: How.
        optimizer: Over the model's parameters.
        done: Epochs before this one.

    Returns:
        Mean loss of the steps, in nats per word.

    Raises:
        RequestError: The loss is no number any more.
    """
    generator = sentence_generator(settings.seed, f"epoch {done}")
    batches = list(corpus.shuffled(settings.batch_size, generator))
    device, total = model.mix.device, 0.0
    for step, sentences in enumerate(batches):
        progress = (done + step / len(batches)) / settings.epochs
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
            f"training went astray in epoch {done + 1}: its loss is {total}; "
            f"begin anew with a lower learning rate than {settings.learning_rate:g}"
        )
    return total / len(batches)


def evaluate(model: CompressedParser, corpus: ParsingCorpus, batch_size: int = 128) -> tuple[ParsingScores, float]:
    """How well a parser parses a treebank, and what that takes.

    Args:
        model: The parser.
        corpus: The treebank.
        batch_size: Sentences parsed at once; changes no result beyond rounding.

    Returns:
        Scores, and the mean rate in bits per word.
    """
    scores, nats, words = ParsingScores(), 0.0, 0
    for sentences in corpus.by_length(batch_size):
        parsed = model.parse(corpus.batch(sentences, model.mix.device))
        for number, heads, relations in zip(sentences, parsed.heads, parsed.relations, strict=True):
            names = [corpus.labels.relations[relation] for relation in relations.tolist()]
            scores += score_tree(corpus.trees[number], heads.tolist(), names)
        nats += parsed.rate_nats.sum().item()
        words += len(parsed.rate_nats)
    return scores, nats * BITS_PER_NAT / words if words else float("nan")
