"""Bits kept by each layer, over all words of a corpus."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import entr

from nmt_ib.faithfulness.intervals import ratio
from nmt_ib.results.retention import FORGOTTEN, LayerRetention, RetentionSummary, SentenceRetention, WordRetention
from nmt_ib.word_classes import BANDS, RARE


def summarize_retention(
    model: str, layers: Sequence[str], sentences: Iterable[SentenceRetention], seed: int = 0
) -> RetentionSummary:
    """Means over all words.

    Args:
        model: Name of the model.
        layers: Names of the layers: "encoder 1" and so on.
        sentences: The measured lines, in one pass.
        seed: Seed of the bootstrap.

    Returns:
        One row for each layer.
    """
    count = skipped = 0
    tables: list[np.ndarray] = []
    noise: list[np.ndarray] = []
    words: list[WordRetention] = []
    for sentence in sentences:
        count, skipped = count + 1, skipped + (sentence.skipped is not None)
        if sentence.words:
            tables.append(np.array([word.bits for word in sentence.words]))
            noise.append(np.array([word.noise_bits for word in sentence.words]))
            words += [replace(word, bits=(), noise_bits=()) for word in sentence.words]
    rows = _layers(list(layers), tables, noise, words, seed) if tables else ()
    return RetentionSummary(model, count, skipped, len(words), tuple(rows))


def _layers(
    names: list[str],
    tables: list[np.ndarray],
    noise: list[np.ndarray],
    words: list[WordRetention],
    seed: int,
) -> list[LayerRetention]:
    bits = np.concatenate(tables)
    kept = bits / np.maximum(bits[:, :1], 1e-9)
    stacks = [name.split()[0] for name in names]
    forgotten = np.concatenate(
        [
            np.logical_or.accumulate(kept[:, np.array(stacks) == stack] < FORGOTTEN, axis=1)
            for stack in dict.fromkeys(stacks)
        ],
        axis=1,
    )
    sums, sizes = np.array([table.sum(0) for table in tables]), np.array([len(table) for table in tables])
    means = [ratio(column, sizes, seed) for column in sums.T]
    more = [ratio(column - sums[:, stacks.count("encoder") - 1], sizes, seed) for column in sums.T]
    concentration = np.mean(
        [_concentration(table) for table in tables if len(table) > 1] or [np.zeros(len(names))], axis=0
    )
    return [
        LayerRetention(
            name=name,
            bits=means[layer].value,
            interval=means[layer].interval,
            noise_bits=float(np.concatenate(noise)[:, layer].mean()),
            kept=float(kept[:, layer].mean()),
            concentration=float(concentration[layer]),
            forgotten=float(forgotten[:, layer].mean()),
            kept_by_class=_means([word.word_class for word in words], kept[:, layer]),
            kept_by_frequency=_means([word.frequency for word in words], kept[:, layer], (*BANDS.values(), RARE)),
            kept_by_part_of_speech=_means([word.pos for word in words], kept[:, layer]),
            against_encoder=(more[layer].value, *more[layer].interval) if stacks[layer] == "decoder" else None,
        )
        for layer, name in enumerate(names)
    ]


def _concentration(table: np.ndarray) -> np.ndarray:
    shares = table / np.maximum(table.sum(0), 1e-9)
    return 1 - entr(shares).sum(0) / np.log(len(table))


def _means(groups: list[str], values: np.ndarray, order: Sequence[str] = ()) -> dict[str, float]:
    names = np.array(groups)
    known = [name for name in order if name in groups] or sorted(set(groups) - {""})
    return {name: float(values[names == name].mean()) for name in known}
