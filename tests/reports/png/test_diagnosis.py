"""The figures: PNG files of a sensible size for any run, an empty one, too."""

import tracemalloc

import pytest

from nmt_ib.reports.png.diagnosis import write_figures
from nmt_ib.results.diagnosis import DiagnosisSummary, SentenceDiagnosis, Share, WordDiagnosis
from tests.reports.hostile_run import KIND
from tests.reports.pictures import size

NAMES = ["dropped_by_group.png", "contributions.png"]
GROUPS = (Share("open class", 90, 9), Share("名詞 $x$", 10, 0), Share("never seen", 0, 0))


def sentence(index: int, *bits: float) -> SentenceDiagnosis:
    words = tuple(WordDiagnosis("w", 2 * n, 2 * n + 1, b, None, 0.5, b <= 0, None, *KIND) for n, b in enumerate(bits))
    return SentenceDiagnosis(index, "w " * len(bits), "t", False, -1.0, ("t", "</s>"), words)


FULL = DiagnosisSummary(2, 0, 100, 9, 2, 4, 5, 1.0, GROUPS, GROUPS, GROUPS, GROUPS, (1, 0))
NO_DROPS = DiagnosisSummary(2, 0, 5, 0, 0, 0, 0, 1.0, (Share("NOUN", 5, 0),))
EMPTY = DiagnosisSummary(0, 0, 0, 0, 0, 0, 0, 0.0)


@pytest.mark.parametrize(
    ("summary", "sentences"),
    [
        (FULL, [sentence(0, -3.0, 0.0, 12.0, 40.0), sentence(1, 1e9, -1e9, float("nan"), float("inf"))]),
        (NO_DROPS, [sentence(0, 5.0), SentenceDiagnosis(1, "", "", False, skipped="empty line")]),
        (EMPTY, []),
    ],
    ids=["full", "no drops", "empty"],
)
def test_figures_of_any_run(tmp_path, summary, sentences):
    paths = write_figures(tmp_path, summary, iter(sentences))
    assert [path.name for path in paths] == NAMES
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES)
    for path in paths:
        width, height = size(path)
        assert 800 < width < 3_000
        assert 500 < height < 2_000
        assert 2_000 < path.stat().st_size < 500_000


def test_the_histogram_counts_every_finite_word_once():
    from nmt_ib.reports.png.diagnosis import LIMIT_BITS, _edges_bits, _histograms

    translated, dropped = _histograms(iter([sentence(0, -3.0, 0.0, 12.0), sentence(1, 1e9, -1e9, float("nan"))]))
    assert (translated.sum(), dropped.sum()) == (2, 3)
    assert translated[-1] == dropped[0] == 1
    edges = _edges_bits()
    assert edges[0] == pytest.approx(-LIMIT_BITS)
    place = int(dropped[1:].argmax()) + 1
    assert edges[place] <= -3.0 <= edges[place + 1]


def test_no_global_state_is_touched(tmp_path):
    import matplotlib as mpl
    from matplotlib import pyplot

    before = dict(mpl.rcParams)
    write_figures(tmp_path, FULL, [sentence(0, 1.0)])
    assert dict(mpl.rcParams) == before
    assert pyplot.get_fignums() == []


def test_memory_does_not_grow_with_the_run():
    from nmt_ib.reports.png.diagnosis import _histograms

    def peak(lines: int) -> int:
        tracemalloc.start()
        _histograms(sentence(index, *range(-10, 20)) for index in range(lines))
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(10)
    assert peak(2_000) < 2 * peak(100)
