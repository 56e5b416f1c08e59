"""The report and the figures of a retention run: any text stays text, nothing is loaded, any run has them."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from nmt_ib.reports import html
from nmt_ib.reports.html import write_retention_report
from nmt_ib.reports.png.retention import (
    MAX_HEAT_MAP_WIDTH,
    _heat_map,
    _one_model,
    _several_models,
    write_retention_figures,
)
from nmt_ib.results.retention import LayerRetention, RetentionSummary, SentenceRetention, WordRetention
from tests.reports.hostile_run import HOSTILE, SIGNATURE
from tests.reports.test_png import size

MARKUP = "<u>rare</u>"


class Page(HTMLParser):
    """The elements of a page, and its texts."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.texts = [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)


def summary_of(lines, *, layers=3, model="<b>model</b>\udcff"):
    rows = tuple(
        LayerRetention(
            f"encoder {layer + 1}", 90.0 - layer, (80.0, 95.0), 0.5, 1 - layer / 10, 0.01, 0.1,
            {"open class": 0.9, MARKUP: 0.5}, {"top 100": 0.8}, {},
        )
        for layer in range(layers)
    )  # fmt: skip
    return RetentionSummary(model, lines, 1, 7 * lines, rows)


def measured(index, text, *, layers=3, bits=None):
    """A sentence whose words are what stands between spaces."""
    words = tuple(
        WordRetention(
            match[0], *match.span(), "open class", "rarer", "",
            tuple((10.0 * place + layer if bits is None else bits) for layer in range(layers)), (0.0,) * layers,
        )
        for place, match in enumerate(re.finditer(r"[^ ]+", text))
    )  # fmt: skip
    return SentenceRetention(index, text, f"t {text}", words)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "report.html"


def test_hostile_text_is_never_markup(path):
    sentences = [measured(index, text) for index, text in enumerate(HOSTILE)]
    skipped = SentenceRetention(len(HOSTILE), "<script>alert(9)</script>", skipped="<i>empty</i>")
    write_retention_report(path, SIGNATURE, summary_of(len(HOSTILE) + 1), iter([*sentences, skipped]))
    page, raw = Page(path), path.read_text(encoding="utf-8")
    for forbidden in ("<script", "<img", "<b>model", "<u>rare", "<i>"):
        assert forbidden not in raw
    assert {tag for tag, _ in page.elements} <= {
        "html", "head", "meta", "title", "style", "body", "header", "p", "h1", "h2", "strong", "details", "summary",
        "dl", "div", "dt", "dd", "main", "section", "em", "table", "tbody", "tr", "th", "td", "article",
    }  # fmt: skip
    for sentence in sentences:
        for word in sentence.words:
            assert word.text.encode("utf-8", "replace").decode() in page.texts
    assert MARKUP in page.texts


def test_nothing_is_loaded_and_nothing_runs(path):
    write_retention_report(path, SIGNATURE, summary_of(1), [measured(0, "a b")])
    page, raw = Page(path), path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|url\(|@import|javascript:", raw)
    assert not [name for _, attributes in page.elements for name in attributes if name in ("src", "href", "style")]
    (policy,) = [a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    style = re.search("<style>(.*?)</style>", raw, re.DOTALL)[1]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy


def test_the_page_shows_every_layer_and_the_darkest_word(path):
    write_retention_report(path, SIGNATURE, summary_of(1), [measured(0, "a b c")])
    page, raw = Page(path), path.read_text(encoding="utf-8")
    for shown in ("encoder 1", "encoder 3", "[80, 95]", "90.0%", "command", "diagnose"):
        assert shown in raw
    for legend in ("summed over a word's pieces", "share of what layer 1 keeps"):
        assert legend in raw.replace("&#39;", "'")
    assert shades_of(page) == ["k0", *["k6"] * 8]  # of the first word the first layer keeps nothing


def shades_of(page):
    return [attributes["class"] for tag, attributes in page.elements if tag == "td" and "class" in attributes]


def words_of(*rows):
    """A sentence whose words keep these bits in each layer."""
    words = tuple(WordRetention("w", 0, 1, "open class", "<u>", "NOUN", row, (0.0,) * len(row)) for row in rows)
    return SentenceRetention(0, "w", words=words)


def test_the_colour_is_the_share_of_the_first_layer(path):
    write_retention_report(path, SIGNATURE, summary_of(1), [words_of((1_800.0, 900.0, 0.0), (6.0, 7.0, 1.0))])
    assert shades_of(Page(path)) == ["k6", "k6", "k3", "k6", "k0", "k1"]


def test_a_word_tells_its_kind_and_the_layer_that_forgets_it(path):
    write_retention_report(path, SIGNATURE, summary_of(1), [words_of((8.0, 5.0, 3.0), (8.0, 4.0, 4.0))])
    titles = [attributes["title"] for tag, attributes in Page(path).elements if tag == "th" and "title" in attributes]
    assert titles == ["open class, <u>, NOUN; forgotten at encoder 3", "open class, <u>, NOUN; not forgotten"]


def test_the_page_shows_noise_the_gap_and_kinds_of_words(path):
    (first, *_), last = summary_of(1).layers, replace(summary_of(1).layers[2], name="decoder 1")
    last = replace(last, noise_bits=7.4, against_encoder=(-12.4, -20.0, -0.4), kept_by_part_of_speech={"NOUN": 0.123})
    layers = (replace(first, kept_by_part_of_speech={"NOUN": 1.0}), last)
    write_retention_report(path, SIGNATURE, replace(summary_of(1), layers=layers), [])
    texts = Page(path).texts
    for shown in ("noise", "7", "-12 [-20, +0]", "Frequency rank", "top 100", "80.0%", "NOUN", "12.3%"):
        assert shown in texts
    assert "Model against model" not in texts


def test_models_stand_side_by_side(path):
    other = replace(summary_of(1, layers=2, model="<i>other</i>"), words=3)
    nothing = summary_of(1, layers=0, model="nothing")
    write_retention_report(path, SIGNATURE, summary_of(1), [], [other, nothing])
    texts = Page(path).texts
    below = texts[texts.index("Model against model") :]
    assert below.index("<b>model</b>?") < below.index("<i>other</i>")
    assert "nothing" not in below
    assert below.count("encoder 2") == 2
    assert below.count("encoder 3") == 1


def test_a_word_of_no_bits_has_the_lightest_cell(path):
    write_retention_report(path, SIGNATURE, summary_of(1), [measured(0, "a b", bits=0.0)])
    assert path.read_text(encoding="utf-8").count('class="k0"') == 6


def test_a_run_of_nothing_has_a_report_and_figures(path):
    for summary in (summary_of(0, layers=0), summary_of(2, layers=0)):
        lines = [SentenceRetention(index, "", skipped="empty line") for index in range(summary.sentences)]
        write_retention_report(path, {}, summary, lines)
        assert "sentences" in path.read_text(encoding="utf-8")
        write_retention_figures(path.parent, {"model": summary}, lines)
        assert size(path.parent / "retention.png")[0] > 800
        assert not (path.parent / "heat_map.png").exists()


def test_a_long_run_is_cut_and_says_so(path, monkeypatch):
    monkeypatch.setattr(html, "HEAT_MAPS", 4)
    write_retention_report(path, SIGNATURE, summary_of(9), (measured(index, "a b") for index in range(9)))
    raw = path.read_text(encoding="utf-8")
    assert raw.count('<article class="measured">') == 4
    assert "The first 4 lines" in raw


def test_the_report_appears_whole_or_not_at_all(path):
    path.write_text("before")

    def broken():
        yield measured(0, "a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_retention_report(path, SIGNATURE, summary_of(2), broken())
    assert path.read_text() == "before"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("models", [["own $_$ 名"], ["$_$", "other", "third"]])
def test_figures(tmp_path, models):
    summaries = {model: summary_of(9, layers=3 + place, model=model) for place, model in enumerate(models)}
    hostile = "$a_ 名 <b> família \x1b[31mred \u202etxt \ud800 😀"
    sentences = [measured(0, "a b"), measured(1, "w " * (MAX_HEAT_MAP_WIDTH + 1)), measured(2, hostile)]
    paths = write_retention_figures(tmp_path, summaries, iter(sentences))
    assert [path.name for path in paths] == ["retention.png", "heat_map.png"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    for path in paths:
        width, height = size(path)
        assert 400 < width < 3_000
        assert 300 < height < 2_000
        assert 5_000 < path.stat().st_size < 500_000


def stacks(*names, kept=1.0):
    layer = summary_of(1).layers[0]
    return replace(summary_of(1), layers=tuple(replace(layer, name=name, kept=kept) for name in names))


def test_one_model_shows_bits_and_classes_and_its_line_breaks_between_the_stacks():
    left, right = _one_model(stacks("encoder 1", "encoder 2", "decoder 1")).axes
    assert left.get_legend() is None
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["open class", MARKUP]
    assert [label.get_text() for label in left.get_xticklabels()] == ["encoder 1", "encoder 2", "decoder 1"]
    assert list(left.get_xticks()) == [0, 1, 3]
    np.testing.assert_array_equal(left.lines[0].get_ydata(), [90, 90, np.nan, 90])
    np.testing.assert_array_equal(right.lines[1].get_ydata(), [0.5, 0.5, np.nan, 0.5])


def test_several_models_show_shares_alone_each_at_the_layers_of_its_name():
    models = {"shallow": stacks("encoder 1", "decoder 1", kept=0.25), "deep": stacks("encoder 1", "encoder 2")}
    (axes,) = _several_models(models).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["encoder 1", "encoder 2", "decoder 1"]
    for line, expected in zip(axes.lines, [[0.25, np.nan, np.nan, 0.25], [1, 1, np.nan, np.nan]], strict=True):
        np.testing.assert_array_equal(line.get_ydata(), expected)


def test_the_heat_map_has_bits_as_numbers_and_shares_as_colours():
    axes = _heat_map(words_of((1_800.0, 900.0), (6.0, 7.5)), ["encoder 1", "encoder 2"]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["1800", "6", "900", "8"]
    np.testing.assert_allclose(axes.collections[0].get_array(), [[1, 1], [0.5, 1.25]])
    assert "summed over a word's pieces" in axes.get_xlabel()


def test_no_global_state_is_touched(tmp_path):
    import matplotlib as mpl
    from matplotlib import pyplot

    before = dict(mpl.rcParams)
    write_retention_figures(tmp_path, {"own": summary_of(1)}, [measured(0, "a b c")])
    assert dict(mpl.rcParams) == before
    assert pyplot.get_fignums() == []
