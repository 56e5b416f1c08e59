"""Training: the effect of beta, seeds, and interrupted runs."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nmt_ib.data.images import ImageSet
from nmt_ib.deep_vib.training import CHECKPOINT, CONFIG, DeepVIBSettings, as_tensors, train
from nmt_ib.errors import RequestError

TINY = DeepVIBSettings(width=4, hidden=16, epochs=3, batch_size=20, learning_rate=1e-2)


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
def test_an_interrupted_training_resumes_with_equal_results(images, tmp_path, objective, after):
    settings = replace(TINY, objective=objective, beta=0.1)

    def cut(loss):
        if loss.epoch == after:
            raise Cut

    whole = train(images, tmp_path / "whole", settings=settings)
    with pytest.raises(Cut):
        train(images, tmp_path / "cut", settings=settings, after_epoch=cut)
    epochs = []
    resumed = train(images, tmp_path / "cut", settings=settings, after_epoch=lambda loss: epochs.append(loss.epoch))
    assert epochs == list(range(after + 1, 4))
    assert torch.equal(weights(resumed.raw), weights(whole.raw))
    assert torch.equal(weights(resumed.averaged), weights(whole.averaged))
    assert resumed.history == whole.history
    for name in (CHECKPOINT, CONFIG):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    again = train(images, tmp_path / "cut", settings=settings)
    assert torch.equal(weights(again.averaged), weights(whole.averaged))


def test_the_seed_decides(images, tmp_path):
    first, second, other = (
        train(images, tmp_path / name, settings=replace(TINY, seed=seed))
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert torch.equal(weights(first.raw), weights(second.raw))
    assert not torch.equal(weights(first.raw), weights(other.raw))


def test_nothing_global_is_drawn(images, tmp_path):
    before = torch.get_rng_state()
    train(images, tmp_path, settings=TINY)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_high_beta_empties_the_code(images, tmp_path):
    rates = {}
    for beta in (1e-4, 100.0):
        settings = replace(TINY, beta=beta, epochs=100, batch_size=10, learning_rate=3e-2)
        trained = train(images, tmp_path / f"{beta}", settings=settings)
        assert all(loss.penalty_nats >= 0 for loss in trained.history)
        rates[beta] = trained.history[-1].penalty_nats
    assert rates[100.0] < 0.01
    assert rates[1e-4] > np.log(4)  # it distinguishes four classes, at a rate of at least their entropy


def test_the_learning_rate_falls_every_two_epochs(images, tmp_path, monkeypatch):
    from torch.optim import Adam

    rates, step = [], Adam.step
    monkeypatch.setattr(Adam, "step", lambda self: (rates.append(self.param_groups[0]["lr"]), step(self)))
    train(images, tmp_path, settings=replace(TINY, epochs=5, batch_size=90, learning_rate=1.0))
    assert rates == pytest.approx([1, 1, 0.97, 0.97, 0.97**2])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objective": "vib"}, "unknown objective 'vib': expected one of bottleneck"),
        ({"beta": -1.0}, "beta is -1.0: expected at least 0"),
        ({"objective": "dropout", "beta": 1.0}, "with dropout below 1"),
        ({"epochs": 0}, "must be at least 1"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(RequestError, match=message):
        DeepVIBSettings(**settings)


def test_another_training_is_not_written_over(images, tmp_path):
    train(images, tmp_path, settings=TINY)
    for others, settings in ((images, replace(TINY, beta=0.5)), (images.first(50), TINY)):
        with pytest.raises(RequestError, match=r"holds another training run \(see config.json\)"):
            train(others, tmp_path, settings=settings)


def test_no_images(images, tmp_path):
    with pytest.raises(RequestError, match="at least one training image"):
        train(images.first(0), tmp_path, settings=TINY)
