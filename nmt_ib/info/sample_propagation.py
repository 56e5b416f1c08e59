"""Information in networks with Gaussian noise inside, by sample propagation (Goldfeld et al. 2019)."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nmt_ib.errors import RequestError
from nmt_ib.info.discrete import codes
from nmt_ib.info.distances import left_factor, right_factor
from nmt_ib.info.samples import Partners, Samples, check_paired, tensor_of
from nmt_ib.results.estimate import Estimate

KERNELS = 2**21  # at a time
MAX_EXPONENT = -40.0  # exponent: less adds nothing to a sum of at least 1
OWN_SHARE = 0.1  # of the density around a point, from which on points are too few


def mixture_entropy(
    centres: Samples, sigma: float, *, error_nats: float = 0.05, draws: int | None = None, seed: int = 0
) -> Estimate:
    r"""Differential entropy h(S + Z) of noise Z ~ N(0, sigma^2 I) around samples of S.

    .. math:: -\frac{1}{N M} \sum_{i, j} \ln g(s_i + z_{ij}), \qquad g = \frac1N \sum_k \mathcal N(s_k, \sigma^2 I)

    The entropy of g is that of the mixture; as an estimate of h(S + Z) it is too low, the more so the more dimensions
    there are: no estimator does with fewer samples than grow exponentially in D. How much of the density around a
    point is that point's own says whether N suffices: by about half of that the estimate is too low.

    Args:
        centres: Samples of S, the layer before its noise.
        sigma: :math:`\sigma`, above 0.
        error_nats: Root mean square of what the draws may add, by `draws_for`.
        draws: M; None: as many as `error_nats` asks for.
        seed: Of the noise.

    Returns:
        Nats, of any sign. The error adds up: the bound of the draws and the standard error of the samples (as
        independent), and the bias.

    References:
        Goldfeld, van den Berg, Greenewald, Melnyk, Nguyen, Kingsbury & Polyanskiy (2019), Estimating information flow
        in deep neural networks; Goldfeld, Greenewald, Polyanskiy & Weed (2020), Convergence of smoothed empirical
        measures with applications to entropy estimation.
    """
    points = _checked(centres, sigma, draws)
    draws = draws or draws_for(points, sigma, error_nats)
    alone = torch.zeros(len(points), dtype=torch.long, device=points.device)
    surprise, _, share, _ = _surprises(points, alone, sigma, draws, seed)
    nats = float(surprise.mean()) + points.shape[1] / 2 * math.log(2 * math.pi * sigma**2)
    error = math.hypot(_draws_error(points, sigma, draws), _standard_error(surprise)) + share / 2
    settings, warnings = _settings(points, sigma, draws, seed, share), _too_few(points, sigma, share)
    return Estimate(nats, error=error, settings=settings, warnings=warnings)


def sp_information(
    x: Samples, y: Partners, sigma: float, *, error_nats: float = 0.1, draws: int | None = None, seed: int = 0
) -> Estimate:
    r"""I(T;Y) = h(T) - sum_y p(y) h(T|y) of T = S + Z, samples S and noise Z ~ N(0, sigma^2 I).

    What y is decides what this is. Labels: I(T;Y). The number of the input, with several passes an input: I(X;T), of
    which each conditional entropy has only that many samples. A different y in each row: I(X;T) of a layer that is
    deterministic up to its own noise, whose conditional entropy is that of the noise. Both entropies share their
    draws; see `mixture_entropy` for the bias, which the conditional entropies have, too, in the other direction.

    Args:
        x: S, the layer before its noise, one row a sample.
        y: Labels or numbers of inputs, row by row.
        sigma: Of the noise inside the network, above 0.
        error_nats: Root mean square of what the draws may add, by `draws_for` for both entropies.
        draws: Noise draws around each sample; None: as many as `error_nats` asks for.
        seed: Of the noise.

    Returns:
        Nats; <= H(Y) of the sample. The error adds up as in `mixture_entropy`.
    """
    points, group = _checked(x, sigma, draws), codes(y, "y")
    check_paired(points, group)
    draws = draws or draws_for(points, sigma, error_nats / 2)
    of_all, of_group, share, group_share = _surprises(
        points, torch.as_tensor(group, device=points.device), sigma, draws, seed
    )
    gain = of_all - of_group
    drawn = 2 * _draws_error(points, sigma, draws)
    error = math.hypot(drawn, _standard_error(gain)) + (share + group_share) / 2
    settings = {**_settings(points, sigma, draws, seed, share), "own_share_given_y": group_share}
    warnings = _too_few(points, sigma, max(share, group_share))
    return Estimate(float(gain.mean()), error=error, settings=settings, warnings=warnings)


def draws_for(centres: Float[Tensor, "N D"], sigma: float, error_nats: float) -> int:
    r"""The number of noise draws around each sample that keeps their error below a bound.

    The mean squared error is at most :math:`B / N M` with :math:`B = 2 D (2 + \sigma^2) / \sigma^2` where activations
    lie within [-1, 1] (tanh, sigmoid), and else (ReLU), with :math:`m` the mean squared norm,

    .. math:: B = \frac{9 D \sigma^2 + 8 (2 + \sigma \sqrt D) m + 3 (11 \sigma \sqrt D + 1) \sqrt m}{\sigma^2}

    Args:
        centres: Samples.
        sigma: Of the noise.
        error_nats: Root of the mean squared error.

    Returns:
        At least 1. The bound is wide: the true error is often a tenth.

    Raises:
        RequestError: The error is not above 0.

    References:
        Goldfeld, Greenewald, Polyanskiy & Weed (2020), the theorem on Monte Carlo integration.
    """
    if not error_nats > 0:
        raise RequestError(f"an error of {error_nats:g} nats was asked for: expected a number above 0")
    return max(1, math.ceil((_draws_error(centres, sigma, 1) / error_nats) ** 2))


def _draws_error(centres: Float[Tensor, "N D"], sigma: float, draws: int) -> float:
    width = centres.shape[1]
    if float(centres.abs().max()) <= 1:
        bound = 2 * width * (2 + sigma**2)
    else:
        power, noise = float(centres.square().sum(1).mean()), sigma * math.sqrt(width)
        bound = 9 * noise**2 + 8 * (2 + noise) * power + 3 * (11 * noise + 1) * math.sqrt(power)
    return math.sqrt(bound / (sigma**2 * len(centres) * draws))


def _surprises(
    points: Float[Tensor, "N D"], group: Int[Tensor, " N"], sigma: float, draws: int, seed: int
) -> tuple[Float[Tensor, " N"], Float[Tensor, " N"], float, float]:
    """Of each point, mean over its draws: -ln of the density around it over that of the noise, (2 pi sigma^2)^(-D/2).

    Of all points, and of its group; with what share of them is the point's own, groups of one left out.
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
        for rows in torch.arange(len(points), device=points.device).split(max(1, KERNELS // len(points))):
            # The point's own kernel is 1: sums do not underflow.
            kernel = (
                (left_factor(scaled[rows] + noise[rows]) @ right + energy[rows, None]).clamp_(min=MAX_EXPONENT).exp_()
            )
            sums = torch.stack([kernel.sum(1), (kernel * (group[rows, None] == group)).sum(1)])
            totals[:, rows] += energy[rows] - (sums / counts[:, rows]).log()
            shares += (1 / sums).where(counts[:, rows] > 1, 0.0).sum(1)
    of_all, of_group = totals / draws
    share, group_share = (shares / (draws * len(points))).tolist()
    return of_all, of_group, share, group_share


def _standard_error(values: Float[Tensor, " N"]) -> float:
    return float(values.std(correction=0)) / math.sqrt(len(values))


def _checked(samples: Samples, sigma: float, draws: int | None) -> Float[Tensor, "N D"]:
    if draws is not None and draws < 1:
        raise RequestError(f"{draws} draws around each sample: expected at least 1")
    if not sigma > 0:
        raise RequestError(f"sigma is {sigma:g}: expected the noise inside the network, above 0")
    return tensor_of(samples, "x")


def _settings(points: Float[Tensor, "N D"], sigma: float, draws: int, seed: int, share: float) -> dict[str, object]:
    return {
        "estimator": "sp", "sigma": sigma, "samples": len(points), "draws": draws, "seed": seed, "own_share": share
    }  # fmt: skip


def _too_few(points: Float[Tensor, "N D"], sigma: float, share: float) -> tuple[str, ...]:
    if share < OWN_SHARE:
        return ()
    return (
        f"{len(points)} samples are few for {points.shape[1]} dimensions at sigma {sigma:g}: {share:.0%} of the density"
        f" around a sample is its own, which is off by {share / 2:.2f} nats or more",
    )
