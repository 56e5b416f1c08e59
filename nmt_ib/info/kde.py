"""Bounds on the information of a layer with Gaussian noise, by pairwise distances (Kolchinsky & Tracey 2017)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nmt_ib.errors import RequestError
from nmt_ib.info.discrete import codes
from nmt_ib.info.distances import left_factor, right_factor
from nmt_ib.info.samples import Partners, Samples, check_paired, tensor_of
from nmt_ib.results.estimate import Estimate, LayerInformation

BLOCK = 256  # rows and columns of a block of kernels, which fits in a core's cache
MIN_EXPONENT = -40.0  # smaller exponents are negligible, and exponentials that underflow take ten times as long
BOUNDS = "lower", "upper"


def kde_layer(layer: Samples, labels: Partners, variance: float = 1e-3) -> tuple[LayerInformation, LayerInformation]:
    r"""Lower and upper bounds for a layer to which noise N(0, variance I) is added for the analysis.

    .. math::
        I(X;T) \le -\frac1N \sum_i \ln \frac1N \sum_j e^{-d_{ij}^2 / 2 \sigma^2}, \qquad
        I(X;T) \ge -\frac1N \sum_i \ln \frac1N \sum_j e^{-d_{ij}^2 / 8 \sigma^2}

    if the N inputs are the whole population; the first uses the Kullback-Leibler divergence, the second the
    Bhattacharyya distance of the noise around two points. :math:`I(T;Y) = h(T) - \sum_c p_c h(T|c)` applies the same
    bound to both entropies and so is not a bound itself, but accurate if the two bounds are close. One exponential
    gives both kernels, as the second is the fourth root of the first, and a product with the labels gives the sums for
    all classes.

    Args:
        layer: Activations, one row for each input.
        labels: One row for each input.
        variance: Variance :math:`\sigma^2` of the noise; Saxe et al. (2018) use 1e-3 for small networks, 0.1 for MNIST.

    Returns:
        Lower, then upper bound, in nats; 0 <= I(X;T) <= ln N. Exactly 0 if all points are equal, ln N if they are far
        apart.

    References:
        Kolchinsky & Tracey (2017), Estimating mixture entropy with pairwise distances; Saxe et al. (2018), On the
        information bottleneck theory of deep learning.
    """
    return _layer(*_checked(layer, labels, variance, ("layer", "labels")), variance)


def _layer(
    x: Float[Tensor, "N D"], truth: Int[Tensor, " N"], variance: float
) -> tuple[LayerInformation, LayerInformation]:
    sums = _kernel_sums(x, torch.nn.functional.one_hot(truth), variance)
    settings = {"estimator": "kde", "variance": variance, "samples": len(x)}
    bounds = []
    for bound, kernel_sums in zip(BOUNDS, sums, strict=True):
        all_points, own_class = _mean_kernels(kernel_sums, truth)
        i_x = -float(all_points.log().mean())
        i_y = float((own_class.log() - all_points.log()).mean())
        settings_of_bound = {**settings, "bound": bound}
        bounds.append(LayerInformation(*(Estimate(nats, settings=settings_of_bound) for nats in (i_x, i_y))))
    return bounds[0], bounds[1]


def kde_information(x: Samples, y: Partners, variance: float = 1e-3, bound: str = "upper") -> Estimate:
    """I(T;Y) of labels y and T = x + Gaussian noise; see `kde_layer`.

    Args:
        x: Points, one row for each sample.
        y: Labels, in the same order; if they are all different, this is I(X;T). The time grows with the number of
            labels.
        variance: Variance of the noise.
        bound: Bound of both entropies: "upper" or "lower".

    Returns:
        Nats, <= H(Y); not a bound itself unless all labels are different.

    Raises:
        RequestError: There is no such bound.
    """
    if bound not in BOUNDS:
        raise RequestError(f"unknown bound {bound!r}; known: {', '.join(BOUNDS)}")
    return _layer(*_checked(x, y, variance, ("x", "y")), variance)[BOUNDS.index(bound)].i_y


def _checked(
    layer: Samples, labels: Partners, variance: float, names: tuple[str, str]
) -> tuple[Float[Tensor, "N D"], Int[Tensor, " N"]]:
    if not variance > 0:
        raise RequestError(f"variance is {variance:g}: expected the variance of the added noise, above 0")
    x, truth = tensor_of(layer, names[0]), codes(labels, names[1])
    check_paired(x, truth)
    return x, torch.as_tensor(truth, device=x.device)


def _kernel_sums(
    x: Float[Tensor, "N D"], classes: Int[Tensor, "N C"], variance: float
) -> tuple[Float[Tensor, "C N"], Float[Tensor, "C N"]]:
    """For each class and point the sum of kernels with four times the variance, and with the variance.

    The kernel matrix is symmetric: each block also serves for its transpose.
    """
    x = (x - x.mean(0)) * (8 * variance) ** -0.5
    left, right = left_factor(x).split(BLOCK), right_factor(x).T.split(BLOCK, 1)
    members = classes.to(x.dtype).T.split(BLOCK, 1)
    wide, narrow = ([torch.zeros_like(block) for block in members] for _ in range(2))
    for i in range(len(left)):
        for j in range(i, len(left)):
            exponent = left[i] @ right[j]
            if i == j:
                exponent.fill_diagonal_(0)  # the distance of a point to itself, whatever rounding gives
            kernel = exponent.clamp_(min=MIN_EXPONENT).exp_()
            for sums in (wide, narrow):
                if sums is narrow:
                    kernel.square_().square_()
                sums[i] += members[j] @ kernel.T  # nine times as fast as kernel @ members
                if i != j:
                    sums[j] += members[i] @ kernel
    return torch.cat(wide, 1), torch.cat(narrow, 1)


def _mean_kernels(
    sums: Float[Tensor, "C N"], truth: Int[Tensor, " N"]
) -> tuple[Float[Tensor, " N"], Float[Tensor, " N"]]:
    """Mean kernel around each point, over all points and over its own class."""
    sizes = truth.bincount()
    return sums.sum(0) / len(truth), sums.gather(0, truth[None])[0] / sizes[truth]
