"""Tables of numbers: what is read and what is refused."""

import numpy as np
import pytest

from nmt_ib.data.tables import read_named_points, read_numbers
from nmt_ib.errors import RequestError


@pytest.fixture
def file(tmp_path):
    def write(text):
        (tmp_path / "table.csv").write_text(text)
        return tmp_path / "table.csv"

    return write


def test_reads_numbers(file):
    np.testing.assert_array_equal(read_numbers(file("0.1, 2e-1\r\n\n0,1\n")), [[0.1, 0.2], [0, 1]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("1,2\n3\n", "line 2: expected 2 columns as in the first row, found 1"),
        ("a,b\n1,2\n", "line 1: expected a number, found 'a'"),
        ("1,\n", "line 1: expected a number, found ''"),
    ],
)
def test_refuses_what_is_no_table(file, text, message):
    with pytest.raises(RequestError, match=message):
        read_numbers(file(text))


def test_a_file_that_is_not_there():
    with pytest.raises(RequestError, match="nowhere"):
        read_numbers("nowhere.csv")


@pytest.mark.parametrize(
    ("read", "expected"), [(read_numbers, "rows of comma-separated numbers"), (read_named_points, "lines of name")]
)
def test_a_directory_is_no_table(read, expected, tmp_path):
    with pytest.raises(RequestError, match=f"is a directory: expected a CSV file, {expected}"):
        read(tmp_path)


@pytest.mark.parametrize("header", ["", "name,i_x_bits,i_y_bits\n", "layer, i_x_bits, i_y_bits\n"])
def test_reads_named_points_with_and_without_header(file, header):
    assert read_named_points(file(header + "layer 1,7.5,0.9\n\nlayer 2,4,0.8\n")) == [
        ("layer 1", 7.5, 0.9),
        ("layer 2", 4.0, 0.8),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("name,i_x_bits,i_y_bits\n", "is empty"),
        ("a,1\n", "line 1: expected name,i_x_bits,i_y_bits, found 2 columns"),
        ("a,x,1\n", "expected a number, found 'x'"),
        ("a,-1,1\n", "expected finite numbers, at least 0"),
        ("a,nan,1\n", "expected finite numbers, at least 0"),
    ],
)
def test_refuses_points_that_are_none(file, text, message):
    with pytest.raises(RequestError, match=message):
        read_named_points(file(text))
