"""Files to index, and what is asked of them."""

from __future__ import annotations

import random

import numpy as np

WORDS = [f"word{number}" for number in range(400)]


def write_files(folder, count, bad=2):
    """So many texts of which no two are the same, and a few pictures that are none."""
    chance = random.Random(count)
    folder.mkdir()
    for number in range(count):
        # Now and then two passages.
        words = chance.choices(WORDS, k=120 if number % 50 == 0 else 8)
        (folder / f"{number:05}.txt").write_text(f"text {number} " + " ".join(words))
    for number in range(bad):
        (folder / f"broken-{number}.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    return folder


def assert_same(one, other):
    """Two shelves hold the same rows and rank in the same way."""
    ids = sorted(source.id for source in one.index.sources())
    theirs = sorted(source.id for source in other.index.sources())
    assert ids == theirs
    assert len(set(ids)) == len(ids) == len(one)
    for mine, yours in zip(one.get(ids), other.get(ids), strict=True):
        assert (mine.item, mine.reasoning, mine.digest) == (yours.item, yours.reasoning, yours.digest)
        assert dict(mine.source) == dict(yours.source)
        assert mine.embedded.labels == yours.embedded.labels
        np.testing.assert_array_equal(mine.embedded.vectors, yours.embedded.vectors)
    assert one.index.parts == other.index.parts == sum(len(row.embedded.labels) for row in one.get(ids))
    for seed in range(10):
        query = " ".join(random.Random(seed).choices(WORDS, k=4))
        for budget in (0, 300):
            assert hits(one.search(query, k=20, budget=budget)) == hits(
                other.search(query, k=20, budget=budget)
            )


def hits(ranking):
    return [(hit.item.id, hit.score, hit.part, hit.stages) for hit in ranking]
