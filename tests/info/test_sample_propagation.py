"""Sample propagation where entropies are known, and against densities one at a time."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from nmt_ib.errors import RequestError
from nmt_ib.info.kde import kde_layer
from nmt_ib.info.sample_propagation import draws_for, mixture_entropy, sp_information
from tests.oracles.information import smoothed_nll

SIGMAS = 0.3, 0.5, 1.0, 2.0


def binary_nats(sigma):
    """Information of an input that is 1 or -1 and its noisy output, by quadrature."""

    def entropy_density(value):
        density = (norm.pdf(value, 1, sigma) + norm.pdf(value, -1, sigma)) / 2
        return -density * math.log(density) if density > 0 else 0.0

    edge = 1 + 10 * sigma
    return quad(entropy_density, -edge, edge, points=[-1, 0, 1], limit=200)[0] - norm(scale=sigma).entropy()


def words(width, times):
    """All words of as many bits, each so many times."""
    return np.array(np.meshgrid(*[[-1.0, 1.0]] * width)).reshape(width, -1).T.repeat(times, 0)


def test_the_quadrature_gives_known_values():
    # Bits, computed elsewhere.
    figures = {0.3: 0.998210, 0.5: 0.912822, 1.0: 0.485944, 2.0: 0.160747}
    for sigma, bits in figures.items():
        assert binary_nats(sigma) / math.log(2) == pytest.approx(bits, abs=5e-7)


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize(("width", "times"), [(1, 50), (4, 12)])
def test_binary_inputs_in_noise(sigma, width, times):
    # All inputs there are: only the draws are random. Each input its own passes; and one bit of them as the label.
    inputs = words(width, times)
    truth, asked = binary_nats(sigma), 0.1
    bounds = kde_layer(inputs, inputs[:, 0], sigma**2)
    for y, expected, place in ((inputs, width * truth, "i_x"), (inputs[:, 0], truth, "i_y")):
        found = sp_information(inputs, y, sigma, error_nats=asked)
        assert abs(found.nats - expected) < asked < found.error
        lower, upper = (getattr(bound, place).nats for bound in bounds)
        assert lower - asked < found.nats < upper + asked
        assert not found.warnings
    alone = sp_information(inputs, np.arange(len(inputs)), sigma, error_nats=asked)
    assert abs(alone.nats - width * truth) < asked


def test_entropy_is_the_mean_negative_log_density():
    generator = np.random.default_rng(0)
    centres, sigma, draws = generator.standard_normal((20, 3)), 0.4, 2
    found = mixture_entropy(centres, sigma, draws=draws, seed=3)
    noise = torch.Generator().manual_seed(3)
    slow = [
        smoothed_nll(centre + sigma * moved, centres, sigma)
        for _ in range(draws)
        for centre, moved in zip(centres, torch.randn(20, 3, generator=noise, dtype=torch.float64).numpy(), strict=True)
    ]
    assert float(found) == pytest.approx(np.mean(slow), abs=1e-10)


@pytest.mark.parametrize("width", [1, 40])
def test_entropy_of_one_gaussian(width):
    sigma = 0.2
    found = mixture_entropy(np.full((2000, width), 0.5), sigma, draws=5)
    truth = width / 2 * math.log(2 * math.pi * math.e * sigma**2)
    assert abs(found.nats - truth) < 4 * math.sqrt(width / 2 / 10_000)  # the spread of |z|^2 / 2


def test_gaussian_channel():
    # S ~ N(0, I), Z ~ N(0, .25 I) in 2 dimensions: I = ln(1 + 4).
    inputs = np.random.default_rng(0).standard_normal((3000, 2))
    found = sp_information(inputs, np.arange(3000), 0.5, draws=3)
    assert abs(found.nats - math.log(5)) < found.error < 0.5
    half = sp_information(inputs[:300], np.arange(300), 0.5, draws=3)
    assert half.error > found.error


def test_draws_follow_the_published_bound():
    inside, outside = words(2, 5) * 0.5, torch.as_tensor(words(2, 5) * 3)
    width, sigma, power = 2, 0.3, 18.0
    bound = 2 * width * (2 + sigma**2) / sigma**2
    assert draws_for(torch.as_tensor(inside), sigma, 0.1) == math.ceil(bound / 20 / 0.01)
    noise = sigma * math.sqrt(width)
    relu = 9 * width * sigma**2 + 8 * (2 + noise) * power + 3 * (11 * noise + 1) * math.sqrt(power)
    assert draws_for(outside, sigma, 0.1) == math.ceil(relu / sigma**2 / 20 / 0.01)
    assert draws_for(outside, sigma, 1e6) == 1
    assert mixture_entropy(inside, sigma, error_nats=0.3).settings["draws"] == math.ceil(bound / 20 / 0.09)


def test_the_bound_holds():
    inputs, truth = words(1, 10), binary_nats(0.5)
    asked = 0.3
    errors = [sp_information(inputs, inputs, 0.5, error_nats=asked, seed=seed).nats - truth for seed in range(30)]
    assert math.sqrt(np.square(errors).mean()) < asked


def test_too_few_samples_for_the_dimensions_give_a_warning():
    # 10 random bits: 1,024 words, of which 1,000 samples miss many; the truth is 10 times that of one bit.
    inputs = np.random.default_rng(0).choice([-1.0, 1.0], (1000, 10))
    found = sp_information(inputs, np.arange(1000), 0.5, draws=1)
    assert "1000 samples are too few for 10 dimensions at sigma 0.5" in found.warnings[0]
    truth = 10 * binary_nats(0.5)
    assert found.nats < truth - 0.1
    assert abs(found.nats - truth) < found.error


def test_constants_and_single_classes_have_no_information():
    constant = sp_information(np.full((50, 2), 0.3), np.arange(50) % 2, 0.1, draws=2)
    assert float(constant) == pytest.approx(0, abs=1e-12)
    single = sp_information(words(2, 5), np.zeros(20), 0.1, draws=2)
    assert float(single) == 0


def test_the_seed_decides():
    inputs = words(2, 5)
    state = torch.random.get_rng_state()
    first = sp_information(inputs, inputs, 1.0, draws=1)
    assert sp_information(torch.as_tensor(inputs), torch.as_tensor(inputs), 1.0, draws=1) == first
    assert sp_information(inputs, inputs, 1.0, draws=1, seed=1).nats != first.nats
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"sigma": 0.0}, "sigma is 0: expected the standard deviation"),
        ({"sigma": 1.0, "draws": 0}, "0 draws around each sample"),
        ({"sigma": 1.0, "error_nats": 0.0}, "error_nats is 0: expected a number above 0"),
    ],
)
def test_says_what_is_wrong(keywords, message):
    with pytest.raises(RequestError, match=message):
        sp_information(np.ones((3, 1)), np.zeros(3), **keywords)
    with pytest.raises(RequestError, match=message):
        mixture_entropy(np.ones((3, 1)), **keywords)
