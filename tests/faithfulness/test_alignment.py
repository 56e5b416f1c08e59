"""Alignments by hand, by brute force, and of pieces that a vocabulary normalised."""

import random
from itertools import product

import numpy as np
import pytest

from nmt_ib.attribution.contribution_scores import ContributionScores
from nmt_ib.errors import RequestError
from nmt_ib.faithfulness.alignment import (
    CONVENTIONS,
    GoldLinks,
    LinkCounts,
    count_links,
    extract_links,
    piece_owners,
    token_matrix,
)
from nmt_ib.results.attribution import Attribution


def attribution(text, words, target, pieces, matrix) -> Attribution:
    """Words are given by their characters, found from left to right."""
    spans, place = [], 0
    for word in words:
        place = text.index(word, place)
        spans.append((place, place + len(word)))
        place += len(word)
    return Attribution(
        text, "by hand", 0, "", (), (), (), tuple(words), (), target=target, target_tokens=tuple(pieces),
        matrix=tuple(map(tuple, matrix)), word_spans=tuple(spans),
    )  # fmt: skip


def test_links_of_a_line():
    gold = GoldLinks.parse("0-0 1p2 12-3")
    assert gold.sure == {(0, 0), (12, 3)}
    assert gold.possible == {(0, 0), (12, 3), (1, 2)}
    assert GoldLinks.parse("") == GoldLinks(frozenset(), frozenset())
    with pytest.raises(RequestError, match="'1:2' is not a link: expected 3-4"):
        GoldLinks.parse("0-0 1:2")


def test_the_error_rate_by_hand():
    gold = GoldLinks.parse("0-0 1-1 2p2 2p3")
    counts = count_links(frozenset({(0, 0), (2, 2), (5, 5)}), gold)
    assert counts == LinkCounts(found=3, sure=2, found_sure=1, found_possible=2)
    assert counts.ratios == {"error rate": (3 + 2 - 1 - 2, 3 + 2), "precision": (2, 3), "recall": (1, 2)}
    assert count_links(gold.sure, gold).ratios == {"error rate": (0, 4), "precision": (2, 2), "recall": (2, 2)}


def test_a_matrix_by_hand_under_both_conventions():
    # "don't" is two words and one token; "a-b" is one word over two tokens; "x y" pieces make tokens "xx y"
    found = attribution(
        "don't go", ["do", "n't", "go"], "xx y", ["▁x", "x", "▁y", "</s>"],
        [[1, 3, 0, 8], [2, 2, 0, 0], [0, 4, 7, 1]],
    )  # fmt: skip
    assert token_matrix(found, "output") == pytest.approx(np.array([[(3 + 5) / 2, 0], [2, 7]]))
    assert token_matrix(found, "input") == pytest.approx(np.array([[(5 + 0) / 2, 8], [(4 + 7) / 2, 1]]))


def test_a_word_over_several_tokens_is_shared_by_characters():
    found = attribution("New York is", ["New York", "is"], "x", ["▁x", "</s>"], [[7, 0], [1, 0]])
    assert token_matrix(found) == pytest.approx(np.array([[7 * 3 / 8], [7 * 4 / 8], [1]]))


def test_tokens_without_words_or_pieces_get_no_link():
    found = attribution("a § b", ["a", "b"], "x \u00ad y", ["▁x", "▁y", "</s>"], [[5, 1, 0], [1, 5, 0]])
    matrix = token_matrix(found)
    assert np.isnan(matrix[1]).all()
    assert np.isnan(matrix[:, 1]).all()
    for rule in ("target", "source", "intersection"):
        assert extract_links(matrix, rule) == {(0, 0), (2, 2)}
    assert extract_links(np.full((2, 2), np.nan)) == frozenset()
    assert extract_links(np.zeros((0, 3))) == frozenset()


def test_links_by_hand():
    matrix = np.array([[5.0, 4.0, -1.0], [1.0, 3.0, -2.0]])
    assert extract_links(matrix, "target") == {(0, 0), (0, 1), (0, 2)}
    assert extract_links(matrix, "source") == {(0, 0), (1, 1)}
    assert extract_links(matrix, "intersection") == {(0, 0)}
    with pytest.raises(RequestError, match="unknown rule 'union'"):
        extract_links(matrix, "union")


@pytest.mark.parametrize("seed", range(20))
def test_links_equal_brute_force(seed):
    generator = random.Random(seed)
    rows, columns = generator.randint(1, 6), generator.randint(1, 6)
    matrix = np.array([[generator.random() for _ in range(columns)] for _ in range(rows)])
    target, source = set(), set()
    for i, j in product(range(rows), range(columns)):
        if all(matrix[i, j] >= matrix[k, j] for k in range(rows)):
            target.add((i, j))
        if all(matrix[i, j] >= matrix[i, k] for k in range(columns)):
            source.add((i, j))
    assert extract_links(matrix, "target") == target
    assert extract_links(matrix, "source") == source
    assert extract_links(matrix, "intersection") == target & source


@pytest.mark.parametrize(
    ("text", "pieces", "owners"),
    [
        ("a casa é", ["▁a", "▁ca", "sa", "▁é"], [0, 1, 1, 2]),
        ("a casa", ["▁", "a", "▁", "casa"], [0, 0, 1, 1]),
        ("ﬁm ½", ["▁fim", "▁1", "⁄", "2"], [0, 1, 1, 1]),  # compatibility characters
        ("quinta \u00ad feira", ["▁quinta", "▁feira"], [0, 2]),  # a token that the vocabulary drops
        ("a 中 b", ["▁a", "▁<unk>", "▁b"], [0, 1, 2]),
        ("à é", ["Ã", "ł", "ĠÃ", "©"], [0, 0, 1, 1]),  # bytes alone
        ("Um cão", ["Um", "Ġc", "Ã£o"], [0, 1, 1]),
        ("playing on", ["play", "##ing", "on"], [0, 0, 1]),
        ("aa aa aa", ["▁aa", "▁aa", "▁a", "a"], [0, 1, 2, 2]),
        ("", ["▁"], [-1]),
    ],
)
def test_owners_of_pieces(text, pieces, owners):
    assert piece_owners(text, pieces) == owners


@pytest.mark.parametrize("name", ["ssru", "bart", "m2m100", "t5"])
def test_pieces_of_real_tokenizers_cover_all_tokens(tiny_model, name):
    model = tiny_model(name).model
    source = model.tokenize_source("The old house is red , she said .")
    target = model.tokenize_target("A casa velha é vermelha , não é ?")
    found = ContributionScores()(model, [source], [target])[0]
    for convention in CONVENTIONS:
        matrix = token_matrix(found, convention)
        assert matrix.shape == (9, 9)
        assert np.isfinite(matrix).all()


def test_wrong_requests():
    found = attribution("a", ["a"], "x", ["▁x", "</s>"], [[1, 0]])
    with pytest.raises(RequestError, match="unknown convention 'AWO'; known: output, input"):
        token_matrix(found, "AWO")
    bare = Attribution("a", "sigma", 1, "bits", (), (), (), ("a",), ())
    with pytest.raises(RequestError, match="sigma gives no matrix"):
        token_matrix(bare)
