"""Data cards are complete, and the sample is the one that its card describes."""

from pathlib import Path

import pytest

import nmt_ib
from nmt_ib.data.cards import changed_files, read_card
from nmt_ib.errors import RequestError

CARDS = sorted((Path(__file__).parents[2] / "data_cards").glob("*.md"))
SHARED = Path(__file__).parents[3] / "shared" / "data"
FOLDERS = {"ntrex128": "ntrex128", "bio-mqm": "bio-mqm-pt-en-dev", "ud-english-ewt": "ud-english-ewt"}


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_every_card_is_complete(path):
    card = read_card(path)
    assert all([card.name, card.licence, card.source, card.languages, card.splits, card.citation, card.prose])
    assert all(len(checksum) == 64 for checksum in card.sha256.values())


def test_the_sample_is_what_its_card_says():
    card = read_card(next(path for path in CARDS if path.stem == "sample"))
    assert changed_files(card, Path(nmt_ib.__file__).parent / "data" / "samples") == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the corpora in ../shared/data")
@pytest.mark.parametrize("stem", FOLDERS)
def test_corpora_are_what_their_cards_say(stem):
    card = read_card(next(path for path in CARDS if path.stem == stem))
    assert changed_files(card, SHARED / FOLDERS[stem]) == []


def test_a_change_is_seen(tmp_path):
    card = read_card(next(path for path in CARDS if path.stem == "sample"))
    (tmp_path / "sample.en").write_text("changed\n")
    assert changed_files(card, tmp_path) == ["sample.en", "sample.pt"]


def test_an_incomplete_card_is_refused(tmp_path):
    path = tmp_path / "card.md"
    path.write_text("---\nname: x\n---\nprose\n")
    with pytest.raises(RequestError, match="expected the fields citation"):
        read_card(path)
