"""Many small fully connected networks, trained together but independently of each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from nmt_ib.errors import RequestError
from nmt_ib.seeding import sentence_generator

Activation = Callable[[Float[Tensor, "R D N"]], Float[Tensor, "R D N"]]
Backward = Callable[[Float[Tensor, "R D N"], Float[Tensor, "R D N"]], Float[Tensor, "R D N"]]
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # of Adam
MAX_DEVIATIONS = 2.0  # initial weights are truncated at so many standard deviations


def _tanh(sums: Float[Tensor, "R D N"]) -> Float[Tensor, "R D N"]:
    # A quarter of the time of torch.tanh, and equal to 2e-7 in float32.
    return torch.sigmoid(2 * sums).mul_(2).sub_(1)


# Name -> function, and its backward pass from the gradient of its output (overwritten) and its output.
ACTIVATIONS: dict[str, tuple[Activation, Backward]] = {
    "tanh": (_tanh, lambda error, state: error.addcmul_(error * state, state, value=-1)),
    "relu": (torch.relu, lambda error, state: error.mul_(state > 0)),
    "linear": (lambda sums: sums, lambda error, state: error),
}
OUTPUTS: dict[str, Activation] = {"softmax": lambda sums: sums.softmax(1), "linear": lambda sums: sums}
OPTIMIZERS = ("adam", "sgd")


@dataclass(frozen=True)
class NetworkTraining:
    """Shape and training of a network.

    Attributes:
        widths: Number of inputs, units of each hidden layer, number of outputs.
        activation: Activation of the hidden layers: "tanh", "relu" or "linear".
        output: "softmax" (the loss is cross-entropy) or "linear" (half the squared error).
        optimizer: "adam" or "sgd".
        learning_rate: Learning rate of the optimizer.
        batch_size: Examples in each step; None: all, which makes "sgd" gradient descent.
        gain: Initial weights are normal with standard deviation gain / sqrt(fan_in), truncated at two standard
            deviations; biases are 0.
        noise: Standard deviation of Gaussian noise that is added to each hidden unit, in training and evaluation
            (Goldfeld et al. 2019).
        orthonormality: Rate at which each step makes the rows or columns of weights W orthonormal, by
            W += orthonormality (W - W W' W); 0: none (Cisse et al. 2017, Parseval networks).
    """

    widths: tuple[int, ...]
    activation: str = "tanh"
    output: str = "softmax"
    optimizer: str = "adam"
    learning_rate: float = 4e-4
    batch_size: int | None = 512
    gain: float = 1.0
    noise: float = 0.0
    orthonormality: float = 0.0

    def __post_init__(self) -> None:
        choices = (("activation", ACTIVATIONS), ("output", OUTPUTS), ("optimizer", OPTIMIZERS))
        for field, known in choices:
            if getattr(self, field) not in known:
                raise RequestError(f"unknown {field} {getattr(self, field)!r}: expected one of {', '.join(known)}")
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise RequestError(f"widths are {self.widths}: expected two layers or more, of 1 unit or more")
        if self.batch_size is not None and self.batch_size < 1:
            raise RequestError(f"batch size is {self.batch_size}: expected 1 or more, or None for all examples")


class BatchedNetworks:
    """R networks of one shape, whose initial weights, order of examples and noise depend on their own seeds only.

    Network r trains exactly as it would alone: its randomness comes from its own generator, and nothing is shared. All
    parameters are in one matrix and all networks take each step together, so that many small matrix products become a
    few large ones.

    Attributes:
        training: Shape and training settings.
        generators: Random generator of each network.
        parameters: One row for each network: for each layer its weights, then its biases.
        weights: Views of `parameters`, one [R, out, in] for each layer.
        biases: Views of `parameters`, one [R, out, 1] for each layer.
    """

    def __init__(self, training: NetworkTraining, seeds: Sequence[int], dtype: torch.dtype = torch.float32) -> None:
        self.training = training
        self.generators = [sentence_generator(seed, "network") for seed in seeds]
        self.layer_sizes = [(width + 1) * above for width, above in pairwise(training.widths)]
        self.parameters = torch.zeros(len(seeds), sum(self.layer_sizes), dtype=dtype)
        self.weights, self.biases = self._views(self.parameters)
        for row, generator in enumerate(self.generators):
            for weight in self.weights:
                std = training.gain * weight.shape[-1] ** -0.5
                bound = MAX_DEVIATIONS * std
                torch.nn.init.trunc_normal_(weight[row], 0.0, std, -bound, bound, generator=generator)
        self._gradient = torch.zeros_like(self.parameters)
        self._gradient_weights, self._gradient_biases = self._views(self._gradient)
        self._mean, self._square = torch.zeros_like(self.parameters), torch.zeros_like(self.parameters)
        self._steps = 0

    def forward(
        self, inputs: Float[Tensor, "#R N I"], noise: Sequence[Float[Tensor, "R _ N"]] | None = None
    ) -> tuple[list[Float[Tensor, "R _ N"]], list[Float[Tensor, "R _ N"]]]:
        """States of all layers, the output last.

        Args:
            inputs: Examples of each network, or of all.
            noise: Noise that is added to each hidden layer; None: none.

        Returns:
            The states of each layer before and after its own noise is added.
        """
        activation = ACTIVATIONS[self.training.activation][0]
        clean: list[Tensor] = []
        states: list[Tensor] = []
        below = inputs.mT.expand(len(self.parameters), -1, -1)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = layer < len(self.weights) - 1
            clean.append((activation if hidden else OUTPUTS[self.training.output])(torch.baddbmm(bias, weight, below)))
            below = clean[-1] + noise[layer] if hidden and noise is not None else clean[-1]
            states.append(below)
        return clean, states

    def draw_noise(self, examples: int, generators: Sequence[Generator]) -> list[Float[Tensor, "R _ N"]] | None:
        """New noise for each hidden layer.

        Args:
            examples: Number of examples.
            generators: Random generator of each network.

        Returns:
            One tensor for each hidden layer; None if the networks have no noise.
        """
        hidden = self.training.widths[1:-1]
        if not self.training.noise or not hidden:
            return None
        dtype = self.parameters.dtype
        drawn = [torch.randn(sum(hidden), examples, generator=each, dtype=dtype) for each in generators]
        return list((self.training.noise * torch.stack(drawn)).split(hidden, dim=1))

    def gradient(
        self,
        inputs: Float[Tensor, "#R N I"],
        targets: Float[Tensor, "#R N K"],
        noise: Sequence[Float[Tensor, "R _ N"]] | None = None,
    ) -> Float[Tensor, "R P"]:
        """Gradient of each network's mean loss, in the layout of `parameters`.

        Args:
            inputs: Examples of each network, or of all.
            targets: Class probabilities, or regression targets.
            noise: See `forward`.

        Returns:
            A buffer that the next call overwrites.
        """
        clean, states = self.forward(inputs, noise)
        backward = ACTIVATIONS[self.training.activation][1]
        # Cross-entropy of a softmax and half the squared error of a linear output have the same gradient.
        error = (states[-1] - targets.mT) / inputs.shape[1]
        for layer in reversed(range(len(self.weights))):
            below = states[layer - 1].mT if layer else inputs.expand(len(error), -1, -1)
            self._gradient_weights[layer].copy_(error @ below)
            self._gradient_biases[layer].copy_(error.sum(-1, keepdim=True))
            if layer:
                error = backward(self.weights[layer].mT @ error, clean[layer - 1])
        return self._gradient

    def epoch(
        self, inputs: Float[Tensor, "#R N I"], targets: Float[Tensor, "#R N K"], rows: Int[Tensor, "R M"]
    ) -> Float[Tensor, "2 L R"]:
        """One training epoch, each network with its own order of examples.

        Args:
            inputs: All examples of each network, or of all networks.
            targets: Their class probabilities, or regression targets.
            rows: Indices of each network's training examples.

        Returns:
            For each layer the norm of the mean, and of the standard deviation, of its gradient over the steps of the
            epoch.
        """
        examples = rows.shape[1]
        order = torch.stack(
            [row[torch.randperm(examples, generator=each)] for row, each in zip(rows, self.generators, strict=True)]
        )
        total, squares, steps = torch.zeros_like(self.parameters), torch.zeros_like(self.parameters), 0
        for chosen in order.split(self.training.batch_size or examples, dim=1):
            noise = self.draw_noise(chosen.shape[1], self.generators)
            gradient = self.gradient(_take(inputs, chosen), _take(targets, chosen), noise)
            total += gradient
            squares += gradient.square()
            steps += 1
            self._step(gradient)
        mean = total / steps
        std = (squares / steps - mean.square()).clamp(min=0).sqrt()
        return torch.stack([self.layer_norms(mean), self.layer_norms(std)])

    def layer_norms(self, values: Float[Tensor, "R P"]) -> Float[Tensor, "L R"]:
        """Euclidean norm of each layer's part.

        Args:
            values: In the layout of `parameters`.

        Returns:
            One row for each layer.
        """
        return torch.stack([part.norm(dim=1) for part in values.split(self.layer_sizes, dim=1)])

    def _step(self, gradient: Float[Tensor, "R P"]) -> None:
        rate = self.training.learning_rate
        if self.training.optimizer == "adam":
            self._steps += 1
            self._mean.lerp_(gradient, 1 - BETA_1)
            self._square.lerp_(gradient.square(), 1 - BETA_2)
            scale = (self._square / (1 - BETA_2**self._steps)).sqrt_().add_(EPSILON)
            self.parameters.addcdiv_(self._mean, scale, value=-rate / (1 - BETA_1**self._steps))
        else:
            self.parameters.sub_(gradient, alpha=rate)
        if self.training.orthonormality:
            for weight in self.weights:
                weight.add_(weight - weight @ weight.mT @ weight, alpha=self.training.orthonormality)

    def _views(self, flat: Float[Tensor, "R P"]) -> tuple[list[Float[Tensor, "R O I"]], list[Float[Tensor, "R O 1"]]]:
        parts = flat.split(self.layer_sizes, dim=1)
        shapes = list(pairwise(self.training.widths))
        weights = [part[:, : i * o].view(len(flat), o, i) for part, (i, o) in zip(parts, shapes, strict=True)]
        biases = [part[:, i * o :].view(len(flat), o, 1) for part, (i, o) in zip(parts, shapes, strict=True)]
        return weights, biases


def _take(table: Float[Tensor, "#R N I"], chosen: Int[Tensor, "R B"]) -> Float[Tensor, "R B I"]:
    first = torch.arange(len(table))[:, None] * table.shape[1]
    return table.flatten(0, 1).index_select(0, (first + chosen).flatten()).view(*chosen.shape, -1)
