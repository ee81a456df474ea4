"""Which of a data set's queries a limit takes."""

from __future__ import annotations

import random
from collections.abc import Sequence


def drawn(count: int, limit: int | None, seed: int | str) -> Sequence[int]:
    """At most `limit` of the numbers below `count`, by seed and in their order; None takes all.

    Example:
        >>> drawn(5, None, 0), drawn(100, 3, 0) == drawn(100, 3, 0)
        (range(0, 5), True)
    """
    if limit is None or limit >= count:
        return range(count)
    return sorted(random.Random(seed).sample(range(count), limit))
