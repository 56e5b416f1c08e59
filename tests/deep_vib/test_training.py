"""Training: a rate that beta presses down, and runs that are cut off."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nmt_ib.data.images import ImageSet
from nmt_ib.deep_vib.training import ImageTraining, as_tensors, train_images
from nmt_ib.errors import RequestError

TINY = ImageTraining(width=4, hidden=16, epochs=3, batch_size=20, learning_rate=1e-2)


@pytest.fixture(scope="module")
def images():
    """Four classes of 4 x 4 images: a bright quarter, and noise."""
    generator = np.random.default_rng(0)
    labels = np.arange(90, dtype=np.uint8) % 4
    pixels = generator.integers(0, 100, (90, 4, 4), dtype=np.uint8)
    for image, label in zip(pixels, labels, strict=True):
        image[2 * (label // 2) :][:2, 2 * (label % 2) :][:, :2] += 150
    return ImageSet(pixels, labels)


def weights(network):
    return torch.cat([weight.flatten() for weight in network.state_dict().values()])


def test_pixels_are_in_0_to_1(images):
    pixels, labels = as_tensors(images)
    assert pixels.shape == (90, 16)
    assert 0 <= pixels.min() < pixels.max() <= 1
    assert labels.tolist() == images.labels.tolist()


class Cut(Exception):
    pass


@pytest.mark.parametrize("objective", ["bottleneck", "dropout"])
@pytest.mark.parametrize("after", [1, 2])
def test_a_training_that_was_cut_off_ends_as_if_it_were_not(images, tmp_path, objective, after):
    training = replace(TINY, objective=objective, beta=0.1)

    def cut(terms):
        if terms.epoch == after:
            raise Cut

    whole = train_images(images, tmp_path / "whole", training=training)
    with pytest.raises(Cut):
        train_images(images, tmp_path / "cut", training=training, progress=cut)
    epochs = []
    resumed = train_images(
        images, tmp_path / "cut", training=training, progress=lambda terms: epochs.append(terms.epoch)
    )
    assert epochs == list(range(after + 1, 4))
    assert torch.equal(weights(resumed.raw), weights(whole.raw))
    assert torch.equal(weights(resumed.averaged), weights(whole.averaged))
    assert [replace(terms, seconds=0.0) for terms in resumed.history] == [
        replace(terms, seconds=0.0) for terms in whole.history
    ]
    again = train_images(images, tmp_path / "cut", training=training)
    assert torch.equal(weights(again.averaged), weights(whole.averaged))


def test_the_seed_decides(images, tmp_path):
    first, second, other = (
        train_images(images, tmp_path / name, training=replace(TINY, seed=seed))
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert torch.equal(weights(first.raw), weights(second.raw))
    assert not torch.equal(weights(first.raw), weights(other.raw))


def test_nothing_global_is_drawn(images, tmp_path):
    before = torch.get_rng_state()
    train_images(images, tmp_path, training=TINY)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_high_price_empties_the_code(images, tmp_path):
    rates = {}
    for beta in (1e-4, 100.0):
        training = replace(TINY, beta=beta, epochs=100, batch_size=10, learning_rate=3e-2)
        trained = train_images(images, tmp_path / f"{beta}", training=training)
        assert all(terms.penalty_nats >= 0 for terms in trained.history)
        rates[beta] = trained.history[-1].penalty_nats
    assert rates[100.0] < 0.01
    assert rates[1e-4] > np.log(4)  # it tells four classes apart, which costs at least their entropy


def test_the_learning_rate_falls_every_two_epochs(images, tmp_path, monkeypatch):
    from torch.optim import Adam

    rates, step = [], Adam.step
    monkeypatch.setattr(Adam, "step", lambda self: (rates.append(self.param_groups[0]["lr"]), step(self)))
    train_images(images, tmp_path, training=replace(TINY, epochs=5, batch_size=90, learning_rate=1.0))
    assert rates == pytest.approx([1, 1, 0.97, 0.97, 0.97**2])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objective": "vib"}, "unknown objective 'vib': expected one of bottleneck"),
        ({"beta": -1.0}, "beta is -1.0: expected at least 0"),
        ({"objective": "dropout", "beta": 1.0}, "with dropout a share below 1"),
        ({"epochs": 0}, "must all be 1 or more"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(RequestError, match=message):
        ImageTraining(**settings)


def test_another_training_is_not_written_over(images, tmp_path):
    train_images(images, tmp_path, training=TINY)
    for others, training in ((images, replace(TINY, beta=0.5)), (images.first(50), TINY)):
        with pytest.raises(RequestError, match=r"holds another training \(see config.json\)"):
            train_images(others, tmp_path, training=training)


def test_no_images(images, tmp_path):
    with pytest.raises(RequestError, match="at least one image"):
        train_images(images.first(0), tmp_path, training=TINY)
