"""Idx files: small ones byte by byte, and MNIST itself where it is at hand."""

import gzip
from hashlib import md5
from pathlib import Path

import numpy as np
import pytest

from nmt_ib.data.images import read_idx, read_images
from nmt_ib.errors import RequestError

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"
# Two axes, 2 x 3, and six bytes.
SMALL = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 253, 254, 255])


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def write_set(folder, parts, labels, prefix="train"):
    for number, part in enumerate(parts, start=1):
        (folder / f"{prefix}-images-part{number}-idx3-ubyte.gz").write_bytes(gzip.compress(idx(part)))
    (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(labels))


@pytest.mark.parametrize("change", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_an_idx_file(tmp_path, change):
    path = tmp_path / "small"
    path.write_bytes(change(SMALL))
    assert read_idx(path).tolist() == [[1, 2, 3], [253, 254, 255]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected an idx file of unsigned bytes"),
        (b"\0\0\x08", "expected an idx file of unsigned bytes"),
        (b"\x89PNG" + SMALL, "expected an idx file of unsigned bytes .* found '89 50 4e'"),
        (b"\0\0\x0d" + SMALL[3:], "found '00 00 0d'"),
        (SMALL[:10], "expected the sizes of 2 axes"),
        (b"\0\0\x08\0", "expected the sizes of at least 1 axes"),
        (SMALL[:-1], "expected 2 x 3 bytes of data, found 5"),
        (SMALL + b"x", "expected 2 x 3 bytes of data, found 7"),
        (gzip.compress(SMALL, mtime=0)[:-9], "is a damaged gzip file"),
        (gzip.compress(SMALL, mtime=0)[:4] + b"damaged", "is a damaged gzip file"),
    ],
)
def test_damage_is_one_line_that_names_the_file(tmp_path, content, message):
    path = tmp_path / "bad-idx"
    path.write_bytes(content)
    with pytest.raises(RequestError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RequestError, match="cannot read .*nowhere: No such file"):
        read_idx(tmp_path / "nowhere")


def test_parts_are_joined_in_the_order_of_their_numbers(tmp_path):
    images = np.arange(12 * 2 * 3, dtype=np.uint8).reshape(12, 2, 3)
    write_set(tmp_path, np.split(images, 12), np.arange(12, dtype=np.uint8))
    found = read_images(tmp_path, "train")
    assert np.array_equal(found.pixels, images)
    assert found.labels.tolist() == list(range(12))
    assert found.first(5).pixels.shape == (5, 2, 3)
    assert found.fingerprint == found.first(12).fingerprint != found.first(11).fingerprint


@pytest.mark.parametrize(
    ("parts", "labels", "message"),
    [
        ([np.zeros((2, 3, 3), np.uint8)], np.zeros(3, np.uint8), "2 images and 3 labels of train"),
        (
            [np.zeros((2, 3, 3), np.uint8), np.zeros((2, 4, 4), np.uint8)],
            np.zeros(4, np.uint8),
            "same image size in all parts",
        ),
        ([np.zeros((2, 3, 3), np.uint8)], np.zeros((2, 1), np.uint8), "labels.*expected 1 axes"),
        ([], np.zeros(2, np.uint8), "there is no file .*train-images"),
    ],
)
def test_sets_that_do_not_fit(tmp_path, parts, labels, message):
    write_set(tmp_path, parts, labels)
    with pytest.raises(RequestError, match=message):
        read_images(tmp_path, "train")


def test_an_unknown_split(tmp_path):
    with pytest.raises(RequestError, match="unknown split 'dev': expected one of train, test"):
        read_images(tmp_path, "dev")


@pytest.mark.skipif(not MNIST.is_dir(), reason="needs MNIST in ../shared/data")
@pytest.mark.parametrize(
    ("split", "count", "images_md5", "labels_md5"),
    [  # Origin: the MD5 sums of the official distribution, unzipped, headers included.
        ("train", 60_000, "6bbc9ace898e44ae57da46a324031adb", "a25bea736e30d166cdddb491f175f624"),
        ("test", 10_000, "2646ac647ad5339dbf082846283269ea", "27ae3e4e09519cfbb04c329615203637"),
    ],
)
def test_mnist_is_the_official_one(split, count, images_md5, labels_md5):
    found = read_images(MNIST, split)
    assert len(found) == count
    assert md5(idx(found.pixels)).hexdigest() == images_md5
    assert md5(idx(found.labels)).hexdigest() == labels_md5
