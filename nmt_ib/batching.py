"""Batches of items of similar length, which need little padding; results are returned in the items' order."""

from collections.abc import Callable, Iterable, Sequence, Sized
from typing import TypeVar

Item = TypeVar("Item")
First = TypeVar("First", bound=Sized)
Second = TypeVar("Second")
Result = TypeVar("Result")


def length_buckets(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Indices grouped into batches of similar length, the longest first.

    Args:
        lengths: Length of each item.
        batch_size: Maximum number of items in one batch, at least 1.

    Returns:
        Lists of indices that together contain each index once.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def map_in_batches(
    function: Callable[[list[Item]], Iterable[Result]],
    items: Sequence[Item],
    batch_size: int,
    *,
    length: Callable[[Item], int] = len,  # type: ignore[assignment]  # items without __len__ need `length`
) -> list[Result]:
    """Applies a function in batches of items of similar length and returns the results in the items' order.

    Args:
        function: Takes at most `batch_size` items and returns one result for each, in order.
        items: The items.
        batch_size: Maximum number of items in one batch, at least 1.
        length: Length of an item.

    Returns:
        One result for each item, in the order of the items.

    Raises:
        ValueError: The function returned a number of results that differs from the number of items.
    """
    results: dict[int, Result] = {}
    for bucket in length_buckets([length(item) for item in items], batch_size):
        results.update(zip(bucket, function([items[index] for index in bucket]), strict=True))
    return [results[index] for index in range(len(items))]


def map_pairs_in_batches(
    function: Callable[[list[First], list[Second]], Iterable[Result]],
    firsts: Sequence[First],
    seconds: Sequence[Second],
    batch_size: int,
) -> list[Result]:
    """Applies a function of two parallel lists in batches, as `map_in_batches` does.

    Args:
        function: Takes the firsts and the seconds of at most `batch_size` pairs and returns one result for each, in
            order.
        firsts: The first of each pair, for example sources; its length decides the batch.
        seconds: The second of each pair, for example targets.
        batch_size: Maximum number of pairs in one batch, at least 1.

    Returns:
        One result for each pair, in order.

    Raises:
        ValueError: `firsts` and `seconds` differ in number, or the function returned another number of results.
    """

    def apply(pairs: list[tuple[First, Second]]) -> Iterable[Result]:
        return function([first for first, _ in pairs], [second for _, second in pairs])

    pairs = list(zip(firsts, seconds, strict=True))
    return map_in_batches(apply, pairs, batch_size, length=lambda pair: len(pair[0]))
