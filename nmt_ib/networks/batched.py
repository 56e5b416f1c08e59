"""Many small fully connected networks trained at once, each as if it were alone."""

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
TRUNCATED = 2.0  # standard deviations


def _tanh(sums: Float[Tensor, "R D N"]) -> Float[Tensor, "R D N"]:
    # A quarter of the time of torch.tanh, and equal to 2e-7 in float32.
    return torch.sigmoid(2 * sums).mul_(2).sub_(1)


# Function; and its gradient from that of its value (overwritten) and its value.
ACTIVATIONS: dict[str, tuple[Activation, Backward]] = {
    "tanh": (_tanh, lambda error, state: error.addcmul_(error * state, state, value=-1)),
    "relu": (torch.relu, lambda error, state: error.mul_(state > 0)),
    "linear": (lambda sums: sums, lambda error, state: error),
}
OUTPUTS: dict[str, Activation] = {"softmax": lambda sums: sums.softmax(1), "linear": lambda sums: sums}
OPTIMIZERS = ("adam", "sgd")


@dataclass(frozen=True)
class NetworkTraining:
    """Shape of a network, and how it is trained.

    Attributes:
        widths: Inputs, units of each hidden layer, outputs.
        activation: Of the hidden layers: "tanh", "relu" or "linear".
        output: "softmax" (the loss is cross-entropy) or "linear" (half the squared error).
        optimizer: "adam" or "sgd".
        learning_rate: Of it.
        batch_size: Examples a step; None: all, which makes "sgd" gradient descent.
        gain: First weights are normal with deviation gain / sqrt(fan_in), cut off at two deviations; biases are 0.
        noise: Deviation of Gaussian noise that is added to each hidden unit, in training and after (Goldfeld et al.
            2019).
        orthonormality: How far each step pulls weights W towards rows or columns that are orthonormal, by
            W += orthonormality (W - W W' W); 0: not at all (Cisse et al. 2017, Parseval networks).
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
            raise RequestError(f"widths are {self.widths}: expected inputs and outputs, each with 1 unit or more")
        if self.batch_size is not None and self.batch_size < 1:
            raise RequestError(f"batch size is {self.batch_size}: expected 1 or more, or none for all examples")


class BatchedNetworks:
    """R networks of one shape, each with weights, order of examples and noise of its own seed.

    Network r does what it would do alone: its randomness comes from its own generator, and nothing is shared. All
    have their parameters in one matrix and take each step together, so that the many small products of one network
    become a few large ones.

    Attributes:
        training: Shape and settings.
        generators: Each network's own.
        parameters: One row a network: for each layer its weights, then its biases.
        weights: Views of `parameters`, one [R, out, in] a layer.
        biases: Views of `parameters`, one [R, out, 1] a layer.
    """

    def __init__(self, training: NetworkTraining, seeds: Sequence[int], dtype: torch.dtype = torch.float32) -> None:
        self.training = training
        self.generators = [sentence_generator(seed, "network") for seed in seeds]
        self.layer_sizes = [(width + 1) * above for width, above in pairwise(training.widths)]
        self.parameters = torch.zeros(len(seeds), sum(self.layer_sizes), dtype=dtype)
        self.weights, self.biases = self._views(self.parameters)
        for row, generator in enumerate(self.generators):
            for weight in self.weights:
                deviation = training.gain * weight.shape[-1] ** -0.5
                far = TRUNCATED * deviation
                torch.nn.init.trunc_normal_(weight[row], 0.0, deviation, -far, far, generator=generator)
        self._gradient = torch.zeros_like(self.parameters)
        self._gradient_weights, self._gradient_biases = self._views(self._gradient)
        self._mean, self._square = torch.zeros_like(self.parameters), torch.zeros_like(self.parameters)
        self._steps = 0

    def forward(
        self, inputs: Float[Tensor, "#R N I"], noise: Sequence[Float[Tensor, "R _ N"]] | None = None
    ) -> tuple[list[Float[Tensor, "R _ N"]], list[Float[Tensor, "R _ N"]]]:
        """States of all layers, the output last.

        Args:
            inputs: Examples, of each network or of all.
            noise: What is added to each hidden layer; None: nothing.

        Returns:
            Each layer before its own noise, and with it.
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
        """Fresh noise of each hidden layer.

        Args:
            examples: Number of examples.
            generators: One a network.

        Returns:
            One tensor a hidden layer; None where the networks have no noise.
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
        """Gradient of each network's mean loss, laid out as `parameters`.

        Args:
            inputs: Examples, of each network or of all.
            targets: Probability of each class, or the numbers to be told.
            noise: See `forward`.

        Returns:
            A buffer that the next call overwrites.
        """
        clean, states = self.forward(inputs, noise)
        backward = ACTIVATIONS[self.training.activation][1]
        # Cross-entropy after softmax and half the squared error of a linear output have the same gradient.
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
        """One pass over examples, in an order of each network's own.

        Args:
            inputs: All examples, of each network or of all.
            targets: What they should give.
            rows: Examples to learn from.

        Returns:
            For each layer the Euclidean length of the mean, and of the standard deviation, of its gradient over the
            steps of the epoch.
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
        deviation = (squares / steps - mean.square()).clamp(min=0).sqrt()
        return torch.stack([self.layer_norms(mean), self.layer_norms(deviation)])

    def layer_norms(self, values: Float[Tensor, "R P"]) -> Float[Tensor, "L R"]:
        """Euclidean length of each layer's part.

        Args:
            values: Laid out as `parameters`.

        Returns:
            One row a layer.
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
