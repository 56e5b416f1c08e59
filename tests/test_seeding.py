"""One generator per sentence."""

import torch

from nmt_ib.seeding import sentence_generator


def test_a_sentence_has_its_own_noise():
    def draw(seed, text):
        return torch.randn(3, generator=sentence_generator(seed, text)).tolist()

    assert draw(0, "a") == draw(0, "a")
    assert len({tuple(draw(seed, text)) for seed in (0, 1) for text in ("a", "b", "\ud800")}) == 6
