"""Sigma by the solver of Guan et al., written from the formulae: one sentence, thousands of noisy Adam steps."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

SCALE, LEARNING_RATE, STEPS = 0.5, 0.01, 5_000


@dataclass(frozen=True)
class Found:
    """Result of the procedure.

    Attributes:
        sigma: One per word; 0: no noise.
        loss: The lowest noisy loss, whose sigma is returned.
        passes: Network passes; a forward and a backward pass count one each, and so does each draw of noise.
    """

    sigma: Tensor
    loss: float
    passes: int


def search(
    state: Callable[[Tensor], Tensor],
    inputs: Tensor,
    regularization: Tensor | None,
    *,
    rate: float = 0.1,
    scale: float = SCALE,
    steps: int = STEPS,
    learning_rate: float = LEARNING_RATE,
    draws: int = 1,
    perturbed: Tensor | None = None,
    seed: int = 0,
) -> Found:
    """Minimises mean ((Phi(x + sigma eps) - Phi(x)) / reg)^2 - rate * mean log(sigma / scale) over one sentence.

    Args:
        state: Phi: N x words x width -> N x anything.
        inputs: Embeddings of the sentence, words x width.
        regularization: Divisor of differences; None: the root mean square of the clean state.
        rate: Weight of the entropy of the noise.
        scale: Bound of sigma, which is scale * sigmoid(a), initially a ~ N(0, 1).
        steps: Number of Adam steps.
        learning_rate: Learning rate of Adam.
        draws: Number of noise draws per step; the authors use one.
        perturbed: True for words with noise; None: all words, as in the authors' code.
        seed: Seed of start and noise.

    Returns:
        The result with the lowest noisy loss.
    """
    generator = torch.Generator().manual_seed(seed)
    places = torch.ones(len(inputs), dtype=torch.bool) if perturbed is None else perturbed
    free = torch.randn(int(places.sum()), generator=generator).to(inputs).requires_grad_()
    optimizer = torch.optim.Adam([free], learning_rate)
    lowest, kept = float("inf"), free.detach()
    for _ in range(steps):
        sigma, noise = torch.zeros_like(inputs[:, 0]), torch.randn(draws, *inputs.shape, generator=generator).to(inputs)
        sigma[places] = scale * free.sigmoid()
        clean, moved = state(inputs[None]), state(inputs + sigma[:, None] * noise)
        divisor = clean.square().mean() if regularization is None else regularization.square()
        loss = ((moved - clean).square() / divisor).mean() - rate * free.sigmoid().log().mean()
        if loss.item() < lowest:
            lowest, kept = loss.item(), sigma.detach()
        optimizer.zero_grad()
        (free.grad,) = torch.autograd.grad(loss, free)
        optimizer.step()
    return Found(kept, lowest, steps * (1 + 2 * draws))
