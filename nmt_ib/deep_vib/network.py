"""The deep variational information bottleneck, and the regularizers with which it is compared."""

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn
from torch.nn.functional import softplus
from torch.nn.utils import skip_init

from nmt_ib.info.divergences import gaussian_kl

STD_SHIFT = 5.0
# Differs from Alemi et al. (2017), whose baselines have no code, 784-1024-1024-10: ours are the same network without
# noise, so that only the objectives differ. A linear code before a linear decoder adds no expressiveness.
OBJECTIVES = ("bottleneck", "deterministic", "dropout", "label smoothing", "confidence penalty")


class BottleneckClassifier(nn.Module):
    r"""Two hidden layers, a code of D dimensions, and a linear decoder to K classes.

    The code of an image x is a Gaussian, :math:`p(z|x) = N(\mu(x), \sigma(x)^2)`, with
    :math:`\sigma = \mathrm{softplus}(\rho - 5)`; its rate is measured against the prior :math:`r(z) = N(0, I)`. Pixels
    in [0, 1] are scaled to [-1, 1] inside. Without noise the code is :math:`z = \mu(x)`.

    Args:
        width: Dimensions D of the code.
        noisy: Whether the code is stochastic.
        dropout: Dropout rate of the hidden units in training.
        pixels: Number P of pixels of an image.
        hidden: Units of each hidden layer.
        classes: Number K of classes.
        generator: Source of the initial weights (Xavier, uniform); biases start at 0.

    References:
        Alemi, Fischer, Dillon, Murphy (2017), Deep Variational Information Bottleneck, section 4.1.
    """

    def __init__(
        self,
        width: int,
        *,
        noisy: bool = True,
        dropout: float = 0.0,
        pixels: int = 784,
        hidden: int = 1024,
        classes: int = 10,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.noisy, self.dropout = noisy, dropout
        self.hidden = nn.ModuleList([_linear(pixels, hidden), _linear(hidden, hidden)])
        self.head = _linear(hidden, 2 * width if noisy else width)
        self.decoder = _linear(width, classes)
        for layer in (*self.hidden, self.head, self.decoder):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)

    def code(
        self, pixels: Float[Tensor, "B P"], generator: Generator | None = None
    ) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B D"]]:
        """Mean and standard deviation of each image's code; the latter is 0 without noise.

        Args:
            pixels: Pixels in [0, 1].
            generator: Source of the dropout masks; None: no dropout.
        """
        state = 2 * pixels - 1
        for layer in self.hidden:
            state = _drop(layer(state).relu(), self.dropout, generator)
        if not self.noisy:
            mean = self.head(state)
            return mean, torch.zeros_like(mean)
        mean, raw_std = self.head(state).chunk(2, -1)
        return mean, softplus(raw_std - STD_SHIFT)

    def forward(
        self, pixels: Float[Tensor, "B P"], noise: Float[Tensor, "N B D"] | None = None
    ) -> Float[Tensor, "N B K"]:
        """Log-probabilities of the classes for each sample of the code.

        Args:
            pixels: Pixels in [0, 1].
            noise: Standard normal noise of each sample; None: the mean of the code as the only sample.
        """
        mean, std = self.code(pixels)
        codes = mean.unsqueeze(0) if noise is None else mean + std * noise
        return self.decoder(codes).log_softmax(-1)

    def noise(self, samples: int, images: int, generator: Generator) -> Float[Tensor, "N B D"]:
        """Standard normal noise for samples of the code, drawn on the CPU so that it is the same on every device."""
        weight = self.decoder.weight
        return torch.randn(samples, images, weight.shape[1], generator=generator, dtype=weight.dtype).to(weight.device)


def _linear(inputs: int, outputs: int) -> nn.Linear:
    """A layer without initial weights, which torch would draw from its global generator."""
    return skip_init(nn.Linear, inputs, outputs)


def rate_nats(mean: Float[Tensor, "B D"], std: Float[Tensor, "B D"]) -> Float[Tensor, " B"]:
    """KL of each image's code from the standard normal prior: >= 0; its mean is an upper bound of I(Z;X)."""
    return gaussian_kl(mean, std, torch.zeros_like(mean), torch.ones_like(std))


def log_mean_probability(log_probabilities: Float[Tensor, "N B K"]) -> Float[Tensor, "B K"]:
    """Logarithm of the mean of the probabilities over samples."""
    return log_probabilities.logsumexp(0) - torch.tensor(len(log_probabilities)).log()


def cross_entropy_nats(log_probabilities: Float[Tensor, "B K"], labels: Int[Tensor, " B"]) -> Float[Tensor, ""]:
    """Cross-entropy of the correct classes, mean over images."""
    return -log_probabilities.gather(-1, labels.unsqueeze(-1)).mean()


def objective_nats(
    objective: str,
    network: BottleneckClassifier,
    pixels: Float[Tensor, "B P"],
    labels: Int[Tensor, " B"],
    generator: Generator,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    r"""Cross-entropy and penalty, means over images in nats; the loss is cross-entropy + :math:`\beta` penalty.

    Args:
        objective: One of `OBJECTIVES`.
        network: The network; noisy for "bottleneck" only.
        pixels: Pixels in [0, 1].
        labels: The correct classes.
        generator: Source of the noise of the code, one sample per image, and of the dropout masks.

    Returns:
        Cross-entropy, and the penalty: the rate for "bottleneck"; cross-entropy of the uniform distribution minus that
        of the labels for "label smoothing"; negative entropy of the prediction for "confidence penalty"; else 0.
    """
    mean, std = network.code(pixels, generator)
    codes = mean + std * network.noise(1, len(pixels), generator)[0] if network.noisy else mean
    log_probabilities = network.decoder(codes).log_softmax(-1)
    cross_entropy = cross_entropy_nats(log_probabilities, labels)
    match objective:
        case "bottleneck":
            return cross_entropy, rate_nats(mean, std).mean()
        case "label smoothing":
            return cross_entropy, -log_probabilities.mean() - cross_entropy
        case "confidence penalty":
            return cross_entropy, (log_probabilities.exp() * log_probabilities).sum(-1).mean()
    return cross_entropy, torch.zeros_like(cross_entropy)


def _drop(state: Float[Tensor, "B D"], rate: float, generator: Generator | None) -> Float[Tensor, "B D"]:
    """Inverted dropout."""
    if not rate or generator is None:
        return state
    mask = torch.rand(state.shape, generator=generator).to(state.device) >= rate
    return state * mask / (1 - rate)
