"""The index on disk: versions, kills, readers, compaction, a full disk."""

from __future__ import annotations

import dataclasses
import resource
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import timedelta
from math import isqrt
from pathlib import Path

import numpy as np
import pytest
from index_rows import make_row, random_rows, unit

from ponder.errors import BackendFailed, InputInvalid, InputNotFound
from ponder.index import ExactIndex, LanceIndex
from ponder.index.rows import to_table
from ponder.records import Embedded


def test_a_replacement_is_one_version(tmp_path):
    index = LanceIndex(tmp_path, 4)
    index.add([make_row("a", [[1, 0, 0, 0]] * 5), make_row("b", [[1, 0, 0, 0]])])
    before = index.version
    # Fewer parts, more parts and a new item: updates, deletions and insertions at once.
    index.add(
        [make_row("a", [[0, 1, 0, 0]] * 2), make_row("b", [[0, 1, 0, 0]] * 3), make_row("c", [[1, 0, 0, 0]])]
    )
    assert index.version == before + 1
    assert index.remove(["a", "c"]) == 2
    assert index.version == before + 2


def test_a_row_that_cannot_be_stored_changes_nothing(tmp_path):
    index = LanceIndex(tmp_path, 4)
    index.add([make_row("a", [[1, 0, 0, 0]])])
    for bad in (make_row("b", [[1, 0, 0, 0]], metadata={"x": object()}), make_row("\udcff", [[1, 0, 0, 0]])):
        with pytest.raises(InputInvalid, match="cannot be stored") as failure:
            index.add([make_row("a", [[0, 1, 0, 0]]), bad, make_row("c", [[0, 1, 0, 0]] * 2)])
        assert failure.value.where == ascii(bad.item.id)
    assert [(m.id, m.score) for m in index.search(unit([1, 0, 0, 0]), 5)] == [("a", 1.0)]


def test_what_was_added_is_there_after_opening_again(tmp_path):
    LanceIndex(tmp_path, 4).add([make_row("a", [[1, 0, 0, 0]] * 2)])
    again = LanceIndex(tmp_path, 4, create=False)
    assert (len(again), again.parts) == (1, 2)
    with pytest.raises(InputInvalid, match="4 dimensions"):
        LanceIndex(tmp_path, 5)


def test_no_index_to_open(tmp_path):
    with pytest.raises(InputNotFound):
        LanceIndex(tmp_path / "nothing", 4, create=False)


def test_a_reader_sees_each_change_and_outlives_a_compaction(tmp_path):
    writer = LanceIndex(tmp_path, 4)
    reader = LanceIndex(tmp_path, 4, create=False)
    for number in range(5):
        writer.add([make_row(f"{number}", [[1, number, 0, 0]])])
        assert len(reader) == number + 1
    writer.compact()
    assert len(reader.search(unit([1, 0, 0, 0]), 10)) == 5


def test_remove_by_filter(tmp_path):
    index = LanceIndex(tmp_path, 8)
    index.add(random_rows(21))
    assert index.remove_where("page = 1 OR page = 2") == 6
    assert index.remove_where("page = 1") == 0
    assert len(index) == 15
    with pytest.raises(InputInvalid):
        index.remove_where("nothing = 1")
    assert len(index) == 15


def test_sources_are_listed_without_the_rest(tmp_path):
    index = LanceIndex(tmp_path, 8)
    rows = random_rows(5)
    index.add(rows)
    assert {s.id: (s.digest, s.source) for s in index.sources()} == {
        row.item.id: (row.digest, row.source) for row in rows
    }


def files_in(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def test_commits_are_compacted_on_the_way(tmp_path):
    index = LanceIndex(tmp_path, 8, compact_every=10, keep_versions=timedelta(milliseconds=1))
    rows = random_rows(40)
    for row in rows:
        index.add([row])
    # Without cleaning up, 40 commits leave 120 files: data, a transaction and a manifest each.
    assert files_in(tmp_path) < 60
    assert len(index) == 40
    exact = ExactIndex()
    exact.add(rows)
    query = unit(np.arange(1, 9))
    found = [(m.id, m.score) for m in index.search(query, 40)]
    assert found == [(m.id, m.score) for m in exact.search(query, 40)]


def test_past_the_exact_rows_the_search_goes_through_an_index_and_stays_complete(tmp_path):
    index = LanceIndex(tmp_path, 8, exact_rows=300)
    exact = ExactIndex(8)
    rows = random_rows(400)
    index.add(rows[:300])
    index.compact()
    index.add(rows[300:])
    exact.add(rows)
    for seed in range(10):
        query = unit(np.random.default_rng(seed).normal(size=8))
        ours, best = index.search(query, 20), exact.search(query, 20)
        assert len({m.id for m in ours} & {m.id for m in best}) >= 18
        true = {m.id: m.score for m in exact.search(query, 400)}
        assert all(true[m.id] == m.score for m in ours[:10])
        filtered = index.search(query, 500, "page = 3")
        assert filtered == [] or len(filtered) == len(exact.search(query, 500, "page = 3"))
    assert len(index.search(query, 1000)) == 400


def test_partitions_hold_the_root_of_the_vectors_however_many_come(tmp_path):
    index = LanceIndex(tmp_path, 8, exact_rows=100)
    rows = random_rows(1000)
    index.add(rows[:100])
    index.compact()
    before = held(index)
    assert before == isqrt(index.parts)
    index.add(rows[100:200])
    index.compact()
    assert held(index) == before
    index.add(rows[200:])
    assert index.state().untidy
    for _ in range(3):
        index.compact()
        # Lance's own upkeep once merged them all into a few, which a search then read whole.
        assert partitions(tmp_path) >= isqrt(index.parts) // 2
    assert held(index) == isqrt(index.parts) > 2 * before
    assert not index.state().untidy
    assert index.state().unindexed == 0
    assert len(index.search(unit(np.arange(1, 9)), 1000, effort=100)) == 1000


def test_an_index_of_an_earlier_release_is_searched_and_divided_anew(tmp_path):
    import lancedb

    LanceIndex(tmp_path, 8, exact_rows=10_000).add(random_rows(400))
    config = lancedb.index.IvfSq(distance_type="dot")
    lancedb.connect(tmp_path).open_table("rows").create_index("vector", config=config)
    index = LanceIndex(tmp_path, 8, exact_rows=300)
    assert index.state().method == "IVF_SQ"
    assert len(index.search(unit(np.arange(1, 9)), 30)) == 30
    index.compact()
    assert held(index) == isqrt(index.parts)


def held(index: LanceIndex) -> int:
    [found] = [each for each in index._rows.newest().list_indices() if "vector" in each.columns]
    return found.index_details["target_partition_size"]


def partitions(folder: Path) -> int:
    """Of the newest vector index, by the centres that its file holds."""
    files = (folder / "rows.lance" / "_indices").rglob("index.idx")
    newest = max(files, key=lambda path: path.stat().st_mtime_ns)
    return (newest.stat().st_size - 500) // (4 * 8)


def limit_file_size() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))


def test_a_full_disk_is_reported_and_loses_nothing(tmp_path):
    LanceIndex(tmp_path, 64).add(random_rows(5, dim=64))
    # A file size limit makes writes fail as a full disk does, without root's help.
    script = """
        import signal, sys
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        sys.path.insert(0, sys.argv[2])
        from index_rows import random_rows
        from ponder.errors import BackendFailed
        from ponder.index import LanceIndex
        index = LanceIndex(sys.argv[1], 64)
        try:
            index.add(random_rows(3000, dim=64, seed=1))
        except BackendFailed as error:
            print("refused:", error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        preexec_fn=limit_file_size,
        check=False,
    )
    assert "refused:" in done.stdout, done.stderr
    assert "free space" in done.stdout
    index = LanceIndex(tmp_path, 64)
    assert len(index) == 5
    index.add(random_rows(50, dim=64))
    assert len(index) == 50


def test_a_damaged_table_is_a_failed_back_end(tmp_path):
    index = LanceIndex(tmp_path, 4)
    index.add([make_row("a", [[1, 0, 0, 0]])])
    for data in (tmp_path / "rows.lance" / "data").iterdir():
        data.write_bytes(b"nothing")
    with pytest.raises(BackendFailed):
        LanceIndex(tmp_path, 4).search(unit([1, 0, 0, 0]), 1)


def test_a_long_text_of_many_parts_that_is_stored_alone_comes_back(tmp_path):
    """Lance repeats the one value of a column of nulls: 3 MB for 800 parts would be 2.4 GB."""
    row = make_row("novel", [[1, number, 0, 0] for number in range(800)])
    row = replace(row, reasoning=replace(row.reasoning, text="word " * 600_000))
    LanceIndex(tmp_path, 4).add([row])
    [found] = LanceIndex(tmp_path, 4).get(["novel"])
    assert found.reasoning == row.reasoning
    assert len(found.embedded.labels) == 800


def test_labels_and_vectors_that_do_not_match_are_refused_though_their_sums_do():
    one, two = make_row("a", [[1, 0, 0, 0]]), make_row("b", [[1, 0, 0, 0]] * 2)
    rows = [
        dataclasses.replace(one, embedded=Embedded(("x", "y"), one.embedded.vectors)),
        dataclasses.replace(two, embedded=Embedded(("x",), two.embedded.vectors)),
    ]
    with pytest.raises(InputInvalid, match="2 labels, 1 vectors"):
        to_table(rows, 4)
