"""The deep variational information bottleneck of images, and the regularizers that it is compared with."""

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn
from torch.nn.functional import softplus
from torch.nn.utils import skip_init

from nmt_ib.info.divergences import gaussian_kl

SPREAD_SHIFT = 5.0
# Differs from Alemi et al. (2017), whose baselines have no code, 784-1024-1024-10: ours are the same network without
# noise, so that nothing but the objective tells them apart. A linear code before a linear decoder adds no function.
OBJECTIVES = ("bottleneck", "deterministic", "dropout", "label smoothing", "confidence penalty")


class ImageBottleneck(nn.Module):
    r"""Two hidden layers, a code of D numbers, and a linear decoder to K classes.

    The code of an image x is a Gaussian, :math:`p(z|x) = N(\mu(x), \sigma(x)^2)`, with
    :math:`\sigma = \mathrm{softplus}(\rho - 5)`; its rate is measured against the prior :math:`r(z) = N(0, I)`. Pixels
    are asked for in [0, 1], and scaled to [-1, 1] inside. A network that is not noisy has the code :math:`z = \mu(x)`.

    Args:
        width: D.
        noisy: Whether the code is noisy.
        dropout: Share of the hidden units that are set to 0 while training.
        pixels: Pixels of an image.
        hidden: Units of each hidden layer.
        classes: K.
        generator: Draws the first weights (Xavier, uniform); biases start at 0.

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
        """Mean and standard deviation of each image's code; the deviation is 0 where the network is not noisy.

        Args:
            pixels: In [0, 1].
            generator: Draws the units that are dropped while training; None: none is.
        """
        state = 2 * pixels - 1
        for layer in self.hidden:
            state = _drop(layer(state).relu(), self.dropout, generator)
        if not self.noisy:
            mean = self.head(state)
            return mean, torch.zeros_like(mean)
        mean, spread = self.head(state).chunk(2, -1)
        return mean, softplus(spread - SPREAD_SHIFT)

    def forward(
        self, pixels: Float[Tensor, "B P"], noise: Float[Tensor, "N B D"] | None = None
    ) -> Float[Tensor, "N B K"]:
        """Log-probabilities of the classes for each sample of the code.

        Args:
            pixels: In [0, 1].
            noise: Standard normal, one slice a sample; None: one sample, the mean of the code.
        """
        mean, std = self.code(pixels)
        codes = mean.unsqueeze(0) if noise is None else mean + std * noise
        return self.decoder(codes).log_softmax(-1)

    def noise(self, samples: int, images: int, generator: Generator) -> Float[Tensor, "N B D"]:
        """Standard normal noise for samples of the code, drawn on the CPU so that every device sees the same."""
        weight = self.decoder.weight
        return torch.randn(samples, images, weight.shape[1], generator=generator, dtype=weight.dtype).to(weight.device)


def _linear(into: int, out: int) -> nn.Linear:
    """Without first weights, which torch would draw from its global generator."""
    return skip_init(nn.Linear, into, out)


def rate_nats(mean: Float[Tensor, "B D"], std: Float[Tensor, "B D"]) -> Float[Tensor, " B"]:
    """KL of each image's code from the standard normal prior: >= 0, and its mean bounds I(Z;X) from above."""
    return gaussian_kl(mean, std, torch.zeros_like(mean), torch.ones_like(std))


def mixture(log_probabilities: Float[Tensor, "N B K"]) -> Float[Tensor, "B K"]:
    """Logarithm of the mean over samples of the probabilities, which is what N samples answer together."""
    return log_probabilities.logsumexp(0) - torch.tensor(len(log_probabilities)).log()


def answer_nats(log_probabilities: Float[Tensor, "B K"], labels: Int[Tensor, " B"]) -> Float[Tensor, ""]:
    """Cross-entropy of the right classes, mean over images."""
    return -log_probabilities.gather(-1, labels.unsqueeze(-1)).mean()


def objective_nats(
    objective: str,
    network: ImageBottleneck,
    pixels: Float[Tensor, "B P"],
    labels: Int[Tensor, " B"],
    generator: Generator,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    r"""Answer and penalty, means in nats an image; the loss is answer + :math:`\beta` penalty.

    Args:
        objective: One of `OBJECTIVES`.
        network: The network, noisy for "bottleneck" alone.
        pixels: In [0, 1].
        labels: The right classes.
        generator: Draws the noise of the code, one sample an image, and the units that are dropped.

    Returns:
        Cross-entropy, and what the objective adds: the rate; for "label smoothing" what the uniform distribution costs
        beyond the labels; for "confidence penalty" the negative entropy of the answer; else 0.
    """
    mean, std = network.code(pixels, generator)
    codes = mean + std * network.noise(1, len(pixels), generator)[0] if network.noisy else mean
    log_probabilities = network.decoder(codes).log_softmax(-1)
    answer = answer_nats(log_probabilities, labels)
    match objective:
        case "bottleneck":
            return answer, rate_nats(mean, std).mean()
        case "label smoothing":
            return answer, -log_probabilities.mean() - answer
        case "confidence penalty":
            return answer, (log_probabilities.exp() * log_probabilities).sum(-1).mean()
    return answer, torch.zeros_like(answer)


def _drop(state: Float[Tensor, "B D"], share: float, generator: Generator | None) -> Float[Tensor, "B D"]:
    """The units that stay are scaled up, so that the sum keeps its mean."""
    if not share or generator is None:
        return state
    kept = torch.rand(state.shape, generator=generator).to(state.device) >= share
    return state * kept / (1 - share)
