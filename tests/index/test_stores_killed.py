"""Killed while stores tidy up, and a database server that dies: what was acknowledged is there, and whole."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from index_rows import make_row, unit

from ponder.index import ExactIndex
from ponder.index.stored import EXACT
from ponder.index.stores import open_store

ROWS = 60

TIDYING = """
    import sys
    sys.path.insert(0, sys.argv[3])
    from pathlib import Path
    from test_stores_killed import rows_of
    from ponder.index.stores import open_store
    index = open_store(sys.argv[1], Path(sys.argv[2]), 8, exact_rows=100)
    for turn in range(10**9):
        index.add(rows_of(turn))
        print(turn, flush=True)
        index.compact()
        index.reindex()
"""


def rows_of(turn):
    return [
        make_row(
            f"{n}", [[1, n % 7, n % 11, part, turn % 5, 0, 0, 1] for part in range(1 + n % 3)], page=turn
        )
        for n in range(ROWS)
    ]


def begun(where, folder):
    """A process that writes and tidies up, and its pipe."""
    command = [sys.executable, "-c", textwrap.dedent(TIDYING), where, str(folder), str(Path(__file__).parent)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def last_of(lines):
    return max(int(line) for line in lines if line.endswith("\n"))


def check_whole(index, least):
    """All rows are those of one turn, the last that was acknowledged or the one after; searches find them."""
    rows = index.get([f"{n}" for n in range(ROWS)])
    turns = {row.item.page for row in rows}
    assert turns in ({least}, {least + 1})
    assert len(rows) == len(index) == ROWS
    exact = ExactIndex(8)
    exact.add(rows_of(turns.pop()))
    assert exact.parts == index.parts
    for seed in range(3):
        query = unit(np.random.default_rng(seed).normal(size=8))
        wanted = [(match.id, match.part_no, match.score) for match in exact.search(query, 10)]
        found = index.search(query, 10, effort=EXACT)
        assert [(match.id, match.part_no, match.score) for match in found] == wanted
        assert {match.id for match in index.search(query, ROWS)} == {f"{n}" for n in range(ROWS)}


@pytest.mark.parametrize("kind", ["s3", "pgvector", "qdrant"])
def test_a_process_killed_while_it_tidies_up_loses_nothing(request, tmp_path, kind):
    name, chance = f"t{uuid.uuid4().hex}", random.Random(5)
    fixture = {"s3": "bucket", "pgvector": "postgres_url", "qdrant": "qdrant_url"}[kind]
    url = request.getfixturevalue(fixture)
    where = {"s3": f"{url}/{name}", "pgvector": f"{url}#{name}", "qdrant": f"qdrant+{url}#{name}"}[kind]
    for _ in range(3):
        with begun(where, tmp_path) as writer:
            first = writer.stdout.readline()
            assert first, "the writer failed"
            time.sleep(chance.uniform(0, 0.5))
            writer.send_signal(signal.SIGKILL)
            last = last_of([first, *writer.stdout])
        with closing(open_store(where, tmp_path, 8, exact_rows=100)) as index:
            check_whole(index, last)
            index.compact()
            check_whole(index, last)
            index.remove([f"{n}" for n in range(ROWS)])


def test_a_postgresql_that_crashes_keeps_what_it_acknowledged(tmp_path):
    from store_servers import as_server_user, postgres_server

    with postgres_server() as url:
        with begun(f"{url}#crashed", tmp_path) as writer:
            first = writer.stdout.readline()
            assert first, "the writer failed"
            time.sleep(0.3)
            as_server_user(url, "stop", "-m", "immediate")
            lines = [first, *writer.stdout]
            assert writer.wait() != 0
        as_server_user(url, "start")
        with closing(open_store(f"{url}#crashed", tmp_path, 8, exact_rows=100)) as index:
            check_whole(index, last_of(lines))
            index.add(rows_of(99))
            index.compact()
            check_whole(index, 99)


def test_what_an_interrupted_reindexing_left_in_postgresql_is_cleared_away(pgvector):
    index = pgvector(8, exact_rows=50)
    index.add(rows_of(0))
    name = f"{index._tables.name}_hnsw_ccnew"
    with index._tables.using("write") as cursor:
        cursor.execute(
            f'CREATE INDEX "{name}" ON "{index._tables.name}_parts" USING hnsw (vector vector_ip_ops)'
        )
    index.reindex()
    with index._tables.using("read") as cursor:
        assert cursor.execute("SELECT to_regclass(%s)", [f'"{name}"']).fetchone() == (None,)
    check_whole(index, 0)
