"""How many candidates are read: more where they prove to be too few, and only where they do."""

from __future__ import annotations

import numpy as np
from index_rows import unit

from ponder.index.widening import Nearest, Width, widened

QUERY = unit([1, 0])


def store(angles, parts=1):
    """A store of so many parts an item, at these angles from the query, and the limits it was asked for."""
    vectors = np.stack([unit([np.cos(angle), np.sin(angle)]) for angle in sorted(angles)])
    asked = []

    def fetch(limit):
        asked.append(limit)
        some = vectors[:limit]
        count = range(len(some))
        ids, part_nos = [str(n // parts) for n in count], [n % parts for n in count]
        return Nearest(ids, part_nos, [""] * len(some), some, len(some), float(some[-1] @ QUERY))

    return fetch, asked


def test_two_that_are_nearly_alike_at_the_end_are_looked_at_again_and_forgotten():
    width = Width(1.1, 11)
    apart = np.linspace(0.1, 1.5, 100)
    close = apart.copy()
    close[10] = close[9] + 1e-6
    for angles, limits in ((close, [11, 22]), (apart, [11])):
        fetch, asked = store(angles)
        assert [match.id for match in widened(fetch, QUERY, 10, width)] == [str(n) for n in range(10)]
        assert asked == limits


def test_items_of_several_parts_are_remembered():
    width = Width(1.1, 11)
    for limits in ([11, 44], [40]):
        fetch, asked = store(np.linspace(0.1, 1.5, 300), parts=3)
        assert [match.id for match in widened(fetch, QUERY, 10, width)] == [str(n) for n in range(10)]
        assert asked == limits
