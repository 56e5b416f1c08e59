"""Word alignments read off a matrix of source words x target tokens, and their error rate."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from nmt_ib.errors import RequestError
from nmt_ib.results.attribution import Attribution

CONVENTIONS = ("output", "input")
RULES = ("target", "source", "intersection")
WORD_MARKS = "▁Ġ"  # how SentencePiece and byte-level vocabularies mark the start of a word
CONTINUED = "##"
Link = tuple[int, int]


@dataclass(frozen=True)
class GoldLinks:
    """Links of one sentence pair by hand: (source token, target token), tokens told apart by white space.

    Attributes:
        sure: Links that must be found.
        possible: Links that may be found; holds the sure ones.
    """

    sure: frozenset[Link]
    possible: frozenset[Link]

    @classmethod
    def parse(cls, line: str) -> "GoldLinks":
        """Reads `i-j` for a sure and `ipj` for a possible link.

        Args:
            line: Links of one pair, numbered from 0, with blanks between them.

        Returns:
            The links.

        Raises:
            RequestError: A link has another form.
        """
        sure, possible = set(), set()
        for text in line.split():
            found = re.fullmatch(r"(\d+)([-p])(\d+)", text)
            if found is None:
                raise RequestError(f"{text!r} is no link: expected 3-4 (sure) or 3p4 (possible), numbered from 0")
            link = int(found[1]), int(found[3])
            possible.add(link)
            if found[2] == "-":
                sure.add(link)
        return cls(frozenset(sure), frozenset(possible))


@dataclass(frozen=True)
class LinkCounts:
    r"""How many links were found, and how many of them are right.

    Attributes:
        found: \|A\|, links that were found.
        sure: \|S\|, sure links by hand.
        found_sure: \|A & S\|.
        found_possible: \|A & P\|; P holds S.

    References:
        Och and Ney (2003), "A Systematic Comparison of Various Statistical Alignment Models", section 6.
    """

    found: int
    sure: int
    found_sure: int
    found_possible: int

    @property
    def shares(self) -> dict[str, tuple[int, int]]:
        r"""Numerator and denominator of each figure; both are added up over the pairs of a corpus.

        .. math:: \text{AER} = 1 - \frac{|A \cap S| + |A \cap P|}{|A| + |S|}

        Precision is the share of the found links that are possible, recall that of the sure links that were found.
        """
        links = self.found + self.sure
        return {
            "error rate": (links - self.found_sure - self.found_possible, links),
            "precision": (self.found_possible, self.found),
            "recall": (self.found_sure, self.sure),
        }


def count_links(found: frozenset[Link], gold: GoldLinks) -> LinkCounts:
    """Compares found links with those made by hand."""
    return LinkCounts(len(found), len(gold.sure), len(found & gold.sure), len(found & gold.possible))


def token_matrix(attribution: Attribution, convention: str = "output") -> np.ndarray:
    """What each source token is worth to each target token, tokens told apart by white space.

    A word's row goes to the tokens whose characters it has, in proportion; the columns of a target token are the mean
    over its pieces; `</s>` is left out.

    Args:
        attribution: Of a translation, with a matrix and its words' spans.
        convention: "output": column t explains target token t. "input": the column after it does, in which the decoder
            has read token t.

    Returns:
        Source tokens x target tokens; not a number where a token has no word or no piece.

    Raises:
        RequestError: There is no matrix, or the convention is unknown.
    """
    if attribution.matrix is None:
        raise RequestError(f"{attribution.method} gives no matrix of words x target tokens")
    if convention not in CONVENTIONS:
        raise RequestError(f"unknown convention {convention!r}; known: {', '.join(CONVENTIONS)}")
    worth = np.array(attribution.matrix)
    worth = worth[:, 1:] if convention == "input" else worth[:, :-1]
    sources = token_spans(attribution.text)
    owners = piece_owners(attribution.target, attribution.target_tokens[:-1])
    targets = len(attribution.target.split())
    members = np.array([[owner == token for token in range(targets)] for owner in owners], dtype=float)
    shares = np.array([[_overlap(token, word) for word in attribution.word_spans] for token in sources])
    with np.errstate(invalid="ignore"):
        matrix = shares @ worth @ (members / members.sum(0))
    matrix[shares.sum(1) == 0] = np.nan
    return matrix


def links(matrix: np.ndarray, rule: str = "intersection") -> frozenset[Link]:
    """The best partner of each token.

    Args:
        matrix: Source tokens x target tokens; rows and columns that are not numbers get no link.
        rule: "target": the best source token of each target token. "source": the best target token of each source
            token. "intersection": links that both have. Between equals the earlier token wins.

    Returns:
        Links.

    Raises:
        RequestError: The rule is unknown.
    """
    if rule not in RULES:
        raise RequestError(f"unknown rule {rule!r}; known: {', '.join(RULES)}")
    worth = np.where(np.isnan(matrix), -np.inf, matrix)
    known = np.isfinite(worth)
    if not known.any():
        return frozenset()
    of_target = {(int(i), j) for j, i in enumerate(worth.argmax(0)) if known[:, j].any()}
    of_source = {(i, int(j)) for i, j in enumerate(worth.argmax(1)) if known[i].any()}
    return frozenset({"target": of_target, "source": of_source, "intersection": of_target & of_source}[rule])


def token_spans(text: str) -> list[tuple[int, int]]:
    """Characters of the tokens that white space tells apart."""
    return [match.span() for match in re.finditer(r"\S+", text)]


def piece_owners(text: str, pieces: Sequence[str]) -> list[int]:
    """The white-space token that each piece belongs to.

    Pieces come without spans, and a vocabulary normalises the text: the characters of both are aligned. A piece
    without a character of its own (unknown, or bytes) goes to the next token where it starts a word.

    Args:
        text: The sentence.
        pieces: Its pieces, special ones left out.

    Returns:
        One index a piece; -1 where the text has no token.
    """
    tokens, surfaces = text.split(), [piece.strip(WORD_MARKS).removeprefix(CONTINUED) for piece in pieces]
    left = [(letter, index) for index, token in enumerate(tokens) for letter in _letters(token)]
    right = [(letter, index) for index, surface in enumerate(surfaces) for letter in _letters(surface)]
    matcher = SequenceMatcher(None, [letter for letter, _ in left], [letter for letter, _ in right], autojunk=False)
    owners: list[int | None] = [None] * len(pieces)
    for block in matcher.get_matching_blocks():
        for step in range(block.size):
            piece = right[block.b + step][1]
            if owners[piece] is None:
                owners[piece] = left[block.a + step][1]
    return _filled(owners, [piece[:1] in WORD_MARKS for piece in pieces], len(tokens))


def _filled(owners: list[int | None], starts: list[bool], tokens: int) -> list[int]:
    following, after = [], tokens - 1
    for owner in reversed(owners):
        after = after if owner is None else owner
        following.append(after)
    filled, before = [], -1
    for owner, start, after in zip(owners, starts, reversed(following), strict=True):
        before = min(max(before + start, 0), after) if owner is None else owner
        filled.append(before)
    return filled


def _letters(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).lower()


def _overlap(token: tuple[int, int], word: tuple[int, int]) -> float:
    """Share of the word's characters that lie in the token."""
    return max(0, min(token[1], word[1]) - max(token[0], word[0])) / (word[1] - word[0])
