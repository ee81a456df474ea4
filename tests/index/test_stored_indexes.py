"""What outlives a process, in every store: agreement with the oracle, kills, readers beside writers."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from index_rows import make_row, random_rows, unit

from ponder.errors import BackendFailed, InputInvalid
from ponder.index import ExactIndex
from ponder.index.codecs import Undecodable
from ponder.index.stored import EXACT, StoredIndex
from ponder.index.stores import open_store

REMOTE = ["s3", "pgvector", "qdrant"]
ALL = ["lance", *REMOTE]


@pytest.fixture
def address(request):
    """From the name of a store to an address in it that nobody has used."""

    def give(kind):
        name = f"t{uuid.uuid4().hex}"
        if kind == "s3":
            return f"{request.getfixturevalue('bucket')}/{name}"
        if kind == "pgvector":
            return f"{request.getfixturevalue('postgres_url')}#{name}"
        if kind == "qdrant":
            return f"qdrant+{request.getfixturevalue('qdrant_url')}#{name}"
        return "lance"

    return give


@pytest.fixture
def opened(address, tmp_path):
    """Opens indexes of a kind, and closes them."""
    made = []

    def give(kind, dim=8, at=None, **options):
        where = at or address(kind)
        made.append(open_store(where, tmp_path / "index", dim, **options))
        return made[-1]

    yield give
    for index in made:
        index.close()


def found(index, vector, k=10, where=None, **options):
    return [(match.id, match.part, match.score) for match in index.search(unit(vector), k, where, **options)]


_NUMBERS = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])
_VECTORS = st.lists(_NUMBERS, min_size=4, max_size=4).filter(any)
_FILTERS = st.sampled_from(
    [
        None,
        "page >= 4",
        "page BETWEEN 2 AND 5 AND kind = 'page'",
        "uri LIKE '%_b\\%%' OR page IS NULL",
        "NOT (kind = 'image')",
        "page <> 3",
        "json_get_int(metadata, 'year') > 2000",
        "lower(text) = 'it''s' AND id IN ('1', '2', '3')",
        "page % 2 = 0",
    ]
)
_ITEMS = st.tuples(
    st.integers(0, 8),
    st.lists(_VECTORS, min_size=1, max_size=4),
    st.sampled_from(["page", "image"]),
    st.none() | st.integers(0, 8),
    st.sampled_from(["", "It's", "a_b%", "\x00 zero", "ü"]),
    st.sampled_from([{}, {"year": 1999}, {"year": 2024}, {"year": "2024"}]),
)


@pytest.mark.parametrize("kind", REMOTE)
@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    items=st.lists(_ITEMS, min_size=1, max_size=10),
    gone=st.sets(st.integers(0, 8), max_size=3),
    query=_VECTORS,
    k=st.integers(1, 10),
    where=_FILTERS,
)
def test_random_rows_and_filters_give_what_the_oracle_gives(opened, kind, items, gone, query, k, where):
    exact, stored = ExactIndex(4), opened(kind, 4)
    for half in (items[: len(items) // 2], items[len(items) // 2 :]):
        batch = [
            make_row(
                str(name), vectors, kind=what, page=page, text=text, uri=f"/{text}/{name}", metadata=metadata
            )
            for name, vectors, what, page, text, metadata in half
        ]
        exact.add(batch)
        stored.add(batch)
        assert found(stored, query, k, where) == found(exact, query, k, where)
    names = [str(name) for name in gone]
    assert stored.remove(names) == exact.remove(names)
    assert found(stored, query, k, where) == found(exact, query, k, where)
    assert (len(stored), stored.parts, stored.counts()) == (len(exact), exact.parts, exact.counts())


@pytest.mark.parametrize("kind", ALL)
def test_many_rows_are_scored_to_the_last_bit_and_come_back_whole(opened, kind):
    exact, stored = ExactIndex(32), opened(kind, 32)
    rows = random_rows(200, dim=32)
    exact.add(rows)
    stored.add(rows)
    for seed in range(5):
        query = np.random.default_rng(1000 + seed).normal(size=32).tolist()
        assert found(stored, query, 30) == found(exact, query, 30)
    for row, back in zip(rows, stored.get([row.item.id for row in rows]), strict=True):
        np.testing.assert_array_equal(back.embedded.vectors, row.embedded.vectors)


@pytest.mark.parametrize("kind", ALL)
def test_what_was_added_is_there_for_the_next_to_open_it(opened, address, kind):
    where = address(kind)
    index = opened(kind, 4, at=where)
    assert isinstance(index, StoredIndex)
    index.add([make_row("a", [[1, 0, 0, 0]] * 2)])
    index.close()
    again = opened(kind, 4, at=where)
    assert (len(again), again.parts, [s.id for s in again.sources()]) == (1, 2, ["a"])
    with pytest.raises(InputInvalid, match="4 dimensions"):
        opened(kind, 5, at=where)


@pytest.mark.parametrize("kind", ALL)
def test_the_stamp_changes_with_every_change_and_with_no_reading(opened, address, kind):
    where = address(kind)
    index, other = opened(kind, 4, at=where), opened(kind, 4, at=where)
    stamps = [index.stamp]

    def changed():
        stamps.append(index.stamp)
        assert other.stamp == stamps[-1]

    index.add([make_row("a", [[1, 0, 0, 0]]), make_row("b", [[1, 0, 0, 0]])])
    changed()
    other.add([make_row("a", [[0, 1, 0, 0]])])
    changed()
    index.remove(["a"])
    changed()
    index.add([make_row("a", [[0, 1, 0, 0]])])
    changed()
    assert index.remove_where("id = 'b'") == 1
    changed()
    assert len(set(stamps)) == len(stamps)
    index.search(unit([1, 0, 0, 0]), 3, "kind = 'text'")
    index.get(["a"])
    assert index.remove(["nobody"]) == 0
    assert index.stamp == stamps[-1]


@pytest.mark.parametrize("kind", ALL)
def test_a_filter_sees_what_another_process_has_changed(opened, address, kind):
    where = address(kind)
    reader, writer = opened(kind, 4, at=where), opened(kind, 4, at=where)
    for number in range(3):
        writer.add([make_row(f"{number}", [[1, number, 0, 0]], page=number)])
        assert len(found(reader, [1, 0, 0, 0], 10, "page >= 0")) == number + 1
    writer.add([make_row("0", [[1, 0, 0, 0]], page=9)])
    assert [name for name, *_ in found(reader, [1, 0, 0, 0], 10, "page = 9")] == ["0"]
    writer.remove(["0"])
    assert found(reader, [1, 0, 0, 0], 10, "page = 9") == []


@pytest.mark.parametrize("kind", ["s3", "pgvector"])
def test_readers_see_batches_whole_while_two_write(opened, address, kind):
    where = address(kind)
    opened(kind, 4, at=where)
    refused, torn, acknowledged = [], [], {}
    done = threading.Event()

    def write(name, index):
        for turn in range(12):
            rows = [make_row(f"{name}{n}", [[1, n, turn, 1]] * (1 + turn % 3), page=turn) for n in range(4)]
            try:
                index.add(rows)
                acknowledged[name] = turn
            except BackendFailed as error:
                refused.append(str(error))

    def read(index):
        while not done.is_set():
            for name in "xy":
                rows = index.get([f"{name}{n}" for n in range(4)])
                turns = {(row.item.page, len(row.embedded.labels)) for row in rows}
                if rows and (len(rows) != 4 or len(turns) != 1):
                    torn.append(turns)

    writers = [threading.Thread(target=write, args=(name, opened(kind, 4, at=where))) for name in "xy"]
    reader = threading.Thread(target=read, args=(opened(kind, 4, at=where),))
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert not torn
    # PostgreSQL has the writers wait for each other; on object storage one may be refused, and told so.
    assert kind == "s3" or not refused
    index = opened(kind, 4, at=where)
    for name, turn in acknowledged.items():
        assert {row.item.page for row in index.get([f"{name}{n}" for n in range(4)])} == {turn}


WRITER = """
    import sys
    sys.path.insert(0, sys.argv[3])
    from pathlib import Path
    from index_rows import make_row
    from ponder.index.stores import open_store
    index = open_store(sys.argv[1], Path(sys.argv[2]), 8)
    for turn in range(10**9):
        for batch in range(3):
            index.add([
                make_row(
                    f"{batch}-{n}",
                    [[1, n, turn, part, 0, 0, 0, 1] for part in range(1 + (n + turn) % 4)],
                    page=turn,
                )
                for n in range(5)
            ])
            print(turn, batch, flush=True)
"""


@pytest.mark.parametrize("kind", REMOTE)
def test_a_writer_killed_on_the_way_leaves_whole_batches(opened, address, tmp_path, kind):
    where, chance = address(kind), random.Random(3)
    for _ in range(3):
        command = [sys.executable, "-c", textwrap.dedent(WRITER), where, str(tmp_path / "index")]
        with subprocess.Popen(
            [*command, str(Path(__file__).parent)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            first = writer.stdout.readline()
            assert first, "the writer failed"
            time.sleep(chance.uniform(0, 0.3))
            writer.send_signal(signal.SIGKILL)
            lines = [first, *writer.stdout]
        last = {}
        for line in lines:
            if line.endswith("\n"):
                turn, batch = map(int, line.split())
                last[batch] = turn
        # A server may still be at work on what it was sent last.
        index = opened(kind, at=where)
        rows = [each for batch in range(3) for each in index.get([f"{batch}-{n}" for n in range(5)])]
        assert len(rows) == len(index)
        assert sum(len(row.embedded.labels) for row in rows) == index.parts
        for row in rows:
            n, turn = int(row.item.id[-1]), row.item.page
            vectors = [unit([1, n, turn, part, 0, 0, 0, 1]) for part in range(1 + (n + turn) % 4)]
            np.testing.assert_array_equal(row.embedded.vectors, np.stack(vectors))
        for batch in range(3):
            turns = {row.item.page for row in rows if row.item.id.startswith(f"{batch}-")}
            assert len(turns) <= 1, "a batch is there in part"
            # The next turn may have been stored and not acknowledged.
            assert batch not in last or turns in ({last[batch]}, {last[batch] + 1})
        index.remove_where("page >= 0")
        assert (len(index), index.parts) == (0, 0)


@pytest.mark.parametrize("kind", ["lance", "pgvector"])
def test_past_the_exact_rows_there_is_an_index_and_results_stay_near(opened, kind):
    index, exact = opened(kind, exact_rows=600), ExactIndex(8)
    rows = random_rows(400)
    assert index.state().method == "exact"
    index.add(rows[:300])
    index.compact()
    index.add(rows[300:])
    index.compact()
    exact.add(rows)
    state = index.state()
    assert state.method in ("IVF_SQ", "HNSW")
    assert (state.parts, state.untidy) == (exact.parts, False)
    for seed in range(10):
        query = unit(np.random.default_rng(seed).normal(size=8))
        best = found(exact, query, 20)
        assert found(index, query, 20, effort=EXACT) == best
        assert len({id_ for id_, *_ in found(index, query, 20)} & {id_ for id_, *_ in best}) >= 18
        assert found(index, query, 500, "page = 3") == found(exact, query, 500, "page = 3")
    assert len(index.search(query, 1000)) == 400
    index.reindex()
    assert len(index.search(query, 20)) == 20


def test_a_postgresql_that_was_restarted_is_found_again(opened, address):
    index = opened("pgvector", 4, at=address("pgvector"))
    index.add([make_row("a", [[1, 0, 0, 0]])])
    with index._tables.using("read") as cursor:
        own = cursor.execute("SELECT pg_backend_pid()").fetchone()[0]
    with closing(opened("pgvector", 4)) as other, other._tables.using("read") as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [own])
    with pytest.raises(BackendFailed, match="nothing stored before is lost"):
        len(index)
    assert len(index) == 1


@pytest.mark.parametrize(
    "where",
    [
        "postgresql://nobody@127.0.0.1:9/nothing?connect_timeout=2#x",
        "qdrant+http://127.0.0.1:9#x",
    ],
)
def test_a_server_that_is_not_there(where, tmp_path):
    with pytest.raises(BackendFailed, match="check the server"):
        open_store(where, tmp_path, 4)


def test_object_storage_that_is_not_there(bucket, tmp_path):
    with pytest.raises(BackendFailed, match="AWS_"):
        open_store(bucket + "-nobody-made/x", tmp_path, 4)


@pytest.mark.parametrize("http", [False, True])
def test_a_filter_sees_each_batch_of_an_add_to_qdrant(qdrant, monkeypatch, http):
    from ponder.index import qdrant as module

    writer = qdrant(4, http=http)
    reader = module.QdrantIndex(writer._client, writer.name, 4)
    writer.add([make_row(name, [[1, 0, 0, 0]], page=1) for name in "abc"])
    seen, upsert = [], writer._client.upsert

    def watched(*args, **options):
        done = upsert(*args, **options)
        seen.append([match.id for match in reader.search(unit([1, 0, 0, 0]), 5, "page = 2")])
        return done

    monkeypatch.setattr(module, "_BYTES_AT_ONCE", 10)
    monkeypatch.setattr(writer._client, "upsert", watched)
    writer.add([make_row(name, [[1, 0, 0, 0]], page=2) for name in "abc"])
    assert seen == [["a"], ["a", "b"], ["a", "b", "c"]]
    writer.remove(["b"])
    assert [match.id for match in reader.search(unit([1, 0, 0, 0]), 5, "page = 2")] == ["a", "c"]


def damaged(index, source):
    """Put something else where the bookkeeping of the item "a" should be."""
    from ponder.index.mirror import item_key
    from ponder.index.pgvector import PgvectorIndex

    if isinstance(index, PgvectorIndex):
        with index._tables.using("write") as cursor:
            cursor.execute(index._tables.sql("UPDATE {items} SET source = %s WHERE id = 'a'"), [source])
    else:
        row = index._client.retrieve(index.name, [str(item_key("a"))], with_vectors=True)[0]
        payload = {key: value for key, value in row.payload.items() if key not in ("source", "labels")}
        if source:
            payload["source"] = source
        point = {"id": row.id, "vector": row.vector, "payload": payload}
        index._client.delete(index.name, [row.id])
        from qdrant_client.models import PointStruct

        index._client.upsert(index.name, [PointStruct(**point)])


@pytest.mark.parametrize("kind", ["pgvector", "qdrant"])
@pytest.mark.parametrize("source", ["", "{", "[1]", "3", '{"$bytes": 3}'])
def test_damaged_bookkeeping_is_a_damaged_item(request, kind, source):
    index = request.getfixturevalue(kind)(4)
    index.add([make_row(name, [[1, 0, 0, 0]]) for name in "ab"])
    damaged(index, source)
    with pytest.raises(BackendFailed, match="a stored item is damaged"):
        index.get(["a", "b"])
    for asked in (index.sources, lambda: index.unsummed(["a"])):
        with pytest.raises(Undecodable):
            asked()
    assert [row.item.id for row in index.get(["b"])] == ["b"]
    assert index.remove(["a"]) == 1
    assert [source.id for source in index.sources()] == ["b"]


def test_an_item_of_postgresql_without_its_vectors_is_damaged(pgvector):
    index = pgvector(4)
    index.add([make_row("a", [[1, 0, 0, 0]])])
    with index._tables.using("write") as cursor:
        cursor.execute(index._tables.sql("DELETE FROM {parts}"))
    with pytest.raises(BackendFailed, match="a stored item is damaged"):
        index.get(["a"])
