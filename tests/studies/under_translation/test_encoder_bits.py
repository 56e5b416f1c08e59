"""What the encoder keeps of a word: a channel of known gain, a word that the encoder cannot read, and invariances."""

from functools import partial

import pytest
import torch

from nmt_ib.attribution.contribution import ContributionMethod
from nmt_ib.studies.under_translation.calibration import EVERY, KindReference, Reference
from nmt_ib.studies.under_translation.encoder_bits import EncoderBitsMeasure
from nmt_ib.studies.under_translation.study import UnderTranslation

SOURCES = ["The red door, she said.", "A small dog sleeps.", "It was easy."]
RATE = 0.1
DEAF = 1  # word


@pytest.fixture(params=["ssru", "t5"])
def model(request, tiny_model):
    return tiny_model(request.param).model


@pytest.fixture
def deaf(model, monkeypatch):
    """A model whose encoder reads the same in place of one word of the first sentence, whatever stands there."""
    place = torch.tensor([word == DEAF for word in model.tokenize_source(SOURCES[0]).word_index])

    def encode(read, states, mask, *layers, **named):
        return read(torch.where(place[:, None], 0.5, states), mask, *layers, **named)

    monkeypatch.setattr(model, "encode", partial(encode, model.encode))
    return model


def test_a_gain_at_each_position_keeps_what_its_channel_carries(model, monkeypatch):
    # State g_i x_i: noise s costs D (g_i s)^2 / power of the whole state, and gains rate / W for each ln s.
    source = model.tokenize_source(SOURCES[0])
    gains = torch.linspace(0, 2, len(source), dtype=torch.float64)
    monkeypatch.setattr(model, "encode", lambda states, _mask, **_layers: states * gains[:, None])
    states = model.embed(torch.tensor([source.ids]))[0].detach() * gains[:, None]
    disturbed = sum(word >= 0 for word in source.word_index)
    sigma = (RATE * states.square().sum() / (2 * disturbed * states.shape[1])).sqrt() / gains
    spread = model.embedding_table().std(0).detach()
    bits = (1 + (spread / sigma[:, None]).square()).log2().sum(1) / 2
    expected = [
        sum(value for value, index in zip(bits.tolist(), source.word_index, strict=True) if index == word)
        for word in range(len(source.words))
    ]
    (kept,) = EncoderBitsMeasure(model)([source])
    assert kept.words == pytest.approx(expected, rel=1e-6, abs=1e-4)


def test_a_word_of_several_pieces_and_a_wide_model_are_compared_by_piece_and_dimension(model):
    source = max(map(model.tokenize_source, SOURCES), key=len)
    (kept,) = EncoderBitsMeasure(model)([source])
    width = model.embedding_table().shape[1]
    for word, (whole, one) in enumerate(zip(kept.words, kept.per_dimension, strict=True)):
        assert whole == pytest.approx(one * width * source.word_index.count(word))


def test_nothing_is_kept_of_a_word_that_the_encoder_cannot_read(deaf):
    (kept,) = EncoderBitsMeasure(deaf)([deaf.tokenize_source(SOURCES[0])])
    assert kept.words[DEAF] < 1e-3
    assert all(bits > 100 * kept.words[DEAF] for word, bits in enumerate(kept.words) if word != DEAF)


def test_such_a_word_is_lost_in_the_encoder_and_the_others_in_the_decoder(deaf):
    zeros = (0.0,) * 5
    dropped = KindReference(1, 1, zeros, zeros, intercept=50.0, slope=0.0, kept_from_bits=1e-3)
    study = UnderTranslation(deaf, Reference("f", "unknown", "t", {EVERY: dropped}))
    (line,) = study.chunk(0, SOURCES[:1], ["Um"])
    expected = ["encoder" if index == DEAF else "decoder" for index in range(len(line.words))]
    assert [word.lost_in for word in line.words] == expected


def test_a_sentence_without_a_dropped_word_is_not_measured(model):
    zeros = (0.0,) * 5
    kept = KindReference(1, 1, zeros, zeros, intercept=-50.0, slope=0.0, kept_from_bits=1e9)
    study = UnderTranslation(model, Reference("f", "unknown", "t", {EVERY: kept}), ContributionMethod(shortlist=0))
    (line,) = study.chunk(0, SOURCES[:1], ["Um"])
    assert {(word.kept_bits, word.lost_in) for word in line.words} == {(None, None)}


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_neither_batch_size_nor_order_changes_anything(model, batch_size):
    sources = [model.tokenize_source(text) for text in SOURCES]
    expected = EncoderBitsMeasure(model)(sources)
    found = EncoderBitsMeasure(model, batch_size)(sources[::-1])[::-1]
    for one, other in zip(found, expected, strict=True):
        assert one.words == pytest.approx(other.words, rel=1e-9)
