"""Neural bounds of mutual information: a critic is trained, stopped and tested on three parts of the data."""

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

MIN_SAMPLES = 100  # pairs
SHARES = 0.5, 0.2  # of the pairs, for training and for stopping; the rest tests
TESTED = 500  # pairs at a time; InfoNCE cannot exceed its logarithm
SLOWER = 0.5  # learning rate after a look without a gain
NEAR_NATS = 1.0  # so close to its ceiling InfoNCE says only "at least"


@dataclass(frozen=True)
class CriticTraining:
    """How a critic is trained.

    Attributes:
        critic: "separable" or "concatenated"; see `CRITICS`.
        hidden: Its units.
        batch: Pairs a step; each is scored with every other.
        steps: At most.
        patience: Looks at the second part without a gain, after which training ends.
        look: Steps from one look to the next.
        learning_rate: Of Adam.
        seed: Of the parts, the weights and the batches.
    """

    critic: str = "separable"
    hidden: int = 64
    batch: int = 128
    steps: int = 3000
    patience: int = 5
    look: int = 100
    learning_rate: float = 3e-3
    seed: int = 0


def neural_information(
    x: Samples, y: Partners, bound: str = "infonce", training: CriticTraining | None = None
) -> Estimate:
    """I(X;Y) by a bound and a trained critic.

    Half of the pairs trains the critic, a fifth tells when to stop, and the bound is that of the rest, which neither
    has seen. Where the critic does no better on the second part than scores that are all alike, the estimate is what
    these give, 0, and a warning says so; by chance it may be below 0. It stays below the truth where the data are few
    for their width, and where a density has edges: .26 of the .33 nats of uniform noise after 1,000 steps on 6,000
    pairs.

    Args:
        x: Numbers; each column is standardised, and a constant one tells nothing.
        y: The same, row by row.
        bound: "infonce", "nwj" or "dv", which are lower bounds, or "smile", which is none; see `nmt_ib.info.bounds`.
        training: How the critic is trained.

    Returns:
        Nats, with the standard error over the test pairs; for InfoNCE the settings name its ceiling.

    Raises:
        RequestError: There are too few pairs, numbers that are none, or no such bound or critic.
    """
    training = training or CriticTraining()
    if bound not in BOUNDS:
        raise RequestError(f"unknown bound {bound!r}; known: {', '.join(BOUNDS)}")
    if training.critic not in CRITICS:
        raise RequestError(f"unknown critic {training.critic!r}; known: {', '.join(CRITICS)}")
    generator = torch.Generator().manual_seed(training.seed)
    numbers = numbers_of(x, "x"), numbers_of(y, "y")
    check_paired(*numbers)
    if len(numbers[0]) < MIN_SAMPLES:
        raise RequestError(f"x has {len(numbers[0])} rows: a critic needs at least {MIN_SAMPLES}")
    parts = _parts(*numbers, generator)
    made = CRITICS[training.critic](parts[0][0].shape[1], parts[0][1].shape[1], training.hidden, generator)
    critic, steps = _trained(made, parts[0], parts[1], BOUNDS[bound][1], training, generator)
    learnt = steps > 0 and _mean(critic, parts[1], BOUNDS[bound][0]) > 0
    nats, error = _tested(critic, parts[2], bound) if learnt else (0.0, 0.0)
    settings: dict[str, Any] = {
        "bound": bound, **asdict(training), "stopped_at": steps, "test_pairs": len(parts[2][0])
    }  # fmt: skip
    warnings = _doubts(nats, error, learnt)
    if bound == "infonce":
        ceiling = settings["ceiling_nats"] = math.log(min(len(block) for block in _blocks(parts[2][0])))
        if nats > ceiling - NEAR_NATS:
            warnings += (f"InfoNCE cannot exceed {ceiling:.2f} nats here and is near: read it as 'at least'",)
    return Estimate(nats, error=error, settings=settings, warnings=warnings)


def _doubts(nats: float, error_nats: float, learnt: bool) -> tuple[str, ...]:
    if not learnt:
        return ("the critic has learnt nothing that holds on fresh pairs: 0 is what scores that are all alike give",)
    if nats < -error_nats:
        return (f"{nats:.3g} nats are further below 0 than the error: too few pairs to train a critic of this width",)
    return ()


def _parts(
    x: Float[np.ndarray, "N D"], y: Float[np.ndarray, "N E"], generator: torch.Generator
) -> list[tuple[Float[Tensor, "_P D"], Float[Tensor, "_P E"]]]:
    """Training, stopping, test; standardised by the first."""
    train, stop = (int(share * len(x)) for share in SHARES)
    places = torch.randperm(len(x), generator=generator).split([train, stop, len(x) - train - stop])
    scaled = [_standardised(torch.as_tensor(of_order_one(values)), places[0]) for values in (x, y)]
    return [(scaled[0][part], scaled[1][part]) for part in places]


def _standardised(values: Float[Tensor, "N D"], places: Int[Tensor, " M"]) -> Float[Tensor, "N D"]:
    known = values[places]
    std = known.std(0)
    return torch.where(std > 0, (values - known.mean(0)) / std.where(std > 0, 1.0), 0.0).float()


def _trained(
    critic: nn.Module,
    train: tuple[Float[Tensor, "N D"], Float[Tensor, "N E"]],
    stop: tuple[Float[Tensor, "M D"], Float[Tensor, "M E"]],
    objective: Callable[[Float[Tensor, "K K"]], Float[Tensor, ""]],
    training: CriticTraining,
    generator: torch.Generator,
) -> tuple[nn.Module, int]:
    """The critic as it was best on the second part, and after how many steps; 0: none beat scores all alike."""
    optimizer = torch.optim.Adam(critic.parameters(), lr=training.learning_rate)
    best, weights, best_step = float(objective(torch.zeros(2, 2))), copy.deepcopy(critic.state_dict()), 0
    for step in range(1, training.steps + 1):
        chosen = torch.randperm(len(train[0]), generator=generator)[: training.batch]
        optimizer.zero_grad()
        (-objective(critic(train[0][chosen], train[1][chosen]))).backward()
        optimizer.step()
        # Few and wide pairs are learnt by heart before the first look, hence looks at 1, 2, 4, ... steps.
        if step % training.look and (step > training.look or step.bit_count() > 1):
            continue
        value = _mean(critic, stop, objective)
        if value > best:
            best, weights, best_step = value, copy.deepcopy(critic.state_dict()), step
        elif step - best_step >= training.patience * training.look:
            break
        elif step % training.look == 0:
            optimizer.param_groups[0]["lr"] *= SLOWER
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
    """The bound on the test pairs, mean of blocks, and its standard error.

    A mean over all pairs (i, j) moves with pair i through its row and its column, which is what the error counts.
    """
    values, moves = [], []
    for x, y in zip(*map(_blocks, pairs), strict=True):
        scores = critic(x, y).double()
        values.append(BOUNDS[bound][0](scores).expand(len(scores)))
        weights = (scores.clamp(-5, 5) if bound == "smile" else scores).exp()
        mean = 1.0 if bound == "nwj" else weights.mean()
        if bound == "infonce":
            moves.append(scores.diagonal() - scores.logsumexp(1))
        else:
            moves.append(scores.diagonal() - (weights.mean(0) + weights.mean(1)) / mean)
    moved = torch.cat(moves)
    return float(torch.cat(values).mean()), float(moved.std() / math.sqrt(len(moved)))


def _blocks(values: Float[Tensor, "N D"]) -> tuple[Float[Tensor, "_K D"], ...]:
    return values.tensor_split(-(-len(values) // TESTED))
