"""``ponder doctor index``: what it finds, what it repairs, what it leaves in the manifest."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ponder.index import LanceIndex
from ponder.records import Embedded, Item, Reasoning, Row
from ponder.shelf import open_shelf
from ponder.testing import FakeModels

DIM = 16


def rows(count, seed):
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(count, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        Row(Item(f"{seed}-{n}", "text", text="t"), Reasoning(), Embedded(("",), vectors[n : n + 1]), "d")
        for n in range(count)
    ]


@pytest.fixture
def place(tmp_path):
    """A shelf with an approximate index, as of a much larger one, and vectors that it lacks."""
    path = tmp_path / "shelf"
    open_shelf(path, FakeModels(dim=DIM)).close()
    index = LanceIndex(path / "index", DIM, exact_rows=500)
    index.add(rows(600, 1))
    index.compact()
    index.add(rows(300, 2))
    return path


def test_an_untidy_index_is_told_with_the_command_that_repairs_it(ponder, place):
    found = ponder.json("doctor", "index", place, "--queries", "20", code=5)
    assert found["store"] == "lance"
    assert (found["state"]["method"], found["state"]["parts"], found["state"]["unindexed"]) == (
        "IVF_SQ",
        900,
        300,
    )
    assert len(found["problems"]) == 1
    assert "300 vectors outside" in found["problems"][0]
    assert found["repair"] == f"ponder doctor index {place} --repair"
    assert json.loads((place / "manifest.json").read_text()).get("effort", 0) == 0


def test_repair_puts_it_in_order_and_keeps_the_effort(ponder, place):
    found = ponder.json("doctor", "index", place, "--queries", "20", "--repair")
    assert found["problems"] == []
    assert found["state"]["unindexed"] == 0
    assert found["state"]["effort"] == found["suggested"]
    manifest = json.loads((place / "manifest.json").read_text())
    assert (manifest["effort"], manifest["version"]) == (found["suggested"], 1)
    with open_shelf(place, FakeModels(dim=DIM)) as shelf:
        assert shelf.index.state().effort == found["suggested"]
    assert ponder.json("doctor", "index", place, "--queries", "20")["problems"] == []


def test_a_small_shelf_is_exact(ponder, shelf):
    found = ponder.json("doctor", "index", shelf)
    assert (found["state"]["method"], found["recall"], found["suggested"]) == ("exact", 1.0, 0)


def test_a_shelf_called_as_a_command_is_reached_by_its_path(ponder, shelf, monkeypatch):
    shelf.rename(shelf.with_name("index"))
    monkeypatch.chdir(shelf.parent)
    assert ponder.json("doctor", "./index")["shelf"]["items"] > 0
