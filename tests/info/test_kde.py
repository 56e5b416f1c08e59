"""Kernel bounds against their two-pass form, and on layers whose bounds are known."""

import math

import numpy as np
import pytest
import torch

from nmt_ib.errors import RequestError
from nmt_ib.info import kde
from nmt_ib.info.kde import kde_information, kde_layer
from tests.oracles.information import kernel_information

BITS = 1 / math.log(2)
# Lower and upper bound of the binary input in Gaussian noise of that deviation, in bits: for two points at +-1,
# 1 - log2(1 + exp(-4 / 8 sigma^2)) and 1 - log2(1 + exp(-4 / 2 sigma^2)).
BINARY = {
    sigma: tuple(1 - math.log2(1 + math.exp(-4 / (share * sigma**2))) for share in (8, 2))
    for sigma in (0.3, 0.5, 1.0, 2.0)
}


def layer(samples, width, seed=0):
    generator = np.random.default_rng(seed)
    return np.tanh(3 * generator.standard_normal((samples, width))), generator.integers(0, 3, samples)


def figures(found):
    return [(float(bound.i_x), float(bound.i_y)) for bound in found]


@pytest.mark.parametrize("variance", [1e-3, 0.1, 1.0])
@pytest.mark.parametrize(("samples", "width"), [(1, 1), (7, 2), (300, 3), (600, 12)])
def test_one_exponential_gives_what_two_passes_give(samples, width, variance):
    points, labels = layer(samples, width)
    found = figures(kde_layer(points, labels, variance))
    slow = [kernel_information(points, labels, variance, upper) for upper in (False, True)]
    np.testing.assert_allclose(found, slow, atol=1e-9)


def test_blocks_and_far_origins_do_not_matter(monkeypatch):
    points, labels = layer(100, 4)
    whole = figures(kde_layer(points, labels))
    monkeypatch.setattr(kde, "BLOCK", 7)
    np.testing.assert_allclose(figures(kde_layer(points, labels)), whole, atol=1e-12)
    np.testing.assert_allclose(figures(kde_layer(points + 1000, labels)), whole, atol=1e-6)


@pytest.mark.parametrize("sigma", BINARY)
@pytest.mark.parametrize("width", [1, 5])
def test_binary_inputs_in_noise(sigma, width):
    # All words of as many independent bits, four times each.
    words = np.array(np.meshgrid(*[[-1.0, 1.0]] * width)).reshape(width, -1).T.repeat(4, 0)
    found = kde_layer(words, words[:, 0] > 0, sigma**2)
    for bound, bits in zip(found, BINARY[sigma], strict=True):
        assert float(bound.i_x) * BITS == pytest.approx(width * bits, abs=1e-9)
        assert float(bound.i_y) * BITS == pytest.approx(bits, abs=1e-9)


def test_published_values_of_binary_inputs():
    # Computed elsewhere from the same closed form, in bits.
    found = {0.3: (0.994433, 1.0), 0.5: (0.816882, 0.999516), 1.0: (0.316051, 0.816882), 2.0: (0.087353, 0.316051)}
    for sigma, bits in found.items():
        assert BINARY[sigma] == pytest.approx(bits, abs=5e-7)


def test_points_that_are_equal_or_far():
    labels = np.arange(40) % 2
    equal = figures(kde_layer(np.full((40, 3), 7.7), labels))
    np.testing.assert_allclose(equal, 0, atol=1e-12)
    far = figures(kde_layer(np.arange(40.0)[:, None] * 100, labels))
    np.testing.assert_allclose(far, [[math.log(40), math.log(2)]] * 2, atol=1e-12)
    clusters = figures(kde_layer(labels[:, None] * 100.0, labels))
    np.testing.assert_allclose(clusters, math.log(2), atol=1e-12)


def test_one_class_has_no_information_and_unique_labels_have_all():
    points, _ = layer(50, 2)
    for bound, found in zip(("lower", "upper"), kde_layer(points, np.zeros(50)), strict=True):
        assert float(found.i_y) == 0
        unique = kde_information(points, np.arange(50), bound=bound)
        assert float(unique) == pytest.approx(float(found.i_x), abs=1e-12)
        assert unique.settings["bound"] == bound


def test_torch_is_numpy():
    points, labels = layer(50, 2)
    assert kde_layer(torch.as_tensor(points), torch.as_tensor(labels)) == kde_layer(points, labels)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((3, 1)), np.zeros(2)), "3 rows and y 2"),
        ((np.full((3, 1), np.nan), np.zeros(3)), "not finite"),
        ((np.zeros((3, 1)), np.zeros(3), 0.0), "variance is 0: expected the variance of the added noise"),
        ((np.zeros((3, 1)), np.zeros(3), 1.0, "middle"), "unknown bound 'middle'; known: lower, upper"),
    ],
)
def test_says_what_is_wrong(arguments, message):
    with pytest.raises(RequestError, match=message):
        kde_information(*arguments)
