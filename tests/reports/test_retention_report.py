"""The report and the figures of a retention run: any text stays text, nothing is loaded, any run has them."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from nmt_ib.reports import html
from nmt_ib.reports.html import write_retention_report
from nmt_ib.reports.png.retention import WIDEST_HEAT_MAP, write_retention_figures
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
        "dl", "div", "dt", "dd", "main", "section", "em", "table", "thead", "tr", "th", "td", "article",
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
    for shown in ("encoder 1", "encoder 3", "80 – 95", "90.0%", "command", "diagnose"):
        assert shown in raw
    shades = [attributes["class"] for tag, attributes in page.elements if tag == "td" and "class" in attributes]
    assert shades == [*["k0", "k3", "k6"] * 2, "k1", "k3", "k6"]


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
    sentences = [measured(0, "a b"), measured(1, "w " * (WIDEST_HEAT_MAP + 1)), measured(2, "$a_ 名 <b> d")]
    paths = write_retention_figures(tmp_path, summaries, iter(sentences))
    assert [path.name for path in paths] == ["retention.png", "heat_map.png"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    for path in paths:
        width, height = size(path)
        assert 400 < width < 3_000
        assert 300 < height < 2_000
        assert 5_000 < path.stat().st_size < 500_000


def test_no_global_state_is_touched(tmp_path):
    import matplotlib as mpl
    from matplotlib import pyplot

    before = dict(mpl.rcParams)
    write_retention_figures(tmp_path, {"own": summary_of(1)}, [measured(0, "a b c")])
    assert dict(mpl.rcParams) == before
    assert pyplot.get_fignums() == []
