"""Each sentence has noise of its own."""

import torch

from nmt_ib.seeding import sentence_generator


def test_noise_depends_on_seed_and_sentence_alone():
    def draw(seed, text):
        return torch.randn(3, generator=sentence_generator(seed, text)).tolist()

    assert draw(0, "a") == draw(0, "a")
    assert len({tuple(draw(seed, text)) for seed in (0, 1) for text in ("a", "b", "\ud800")}) == 6
