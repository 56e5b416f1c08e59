"""A corpus' vectors are made once, in one pass, and never half."""

import shutil
import signal
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch

from nmt_ib.errors import RequestError
from nmt_ib.files import cache_folder
from nmt_ib.models.vector_cache import type_vectors, word_forms, word_vectors
from nmt_ib.protocols import Embedder

SENTENCES = [["a", "dog"], [], ["the", "old", "dog", "barks"], ["a"], ["no", "dog"]] * 3


class Counting:
    """A word's vector in a layer: its length, its place, the sentence's length, the layer."""

    name, layers, width, fingerprint = "counting", 3, 4, "f00d"

    def __init__(self):
        self.calls = []

    def vectors(self, sentences, layers):
        self.calls.append((len(sentences), tuple(layers)))
        return [
            torch.tensor(
                [[[len(word), place, len(words), layer] for place, word in enumerate(words)] for layer in layers],
                dtype=torch.float64,
            ).reshape(len(layers), len(words), self.width)
            for words in sentences
        ]

    def types(self, words):
        self.calls.append((len(words), "types"))
        return torch.tensor([[len(word), ord(word[0]), 0, 0] for word in words], dtype=torch.float64)


def check(vectors, layer):
    assert len(vectors) == len(SENTENCES)
    for words, mine in zip(SENTENCES, vectors, strict=True):
        expected = [[len(word), place, len(words), layer] for place, word in enumerate(words)]
        assert mine.tolist() == expected


def test_it_is_an_embedder():
    assert isinstance(Counting(), Embedder)


def test_vectors_are_made_once_in_one_pass(tmp_path):
    embedder, done = Counting(), []
    made = word_vectors(embedder, SENTENCES, [2, 0], batch_size=4, folder=tmp_path, advance=done.append)
    assert embedder.calls == [(4, (2, 0))] * 3 + [(3, (2, 0))]
    assert sum(done) == len(SENTENCES)
    again = word_vectors(embedder, SENTENCES, [0, 2], folder=tmp_path, advance=done.append)
    assert len(embedder.calls) == 4
    assert sum(done) == len(SENTENCES)
    for vectors in (made, again):
        assert isinstance(vectors[0].rows, np.memmap)
        assert vectors[0].rows.dtype == np.float32
        check(vectors[0], 0)
        check(vectors[2], 2)


def test_only_missing_layers_are_made(tmp_path):
    embedder = Counting()
    word_vectors(embedder, SENTENCES, [1], folder=tmp_path)
    vectors = word_vectors(embedder, SENTENCES, [0, 1, 2], folder=tmp_path)
    assert embedder.calls == [(15, (1,)), (15, (0, 2))]
    for layer in range(3):
        check(vectors[layer], layer)


def test_other_words_another_embedder_and_another_split_are_kept_apart(tmp_path):
    embedder = Counting()
    word_vectors(embedder, SENTENCES, [1], folder=tmp_path)
    word_vectors(embedder, SENTENCES[1:], [1], folder=tmp_path)
    word_vectors(embedder, [["a dog"], *SENTENCES[1:]], [1], folder=tmp_path)
    embedder.fingerprint = "beef"
    word_vectors(embedder, SENTENCES, [1], folder=tmp_path)
    assert len(embedder.calls) == 4


def test_word_forms_have_one_row_each(tmp_path):
    embedder, done = Counting(), []
    for _ in range(2):
        vectors = type_vectors(embedder, SENTENCES, batch_size=4, folder=tmp_path, advance=done.append)
    assert embedder.calls == [(4, "types"), (2, "types")]
    assert sum(done) == 6
    assert word_forms(SENTENCES) == ["a", "barks", "dog", "no", "old", "the"]
    assert vectors.rows.shape == (6, 4)
    for words, mine in zip(SENTENCES, vectors, strict=True):
        assert mine.tolist() == [[len(word), ord(word[0]), 0, 0] for word in words]


@pytest.mark.parametrize("sentences", [[], [[], []]])
def test_no_words_need_no_files(tmp_path, sentences):
    vectors = word_vectors(Counting(), sentences, [1], folder=tmp_path)[1]
    assert (len(vectors), vectors.rows.shape) == (len(sentences), (0, 4))
    assert type_vectors(Counting(), sentences, folder=tmp_path).rows.shape == (0, 4)


def test_an_error_on_the_way_leaves_nothing_whole(tmp_path):
    class Failing(Counting):
        def vectors(self, sentences, layers):
            if len(self.calls) == 2:
                raise ValueError("the machine is on fire")
            return super().vectors(sentences, layers)

    with pytest.raises(ValueError, match="on fire"):
        word_vectors(Failing(), SENTENCES, [0, 1], batch_size=4, folder=tmp_path)
    assert not [*tmp_path.rglob("*.npy"), *tmp_path.rglob("*.part")]
    check(word_vectors(Counting(), SENTENCES, [0, 1], folder=tmp_path)[1], 1)


KILLED = """
import os, signal, sys
from pathlib import Path
from nmt_ib.models.vector_cache import word_vectors
from tests.models.test_vector_cache import SENTENCES, Counting
def kill(_): os.kill(os.getpid(), signal.SIGKILL)
word_vectors(Counting(), SENTENCES, [0, 1], batch_size=4, folder=Path(sys.argv[1]), advance=kill)
"""


def test_a_build_that_is_killed_is_made_again(tmp_path):
    ended = subprocess.run([sys.executable, "-c", KILLED, tmp_path], cwd=Path(__file__).parents[2], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert list(tmp_path.rglob("*.part"))
    embedder = Counting()
    check(word_vectors(embedder, SENTENCES, [0, 1], folder=tmp_path)[1], 1)
    assert embedder.calls == [(15, (0, 1))]
    assert not list(tmp_path.rglob("*.part"))


def test_of_two_builds_at_once_one_waits_for_the_other(tmp_path):
    embedder, begun = Counting(), threading.Event()
    second = threading.Thread(target=lambda: begun.wait() and word_vectors(embedder, SENTENCES, [0], folder=tmp_path))
    second.start()
    word_vectors(embedder, SENTENCES, [0], batch_size=4, folder=tmp_path, advance=lambda _: begun.set())
    second.join()
    assert len(embedder.calls) == 4


def test_the_cache_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("vectors") == tmp_path / "nmt_ib" / "vectors"
    check(word_vectors(Counting(), SENTENCES, [0])[0], 0)
    assert list(cache_folder("vectors").glob("f00d-*/layer-0.npy"))
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder("vectors") == Path.home() / ".cache" / "nmt_ib" / "vectors"


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="cannot cache word vectors in .*: Not a directory; set XDG_CACHE_HOME"):
        word_vectors(Counting(), SENTENCES, [0], folder=tmp_path / "file")


def test_a_full_disk_is_seen_before_it_is_written_to(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")(10**9, 10**9, 100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(RequestError, match="word vectors need 0.00 GB, .* has 0.00 GB left; set XDG_CACHE_HOME"):
        word_vectors(Counting(), SENTENCES, [0], folder=tmp_path)
    assert not [*tmp_path.rglob("*.npy"), *tmp_path.rglob("*.part")]
