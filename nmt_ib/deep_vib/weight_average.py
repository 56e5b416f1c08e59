"""An exponential moving average of a network's weights."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

STEPS = "steps"


class WeightAverage:
    r"""After step t the average is :math:`\frac{1 - d}{1 - d^t} \sum_{i \le t} d^{t-i} w_i`.

    The running sum starts at 0, not at the initial weights, and the denominator corrects for this bias: after one step
    the average equals the weights of that step.

    Args:
        network: The network; only the names and shapes of its weights are read.
        decay: Decay rate :math:`d`, at least 0 and below 1.

    References:
        Kingma and Ba (2015), Adam, section 3 (the same bias correction, there for moments).
    """

    def __init__(self, network: nn.Module, decay: float = 0.999) -> None:
        self.decay, self.steps = decay, 0
        self.sums = {name: torch.zeros_like(weight) for name, weight in network.state_dict().items()}

    def state_dict(self) -> dict[str, Tensor]:
        """The running sums and the number of steps."""
        return {**self.sums, STEPS: torch.tensor(self.steps)}

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Restores the output of `state_dict`."""
        self.sums = {name: state_dict[name] for name in self.sums}
        self.steps = int(state_dict[STEPS])

    def update_(self, network: nn.Module) -> None:
        """Adds the current weights of the network to the average."""
        self.steps += 1
        for name, weight in network.state_dict().items():
            self.sums[name].lerp_(weight, 1 - self.decay)

    def weights(self) -> dict[str, Float[Tensor, "..."]]:
        """The average, for `load_state_dict` of a network; needs at least one step."""
        correction = 1 - self.decay**self.steps
        return {name: total / correction for name, total in self.sums.items()}
