"""Networks that score how well x and y go together."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class SeparableCritic(nn.Module):
    """A scalar product of an embedding of x and one of y: cheap for all pairs, and enough for most.

    Args:
        x_width: Width of x.
        y_width: Width of y.
        hidden: Units of the two hidden layers, and numbers of an embedding.
        generator: For its weights.
    """

    def __init__(self, x_width: int, y_width: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.scale = hidden**-0.5
        self.of_x = _network((x_width, hidden, hidden, hidden), generator)
        self.of_y = _network((y_width, hidden, hidden, hidden), generator)

    def forward(self, x: Float[Tensor, "N D"], y: Float[Tensor, "M E"]) -> Float[Tensor, "N M"]:
        """The score of each pair."""
        return self.scale * self.of_x(x) @ self.of_y(y).T


class ConcatenatedCritic(nn.Module):
    """A network over x and y side by side: any function of both, at the price of a forward pass for each pair.

    Args:
        x_width: Width of x.
        y_width: Width of y.
        hidden: Units of the two hidden layers.
        generator: For its weights.
    """

    def __init__(self, x_width: int, y_width: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.x_width = x_width
        self.first = _linear(x_width + y_width, hidden, generator)
        self.others = nn.Sequential(nn.SiLU(), _network((hidden, hidden, 1), generator))

    def forward(self, x: Float[Tensor, "N D"], y: Float[Tensor, "M E"]) -> Float[Tensor, "N M"]:
        """The score of each pair."""
        # The first layer is linear in x and y, so that it need not be applied to every pair.
        of_x = x @ self.first.weight[:, : self.x_width].T
        of_y = y @ self.first.weight[:, self.x_width :].T + self.first.bias
        return self.others(of_x[:, None] + of_y).squeeze(-1)


CRITICS = {"separable": SeparableCritic, "concatenated": ConcatenatedCritic}


def _network(widths: tuple[int, ...], generator: torch.Generator) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in zip(widths, widths[1:], strict=False):
        layers += [_linear(inputs, outputs, generator), nn.SiLU()]  # smooth, as the log-ratios of most densities are
    return nn.Sequential(*layers[:-1])


def _linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    linear = nn.utils.skip_init(nn.Linear, inputs, outputs)
    nn.init.kaiming_uniform_(linear.weight, nonlinearity="relu", generator=generator)
    nn.init.zeros_(linear.bias)
    return linear
