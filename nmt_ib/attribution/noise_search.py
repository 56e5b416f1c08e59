"""The largest noise that a state tolerates: a first-order start, then a fixed-point iteration."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

StateFunction = Callable[[Float[Tensor, "B S D"]], Float[Tensor, "B O U"]]
DAMPING = 0.7
MAX_STEP = 0.7  # of log sigma: one noisy curvature estimate must not move sigma far
MAX_SIGMA = 1e3  # in standard deviations of the embeddings: a piece that the state ignores tolerates any noise
MIN_CURVATURE = 1e-30  # curvature of a piece that the state ignores


@dataclass(frozen=True)
class NoiseSearch:
    r"""The noise objective for a padded batch of independent sentences, and its minimisation.

    .. math:: E_\epsilon \sum_o w_o (\Phi(x + \sigma \epsilon) - \Phi(x))_o^2 - \sum_i p \ln \sigma_i

    Attributes:
        states: Number of copies of the batch -> the state function :math:`\Phi` of that many concatenated copies.
        inputs: Embeddings :math:`x`.
        perturbed: True for pieces that get noise.
        state_mask: True for positions of the state that count.
        weights: :math:`w`, >= 0; 0 at positions that do not count.
        entropy_weight: :math:`p` of each sentence, > 0.
        embedding_std: Standard deviation of the embeddings, mean over dimensions: the unit of `MAX_SIGMA`.
        generators: One per sentence, so that its noise does not depend on the batch.
    """

    states: Callable[[int], StateFunction]
    inputs: Float[Tensor, "B S D"]
    perturbed: Bool[Tensor, "B S"]
    state_mask: Bool[Tensor, "B O"]
    weights: Float[Tensor, "B O U"]
    entropy_weight: Float[Tensor, " B"]
    embedding_std: float
    generators: Sequence[torch.Generator]

    def solve(self, products: int, steps: int, pairs: int) -> tuple[Float[Tensor, "B S"], Float[Tensor, " B"]]:
        r"""Minimises the objective.

        The first-order start is the optimum of a linear state, :math:`\sigma_i^2 = p / 2 A_i` with
        :math:`A_i = \sum_o w_o \lVert \partial \Phi_o / \partial x_i \rVert^2`. At any optimum the derivatives of cost
        and entropy with respect to :math:`\log \sigma_i` are equal, which a damped fixed-point iteration solves for;
        the curvature is averaged over all its steps, because that of a single step is mostly noise.

        Args:
            products: Number of vector-Jacobian products of the first-order start.
            steps: Number of fixed-point steps; 0: the first-order start only.
            pairs: Number of antithetic pairs of noise in each step.

        Returns:
            Sigma, 0 for pieces without noise; and the largest change of log sigma in the last step, infinite without
            steps.
        """
        clean, curvature = self._first_order(products)
        log_sigma = self._optimum(curvature)
        total, change = (
            torch.zeros_like(curvature),
            torch.full_like(self.entropy_weight, torch.inf if steps == 0 else 0.0),
        )
        for step in range(1, steps + 1):
            total = total + self._curvature(clean, log_sigma, pairs)
            update = self._optimum(total / step) - log_sigma
            update = (update if step == steps else DAMPING * update).clamp(-MAX_STEP, MAX_STEP)
            change = (update.abs() * self.perturbed).amax(1)
            log_sigma = log_sigma + update
        return log_sigma.exp() * self.perturbed, change

    def _optimum(self, curvature: Float[Tensor, "B S"]) -> Float[Tensor, "B S"]:
        """Optimal log sigma if the cost of noise were curvature x sigma^2 / 2."""
        log_sigma = 0.5 * (self.entropy_weight[:, None] / curvature.clamp(min=MIN_CURVATURE)).log()
        return log_sigma.clamp(max=math.log(MAX_SIGMA * self.embedding_std))

    def _first_order(self, products: int) -> tuple[Float[Tensor, "B O U"], Float[Tensor, "B S"]]:
        """The clean state, and 2 A by Hutchinson's estimator with random signs."""
        inputs = self.inputs.detach().requires_grad_()
        state = self.states(1)(inputs)
        curvature = torch.zeros_like(self.perturbed, dtype=inputs.dtype)
        scale = self.weights.sqrt()
        for _ in range(products):
            signs = self._drawn(self.weights, self.state_mask, _signs)
            (gradient,) = torch.autograd.grad(state, inputs, signs * scale, retain_graph=True)
            curvature += gradient.square().sum(2) * (2 / products)
        return state.detach(), curvature

    def _curvature(
        self, clean: Float[Tensor, "B O U"], log_sigma: Float[Tensor, "B S"], pairs: int
    ) -> Float[Tensor, "B S"]:
        """Derivative of the cost of noise with respect to log sigma, divided by sigma^2."""
        variable = log_sigma.detach().requires_grad_()
        cost = self._cost(clean, variable.exp(), pairs).sum()
        return torch.autograd.grad(cost, variable)[0] / (2 * log_sigma).exp()

    def _cost(self, clean: Float[Tensor, "B O U"], sigma: Float[Tensor, "B S"], pairs: int) -> Float[Tensor, " B"]:
        noise = torch.stack([self.noise() for _ in range(pairs)])
        perturbed = self.inputs + sigma[..., None] * torch.cat([noise, -noise])
        state = self.states(2 * pairs)(perturbed.flatten(0, 1)).unflatten(0, (2 * pairs, -1))
        return (self.weights * (state - clean).square()).sum((2, 3)).mean(0)

    @torch.no_grad()
    def objective(self, sigma: Float[Tensor, "B S"], draws: int) -> Float[Tensor, " B"]:
        """Estimate of the objective that `solve` minimises, with fresh noise.

        Args:
            sigma: Noise of each piece.
            draws: Number of noise draws, even.

        Returns:
            One value per sentence.
        """
        clean = self.states(1)(self.inputs)
        cost = sum(self._cost(clean, sigma, 1) for _ in range(draws // 2)) / (draws // 2)
        return cost - self.entropy_weight * torch.where(self.perturbed, sigma, 1.0).log().sum(1)

    def noise(self) -> Float[Tensor, "B S D"]:
        """One draw of standard normal noise, 0 for pieces that are not perturbed."""
        return self._drawn(self.inputs, self.perturbed, torch.randn)

    def _drawn(
        self, like: Float[Tensor, "B X Y"], mask: Bool[Tensor, "B X"], draw: Callable[..., Tensor]
    ) -> Float[Tensor, "B X Y"]:
        """Random numbers from each sentence's own generator for its own positions; padding consumes none."""
        drawn = torch.zeros_like(like)
        for row, generator in enumerate(self.generators):
            drawn[row, mask[row]] = draw(int(mask[row].sum()), like.shape[2], generator=generator).to(like)
        return drawn


def _signs(rows: int, width: int, generator: torch.Generator) -> Float[Tensor, "rows width"]:
    return torch.randint(2, (rows, width), generator=generator) * 2.0 - 1
