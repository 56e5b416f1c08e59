"""Word alignments extracted from an attribution matrix, and their error rate."""

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
WORD_MARKS = "▁Ġ"  # start of a word in SentencePiece and byte-level vocabularies
CONTINUATION = "##"  # continuation of a word in WordPiece vocabularies
Link = tuple[int, int]


@dataclass(frozen=True)
class GoldLinks:
    """Manual alignment of one sentence pair: links (source token, target token) between whitespace-separated tokens.

    Attributes:
        sure: Links that must be found (S).
        possible: Links that may be found (P), including the sure ones.
    """

    sure: frozenset[Link]
    possible: frozenset[Link]

    @classmethod
    def parse(cls, line: str) -> "GoldLinks":
        """Parses links of the form `i-j` (sure) and `ipj` (possible).

        Args:
            line: Links of one pair, tokens numbered from 0, separated by spaces.

        Returns:
            The links.

        Raises:
            RequestError: A link has another form.
        """
        sure, possible = set(), set()
        for text in line.split():
            match = re.fullmatch(r"(\d+)([-p])(\d+)", text)
            if match is None:
                raise RequestError(f"{text!r} is not a link: expected 3-4 (sure) or 3p4 (possible), numbered from 0")
            link = int(match[1]), int(match[3])
            possible.add(link)
            if match[2] == "-":
                sure.add(link)
        return cls(frozenset(sure), frozenset(possible))


@dataclass(frozen=True)
class LinkCounts:
    r"""Counts of predicted and gold links.

    Attributes:
        found: \|A\|, predicted links.
        sure: \|S\|, sure gold links.
        found_sure: \|A & S\|.
        found_possible: \|A & P\|; P includes S.

    References:
        Och and Ney (2003), "A Systematic Comparison of Various Statistical Alignment Models", section 6.
    """

    found: int
    sure: int
    found_sure: int
    found_possible: int

    @property
    def ratios(self) -> dict[str, tuple[int, int]]:
        r"""Numerator and denominator of each measure, to be summed over the pairs of a corpus.

        .. math:: \text{AER} = 1 - \frac{|A \cap S| + |A \cap P|}{|A| + |S|}

        Precision is the share of predicted links that are possible, recall the share of sure links that are predicted.
        """
        links = self.found + self.sure
        return {
            "error rate": (links - self.found_sure - self.found_possible, links),
            "precision": (self.found_possible, self.found),
            "recall": (self.found_sure, self.sure),
        }


def count_links(found: frozenset[Link], gold: GoldLinks) -> LinkCounts:
    """Compares predicted links with the gold alignment."""
    return LinkCounts(len(found), len(gold.sure), len(found & gold.sure), len(found & gold.possible))


def token_matrix(attribution: Attribution, convention: str = "output") -> np.ndarray:
    """The attribution matrix between whitespace-separated tokens.

    The row of a word is distributed over the tokens that share characters with it, in proportion to their number; the
    column of a target token is the mean over its pieces; `</s>` is left out.

    Args:
        attribution: Attribution of a translation, with a matrix and word spans.
        convention: "output": column t explains target token t. "input": the column after it does, at whose position
            the decoder reads token t.

    Returns:
        Source tokens x target tokens; NaN where a token has no word or no piece.

    Raises:
        RequestError: There is no matrix, or the convention is unknown.
    """
    if attribution.matrix is None:
        raise RequestError(f"{attribution.method} gives no matrix of words x target tokens")
    if convention not in CONVENTIONS:
        raise RequestError(f"unknown convention {convention!r}; known: {', '.join(CONVENTIONS)}")
    scores = np.array(attribution.matrix)
    scores = scores[:, 1:] if convention == "input" else scores[:, :-1]
    sources = token_spans(attribution.text)
    owners = piece_owners(attribution.target, attribution.target_tokens[:-1])
    targets = len(attribution.target.split())
    members = np.array([[owner == token for token in range(targets)] for owner in owners], dtype=float)
    shares = np.array([[_overlap(token, word) for word in attribution.word_spans] for token in sources])
    with np.errstate(invalid="ignore"):
        matrix = shares @ scores @ (members / members.sum(0))
    matrix[shares.sum(1) == 0] = np.nan
    return matrix


def extract_links(matrix: np.ndarray, rule: str = "intersection") -> frozenset[Link]:
    """Links between each token and its best partner.

    Args:
        matrix: Source tokens x target tokens; rows and columns of NaN get no link.
        rule: "target": the best source token of each target token. "source": the best target token of each source
            token. "intersection": the links that both have. Ties go to the earlier token.

    Returns:
        The links.

    Raises:
        RequestError: The rule is unknown.
    """
    if rule not in RULES:
        raise RequestError(f"unknown rule {rule!r}; known: {', '.join(RULES)}")
    scores = np.where(np.isnan(matrix), -np.inf, matrix)
    defined = np.isfinite(scores)
    if not defined.any():
        return frozenset()
    of_target = {(int(i), j) for j, i in enumerate(scores.argmax(0)) if defined[:, j].any()}
    of_source = {(i, int(j)) for i, j in enumerate(scores.argmax(1)) if defined[i].any()}
    return frozenset({"target": of_target, "source": of_source, "intersection": of_target & of_source}[rule])


def token_spans(text: str) -> list[tuple[int, int]]:
    """Character spans (start, end) of the whitespace-separated tokens."""
    return [match.span() for match in re.finditer(r"\S+", text)]


def piece_owners(text: str, pieces: Sequence[str]) -> list[int]:
    """The whitespace-separated token that each piece belongs to.

    Target pieces have no spans, and vocabularies normalise the text; so the characters of text and pieces are aligned.
    A piece with no aligned character (unknown, or bytes) belongs to the next token if it starts a word, else to the
    token of the piece before it.

    Args:
        text: The sentence.
        pieces: Its pieces, without special pieces.

    Returns:
        Index of the token of each piece; -1 if the text has no token.
    """
    tokens, surfaces = text.split(), [piece.strip(WORD_MARKS).removeprefix(CONTINUATION) for piece in pieces]
    of_tokens, of_pieces = _numbered_letters(tokens), _numbered_letters(surfaces)
    matcher = SequenceMatcher(None, [letter for letter, _ in of_tokens], [letter for letter, _ in of_pieces], False)
    owners: list[int | None] = [None] * len(pieces)
    for block in matcher.get_matching_blocks():
        for step in range(block.size):
            piece = of_pieces[block.b + step][1]
            if owners[piece] is None:
                owners[piece] = of_tokens[block.a + step][1]
    return _without_gaps(owners, [piece[:1] in WORD_MARKS for piece in pieces], len(tokens))


def _without_gaps(owners: list[int | None], starts: list[bool], tokens: int) -> list[int]:
    """Owners of pieces without aligned characters, between those of their neighbours."""
    following, after = [], tokens - 1
    for owner in reversed(owners):
        after = after if owner is None else owner
        following.append(after)
    filled, before = [], -1
    for owner, start, after in zip(owners, starts, reversed(following), strict=True):
        before = min(max(before + start, 0), after) if owner is None else owner
        filled.append(before)
    return filled


def _numbered_letters(texts: Sequence[str]) -> list[tuple[str, int]]:
    """Normalised characters of the texts, each with the index of its text."""
    normalized = (unicodedata.normalize("NFKC", text).lower() for text in texts)
    return [(letter, index) for index, text in enumerate(normalized) for letter in "".join(text.split())]


def _overlap(token: tuple[int, int], word: tuple[int, int]) -> float:
    """Share of the word's characters that are inside the token."""
    return max(0, min(token[1], word[1]) - max(token[0], word[0])) / (word[1] - word[0])
