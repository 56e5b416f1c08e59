"""Length buckets: which items go together, so that little is padded and order does not matter."""

from collections.abc import Sequence


def length_buckets(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Indices grouped into batches of similar length, the longest first.

    Args:
        lengths: Length of each item.
        batch_size: Most items in one batch, at least 1.

    Returns:
        Lists of indices that together hold each index once.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
