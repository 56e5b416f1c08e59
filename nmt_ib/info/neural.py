"""Neural bounds of mutual information, with separate pairs for training, early stopping and testing of a critic."""

import copy
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from nmt_ib.errors import RequestError
from nmt_ib.info.bounds import BOUNDS
from nmt_ib.info.critics import CRITICS
from nmt_ib.info.samples import Partners, Samples, check_paired, numbers_of, of_order_one
from nmt_ib.results.estimate import Estimate

MIN_PAIRS = 100
TRAIN_SHARE, VALIDATION_SHARE = 0.5, 0.2  # of the pairs; the others are for testing
BLOCK = 500  # pairs that are evaluated together; InfoNCE cannot exceed its logarithm
LEARNING_RATE_DECAY = 0.5  # factor after a validation without improvement
MARGIN_NATS = 1.0  # within which of its ceiling InfoNCE is only a lower bound


@dataclass(frozen=True)
class CriticTraining:
    """Settings of the training of a critic.

    Attributes:
        critic: "separable" or "concatenated"; see `nmt_ib.info.critics`.
        hidden: Units of each hidden layer.
        batch_size: Pairs in each step; all combinations of x and y are scored.
        steps: Maximum number of steps.
        patience: Number of validations without improvement after which training stops.
        validation_interval: Steps between validations.
        learning_rate: Initial Adam learning rate, halved after a validation without improvement.
        seed: Seed of the split, the weights and the batches.
    """

    critic: str = "separable"
    hidden: int = 64
    batch_size: int = 128
    steps: int = 3000
    patience: int = 5
    validation_interval: int = 100
    learning_rate: float = 3e-3
    seed: int = 0


def neural_information(
    x: Samples, y: Partners, bound: str = "infonce", training: CriticTraining | None = None
) -> Estimate:
    """I(X;Y) by a variational bound and a trained critic.

    Half of the pairs are for training, a fifth for validation (early stopping), and the bound is evaluated on the
    others. If no critic is better on the validation pairs than constant scores, the estimate is that of constant
    scores, 0, with a warning. It is too low if there are few pairs for their dimension, and if a density is not
    smooth: 0.26 instead of 0.33 nats for uniform noise after 1,000 steps on 6,000 pairs.

    Args:
        x: Numbers, one row for each sample; columns are standardised, and constant ones are ignored.
        y: One row for each sample, in the same order.
        bound: "infonce", "nwj" or "dv", which are lower bounds, or "smile", which is not; see `nmt_ib.info.bounds`.
        training: Settings of the training; None: the defaults.

    Returns:
        Nats, with the standard error over the test pairs; may be below 0. For InfoNCE the settings include its
        ceiling, "ceiling_nats".

    Raises:
        RequestError: There are too few pairs, values are not numbers, or there is no such bound or critic.
    """
    training = training or CriticTraining()
    if bound not in BOUNDS:
        raise RequestError(f"unknown bound {bound!r}; known: {', '.join(BOUNDS)}")
    if training.critic not in CRITICS:
        raise RequestError(f"unknown critic {training.critic!r}; known: {', '.join(CRITICS)}")
    generator = torch.Generator().manual_seed(training.seed)
    numbers = numbers_of(x, "x"), numbers_of(y, "y")
    check_paired(*numbers)
    if len(numbers[0]) < MIN_PAIRS:
        raise RequestError(f"x has {len(numbers[0])} rows: a critic needs at least {MIN_PAIRS}")
    parts = _parts(*numbers, generator)
    untrained = CRITICS[training.critic](parts[0][0].shape[1], parts[0][1].shape[1], training.hidden, generator)
    critic, steps = _trained(untrained, parts[0], parts[1], BOUNDS[bound][1], training, generator)
    generalises = steps > 0 and _mean(critic, parts[1], BOUNDS[bound][0]) > 0
    nats, error = _tested(critic, parts[2], bound) if generalises else (0.0, 0.0)
    settings: dict[str, Any] = {
        "bound": bound, **asdict(training), "stopped_at": steps, "test_pairs": len(parts[2][0])
    }  # fmt: skip
    warnings = _warnings(nats, error, generalises)
    if bound == "infonce":
        ceiling = settings["ceiling_nats"] = math.log(min(len(block) for block in _blocks(parts[2][0])))
        if nats > ceiling - MARGIN_NATS:
            warnings += (f"InfoNCE is close to its ceiling of {ceiling:.2f} nats: the information may be larger",)
    return Estimate(nats, error=error, settings=settings, warnings=warnings)


def _warnings(nats: float, error_nats: float, generalises: bool) -> tuple[str, ...]:
    if not generalises:
        return ("the critic does not generalise to new pairs: 0 is the value of constant scores",)
    if nats < -error_nats:
        return (f"{nats:.3g} nats are below 0 by more than the error: too few pairs to train a critic of this size",)
    return ()


def _parts(
    x: Float[np.ndarray, "N D"], y: Float[np.ndarray, "N E"], generator: torch.Generator
) -> list[tuple[Float[Tensor, "_P D"], Float[Tensor, "_P E"]]]:
    """Pairs for training, validation and testing, standardised by the training pairs."""
    train, validation = (int(share * len(x)) for share in (TRAIN_SHARE, VALIDATION_SHARE))
    rows = torch.randperm(len(x), generator=generator).split([train, validation, len(x) - train - validation])
    scaled = [_standardised(torch.as_tensor(of_order_one(values)), rows[0]) for values in (x, y)]
    return [(scaled[0][part], scaled[1][part]) for part in rows]


def _standardised(values: Float[Tensor, "N D"], rows: Int[Tensor, " M"]) -> Float[Tensor, "N D"]:
    mean, std = values[rows].mean(0), values[rows].std(0)
    return torch.where(std > 0, (values - mean) / std.where(std > 0, 1.0), 0.0).float()


def _trained(
    critic: nn.Module,
    train: tuple[Float[Tensor, "N D"], Float[Tensor, "N E"]],
    validation: tuple[Float[Tensor, "M D"], Float[Tensor, "M E"]],
    objective: Callable[[Float[Tensor, "K K"]], Float[Tensor, ""]],
    training: CriticTraining,
    generator: torch.Generator,
) -> tuple[nn.Module, int]:
    """The critic with the best validation value, and its number of steps; 0: none was better than constant scores."""
    optimizer = torch.optim.Adam(critic.parameters(), lr=training.learning_rate)
    best, weights, best_step = float(objective(torch.zeros(2, 2))), copy.deepcopy(critic.state_dict()), 0
    interval = training.validation_interval
    for step in range(1, training.steps + 1):
        batch = torch.randperm(len(train[0]), generator=generator)[: training.batch_size]
        optimizer.zero_grad()
        (-objective(critic(train[0][batch], train[1][batch]))).backward()
        optimizer.step()
        # Few pairs of high dimension are overfitted before the first interval ends, hence also validate at step 2^n.
        if step % interval and (step > interval or step.bit_count() > 1):
            continue
        value = _mean(critic, validation, objective)
        if value > best:
            best, weights, best_step = value, copy.deepcopy(critic.state_dict()), step
        elif step - best_step >= training.patience * interval:
            break
        elif step % interval == 0:
            optimizer.param_groups[0]["lr"] *= LEARNING_RATE_DECAY
    critic.load_state_dict(weights)
    return critic, best_step


@torch.no_grad()
def _mean(
    critic: nn.Module,
    pairs: tuple[Float[Tensor, "N D"], Float[Tensor, "N E"]],
    objective: Callable[[Float[Tensor, "K K"]], Float[Tensor, ""]],
) -> float:
    blocks = zip(*map(_blocks, pairs), strict=True)
    return float(torch.stack([objective(critic(x, y)) for x, y in blocks]).mean())


@torch.no_grad()
def _tested(
    critic: nn.Module, pairs: tuple[Float[Tensor, "N D"], Float[Tensor, "N E"]], bound: str
) -> tuple[float, float]:
    """The bound on the test pairs, mean over blocks, and its standard error.

    A mean over all (i, j) depends on pair i through row i and column i: the error is that of this influence.
    """
    values, influences = [], []
    for x, y in zip(*map(_blocks, pairs), strict=True):
        scores = critic(x, y).double()
        values.append(BOUNDS[bound][0](scores).expand(len(scores)))
        weights = (scores.clamp(-5, 5) if bound == "smile" else scores).exp()
        mean = 1.0 if bound == "nwj" else weights.mean()
        if bound == "infonce":
            influences.append(scores.diagonal() - scores.logsumexp(1))
        else:
            influences.append(scores.diagonal() - (weights.mean(0) + weights.mean(1)) / mean)
    influence = torch.cat(influences)
    return float(torch.cat(values).mean()), float(influence.std() / math.sqrt(len(influence)))


def _blocks(values: Float[Tensor, "N D"]) -> tuple[Float[Tensor, "_K D"], ...]:
    return values.tensor_split(-(-len(values) // BLOCK))
