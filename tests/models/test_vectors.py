"""Arrays of word vectors by sentence and by batch, and a user's own file."""

import numpy as np
import pytest

from nmt_ib.errors import RequestError
from nmt_ib.models.vectors import WordVectors, load_vectors, offsets_of

LENGTHS = [3, 0, 1, 5]
ROWS = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)


def test_sentences_are_cut_from_the_array():
    vectors = WordVectors(ROWS, offsets_of(LENGTHS))
    assert len(vectors) == 4
    assert vectors.width == 4
    assert vectors.lengths.tolist() == LENGTHS
    expected = [ROWS[:3], ROWS[3:3], ROWS[3:4], ROWS[4:]]
    for mine, theirs in zip(vectors, expected, strict=True):  # a sequence: iteration ends
        np.testing.assert_array_equal(mine, theirs)
    for index in (4, -1):
        with pytest.raises(IndexError):
            vectors[index]


def test_words_may_share_rows():
    which = np.array([0, 8, 0, 2, 2, 2, 1, 0, 8])
    vectors = WordVectors(ROWS, offsets_of(LENGTHS), which)
    np.testing.assert_array_equal(vectors[0], ROWS[[0, 8, 0]])
    np.testing.assert_array_equal(vectors[3], ROWS[[2, 2, 1, 0, 8]])


def test_a_users_file_is_read(tmp_path):
    np.savez(tmp_path / "words.npz", vectors=ROWS.astype(np.float64), lengths=np.array(LENGTHS))
    vectors = load_vectors(tmp_path / "words.npz")
    assert vectors.rows.dtype == np.float32
    np.testing.assert_array_equal(vectors[3], ROWS[4:])


BAD = {
    "another name": ({"vector": ROWS, "lengths": [9]}, "cannot read .*vectors is not a file.*expected an .npz"),
    "lengths do not fit": ({"vectors": ROWS, "lengths": [3, 3]}, "add up to 6 words, it has 9 vectors"),
    "negative lengths": ({"vectors": ROWS, "lengths": [10, -1]}, "add up to 9 words"),
    "integers": ({"vectors": np.ones((2, 3), int), "lengths": [2]}, r"holds vectors int64 \[2, 3\]"),
    "one axis": ({"vectors": np.ones(3), "lengths": [3]}, r"holds vectors float64 \[3\]"),
    "lengths are floats": ({"vectors": ROWS, "lengths": [9.0]}, "lengths float64"),
    "objects": ({"vectors": np.array([None]), "lengths": [1]}, "allow_pickle"),
    "not a number": ({"vectors": np.full((1, 2), np.nan), "lengths": [1]}, "not finite"),
}


@pytest.mark.parametrize("name", BAD)
def test_another_file_is_refused_in_one_line(tmp_path, name):
    arrays, message = BAD[name]
    np.savez(tmp_path / "words.npz", **arrays)
    with pytest.raises(RequestError, match=message) as error:
        load_vectors(tmp_path / "words.npz")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "words.npz").write_bytes(content)
    with pytest.raises(RequestError, match="cannot read .*words.npz"):
        load_vectors(tmp_path / "words.npz")


def test_a_single_array_is_refused(tmp_path):
    np.save(tmp_path / "words.npy", ROWS)
    with pytest.raises(RequestError, match="expected an .npz file"):
        load_vectors(tmp_path / "words.npy")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(RequestError, match="cannot read .*No such file"):
        load_vectors(tmp_path / "none.npz")
