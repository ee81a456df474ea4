"""The index on object storage: what a reader that stays open sees, and how many requests that takes."""

from __future__ import annotations

import lancedb
import pytest
from index_rows import make_row, random_rows, unit

from ponder.errors import BackendFailed, InputInvalid
from ponder.index import ExactIndex, LanceIndex
from ponder.index.stored import EXACT

QUERY = unit([1, 2, 3, 4, 5, 6, 7, 8])


@pytest.fixture
def requests(s3_log, bucket):
    """From something to do to the requests that it makes, each with its path."""

    def made(work):
        start = s3_log.stat().st_size
        work()
        with s3_log.open() as lines:
            lines.seek(start)
            return [line.split('"')[1] for line in lines if bucket.removeprefix("s3://") in line]

    return made


@pytest.fixture(params=["s3", "file"])
def where(request, tmp_path):
    """An address that is taken for object storage."""
    if request.param == "file":
        return tmp_path.as_uri()
    return f"{request.getfixturevalue('bucket')}/index"


def filled(where, rows, commits=1, *, indexed=False):
    """An index with these rows in so many commits, in place of what was there."""
    lancedb.connect(where).drop_all_tables()
    index = LanceIndex(where, 8, exact_rows=100)
    for start in range(commits):
        index.add(rows[start::commits])
    if indexed:
        index.reindex()
    return index


def answers(index):
    return [(match.id, match.score) for match in index.search(QUERY, 5)]


def of(rows):
    exact = ExactIndex(8)
    exact.add(rows)
    return answers(exact)


def test_an_open_reader_sees_what_another_adds_and_removes(where):
    rows = random_rows(6)
    writer = filled(where, rows[:2])
    reader = LanceIndex(where, 8, create=False)
    for count in range(3, 7):
        writer.add([rows[count - 1]])
        assert answers(reader) == of(rows[:count])
        assert (len(reader), [row.item.id for row in reader.get(["item-0002"])]) == (count, ["item-0002"])
    for count in range(5, 2, -1):
        writer.remove([rows[count].item.id])
        assert answers(reader) == of(rows[:count])
        assert (len(reader), reader.version) == (count, writer.version)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"commits": 4}, {"commits": 1}),
        ({"commits": 1}, {"commits": 4}),
        ({"commits": 2}, {"commits": 2}),
        # Training makes a version for each of the two columns.
        ({"commits": 1, "indexed": True}, {"commits": 3}),
        ({"commits": 3}, {"commits": 1, "indexed": True}),
        ({"commits": 1, "indexed": True}, {"commits": 1, "indexed": True}),
    ],
    ids=["lower", "higher", "as high", "indexed no more", "indexed now", "indexed anew"],
)
def test_an_open_reader_sees_a_table_that_was_made_again_at_its_prefix(where, before, after):
    old, new = random_rows(90, seed=1), random_rows(90, seed=2)
    version = filled(where, old, **before).version
    reader = LanceIndex(where, 8, create=False)
    stamp = reader.stamp
    assert len(dict(answers(reader)).keys() & dict(of(old)).keys()) >= 4
    again = filled(where, new, **after)
    assert (again.version == version) == (before != {"commits": 4} and after != {"commits": 4})
    found = dict(answers(reader))
    assert found.items() <= {m.id: m.score for m in again.search(QUERY, 90, effort=EXACT)}.items()
    assert len(found.keys() & dict(of(new)).keys()) >= 4
    state, true = reader.state(), again.state()
    assert (state.method, state.parts, state.old_versions) == (true.method, true.parts, true.old_versions)
    assert reader.stamp == again.stamp != stamp
    assert reader.sources() == again.sources()
    # A removal writes into the new table, and the reader reads on.
    reader.remove(["item-0003"])
    assert len(again) == len(reader) == 89


def test_a_table_that_is_gone_or_has_other_vectors_is_an_error_until_it_is_back(where):
    reader = filled(where, random_rows(3))
    lancedb.connect(where).drop_all_tables()
    with pytest.raises(BackendFailed, match="rows"):
        answers(reader)
    LanceIndex(where, 4).add([make_row("a", [[1, 0, 0, 0]])])
    for _ in range(2):
        with pytest.raises(InputInvalid, match="4 dimensions"):
            answers(reader)
    filled(where, random_rows(2))
    assert answers(reader) == of(random_rows(2))


@pytest.mark.parametrize("indexed", [False, True])
def test_a_search_of_object_storage_lists_the_versions_once(bucket, requests, indexed):
    writer = filled(f"{bucket}/index", random_rows(90), indexed=indexed)
    reader = LanceIndex(f"{bucket}/index", 8, create=False)
    answers(reader)
    for where in (None, "page = 3"):
        reader.search(QUERY, 5, where)
        made = requests(lambda where=where: reader.search(QUERY, 5, where))
        assert [line for line in made if "_versions" in line] == [
            f"GET /{bucket.removeprefix('s3://')}?list-type=2&prefix=index/rows.lance/_versions/ HTTP/1.1"
        ]
        # What was read of the index is kept, though the table is opened anew.
        assert not [line for line in made if "_indices" in line]
    writer.add(random_rows(91)[90:])
    made = requests(lambda: answers(reader))
    assert sum("list-type=2" in line for line in made) == 1
