"""The report: hostile text stays text, nothing is fetched, and a real browser shows what it should."""

import json
import re
import shutil
from dataclasses import replace

import pytest

from nmt_ib.reports import html
from nmt_ib.reports.html import as_script_data, write_report
from nmt_ib.results import DiagnosisSummary, SentenceDiagnosis, Share, WordDiagnosis

HOSTILE = "<script>alert(1)</script> </script><!-- & \u2028 \x00 \x1b[31m שלום 😀 end"
SIGNATURE = {"model": "<m>", "model_fingerprint": "f", "version": "0", "settings": {"beams": 1}, "seed": 0, "data": {}}
BROWSER, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")


def word(text: str, start: int, dropped: bool = False) -> WordDiagnosis:
    bits, score, lost = (-2.5, 0.9, "decoder") if dropped else (12.5, 0.1, None)
    return WordDiagnosis(text, start, start + len(text), bits, None, score, dropped, lost)


def line(index: int, dropped: bool) -> SentenceDiagnosis:
    words = (word("the", 2), word("sea", 6, dropped))
    tokens = ("o", "mar", "</s>")
    matrix = ((1.0, 2.0, -3.0), (0.0, 9.5, 0.0))
    return SentenceDiagnosis(index, "😀 the sea", f"o mar {index}", False, -3.0, tokens, words, None, matrix)


LINES = [
    SentenceDiagnosis(0, HOSTILE, HOSTILE, True, -9.0, ("x",), (word("end", len(HOSTILE) - 3),)),
    SentenceDiagnosis(1, "", "", False, skipped="empty line"),
    *(line(index, dropped=index % 10 == 0) for index in range(2, 2_000)),
]
SHARES = (Share("open class", 10, 2), Share("<b>closed</b>", 5, 0))
SUMMARY = DiagnosisSummary(2_000, 1, 3_997, 199, 199, 0, 199, 1.0, SHARES, SHARES, SHARES, SHARES, (10,))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, SIGNATURE, SUMMARY, iter(LINES))
    return path


def data(path) -> list:
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_every_text_comes_back(page):
    rows = data(page)
    assert [row[1] for row in rows] == [sentence.source for sentence in LINES]
    assert rows[0][2] == HOSTILE
    assert rows[1][4] == "empty line"
    assert rows[2][7] == [[1.0, 2.0, -3.0], [0.0, 9.5, 0.0]]


def test_text_never_becomes_markup(page):
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "<b>closed" not in text
    assert "<m>" not in text
    assert text.count("<script") == 2


@pytest.mark.parametrize("value", ["</script>", "<!--", "]]>", "&lt;", "\u2028", "\ud800"])
def test_script_data_cannot_end_its_element(value):
    made = as_script_data(value)
    assert made.isascii()
    assert not set("<>&") & set(made)
    assert json.loads(made) == value


def test_nothing_is_fetched(page):
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert not re.findall(r"https?://|<link|<img|@import|url\(", text)


def test_a_long_run_says_what_it_leaves_out(tmp_path, monkeypatch):
    monkeypatch.setattr(html, "MOST_SENTENCES", 3)
    path = tmp_path / "report.html"
    write_report(path, SIGNATURE, SUMMARY, LINES)
    assert len(data(path)) == 3
    assert "The first 3 lines are shown; all 2,000 are in sentences.jsonl" in path.read_text(encoding="utf-8")


def test_an_empty_run_has_a_report(tmp_path):
    path = tmp_path / "report.html"
    write_report(path, SIGNATURE, DiagnosisSummary(0, 0, 0, 0, 0, 0, 0, 0.0), [])
    assert data(path) == []


def test_metrics_are_shown_with_their_signatures(tmp_path):
    metrics = {"bleu": 29.2, "bleu_signature": "nrefs:1|b", "chrf": 57.4, "chrf_signature": "nrefs:1|c"}
    path = tmp_path / "report.html"
    write_report(path, SIGNATURE, replace(SUMMARY, metrics=metrics), LINES[:3])
    text = path.read_text(encoding="utf-8")
    assert all(part in text for part in ("29.2", "57.4", "nrefs:1|b", "nrefs:1|c"))


@pytest.fixture(scope="module")
def browser(page, tmp_path_factory):
    selenium = pytest.importorskip("selenium", reason="needs selenium: pip install 'nmt_ib[dev]'")
    if not (BROWSER and DRIVER):
        pytest.skip("needs chromium and chromedriver on the path")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    profile = tmp_path_factory.mktemp("profile")
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-background-networking", "no-first-run"):
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.get(page.as_uri())
    assert selenium
    yield driver
    driver.quit()


def texts(browser, selector: str) -> list[str]:
    return [element.get_attribute("textContent") for element in browser.find_elements("css selector", selector)]


def test_browser_shows_one_page_of_sentences_and_no_error(browser):
    assert browser.get_log("browser") == []
    assert len(texts(browser, "article")) == 50
    assert texts(browser, ".source")[0] == HOSTILE.replace("\x00", "\ufffd") or texts(browser, ".source")[0] == HOSTILE
    assert texts(browser, "article")[1].endswith("skipped: empty line")


def test_browser_finds_words_behind_an_emoji(browser):
    assert texts(browser, "article[data-index='2'] .word") == ["the", "sea"]


def test_browser_tells_the_numbers_of_a_word(browser):
    from selenium.webdriver import ActionChains

    dropped = browser.find_element("css selector", "article[data-index='10'] .dropped")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", dropped)
    ActionChains(browser).pause(0.3).move_to_element(dropped).perform()
    tip = browser.find_element("id", "tip").text
    assert tip.splitlines() == [
        "sea", "-2.5 bits in this translation", "score 0.90", "dropped, lost in the decoder"
    ]  # fmt: skip


def test_browser_filters_sorts_searches_and_turns_pages(browser):
    def choose(code: str) -> str:
        browser.execute_script(code)
        return browser.find_element("id", "count").text

    change = ".dispatchEvent(new Event('change'))"
    assert choose(f"only.checked = true; only{change}") == "199 lines, page 1 of 4"
    assert all("1 dropped" in text for text in texts(browser, "article"))
    assert choose("next.click()") == "199 lines, page 2 of 4"
    assert choose(f"only.checked = false; sort.value = 'score'; sort{change}") == "2000 lines, page 1 of 40"
    assert "1 dropped" in texts(browser, "article")[0]
    assert choose("search.value = 'MAR 1234'; search.dispatchEvent(new Event('input'))") == "1 lines, page 1 of 1"
    choose(f"search.value = ''; sort.value = 'line'; sort{change}")


def test_browser_shows_the_matrix_on_demand(browser):
    browser.execute_script("document.querySelector(\"article[data-index='2'] button\").click()")
    assert texts(browser, ".matrix thead th") == ["", "o", "mar", "</s>"]
    assert texts(browser, ".matrix tbody td") == ["1.0", "2.0", "-3.0", "", "9.5", ""]
