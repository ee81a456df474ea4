from __future__ import annotations

from random import Random

import pytest

from ponder.index import Cache
from ponder.media import isolate
from ponder.shelf import open_shelf
from ponder.testing import FakeModels

WORDS = [f"word{number}" for number in range(200)]


@pytest.fixture
def texts(tmp_path):
    """A folder of 40 texts of different words."""
    folder, chance = tmp_path / "files", Random(11)
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:02}.txt").write_text(" ".join(chance.choices(WORDS, k=40)))
    return folder


@pytest.fixture
def kept(tmp_path):
    with Cache(tmp_path / "cache.sqlite") as cache:
        yield cache


@pytest.fixture
def shelf_at(kept):
    """Opens a shelf in a folder."""

    def open_it(folder, models=None, **options):
        return open_shelf(folder, models or FakeModels(), cache=kept, **options)

    return open_it


@pytest.fixture
def ask():
    """What a shelf answers to a fixed set of queries: ids, scores, parts and reasonings."""

    def rankings(shelf):
        found = []
        for seed in range(12):
            query = " ".join(Random(seed).choices(WORDS, k=3))
            ranking = shelf.search(query, k=5, budget=200 * (seed % 2))
            found.append([(hit.item.id, hit.score, hit.part, hit.reason, hit.passage) for hit in ranking])
        return found

    return rankings


@pytest.fixture
def isolated():
    """Decides how files are opened, until the test ends."""
    yield isolate
    isolate("off")
