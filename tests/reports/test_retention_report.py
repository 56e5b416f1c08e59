"""The report of a retention run: any text stays text, nothing is loaded, any run has one."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from nmt_ib.reports import html
from nmt_ib.reports.html import write_retention_report
from nmt_ib.reports.png.retention import write_retention_figures
from nmt_ib.results.retention import SentenceRetention
from tests.reports.hostile_run import HOSTILE, SIGNATURE
from tests.reports.pictures import size
from tests.reports.retention_run import MARKUP, measured, summary_of, words_of


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
    assert "Comparison of models" not in texts


def test_models_stand_side_by_side(path):
    other = replace(summary_of(1, layers=2, model="<i>other</i>"), words=3)
    nothing = summary_of(1, layers=0, model="nothing")
    write_retention_report(path, SIGNATURE, summary_of(1), [], [other, nothing])
    texts = Page(path).texts
    below = texts[texts.index("Comparison of models") :]
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
    monkeypatch.setattr(html, "MAX_HEAT_MAPS", 4)
    write_retention_report(path, SIGNATURE, summary_of(9), (measured(index, "a b") for index in range(9)))
    raw = path.read_text(encoding="utf-8")
    assert raw.count('<article class="measured">') == 4
    assert "Only the first 4 lines" in raw


def test_the_report_appears_whole_or_not_at_all(path):
    path.write_text("before")

    def broken():
        yield measured(0, "a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_retention_report(path, SIGNATURE, summary_of(2), broken())
    assert path.read_text() == "before"
    assert list(path.parent.iterdir()) == [path]
