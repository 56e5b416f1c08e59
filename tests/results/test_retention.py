"""What a retention study returns shows itself as it is: shares, the layer that forgets a word, and what is unknown."""

import pytest

from nmt_ib.results.retention import LayerRetention, Retention, RetentionSummary, SentenceRetention, WordRetention

NAMES = ["encoder 1", "encoder 2", "decoder 1"]


def word(*bits, text="w"):
    return WordRetention(text, 0, 1, "open class", "rarer", "", bits, (0.0,) * len(bits))


def layer(name="encoder 1", interval=(5.0, 15.0), noise_bits=2.0, **fields):
    return LayerRetention(name, 10.0, interval, noise_bits, 0.876, 0.1, 0.25, {}, {}, {}, **fields)


@pytest.mark.parametrize(
    ("bits", "kept", "forgotten_at"),
    [
        ((8.0, 4.0, 12.0), (1, 0.5, 1.5), ""),
        ((8.0, 3.9, 1.0), (1, 0.4875, 0.125), "encoder 2"),
        ((8.0, 8.0, 0.0), (1, 1, 0), "decoder 1"),
    ],
)
def test_a_word_is_forgotten_where_less_than_half_is_kept(bits, kept, forgotten_at):
    assert word(*bits).kept == pytest.approx(kept)
    assert word(*bits).forgotten_at(NAMES) == forgotten_at


def test_a_layer_shows_its_figures():
    assert layer().shown() == {
        "layer": "encoder 1", "bits a word": "10", "95 % interval": "[5, 15]", "noise": "2", "kept": "87.6%",
        "forgotten": "25.0%", "concentration": "0.1000",
    }  # fmt: skip
    assert layer(against_encoder=(-3.0, -6.0, -0.2)).shown()["against the encoder's last"] == "-3 [-6, +0]"


def test_what_one_sentence_or_one_search_cannot_tell_is_not_shown_as_nought():
    shown = layer(interval=(10.0, 10.0), noise_bits=0.0, against_encoder=(-0.2, -0.2, -0.2)).shown()
    assert (shown["95 % interval"], shown["noise"], shown["against the encoder's last"]) == ("–", "–", "+0 –")


@pytest.fixture
def found():
    layers = (layer(), layer("encoder 2"), layer("decoder 1", against_encoder=(-3.0, -6.0, -1.0)))
    lines = (SentenceRetention(0, "w v", words=(word(8.0, 3.0, 9.0), word(800.0, 400.0, 0.0, text="v"))),)
    return Retention(lines, RetentionSummary("m", 1, 0, 2, layers))


def test_a_table_tells_where_each_word_is_forgotten(found):
    table = found.to_dataframe()
    assert list(table["forgotten_at"]) == ["encoder 2"] * 3 + ["decoder 1"] * 3
    assert list(table["bits"]) == [8, 3, 9, 800, 400, 0]


def test_a_notebook_shows_interval_and_gap_and_colours_by_share(found):
    shown = found._repr_html_()
    for figure in ("[5, 15]", "-3 [-6, -1]", "summed over a word's pieces"):
        assert figure in shown
    assert "0.40)'>400<" in shown  # half of what the first layer keeps, of a darkest 0.8
    assert "0.80)'>8<" in shown
    assert "0.80)'>9<" in shown
