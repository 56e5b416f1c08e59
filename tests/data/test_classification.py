"""SST-2-shaped files: what is written comes back, and each kind of damage is one line that names its place."""

import gzip
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nmt_ib.data.classification import read_labelled
from nmt_ib.errors import RequestError

SHARED = Path(__file__).parents[3] / "shared" / "data" / "sst2"
TEXT = st.text(st.characters(exclude_characters="\n\t", exclude_categories=["Cs"])).map(str.strip)
ROWS = st.lists(st.tuples(TEXT, st.integers(0, 9)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, label_first=st.booleans(), packed=st.booleans())
def test_rows_survive(tmp_path, rows, label_first, packed):
    lines = [(str(label), sentence) for sentence, label in rows]
    table = [("label", "sentence"), *lines]
    text = "".join("\t".join(row if label_first else row[::-1]) + "\n" for row in table)
    path = tmp_path / "rows.tsv"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    assert list(read_labelled(path)) == rows


def test_glue_leaves_a_blank_and_quotes_mean_nothing(tmp_path):
    path = tmp_path / "glue.tsv"
    path.write_text('\ufeffsentence\tlabel\r\n"a fine film \t1\r\n')
    assert list(read_labelled(path)) == [('"a fine film', 1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"line 1: expected the column names .*; found \[''\]"),
        ("1\tgood\n", r"line 1: .* found \['1', 'good'\]"),
        ("label\tsentence\tsplit\n", "line 1: "),
        ("label\tsentence\n1\tgood\n0\n", "line 3: expected 2 columns .* found 1"),
        ("label\tsentence\n1\tgood\tbad\n", "line 2: expected 2 columns .* found 3"),
        ("label\tsentence\n\n", "line 2: expected 2 columns .* found 1"),
        ("label\tsentence\ngood\t1\n", "line 2: expected a label such as 0 or 1, found 'good'"),
        ("label\tsentence\n-1\tgood\n", "line 2: .* found '-1'"),
        ("label\tsentence\n0.5\tgood\n", "line 2: .* found '0.5'"),
        ("label\tsentence\n²\tgood\n", "line 2: .* found '²'"),
    ],
)
def test_damage_is_one_line_that_names_its_place(tmp_path, text, message):
    path = tmp_path / "rows.tsv"
    path.write_text(text)
    with pytest.raises(RequestError, match=f"rows.tsv, {message}") as caught:
        list(read_labelled(path))
    assert "\n" not in str(caught.value)


def test_rows_come_one_at_a_time(tmp_path):
    path = tmp_path / "rows.tsv"
    path.write_text("label\tsentence\n1\tgood\nbroken\n")
    assert list(islice(read_labelled(path), 1)) == [("good", 1)]


def test_no_file():
    with pytest.raises(RequestError, match="there is no file nowhere"):
        list(read_labelled("nowhere"))


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the corpora in ../shared/data")
@pytest.mark.parametrize(
    ("name", "rows", "positive"),
    [
        ("glue-train", 67_349, 37_569),
        ("glue-dev", 872, 444),
        ("sentences-train", 6920, 3610),
        ("sentences-dev", 872, 444),
    ],
)
def test_the_treebank_has_the_rows_that_its_card_says(name, rows, positive):
    labels = [label for _, label in read_labelled(SHARED / f"{name}.tsv.gz")]
    assert (len(labels), sum(labels)) == (rows, positive)
