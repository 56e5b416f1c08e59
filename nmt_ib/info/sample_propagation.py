"""Information in networks with internal Gaussian noise, by sample propagation (Goldfeld et al. 2019)."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nmt_ib.errors import RequestError
from nmt_ib.info.discrete import codes
from nmt_ib.info.distances import left_factor, right_factor
from nmt_ib.info.samples import Partners, Samples, check_paired, tensor_of
from nmt_ib.results.estimate import Estimate

MAX_KERNELS = 2**21  # computed at a time
MIN_EXPONENT = -40.0  # smaller exponents are negligible in a sum of at least 1
MAX_OWN_SHARE = 0.1  # share of the density around a point that is its own; above it there are too few points


def mixture_entropy(
    centres: Samples, sigma: float, *, error_nats: float = 0.05, draws: int | None = None, seed: int = 0
) -> Estimate:
    r"""Differential entropy h(S + Z) of noise Z ~ N(0, sigma^2 I) around samples of S.

    .. math:: -\frac{1}{N M} \sum_{i, j} \ln g(s_i + z_{ij}), \qquad g = \frac1N \sum_k \mathcal N(s_k, \sigma^2 I)

    The estimate is too low, more so in higher dimension D: every estimator needs a number of samples that grows
    exponentially in D. The share of the density around a point that is due to the point itself shows whether N
    suffices: the bias is about half of that share.

    Args:
        centres: Samples of S, the layer before its noise is added.
        sigma: Standard deviation :math:`\sigma` of the noise, positive.
        error_nats: Root mean squared error due to the noise draws that `draws_for` allows.
        draws: Number M of noise draws around each sample; None: as many as `error_nats` needs.
        seed: Seed of the noise.

    Returns:
        Nats, of any sign. The error combines the bound for the noise draws, the standard error of independent samples,
        and the bias.

    References:
        Goldfeld, van den Berg, Greenewald, Melnyk, Nguyen, Kingsbury & Polyanskiy (2019), Estimating information flow
        in deep neural networks; Goldfeld, Greenewald, Polyanskiy & Weed (2020), Convergence of smoothed empirical
        measures with applications to entropy estimation.
    """
    points = _checked(centres, sigma, draws)
    draws = draws or draws_for(points, sigma, error_nats)
    one_group = torch.zeros(len(points), dtype=torch.long, device=points.device)
    nll, _, share, _ = _relative_nll(points, one_group, sigma, draws, seed)
    nats = float(nll.mean()) + points.shape[1] / 2 * math.log(2 * math.pi * sigma**2)
    error = math.hypot(_draws_error(points, sigma, draws), _standard_error(nll)) + share / 2
    settings, warnings = _settings(points, sigma, draws, seed, share), _too_few(points, sigma, share)
    return Estimate(nats, error=error, settings=settings, warnings=warnings)


def sp_information(
    x: Samples, y: Partners, sigma: float, *, error_nats: float = 0.1, draws: int | None = None, seed: int = 0
) -> Estimate:
    r"""I(T;Y) = h(T) - sum_y p(y) h(T|y) of T = S + Z, samples S and noise Z ~ N(0, sigma^2 I).

    The meaning depends on y. Labels give I(T;Y). Indices of inputs, with several forward passes of each, give I(X;T),
    where each conditional entropy has only so many samples as passes. A different y in each row gives I(X;T) of a layer
    that is deterministic up to its own noise. Both entropies share their noise draws. For the bias see
    `mixture_entropy`; that of the conditional entropies has the opposite effect.

    Args:
        x: Samples of S, the layer before its noise is added, one row for each sample.
        y: Labels or indices of inputs, in the same order.
        sigma: Standard deviation of the internal noise, positive.
        error_nats: Root mean squared error due to the noise draws of both entropies that `draws_for` allows.
        draws: Number of noise draws around each sample; None: as many as `error_nats` needs.
        seed: Seed of the noise.

    Returns:
        Nats; <= H(Y) of the sample. The error is combined as in `mixture_entropy`.
    """
    points, group = _checked(x, sigma, draws), codes(y, "y")
    check_paired(points, group)
    draws = draws or draws_for(points, sigma, error_nats / 2)
    nll, nll_in_group, share, group_share = _relative_nll(
        points, torch.as_tensor(group, device=points.device), sigma, draws, seed
    )
    pointwise = nll - nll_in_group
    error = math.hypot(2 * _draws_error(points, sigma, draws), _standard_error(pointwise)) + (share + group_share) / 2
    settings = {**_settings(points, sigma, draws, seed, share), "own_share_given_y": group_share}
    warnings = _too_few(points, sigma, max(share, group_share))
    return Estimate(float(pointwise.mean()), error=error, settings=settings, warnings=warnings)


def draws_for(centres: Float[Tensor, "N D"], sigma: float, error_nats: float) -> int:
    r"""The number of noise draws around each sample that bounds their error.

    The mean squared error is at most :math:`B / N M` with :math:`B = 2 D (2 + \sigma^2) / \sigma^2` if activations are
    within [-1, 1] (tanh, sigmoid), and otherwise (ReLU), with the mean squared norm :math:`m`,

    .. math:: B = \frac{9 D \sigma^2 + 8 (2 + \sigma \sqrt D) m + 3 (11 \sigma \sqrt D + 1) \sqrt m}{\sigma^2}

    Args:
        centres: Samples of the layer before its noise is added.
        sigma: Standard deviation of the noise.
        error_nats: Allowed root mean squared error.

    Returns:
        At least 1. The bound is loose: the true error is often a tenth of it.

    Raises:
        RequestError: The allowed error is not positive.

    References:
        Goldfeld, Greenewald, Polyanskiy & Weed (2020), the theorem on Monte Carlo integration.
    """
    if not error_nats > 0:
        raise RequestError(f"error_nats is {error_nats:g}: expected a number above 0")
    return max(1, math.ceil((_draws_error(centres, sigma, 1) / error_nats) ** 2))


def _draws_error(centres: Float[Tensor, "N D"], sigma: float, draws: int) -> float:
    width = centres.shape[1]
    if float(centres.abs().max()) <= 1:
        bound = 2 * width * (2 + sigma**2)
    else:
        power, noise = float(centres.square().sum(1).mean()), sigma * math.sqrt(width)
        bound = 9 * noise**2 + 8 * (2 + noise) * power + 3 * (11 * noise + 1) * math.sqrt(power)
    return math.sqrt(bound / (sigma**2 * len(centres) * draws))


def _relative_nll(
    points: Float[Tensor, "N D"], group: Int[Tensor, " N"], sigma: float, draws: int, seed: int
) -> tuple[Float[Tensor, " N"], Float[Tensor, " N"], float, float]:
    """Negative log-density at noisy copies of each point, mean over draws, relative to -ln (2 pi sigma^2)^(-D/2).

    Returned for the mixture of all points and for that of the point's group, each with the share of the density that
    is due to the point itself, groups of one point counting as 0.
    """
    scaled = (points - points.mean(0)) / (sigma * math.sqrt(2))
    right = right_factor(scaled).T
    sizes = group.bincount()[group].double()
    counts = torch.stack([torch.full_like(sizes, len(points)), sizes])
    totals, shares = torch.zeros_like(counts), torch.zeros_like(counts[:, 0])
    generator = torch.Generator().manual_seed(seed)
    for _ in range(draws):
        noise = (torch.randn(scaled.shape, generator=generator, dtype=scaled.dtype) * 0.5**0.5).to(scaled.device)
        energy = noise.square().sum(1)
        for rows in torch.arange(len(points), device=points.device).split(max(1, MAX_KERNELS // len(points))):
            # The kernel of the point itself is 1, so sums do not underflow.
            kernel = (
                (left_factor(scaled[rows] + noise[rows]) @ right + energy[rows, None]).clamp_(min=MIN_EXPONENT).exp_()
            )
            sums = torch.stack([kernel.sum(1), (kernel * (group[rows, None] == group)).sum(1)])
            totals[:, rows] += energy[rows] - (sums / counts[:, rows]).log()
            shares += (1 / sums).where(counts[:, rows] > 1, 0.0).sum(1)
    nll, nll_in_group = totals / draws
    share, group_share = (shares / (draws * len(points))).tolist()
    return nll, nll_in_group, share, group_share


def _standard_error(values: Float[Tensor, " N"]) -> float:
    return float(values.std(correction=0)) / math.sqrt(len(values))


def _checked(samples: Samples, sigma: float, draws: int | None) -> Float[Tensor, "N D"]:
    if draws is not None and draws < 1:
        raise RequestError(f"{draws} draws around each sample: expected at least 1")
    if not sigma > 0:
        raise RequestError(f"sigma is {sigma:g}: expected the standard deviation of the internal noise, above 0")
    return tensor_of(samples, "x")


def _settings(points: Float[Tensor, "N D"], sigma: float, draws: int, seed: int, share: float) -> dict[str, object]:
    return {
        "estimator": "sp", "sigma": sigma, "samples": len(points), "draws": draws, "seed": seed, "own_share": share
    }  # fmt: skip


def _too_few(points: Float[Tensor, "N D"], sigma: float, share: float) -> tuple[str, ...]:
    if share < MAX_OWN_SHARE:
        return ()
    return (
        f"{len(points)} samples are too few for {points.shape[1]} dimensions at sigma {sigma:g}: {share:.0%} of the"
        f" density around a sample is due to the sample itself, a bias of {share / 2:.2f} nats or more",
    )
