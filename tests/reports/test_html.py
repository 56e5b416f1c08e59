"""The report: any text stays text, nothing is loaded, and a run of any length fits."""

import base64
import hashlib
import json
import re
import tracemalloc
from html.parser import HTMLParser

import pytest

from nmt_ib.reports import html
from nmt_ib.reports.html import interval, scale_of, write_report
from nmt_ib.results.diagnosis import DiagnosisSummary, SentenceDiagnosis, Share, WordDiagnosis
from tests.reports.hostile_run import HOSTILE, KIND, SIGNATURE, diagnosed, summary_of


class Page(HTMLParser):
    """The elements of a page, and the text of its scripts and styles."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.texts = [], [""]
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.texts.append("")

    def handle_endtag(self, tag):
        self.elements.append(("", {}))
        self.texts.append("")

    def handle_data(self, data):
        self.texts[-1] += data

    def scripts(self, **wanted):
        return [
            text
            for (tag, attributes), text in zip(self.elements, self.texts[1:], strict=True)
            if tag == "script" and wanted.items() <= attributes.items()
        ]

    def lines(self):
        return [json.loads(text) for text in self.scripts(**{"class": "line"})]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "report.html"


def test_hostile_text_comes_back_equal_and_is_never_markup(path):
    sentences = [diagnosed(index, text, dropped=(0,), matrix=True) for index, text in enumerate(HOSTILE)]
    write_report(path, SIGNATURE, summary_of(len(HOSTILE)), iter(sentences))
    page, raw = Page(path), path.read_text(encoding="utf-8")
    for line, sentence in zip(page.lines(), sentences, strict=True):
        assert line["source"] == sentence.source
        assert line["translation"] == sentence.translation
        assert [sentence.source[word[0] : word[1]] for word in line["words"]] == [word.text for word in sentence.words]
        assert [word[2:] for word in line["words"]] == [
            [word.contribution_bits, word.kept_bits, word.score, word.dropped, word.lost_in] for word in sentence.words
        ]
        (matrix,) = page.scripts(id=f"matrix-{sentence.index}")
        assert json.loads(matrix)["bits"] == [list(row) for row in sentence.contribution_matrix_bits]
    for forbidden in ("<script>alert", "<img", "<b>model", "<u>rare", "<i>", "\0", "\a", "\u2028", "\u202e", "\x85"):
        assert forbidden not in raw
    assert len(page.scripts()) == 2 * len(HOSTILE) + 1


def test_nothing_is_loaded_and_only_the_page_s_own_code_runs(path):
    write_report(path, SIGNATURE, summary_of(1), [diagnosed(0, "a b")])
    page, raw = Page(path), path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|url\(|@import|\bfetch\(|innerHTML|eval\(", raw)
    assert not [name for _, attributes in page.elements for name in attributes if name in ("src", "href", "style")]
    (policy,) = [a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    code = page.scripts()[-1]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    assert base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() in policy


def test_the_page_shows_the_run(path):
    write_report(path, SIGNATURE, summary_of(20), [])
    raw = path.read_text(encoding="utf-8")
    for shown in (
        "43</strong> of 903 source words",
        "20</strong>",
        "&lt;b&gt;model",
        "BLEU",
        "nrefs:1|tok:13a",
        "26.1",
    ):
        assert shown in raw
    for name, value in [
        ("seed", "0"),
        ("settings: beams", "1"),
        ("settings: matrix", "yes"),
        ("data: sources", "c125"),
    ]:
        assert f'<dt>{name}</dt><dd dir="auto">{value}</dd>' in raw


def test_a_run_of_nothing_has_a_report(path):
    write_report(path, {}, DiagnosisSummary(0, 0, 0, 0, 0, 0, 0, 0.0), [])
    assert "No source word could be analysed" in path.read_text(encoding="utf-8")
    assert Page(path).lines() == []


def test_numbers_that_json_lacks_become_null(path):
    word = WordDiagnosis("a", 0, 1, float("nan"), float("inf"), 0.5, False, None, *KIND)
    sentence = SentenceDiagnosis(0, "a", "b", False, float("-inf"), ("b",), (word,), None, ((float("nan"),),))
    write_report(path, {}, summary_of(1), [sentence])
    assert Page(path).lines()[0]["words"] == [[0, 1, None, None, 0.5, 0, None]]


def test_the_report_appears_whole_or_not_at_all(path):
    path.write_text("before")

    def broken():
        yield diagnosed(0, "a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_report(path, SIGNATURE, summary_of(2), broken())
    assert path.read_text() == "before"
    assert list(path.parent.iterdir()) == [path]


def test_a_long_run_is_cut_and_says_so(path, monkeypatch):
    monkeypatch.setattr(html, "MAX_EMBEDDED", 5)
    write_report(path, SIGNATURE, summary_of(9, worst=(7, 1)), (diagnosed(index, "a") for index in range(9)))
    assert [line["index"] for line in Page(path).lines()] == [0, 1, 2, 3, 4, 7]
    assert "first 5 of 9 lines" in path.read_text(encoding="utf-8")


def test_a_run_within_the_limit_is_whole(path):
    write_report(path, SIGNATURE, summary_of(html.MAX_EMBEDDED), (diagnosed(i, "a") for i in range(html.MAX_EMBEDDED)))
    assert len(Page(path).lines()) == html.MAX_EMBEDDED == 5_000
    assert "This page holds" not in path.read_text(encoding="utf-8")


def test_memory_does_not_grow_with_the_run(path):
    def peak(lines: int) -> int:
        tracemalloc.start()
        write_report(path, SIGNATURE, summary_of(lines), (diagnosed(index, "word " * 25) for index in range(lines)))
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(1)
    assert peak(1_000) < peak(100) + 200_000


def test_interval_is_wilson_s():
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3: 81 of 263 and 0 of 20.
    assert interval(Share("", 263, 81)) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert interval(Share("", 20, 0)) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert interval(Share("", 0, 0)) == (0.0, 1.0)


def test_small_groups_do_not_stretch_the_scale():
    shares = (Share("many", 10_000, 100), Share("few", 2, 2))
    assert scale_of(DiagnosisSummary(1, 0, 10_002, 102, 1, 0, 0, 1.0, shares)) == 0.02
    assert scale_of(DiagnosisSummary(1, 0, 2, 2, 1, 0, 0, 1.0, shares[1:])) == 1.0
