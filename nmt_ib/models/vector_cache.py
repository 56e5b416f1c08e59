"""Word vectors of a corpus, computed once by an embedder and cached as arrays on disk."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from nmt_ib.batching import length_buckets
from nmt_ib.errors import RequestError
from nmt_ib.files import cache_folder, locked
from nmt_ib.models.vectors import WordVectors, offsets_of
from nmt_ib.protocols import Embedder
from nmt_ib.signature import fingerprint_lines

FORMAT = 1  # increase it if an embedder's vectors change while its fingerprint does not
CACHE = "vectors"
ANOTHER_PLACE = "set XDG_CACHE_HOME to another folder"
Sentences = Sequence[Sequence[str]]
Batches = Iterator[tuple[int, list[tuple[slice | list[int], Tensor]]]]  # items done; rows and their vectors by layer
Advance = Callable[[int], object]


def word_vectors(
    embedder: Embedder,
    sentences: Sentences,
    layers: Sequence[int],
    *,
    batch_size: int = 16,
    folder: Path | None = None,
    cache: bool = True,
    advance: Advance = lambda _: None,
) -> dict[int, WordVectors]:
    """The vectors of a corpus in the given layers, read from the cache or computed in one pass.

    Memory does not grow with the corpus. An interrupted build leaves only partial files, which the next build replaces.

    Args:
        embedder: The source of the vectors.
        sentences: The words of each sentence.
        layers: Layers of the embedder.
        batch_size: Sentences per batch; does not affect results beyond rounding.
        folder: Folder of the cache; None: `cache_folder("vectors")`.
        cache: Whether to cache the vectors on disk; if not, they are computed anew, in memory.
        advance: Called with the number of sentences just done; never called if all vectors are cached.

    Returns:
        Layer -> vectors, memory-mapped if they are cached.

    Raises:
        RequestError: The embedder lacks one of the layers, or the cache cannot be written.
    """
    lengths = [len(words) for words in sentences]
    offsets = offsets_of(lengths)

    def batches(missing: Sequence[int]) -> Batches:
        for bucket in length_buckets(lengths, batch_size):
            vectors = embedder.vectors([sentences[index] for index in bucket], missing)
            spans = [slice(offsets[index], offsets[index + 1]) for index in bucket]
            yield len(bucket), list(zip(spans, vectors, strict=True))

    shape = (int(offsets[-1]), embedder.width)
    if cache:
        place = _place(folder, embedder, [json.dumps(list(words)) for words in sentences])
        rows = _cached({layer: place / f"layer-{layer}.npy" for layer in layers}, shape, batches, advance)
    else:
        rows = {layer: np.zeros(shape, np.float32) for layer in layers}
        _fill_(list(rows.values()), batches(list(rows)), advance)
    return {layer: WordVectors(rows[layer], offsets) for layer in layers}


def type_vectors(
    embedder: Embedder,
    sentences: Sentences,
    *,
    batch_size: int = 256,
    folder: Path | None = None,
    advance: Advance = lambda _: None,
) -> WordVectors:
    """The context-free vectors of a corpus, one row per word form, read from the cache or computed.

    Args:
        embedder: The source of the vectors.
        sentences: The words of each sentence.
        batch_size: Word forms per batch; does not affect results beyond rounding.
        folder: Folder of the cache; None: `cache_folder("vectors")`.
        advance: Called with the number of word forms just done; never called if all vectors are cached.

    Returns:
        The vectors; row v is that of item v of `word_forms(sentences)`.

    Raises:
        RequestError: The cache cannot be written.
    """
    forms = word_forms(sentences)
    row_of = {form: row for row, form in enumerate(forms)}
    place = _place(folder, embedder, [json.dumps(form) for form in forms])

    def batches(_: Sequence[int]) -> Batches:
        for bucket in length_buckets([len(form) for form in forms], batch_size):
            yield len(bucket), [(bucket, embedder.types([forms[row] for row in bucket])[None])]

    rows = _cached({0: place / "types.npy"}, (len(forms), embedder.width), batches, advance)
    index = np.array([row_of[word] for words in sentences for word in words], dtype=np.int64)
    return WordVectors(rows[0], offsets_of([len(words) for words in sentences]), index)


def word_forms(sentences: Sentences) -> list[str]:
    """The distinct words of a corpus, sorted."""
    return sorted({word for words in sentences for word in words})


def _place(folder: Path | None, embedder: Embedder, lines: Iterable[str]) -> Path:
    return (folder or cache_folder(CACHE)) / f"{embedder.fingerprint}-{fingerprint_lines([str(FORMAT), *lines])}"


def _cached(
    files: dict[int, Path], shape: tuple[int, int], batches: Callable[[Sequence[int]], Batches], advance: Advance
) -> dict[int, Float32[np.ndarray, "N D"]]:
    """The arrays in `files`; missing ones are filled from `batches`."""
    if not shape[0]:  # an empty file cannot be memory-mapped
        return dict.fromkeys(files, np.zeros(shape, np.float32))
    if not all(file.exists() for file in files.values()):
        with _building(next(iter(files.values())).parent):
            missing = {layer: file for layer, file in files.items() if not file.exists()}
            if missing:
                _build(missing, shape, batches, advance)
    return {layer: np.load(file, mmap_mode="r") for layer, file in files.items()}


def _build(
    files: dict[int, Path], shape: tuple[int, int], batches: Callable[[Sequence[int]], Batches], advance: Advance
) -> None:
    _check_space(next(iter(files.values())).parent, 4 * shape[0] * shape[1] * len(files))
    parts = [file.with_suffix(".part") for file in files.values()]
    try:
        arrays = [np.lib.format.open_memmap(part, "w+", np.float32, shape) for part in parts]
        _fill_(arrays, batches(list(files)), advance)
        for array in arrays:
            array.flush()
        del array, arrays  # Windows renames no file that is still mapped
        for part, file in zip(parts, files.values(), strict=True):
            os.replace(part, file)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _fill_(arrays: Sequence[np.ndarray], batches: Batches, advance: Advance) -> None:
    for done, batch in batches:
        for rows, vectors in batch:
            for array, layer in zip(arrays, vectors, strict=True):
                array[rows] = layer.cpu().numpy()
        advance(done)


@contextmanager
def _building(place: Path) -> Iterator[None]:
    """Holds the lock of a cache entry: a second process waits, and then finds the vectors complete."""
    with ExitStack() as lock:
        try:
            place.mkdir(parents=True, exist_ok=True)
            lock.enter_context(locked(place, wait=True))
        except OSError as error:
            raise RequestError(f"cannot cache word vectors in {place}: {error.strerror}; {ANOTHER_PLACE}") from error
        yield


def _check_space(place: Path, needed: int) -> None:
    # On a full disk, writing to a memory-mapped file kills the process without a message.
    free = shutil.disk_usage(place).free
    if needed > free:
        raise RequestError(
            f"word vectors need {needed / 1e9:,.2f} GB, {place} has {free / 1e9:,.2f} GB left; {ANOTHER_PLACE}"
        )
