"""The report in a real browser: it opens at once, runs no foreign code, and its controls work."""

import importlib.util
import shutil

import pytest

from nmt_ib.reports.html import write_report
from nmt_ib.results.diagnosis import SentenceDiagnosis
from tests.reports.hostile_run import HOSTILE, PICTURES, SIGNATURE, diagnosed, summary_of

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = [name for name, found in [("chromium", CHROMIUM), ("chromedriver", DRIVER)] if not found]
MISSING += [] if importlib.util.find_spec("selenium") else ["selenium"]
OPTIONS = (
    "headless=new", "no-sandbox", "disable-gpu", "disable-background-networking", "disable-component-update",
    "disable-sync", "no-first-run", "window-size=1200,900",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A page of 2,000 lines in chromium: hostile ones first, every fourth with drops, matrices in the first hundred."""
    if MISSING:
        pytest.skip(f"needs {', '.join(MISSING)}: a chromium with its chromedriver, and pip install 'nmt_ib[dev]'")
    from selenium import webdriver

    folder = tmp_path_factory.mktemp("browser")
    texts = HOSTILE + [f"line {index} " + "word " * (index % 30) for index in range(len(HOSTILE), 1_999)]
    lines = [
        diagnosed(index, text, dropped=(1, 2)[: 1 + index % 2] if index % 4 < 2 else (), matrix=index < 100)
        for index, text in enumerate(texts)
    ]
    lines.append(SentenceDiagnosis(1_999, "", "", False, skipped="empty line"))
    write_report(folder / "report.html", SIGNATURE, summary_of(2_000), lines)
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in (*OPTIONS, f"user-data-dir={folder / 'profile'}"):
        options.add_argument(f"--{option}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        driver.get((folder / "report.html").as_uri())
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def page(browser):
    """The page as it opens; what a test did is undone by loading it again."""
    from selenium.webdriver.common.by import By

    browser.refresh()
    yield browser, lambda selector: browser.find_elements(By.CSS_SELECTOR, selector)
    assert browser.get_log("browser") == []


def choose(driver, name, value):
    code = (
        "const e = document.getElementById(arguments[0]); e.value = arguments[1]; e.dispatchEvent(new Event('change'))"
    )
    driver.execute_script(code, name, value)


def numbers(find):
    return [int(element.text.replace(",", "")) - 1 for element in find(".number")]


def test_browser_shows_hostile_text_literally(page):
    driver, find = page
    choose(driver, "sort", "line")
    shown = [element.get_property("textContent") for element in find(".source")]
    assert len(shown) == 50
    assert shown[: len(HOSTILE)] == [text.translate(PICTURES) for text in HOSTILE]
    assert not find("#list script, #list img, #list b, #list i, h1 b")


def test_browser_opens_2000_lines_at_once(page):
    driver, find = page
    code = "const [n] = performance.getEntriesByType('navigation'); return n.domContentLoadedEventEnd"
    assert driver.execute_script(code) < 5_000  # milliseconds; a tenth of it where it was written
    assert len(find("article")) == 50
    assert find("#status")[0].text == "1–50 of 2,000"


def test_browser_counts_offsets_in_code_points(page):
    driver, find = page
    choose(driver, "sort", "line")
    words = driver.execute_script(
        "return [...document.querySelectorAll('#line-8 .word')].map(word => word.textContent)"
    )
    assert words == HOSTILE[7].split(" ")


def test_browser_marks_dropped_words_without_colour(page):
    driver, find = page
    choose(driver, "sort", "line")
    style = "const s = getComputedStyle(arguments[0]); return [s.textDecorationLine, s.outlineStyle]"
    for selector, mark in [("#line-1 del", '"E"'), ("#line-2 del", '"D"')]:
        dropped = find(selector)[0]
        assert driver.execute_script(style, dropped) == ["line-through", "dashed"]
        assert driver.execute_script("return getComputedStyle(arguments[0], '::after').content", dropped) == mark


def test_browser_filters(page):
    driver, find = page
    find("#only-drops")[0].click()
    assert find("#status")[0].text == "1–50 of 1,000"
    assert len(find("article")) == len(find("article:has(del)")) == 50
    find("#search")[0].send_keys("LINE 1234 ")
    driver.implicitly_wait(0)
    wait(driver, lambda: find("#status")[0].text == "none")
    find("#only-drops")[0].click()
    assert numbers(find) == [1_234]
    assert not find("#end")[0].is_displayed()


def wait(driver, condition):
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(driver, 5).until(lambda _: condition())


def test_browser_sorts(page):
    driver, find = page
    drops = [len(article.find_elements("css selector", "del")) for article in find("article")]
    assert drops == [2] * 50
    choose(driver, "sort", "line")
    assert numbers(find) == list(range(50))
    choose(driver, "sort", "logprob")
    assert numbers(find)[:3] == [1_998, 1_997, 1_996]
    choose(driver, "sort", "length")
    assert numbers(find)[0] == 29
    choose(driver, "sort", "score")
    assert numbers(find)[:4] == [0, 1, 4, 5]


def test_browser_turns_pages_and_shows_why_a_line_was_skipped(page):
    driver, find = page
    choose(driver, "sort", "line")
    assert not find(".previous")[0].is_enabled()
    find(".next")[0].click()
    assert numbers(find)[0] == 50
    driver.execute_script("for (let n = 0; n < 38; n++) document.querySelector('.next').click()")
    assert find("#status")[0].text == "1,951–2,000 of 2,000"
    assert find("#line-2000 .skipped")[0].text == "Skipped: empty line"
    assert not find(".next")[0].is_enabled()


def test_browser_explains_a_word_on_hover_and_focus(page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    driver, find = page
    choose(driver, "sort", "line")
    tip = find("#tip")[0]
    words = find("#line-1 .word")
    ActionChains(driver).move_to_element(words[0]).perform()
    assert tip.text.splitlines() == [
        HOSTILE[0].split(" ")[0],
        "contribution",
        "1.0 bits",
        "score",
        "0.03",
        "dropped",
        "no",
    ]
    ActionChains(driver).move_to_element(find("h2")[0]).perform()
    assert not tip.is_displayed()
    driver.execute_script("arguments[0].focus()", words[0])
    words[0].send_keys(Keys.ARROW_RIGHT)
    rows = [
        "contribution",
        "−1.3 bits",
        "kept by the encoder",
        "31.4 bits",
        "score",
        "0.97",
        "dropped",
        "yes",
        "lost in",
        "encoder",
    ]
    assert tip.text.splitlines() == ["title", *rows]
    assert driver.switch_to.active_element == words[1]
    assert words[1].get_attribute("aria-describedby") == "tip"
    words[1].send_keys(Keys.ESCAPE)
    assert not tip.is_displayed()


def test_browser_opens_the_matrix(page):
    driver, find = page
    choose(driver, "sort", "line")
    find("#line-1 .show-matrix")[0].click()
    assert [cell.text for cell in find("#line-1 .matrix thead th")] == ["▁<i>", "</s>", "all tokens"]
    rows = [[cell.text for cell in row.find_elements("css selector", "td")] for row in find("#line-1 .matrix tbody tr")]
    assert rows == [["", "−2.0", "1.0"], ["1.0", "−2.0", "−1.3"]]
    find("#line-1 .show-matrix")[0].click()
    assert not find("#line-1 .matrix")
    find(".next")[0].click()
    find(".next")[0].click()
    assert not find("#line-101 .show-matrix")
