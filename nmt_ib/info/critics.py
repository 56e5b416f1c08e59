"""Critics: networks that score pairs of x and y."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class SeparableCritic(nn.Module):
    """Scalar product of an embedding of x and an embedding of y: cheap to compute for all pairs.

    Args:
        x_width: Dimension of x.
        y_width: Dimension of y.
        hidden: Units of each of the two hidden layers, and dimension of the embeddings.
        generator: Generator of the initial weights.
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
    """Network over the concatenation of x and y: a general function of both, with one forward pass for each pair.

    Args:
        x_width: Dimension of x.
        y_width: Dimension of y.
        hidden: Units of each of the two hidden layers.
        generator: Generator of the initial weights.
    """

    def __init__(self, x_width: int, y_width: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.x_width = x_width
        self.first = _linear(x_width + y_width, hidden, generator)
        self.others = nn.Sequential(nn.SiLU(), _network((hidden, hidden, 1), generator))

    def forward(self, x: Float[Tensor, "N D"], y: Float[Tensor, "M E"]) -> Float[Tensor, "N M"]:
        """The score of each pair."""
        # The first layer is a sum of linear functions of x and of y, so it is not computed for each pair.
        of_x = x @ self.first.weight[:, : self.x_width].T
        of_y = y @ self.first.weight[:, self.x_width :].T + self.first.bias
        return self.others(of_x[:, None] + of_y).squeeze(-1)


CRITICS = {"separable": SeparableCritic, "concatenated": ConcatenatedCritic}


def _network(widths: tuple[int, ...], generator: torch.Generator) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in zip(widths, widths[1:], strict=False):
        layers += [_linear(inputs, outputs, generator), nn.SiLU()]  # smooth, as most log density ratios are
    return nn.Sequential(*layers[:-1])


def _linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    linear = nn.utils.skip_init(nn.Linear, inputs, outputs)
    nn.init.kaiming_uniform_(linear.weight, nonlinearity="relu", generator=generator)
    nn.init.zeros_(linear.bias)
    return linear
