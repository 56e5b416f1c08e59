"""The largest noise that a state tolerates: a first-order start, then a fixed point."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

StateOf = Callable[[Float[Tensor, "B S D"]], Float[Tensor, "B O U"]]
DAMPING = 0.7
MAX_STEP = 0.7  # of log sigma: one unlucky draw must not carry a piece away
CEILING = 1e3  # of sigma, in units of the embeddings' own spread: what a state ignores tolerates any noise
MIN_CURVATURE = 1e-30  # curvature of a piece that the state ignores


@dataclass(frozen=True)
class NoiseSearch:
    r"""What is minimised, for a padded batch of sentences that do not know each other.

    .. math:: E_\epsilon \sum_o w_o (\Phi(x + \sigma \epsilon) - \Phi(x))_o^2 - \sum_i p \ln \sigma_i

    Attributes:
        states: Number of copies of the batch -> :math:`\Phi` over that many copies, one after the other.
        inputs: Embeddings :math:`x`.
        disturbed: Which pieces get noise.
        counted: Which positions of the state count.
        weights: :math:`w`; 0 where a position does not count.
        entropy_weight: :math:`p` of each sentence.
        spread: Standard deviation of embeddings, so that the ceiling has a unit.
        generators: One a sentence; its noise does not depend on the batch.
    """

    states: Callable[[int], StateOf]
    inputs: Float[Tensor, "B S D"]
    disturbed: Bool[Tensor, "B S"]
    counted: Bool[Tensor, "B O"]
    weights: Float[Tensor, "B O U"]
    entropy_weight: Float[Tensor, " B"]
    spread: float
    generators: Sequence[torch.Generator]

    def solve(self, products: int, steps: int, pairs: int) -> tuple[Float[Tensor, "B S"], Float[Tensor, " B"]]:
        r"""Sigma, and how far it still was from rest.

        The first-order start is the optimum of a linear state, :math:`\sigma_i^2 = p / 2 A_i` with
        :math:`A_i = \sum_o w_o \lVert \partial \Phi_o / \partial x_i \rVert^2`. At any optimum the noise of each piece
        costs as much as its entropy gains, which a damped fixed point solves for; the curvature
        is averaged over all its steps, because that of one step is mostly noise.

        Args:
            products: Vector-Jacobian products of the start.
            steps: Steps of the fixed point; 0: the start alone.
            pairs: Antithetic pairs of noise in each step.

        Returns:
            Sigma, 0 where no noise is wanted; and the largest change of log sigma in the last step.
        """
        clean, curvature = self._first_order(products)
        log_sigma = self._rest(curvature)
        total, change = (
            torch.zeros_like(curvature),
            torch.full_like(self.entropy_weight, torch.inf if steps == 0 else 0.0),
        )
        for step in range(1, steps + 1):
            total = total + self._curvature(clean, log_sigma, pairs)
            move = self._rest(total / step) - log_sigma
            move = (move if step == steps else DAMPING * move).clamp(-MAX_STEP, MAX_STEP)
            change = (move.abs() * self.disturbed).amax(1)
            log_sigma = log_sigma + move
        return log_sigma.exp() * self.disturbed, change

    def _rest(self, curvature: Float[Tensor, "B S"]) -> Float[Tensor, "B S"]:
        """Log sigma at which noise costs what it gains, if its cost were curvature x sigma^2 / 2."""
        free = 0.5 * (self.entropy_weight[:, None] / curvature.clamp(min=MIN_CURVATURE)).log()
        return free.clamp(max=math.log(CEILING * self.spread))

    def _first_order(self, products: int) -> tuple[Float[Tensor, "B O U"], Float[Tensor, "B S"]]:
        """The undisturbed state, and 2 A by Hutchinson's estimator: cotangents of random signs."""
        inputs = self.inputs.detach().requires_grad_()
        state = self.states(1)(inputs)
        curvature = torch.zeros_like(self.disturbed, dtype=inputs.dtype)
        scale = self.weights.sqrt()
        for _ in range(products):
            signs = self._drawn(self.weights, self.counted, _signs)
            (gradient,) = torch.autograd.grad(state, inputs, signs * scale, retain_graph=True)
            curvature += gradient.square().sum(2) * (2 / products)
        return state.detach(), curvature

    def _curvature(
        self, clean: Float[Tensor, "B O U"], log_sigma: Float[Tensor, "B S"], pairs: int
    ) -> Float[Tensor, "B S"]:
        """Gradient of the noise's cost with respect to log sigma, over sigma^2."""
        moved = log_sigma.detach().requires_grad_()
        cost = self._cost(clean, moved.exp(), pairs).sum()
        return torch.autograd.grad(cost, moved)[0] / (2 * log_sigma).exp()

    def _cost(self, clean: Float[Tensor, "B O U"], sigma: Float[Tensor, "B S"], pairs: int) -> Float[Tensor, " B"]:
        noise = torch.stack([self.noise() for _ in range(pairs)])
        disturbed = self.inputs + sigma[..., None] * torch.cat([noise, -noise])
        state = self.states(2 * pairs)(disturbed.flatten(0, 1)).unflatten(0, (2 * pairs, -1))
        return (self.weights * (state - clean).square()).sum((2, 3)).mean(0)

    @torch.no_grad()
    def objective(self, sigma: Float[Tensor, "B S"], draws: int) -> Float[Tensor, " B"]:
        """What `solve` minimises, on fresh noise.

        Args:
            sigma: Of each piece.
            draws: Noise draws, an even number.

        Returns:
            One figure a sentence.
        """
        clean = self.states(1)(self.inputs)
        cost = sum(self._cost(clean, sigma, 1) for _ in range(draws // 2)) / (draws // 2)
        return cost - self.entropy_weight * torch.where(self.disturbed, sigma, 1.0).log().sum(1)

    def noise(self) -> Float[Tensor, "B S D"]:
        """One draw of standard normal noise, 0 where none is wanted."""
        return self._drawn(self.inputs, self.disturbed, torch.randn)

    def _drawn(
        self, like: Float[Tensor, "B X Y"], where: Bool[Tensor, "B X"], draw: Callable
    ) -> Float[Tensor, "B X Y"]:
        """What each sentence's own generator draws for its own positions: padding uses up no noise."""
        drawn = torch.zeros_like(like)
        for row, generator in enumerate(self.generators):
            drawn[row, where[row]] = draw(int(where[row].sum()), like.shape[2], generator=generator).to(like)
        return drawn


def _signs(rows: int, width: int, generator: torch.Generator) -> Float[Tensor, "rows width"]:
    return torch.randint(2, (rows, width), generator=generator) * 2.0 - 1
