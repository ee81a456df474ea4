"""Rankings from embeddings: blocks give what the whole matrix gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scoring_cases import judged, plain

from ponder.evaluate.mmeb.exact import distinct, keys
from ponder.evaluate.mmeb.nearest import nearest
from ponder.evaluate.mmeb.official import METRICS
from ponder.evaluate.mmeb.ranking import Vectors, rank_global
from ponder.evaluate.mmeb.score import score


def whole(queries, pool):
    """Every place of every query, by a stable sort of exact float32 scores; NaN last."""
    exact = (queries.astype(np.float64) @ pool.astype(np.float64).T).astype(np.float32)
    return np.argsort(-exact, axis=1, kind="stable"), exact


coarse = st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0])


@settings(max_examples=60)
@given(st.data())
def test_the_first_places_are_those_of_a_full_sort(data):
    dim = data.draw(st.integers(1, 3))
    queries = data.draw(arrays(np.float32, st.tuples(st.integers(1, 5), st.just(dim)), elements=coarse))
    pool = data.draw(arrays(np.float32, st.tuples(st.integers(1, 40), st.just(dim)), elements=coarse))
    depth = data.draw(st.integers(1, 50))
    found = nearest(queries, pool, depth)
    order, exact = whole(queries, pool)
    shown = found.places.shape[1]
    assert shown == min(max(depth, 10), len(pool))
    assert (found.places == order[:, :shown]).all()
    cut = np.sort(exact, axis=1)[:, ::-1][:, min(10, len(pool)) - 1]
    assert (found.tied == (exact == cut[:, None]).sum(axis=1)).all()


def test_many_blocks_many_tiles_and_vectors_that_hardly_differ():
    rng = np.random.default_rng(3)
    queries = rng.normal(size=(30, 12)).astype(np.float32)
    near = np.float32(1) + rng.normal(size=(300, 12)).astype(np.float32) * np.float32(1e-7)
    far = rng.normal(size=(500, 12)).astype(np.float32)
    pool = np.concatenate([far, near, far[:50]])
    found = nearest(queries, pool, 20, tile=7, block=64)
    order, _ = whole(queries, pool)
    assert (found.places == order[:, :20]).all()


def test_where_nearly_everything_is_nearly_tied_fewer_queries_go_at_a_time():
    rng = np.random.default_rng(3)
    queries = np.abs(rng.normal(size=(9, 4))).astype(np.float32)
    pool = np.float32(1) + rng.normal(size=(200, 4)).astype(np.float32) * np.float32(1e-7)
    assert (nearest(queries, pool, pairs=100).places == whole(queries, pool)[0][:, :10]).all()


def test_scores_that_are_no_numbers_rank_last_and_infinities_where_they_belong():
    pool = np.ones((14, 2), np.float32)
    pool[:, 0] = np.arange(14)
    pool[3, 1] = np.nan
    pool[5, 0] = -np.inf
    pool[7, 0] = np.inf
    queries = np.array([[1, 0], [np.nan, 1]], np.float32)
    found = nearest(queries, pool, 14)
    assert found.places[0].tolist() == [7, 13, 12, 11, 10, 9, 8, 6, 4, 2, 1, 0, 5, 3]
    assert found.places[1].tolist() == list(range(14))
    assert found.tied.tolist() == [1, 14]


def test_a_score_is_the_same_wherever_its_vector_lies():
    rng = np.random.default_rng(1)
    row = rng.normal(size=(1, 385)).astype(np.float32)
    pool = np.concatenate([rng.normal(size=(999, 385)).astype(np.float32), row])
    pool[[0, 17, 500]] = row
    query = rng.normal(size=(1, 385)).astype(np.float32)
    same = keys(query, pool, np.zeros(1000, np.int64), np.arange(1000))[[0, 17, 500, 999]]
    assert len(set(same.tolist())) == 1


@given(arrays(np.float32, st.tuples(st.integers(1, 30), st.integers(1, 2)), elements=coarse))
def test_equal_vectors_are_found_and_no_others(rows):
    first, which = distinct(rows)
    assert (rows[first][which].view(np.uint32) == rows.view(np.uint32)).all()
    assert len(first) == len({row.tobytes() for row in rows})


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_figures_are_those_of_the_plain_procedure_and_queries_may_come_in_any_order(seed):
    rng = np.random.default_rng(seed)
    pool = rng.normal(size=(60, 6)).astype(np.float32)
    queries = rng.normal(size=(12, 6)).astype(np.float32)
    names = [f"n{place}" for place in range(60)]
    labels = [rng.choice(70, size=1 + row % 4, replace=False).tolist() for row in range(12)]
    told = [judged([f"n{place}" for place in several]) for several in labels]
    found = score(rank_global(Vectors(queries, pool, names), told), told)
    order, _ = whole(queries, pool)
    for row, each in enumerate(told):
        ranked = [names[place] for place in order[row]]
        wanted = plain(ranked, each.names, dict.fromkeys(each.names, 1.0))
        assert {name: values[row] for name, values in found.by_query.items()} == pytest.approx(wanted)
    shuffled = rng.permutation(12)
    again = [told[row] for row in shuffled]
    other = score(rank_global(Vectors(queries[shuffled], pool, names), again), again)
    assert other.metrics == pytest.approx(found.metrics)
    assert set(found.metrics) == set(METRICS)
