"""A first pass in bfloat16 and bounded memory finds what an exhaustive search finds, ties included."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ponder.errors import BadArguments, InputInvalid
from ponder.feedback.nearest import nearest
from ponder.index.scores import exact_scores


def _rows(seed: int, count: int, spread: float, longest: float = 1.0) -> NDArray[np.float32]:
    """Rows around one direction: the closer, the harder it is to tell them apart in bfloat16."""
    rng = np.random.default_rng(seed)
    rows = np.ones(16) + spread * rng.normal(size=(count, 16))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows * rng.uniform(1.0, longest, size=(count, 1)), np.float32)


def _exhaustive(
    queries: NDArray[np.float32], vectors: NDArray[np.float32], owners: NDArray[np.int64], k: int
) -> list[list[tuple[float, int]]]:
    found = []
    for query in queries:
        best: dict[int, float] = {}
        for owner, score in zip(owners.tolist(), exact_scores(vectors, query).tolist(), strict=True):
            best[owner] = max(score, best.get(owner, -np.inf))
        found.append(sorted((-score, owner) for owner, score in best.items())[:k])
    return found


@settings(deadline=None, max_examples=80)
@given(
    seed=st.integers(0, 2**31),
    count=st.integers(1, 90),
    parts=st.integers(1, 4),
    k=st.integers(1, 100),
    block=st.integers(1, 40),
    spread=st.sampled_from([0.0, 0.001, 0.1, 1.0, 30.0]),
    longest=st.sampled_from([1.0, 50.0]),
    first_pass=st.sampled_from(["bfloat16", "float32"]),
)
def test_the_nearest_are_those_of_an_exhaustive_search(
    seed: int, count: int, parts: int, k: int, block: int, spread: float, longest: float, first_pass: str
) -> None:
    queries, vectors = _rows(seed, 5, spread), _rows(seed + 1, count, spread, longest)
    owners = np.arange(count) // parts
    found = nearest(queries, vectors, k, owners=owners, block=block, first_pass=first_pass)  # type: ignore[arg-type]
    for row, wanted in enumerate(_exhaustive(queries, vectors, owners, k)):
        assert found.places[row, : len(wanted)].tolist() == [owner for _, owner in wanted]
        assert found.scores[row, : len(wanted)].tolist() == [-score for score, _ in wanted]
        assert (found.places[row, len(wanted) :] == -1).all()


def test_many_copies_are_told_apart_by_their_places() -> None:
    vectors = np.tile(_rows(1, 3, 1.0), (3000, 1))
    query = vectors[:1]
    found = nearest(query, vectors, 7, block=500, first_pass="bfloat16")
    first = [place for _, place in _exhaustive(query, vectors, np.arange(9000), 7)[0]]
    assert found.places[0].tolist() == first
    assert first == [0, 3, 6, 9, 12, 15, 18]


def test_a_memory_map_is_searched_as_an_array(tmp_path: Path) -> None:
    corpus = _rows(3, 500, 1.0)
    np.save(tmp_path / "corpus.npy", corpus)
    mapped = np.load(tmp_path / "corpus.npy", mmap_mode="r")
    one = nearest(corpus[:7], corpus, 9, block=64)
    for vectors in (mapped, mapped[3:]):
        other = nearest(corpus[:7], vectors, 9, block=33)
        shift = len(corpus) - len(vectors)
        if not shift:
            assert other.places.tolist() == one.places.tolist()
        exact = [place for _, place in _exhaustive(corpus[:1], corpus[shift:], np.arange(500 - shift), 9)[0]]
        assert other.places[0].tolist() == exact


def test_half_precision_is_searched_as_it_is_stored() -> None:
    corpus = _rows(4, 200, 1.0).astype(np.float16)
    query = _rows(5, 1, 1.0)
    wanted = _exhaustive(query, corpus.astype(np.float32), np.arange(200), 5)[0]
    assert nearest(query, corpus, 5).places[0].tolist() == [place for _, place in wanted]


def test_nothing_to_search_gives_nothing() -> None:
    empty = np.zeros((0, 4), np.float32)
    assert nearest(np.ones((2, 4), np.float32), empty, 3).places.tolist() == [[-1] * 3] * 2
    assert nearest(empty, np.ones((2, 4), np.float32), 3).places.shape == (0, 3)


def test_what_cannot_be_searched_is_refused() -> None:
    corpus = _rows(0, 5, 1.0)
    with pytest.raises(BadArguments, match="at least 1"):
        nearest(corpus, corpus, 0)
    with pytest.raises(InputInvalid, match="same width"):
        nearest(corpus[:, :3], corpus, 1)
    with pytest.raises(InputInvalid, match="owners of 5 vectors"):
        nearest(corpus, corpus, 1, owners=np.zeros(4, np.int64))
    spoilt = corpus.copy()
    spoilt[3, 2] = np.nan
    for queries, vectors in ((spoilt, corpus), (corpus, spoilt)):
        with pytest.raises(InputInvalid, match="not finite"):
            nearest(queries, vectors, 1)


@pytest.mark.parametrize("others", [0, 57_000])
def test_copies_in_more_than_one_window_are_told_apart_by_their_places(others: int) -> None:
    """So many rows as are scored in two windows, of which a lot, or all, are equal and the best."""
    one = _rows(1, 1, 1.0)
    vectors = np.repeat(one, 40_000, axis=0) if not others else -np.abs(_rows(2, others + 3_000, 1.0))
    if others:
        one = np.abs(one)
        vectors[:: len(vectors) // 3_000] = one
    found = nearest(np.repeat(one, 3, axis=0), vectors, 5)
    wanted = list(range(5)) if not others else [n * (len(vectors) // 3_000) for n in range(5)]
    assert found.places.tolist() == [wanted] * 3


def test_what_was_changed_in_memory_is_searched_and_not_the_file(tmp_path: Path) -> None:
    np.save(tmp_path / "corpus.npy", _rows(3, 50, 1.0))
    mapped = np.load(tmp_path / "corpus.npy", mmap_mode="c")
    query = _rows(9, 1, 1.0)
    mapped[31] = 5 * query[0]
    assert nearest(query, mapped, 1).places.tolist() == [[31]]
