"""Word vectors of a corpus made once by an embedder and kept in the user's cache, as arrays on disk."""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from nmt_ib.batching import length_buckets
from nmt_ib.errors import RequestError
from nmt_ib.models.vectors import WordVectors, offsets_of
from nmt_ib.protocols import Embedder
from nmt_ib.signature import fingerprint_lines

FORMAT = 1  # one more whenever an embedder's vectors change that its fingerprint does not tell
Sentences = Sequence[Sequence[str]]
Filling = Iterator[tuple[int, list[tuple[slice | list[int], Tensor]]]]  # items done; rows and their vectors by layer


def word_vectors(
    embedder: Embedder,
    sentences: Sentences,
    layers: Sequence[int],
    *,
    batch_size: int = 16,
    folder: Path | None = None,
    keep: bool = True,
    advance: Callable[[int], object] = lambda _: None,
) -> dict[int, WordVectors]:
    """The vectors of a corpus in some layers, from the cache or made now in one pass.

    Memory does not grow with the corpus. A build that is killed leaves nothing that looks whole; the next begins anew.

    Args:
        embedder: Gives the vectors.
        sentences: Their words.
        layers: Layers of the embedder.
        batch_size: Sentences in one batch; changes no result beyond rounding.
        folder: Where arrays are kept; None: `cache_folder()`.
        keep: Whether they are kept at all; if not, they are made anew, in memory.
        advance: Called with the number of sentences just done; never where all is in the cache.

    Returns:
        Layer -> vectors, on disk where they are kept.

    Raises:
        RequestError: There is no such layer, or the arrays cannot be kept there.
    """
    lengths = [len(words) for words in sentences]
    offsets = offsets_of(lengths)
    place = _place(folder, embedder, [json.dumps(list(words)) for words in sentences])
    files = {layer: place / f"layer-{layer}.npy" for layer in layers}

    def made(missing: Sequence[int]) -> Filling:
        for bucket in length_buckets(lengths, batch_size):
            found = embedder.vectors([sentences[index] for index in bucket], missing)
            spans = [slice(offsets[index], offsets[index + 1]) for index in bucket]
            yield len(bucket), list(zip(spans, found, strict=True))

    shape = (int(offsets[-1]), embedder.width)
    if keep:
        rows = _kept(files, shape, made, advance)
    else:
        rows = {layer: np.zeros(shape, np.float32) for layer in layers}
        _fill_(list(rows.values()), made(list(rows)), advance)
    return {layer: WordVectors(rows[layer], offsets) for layer in layers}


def type_vectors(
    embedder: Embedder,
    sentences: Sentences,
    *,
    batch_size: int = 256,
    folder: Path | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> WordVectors:
    """The context-free vectors of a corpus' words: one row for each word form, from the cache or made now.

    Args:
        embedder: Gives the vectors.
        sentences: Their words.
        batch_size: Word forms in one batch; changes no result beyond rounding.
        folder: Where the array is kept; None: `cache_folder()`.
        advance: Called with the number of word forms just done; never where all is in the cache.

    Returns:
        The vectors; row v is the v-th of `word_forms(sentences)`.

    Raises:
        RequestError: The array cannot be kept there.
    """
    forms = word_forms(sentences)
    number = {form: row for row, form in enumerate(forms)}
    place = _place(folder, embedder, [json.dumps(form) for form in forms])

    def made(_: Sequence[int]) -> Filling:
        for bucket in length_buckets([len(form) for form in forms], batch_size):
            yield len(bucket), [(bucket, embedder.types([forms[row] for row in bucket])[None])]

    rows = _kept({0: place / "types.npy"}, (len(forms), embedder.width), made, advance)
    which = np.array([number[word] for words in sentences for word in words], dtype=np.int64)
    return WordVectors(rows[0], offsets_of([len(words) for words in sentences]), which)


def word_forms(sentences: Sentences) -> list[str]:
    """The different words of a corpus, sorted."""
    return sorted({word for words in sentences for word in words})


def cache_folder() -> Path:
    """Where vectors are kept: `$XDG_CACHE_HOME/nmt_ib/vectors`, or the same below `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "nmt_ib", "vectors")


def _place(folder: Path | None, embedder: Embedder, lines: Iterable[str]) -> Path:
    return (folder or cache_folder()) / f"{embedder.fingerprint}-{fingerprint_lines([str(FORMAT), *lines])}"


def _kept(
    files: dict[int, Path],
    shape: tuple[int, int],
    made: Callable[[Sequence[int]], Filling],
    advance: Callable[[int], object],
) -> dict[int, Float32[np.ndarray, "N D"]]:
    """The arrays in `files`; those that are missing are filled with what `made` yields for them."""
    if not shape[0]:  # a file that holds nothing cannot be mapped
        return dict.fromkeys(files, np.zeros(shape, np.float32))
    if not all(file.exists() for file in files.values()):
        with _alone(next(iter(files.values())).parent):
            missing = {layer: file for layer, file in files.items() if not file.exists()}
            if missing:
                _build(missing, shape, made, advance)
    return {layer: np.load(file, mmap_mode="r") for layer, file in files.items()}


def _build(
    files: dict[int, Path],
    shape: tuple[int, int],
    made: Callable[[Sequence[int]], Filling],
    advance: Callable[[int], object],
) -> None:
    _check_space(next(iter(files.values())).parent, 4 * shape[0] * shape[1] * len(files))
    parts = [file.with_suffix(".part") for file in files.values()]
    try:
        arrays = [np.lib.format.open_memmap(part, "w+", np.float32, shape) for part in parts]
        _fill_(arrays, made(list(files)), advance)
        for array, part, file in zip(arrays, parts, files.values(), strict=True):
            array.flush()
            os.replace(part, file)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _fill_(arrays: Sequence[np.ndarray], filling: Filling, advance: Callable[[int], object]) -> None:
    for done, found in filling:
        for rows, vectors in found:
            for array, layer in zip(arrays, vectors, strict=True):
                array[rows] = layer.cpu().numpy()
        advance(done)


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Keeps out other builds of the same vectors: the second waits, and finds them made."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        lock = (place / "lock").open("w")
    except OSError as error:
        raise RequestError(
            f"cannot keep word vectors in {place}: {error.strerror}; set XDG_CACHE_HOME to another"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _check_space(place: Path, needed: int) -> None:
    # On a full disk, writing to a mapped file ends the process without a word.
    free = shutil.disk_usage(place).free
    if needed > free:
        raise RequestError(
            f"word vectors need {needed / 1e9:,.2f} GB, {place} has {free / 1e9:,.2f} GB left: set XDG_CACHE_HOME to "
            "another folder"
        )
