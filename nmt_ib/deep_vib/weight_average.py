"""An exponential moving average of a network's weights."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

STEPS = "steps"


class WeightAverage:
    r"""After step t the average is :math:`\frac{1 - d}{1 - d^t} \sum_{i \le t} d^{t-i} w_i`.

    The running sum starts at 0, not at the first weights, and the denominator corrects for that: after one step the
    average is those weights, after two a nearly even mean of both.

    Args:
        network: Whose weights are followed; its parameters' order is the average's.
        decay: :math:`d`, at least 0 and below 1.

    References:
        Kingma and Ba (2015), Adam, section 3 (the same correction, there for moments).
    """

    def __init__(self, network: nn.Module, decay: float = 0.999) -> None:
        self.decay, self.steps = decay, 0
        self.sums = {name: torch.zeros_like(weight) for name, weight in network.state_dict().items()}

    def state_dict(self) -> dict[str, Tensor]:
        """The running sums and the number of steps."""
        return {**self.sums, STEPS: torch.tensor(self.steps)}

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Goes on from what `state_dict` gave."""
        self.sums = {name: state_dict[name] for name in self.sums}
        self.steps = int(state_dict[STEPS])

    def update_(self, network: nn.Module) -> None:
        """Takes in the weights as they are now."""
        self.steps += 1
        for name, weight in network.state_dict().items():
            self.sums[name].lerp_(weight, 1 - self.decay)

    def weights(self) -> dict[str, Float[Tensor, "..."]]:
        """The average, for `load_state_dict`; after one step at least."""
        correction = 1 - self.decay**self.steps
        return {name: total / correction for name, total in self.sums.items()}
