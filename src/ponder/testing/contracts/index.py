"""What every `Index` must do; the oracle is a comparison with everything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ponder.errors import PonderError
from ponder.protocols import Index
from ponder.records import Embedded, Item, Kind, PartReasoning, Reasoning, Row, Usage

DIM = 16


def row(id_: str, *vectors: Sequence[float], kind: Kind = "text", text: str = "") -> Row:
    """A row with these vectors, scaled to unit norm, the first for the whole and the rest for parts."""
    stacked = np.array(vectors, np.float32)
    stacked /= np.linalg.norm(stacked, axis=1, keepdims=True)
    labels = ("", *(f"chars={i}-{i + 1}" for i in range(len(vectors) - 1)))
    return Row(
        Item(
            id_,
            kind,
            uri=f"/somewhere/{id_}",
            text=text,
            metadata={"year": 1999, "tags": ["a", "b"]},
            instruction="what it is for" if kind == "image" else "",
        ),
        Reasoning(
            text=f"about {id_}",
            parts=tuple(PartReasoning(label, f"part {label}", {"p": 0.5}) for label in labels),
            usage=Usage(3, 2),
            tokens=2,
            model="model-1",
        ),
        Embedded(labels, stacked),
        digest=f"digest of {id_}",
        source={"size": 12},
    )


def random_rows(count: int, seed: int, parts: int = 3) -> list[Row]:
    """Rows with one to `parts` vectors each."""
    random = np.random.default_rng(seed)
    return [
        row(f"item-{i:03}", *random.normal(size=(1 + i % parts, DIM)), kind=("text", "image")[i % 2])
        for i in range(count)
    ]


def axis(*places: int) -> list[float]:
    """A vector with a one at each of `places`."""
    return [1.0 if i in places else 0.0 for i in range(DIM)]


class IndexContract:
    """Subclass it and say how to `make` your index."""

    def make(self, folder: Path) -> Index:
        """An empty index for vectors of length `DIM` (16); `folder` is empty and its own."""
        raise NotImplementedError

    @pytest.fixture
    def index(self, tmp_path: Path) -> Index:
        return self.make(tmp_path)

    def test_an_empty_index_answers(self, index: Index) -> None:
        assert isinstance(index, Index)
        assert len(index) == 0
        assert index.search(np.array(axis(0), np.float32), 5) == []
        assert index.get(["a"]) == []
        assert index.remove(["a"]) == 0
        index.add([])
        assert len(index) == 0

    def test_rows_come_back_whole_in_the_order_asked_for(self, index: Index) -> None:
        rows = [row("b", axis(0), axis(1)), row("a", axis(2), kind="image"), row("c", axis(3))]
        index.add(rows)
        back = index.get(["c", "nobody", "b", "a"])
        assert [r.item.id for r in back] == ["c", "b", "a"]
        for given, found in zip([rows[2], rows[0], rows[1]], back, strict=True):
            assert found.item == given.item
            assert found.reasoning == given.reasoning
            assert found.digest == given.digest
            assert dict(found.source) == dict(given.source)
            assert found.embedded.labels == given.embedded.labels
            np.testing.assert_allclose(found.embedded.vectors, given.embedded.vectors, atol=1e-6)
            assert found.embedded.vectors.dtype == np.float32

    @pytest.mark.parametrize("k", [1, 7, 40, 1000])
    def test_search_is_the_comparison_with_everything(self, index: Index, k: int) -> None:
        rows = random_rows(40, seed=1)
        index.add(rows[:25])
        index.add(rows[25:])
        vector = np.random.default_rng(2).normal(size=DIM).astype(np.float32)
        vector /= np.linalg.norm(vector)
        best = {r.item.id: float((r.embedded.vectors @ vector).max()) for r in rows}
        expected = sorted(best, key=lambda id_: (-best[id_], id_))[:k]
        found = index.search(vector, k)
        assert [match.id for match in found] == expected
        for match in found:
            assert match.score == pytest.approx(best[match.id], abs=1e-5)
            labels = next(r for r in rows if r.item.id == match.id).embedded.labels
            assert labels[match.part_no] == match.part

    def test_an_item_is_found_once_by_its_best_part(self, index: Index) -> None:
        index.add([row("many", axis(0), axis(1), axis(0, 1)), row("one", axis(1))])
        found = index.search(np.array(row("q", axis(0, 1)).embedded.vectors[0]), 10)
        assert [(m.id, m.part_no) for m in found] == [("many", 2), ("one", 0)]
        assert found[0].score == pytest.approx(1)

    def test_ties_go_by_id(self, index: Index) -> None:
        index.add([row(id_, axis(4)) for id_ in ("d", "b", "c", "a")])
        assert [m.id for m in index.search(np.array(axis(4), np.float32), 3)] == ["a", "b", "c"]

    def test_the_same_id_replaces(self, index: Index) -> None:
        index.add([row("a", axis(0), axis(1), text="old"), row("b", axis(2))])
        index.add([row("a", axis(3), text="new")])
        assert len(index) == 2
        assert index.get(["a"])[0].item.text == "new"
        assert index.search(np.array(axis(1), np.float32), 2)[0].score == pytest.approx(0, abs=1e-6)
        assert index.search(np.array(axis(3), np.float32), 1)[0].id == "a"

    def test_removing_says_how_many_were_there(self, index: Index) -> None:
        index.add([row("a", axis(0), axis(1)), row("b", axis(2)), row("c", axis(3))])
        assert index.remove(["a", "nobody", "c"]) == 2
        assert len(index) == 1
        assert index.get(["a", "b", "c"])[0].item.id == "b"
        assert [m.id for m in index.search(np.array(axis(0), np.float32), 5)] == ["b"]

    def test_a_filter_leaves_the_others_out_before_counting(self, index: Index) -> None:
        rows = random_rows(20, seed=3)
        index.add(rows)
        found = index.search(rows[0].embedded.vectors[0], 10, "kind = 'image'")
        assert sorted(m.id for m in found) == sorted(r.item.id for r in rows if r.item.kind == "image")

    def test_a_filter_that_is_none_is_refused(self, index: Index) -> None:
        index.add(random_rows(3, seed=4))
        with pytest.raises(PonderError):
            index.search(np.array(axis(0), np.float32), 3, "kind === (")

    @pytest.mark.parametrize(
        "id_", ["it's", 'say "x"', "a' OR '1'='1", "%_", "\\", "ünïcode ✓", "a b", "/x#page=3", "x" * 500]
    )
    def test_ids_are_only_names(self, index: Index, id_: str) -> None:
        index.add([row(id_, axis(0)), row("other", axis(1))])
        assert [r.item.id for r in index.get([id_])] == [id_]
        assert index.search(np.array(axis(0), np.float32), 1)[0].id == id_
        index.add([row(id_, axis(2))])
        assert len(index) == 2
        assert index.remove([id_]) == 1
        assert [r.item.id for r in index.get([id_, "other"])] == ["other"]

    def test_vectors_of_another_length_leave_everything_as_it_was(self, index: Index) -> None:
        index.add([row("a", axis(0), text="old")])
        bad = Row(Item("b", "text"), Reasoning(), Embedded(("",), np.ones((1, 3), np.float32)))
        with pytest.raises(PonderError):
            index.add([row("a", axis(1), text="new"), bad])
        assert len(index) == 1
        assert index.get(["a"])[0].item.text == "old"

    def test_a_query_of_another_length_is_refused(self, index: Index) -> None:
        index.add([row("a", axis(0))])
        with pytest.raises(PonderError):
            index.search(np.ones(3, np.float32), 1)
