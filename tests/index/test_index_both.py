"""What every index of ours does, and that they agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from index_rows import make_row, random_rows, unit

from ponder.cli.options import MOST_HITS
from ponder.errors import BadArguments, InputInvalid
from ponder.index import ExactIndex, LanceIndex
from ponder.index.scores import MOST_RESULTS
from ponder.protocols import Index


@pytest.fixture(params=["exact", "lance", "s3", "pgvector", "qdrant", "qdrant-http"])
def index(request, tmp_path):
    if request.param == "exact":
        yield ExactIndex(4)
    elif request.param == "lance":
        yield LanceIndex(tmp_path / "index", 4)
    elif request.param.startswith("qdrant"):
        yield request.getfixturevalue("qdrant")(4, http=request.param == "qdrant-http")
    elif request.param == "pgvector":
        yield request.getfixturevalue("pgvector")(4)
    else:
        yield LanceIndex(f"{request.getfixturevalue('bucket')}/some/where", 4)


def found(index, vector, k=10, where=None):
    return [(match.id, match.part, match.score) for match in index.search(unit(vector), k, where)]


def test_is_an_index(index):
    assert isinstance(index, Index)


def test_an_item_is_found_once_by_its_best_part(index):
    index.add(
        [
            make_row("a", [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0.6, 0.8, 0]]),
            make_row("b", [[0, 0, 1, 0]]),
        ]
    )
    assert found(index, [0, 1, 0, 0]) == [("a", "chars=1-2", 1.0), ("b", "", 0.0)]
    assert found(index, [0, 0, 1, 0]) == [("b", "", 1.0), ("a", "chars=2-3", 0.8)]
    assert len(index) == 2
    assert index.parts == 4


def test_equal_scores_are_ordered_by_id_and_by_part(index):
    index.add([make_row(name, [[1, 0, 0, 0]] * 3) for name in "dbca"])
    assert found(index, [1, 0, 0, 0], k=3) == [("a", "", 1.0), ("b", "", 1.0), ("c", "", 1.0)]


def test_the_ids_of_a_long_tie_are_the_first_ones(index):
    # Far more equal parts than any first fetch would hold.
    index.add([make_row(f"{n:03}", [[1, 0, 0, 0]] * 2) for n in reversed(range(150))])
    assert [name for name, _, _ in found(index, [1, 0, 0, 0], k=3)] == ["000", "001", "002"]


def test_many_parts_of_one_item_do_not_crowd_out_the_others(index):
    index.add([make_row("many", [[1, 0, 0, 0]] * 300), make_row("one", [[0, 1, 0, 0]])])
    assert [name for name, _, _ in found(index, [1, 0, 0, 0], k=2)] == ["many", "one"]


def test_rows_come_back_whole_and_in_the_order_asked_for(index):
    rows = [
        make_row("a", [[1, 0, 0, 0], [0, 1, 0, 0]], text='it\'s "here"', metadata={"n": 1.0, "tags": ["x"]}),
        make_row("it's", [[0, 0, 1, 0]], kind="page", page=3, path=None),
    ]
    index.add(rows)
    back = index.get(["it's", "nowhere", "a"])
    assert [row.item.id for row in back] == ["it's", "a"]
    for row, original in zip(back, reversed(rows), strict=True):
        assert row.item == original.item
        assert row.reasoning == original.reasoning
        assert row.digest == original.digest
        assert dict(row.source) == original.source
        assert row.embedded.labels == original.embedded.labels
        np.testing.assert_array_equal(row.embedded.vectors, original.embedded.vectors)


def test_adding_an_id_again_replaces_the_item_with_all_its_parts(index):
    index.add([make_row("a", [[1, 0, 0, 0]] * 5), make_row("b", [[0, 1, 0, 0]])])
    index.add([make_row("a", [[0, 0, 1, 0]] * 2), make_row("c", [[0, 0, 0, 1]])])
    assert len(index) == 3
    assert index.parts == 4
    assert found(index, [1, 0, 0, 0], k=1)[0][2] == 0.0
    assert index.get(["b"])[0].item.id == "b"


def test_the_last_row_of_an_id_wins_within_one_call(index):
    index.add([make_row("a", [[1, 0, 0, 0]] * 3), make_row("a", [[0, 1, 0, 0]])])
    assert (len(index), index.parts) == (1, 1)
    assert found(index, [0, 1, 0, 0]) == [("a", "", 1.0)]


def test_remove_counts_what_was_there(index):
    index.add([make_row("a", [[1, 0, 0, 0]] * 2), make_row("b", [[0, 1, 0, 0]])])
    assert index.remove(["a", "a", "nowhere"]) == 1
    assert index.remove(["a"]) == 0
    assert (len(index), index.parts) == (1, 1)
    assert [name for name, _, _ in found(index, [1, 0, 0, 0])] == ["b"]


def test_filters_keep_items(index):
    index.add(
        [
            make_row("a", [[1, 0, 0, 0]] * 2, kind="page", page=2, metadata={"author": "Ann"}),
            make_row("b", [[0, 1, 0, 0]], kind="page", page=12, uri="/x/2024/b.pdf#page=12"),
            make_row("c", [[0, 0, 1, 0]], kind="image", metadata={"author": "Bob", "year": 2024}),
        ]
    )
    for where, expected in {
        "kind = 'page'": {"a", "b"},
        "kind = 'page' AND page < 10": {"a"},
        "page IS NULL": {"c"},
        "uri LIKE '%/2024/%'": {"b"},
        "id IN ('a', 'c')": {"a", "c"},
        "json_get_string(metadata, 'author') = 'Ann'": {"a"},
        "json_get_int(metadata, 'year') > 2000": {"c"},
        "kind = 'page' OR kind = 'image'": {"a", "b", "c"},
        "kind = 'nothing'": set(),
    }.items():
        assert {name for name, _, _ in found(index, [1, 1, 1, 1], where=where)} == expected, where
    assert index.counts() == {"image": 1, "page": 2}


@pytest.mark.parametrize(
    "where",
    [
        *("", "page >", "nothing = 3", "part_no = 0", "1 = 1; kind = 'x'", "kind = 'a') OR (1 = 1", "a -- b"),
        *("1/0 = 1", "CAST(id AS INT) > 3"),  # only a row shows that these do not work
    ],
)
def test_an_invalid_filter_says_what_to_write(index, where):
    index.add([make_row("a", [[1, 0, 0, 0]])])
    with pytest.raises(InputInvalid, match="json_get_string"):
        index.search(unit([1, 0, 0, 0]), 5, where)


def test_vectors_that_do_not_fit_change_nothing(index):
    index.add([make_row("a", [[1, 0, 0, 0]])])
    with pytest.raises(InputInvalid, match="4 dimensions"):
        index.add([make_row("b", [[1, 0, 0, 0]]), make_row("c", [[1, 0, 0]])])
    with pytest.raises(InputInvalid, match="4 dimensions"):
        index.search(unit([1, 0, 0]), 5)
    with pytest.raises(InputInvalid, match="not finite"):
        index.search(np.array([np.nan, 0, 0, 0], np.float32), 5)
    with pytest.raises(BadArguments):
        index.search(unit([1, 0, 0, 0]), -1)
    assert len(index) == 1


def test_more_than_there_are_gives_all_and_a_number_beyond_counting_is_refused(index):
    index.add([make_row("a", [[1, 0, 0, 0]] * 2), make_row("b", [[0, 1, 0, 0]])])
    assert found(index, [1, 0, 0, 0], k=MOST_RESULTS) == [("a", "", 1.0), ("b", "", 0.0)]
    assert MOST_HITS == MOST_RESULTS
    for k in (MOST_RESULTS + 1, 10**12, 10**30):
        with pytest.raises(BadArguments, match="results above 100,000,000"):
            index.search(unit([1, 0, 0, 0]), k)


def test_an_empty_index(index):
    assert found(index, [1, 0, 0, 0]) == []
    assert index.get(["a"]) == []
    assert index.remove(["a"]) == 0
    index.add([])
    assert (len(index), index.parts, index.counts()) == (0, 0, {})


_NUMBERS = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])
_VECTORS = st.lists(_NUMBERS, min_size=4, max_size=4).filter(any)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.lists(_VECTORS, min_size=1, max_size=4)), min_size=1, max_size=12
    ),
    _VECTORS,
    st.integers(1, 10),
    st.booleans(),
)
def test_lance_agrees_with_the_oracle_on_random_rows(tmp_path_factory, rows, query, k, filtered):
    # Few distinct values and ids: ties and replacements happen all the time.
    exact, lance = ExactIndex(4), LanceIndex(tmp_path_factory.mktemp("lance") / "index", 4)
    for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
        batch = [make_row(str(name), vectors, page=name) for name, vectors in half]
        exact.add(batch)
        lance.add(batch)
    where = "page >= 4" if filtered else None
    assert found(lance, query, k, where) == found(exact, query, k, where)
    assert (len(lance), lance.parts) == (len(exact), exact.parts)


def test_lance_agrees_with_the_oracle_on_many_rows_to_the_last_bit(tmp_path):
    exact, lance = ExactIndex(32), LanceIndex(tmp_path / "index", 32)
    rows = random_rows(400, dim=32)
    exact.add(rows)
    lance.add(rows)
    for seed in range(20):
        query = np.random.default_rng(1000 + seed).normal(size=32).tolist()
        assert found(lance, query, 50) == found(exact, query, 50)
