"""What a worker gives back is believed only as far as it can be checked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponder.errors import BackendFailed
from ponder.index import Cache
from ponder.records import Embedded, Item, Row, Skipped, Usage
from ponder.shelf.ingest import Ingest, MediaOpener
from ponder.shelf.refused import Blamed
from ponder.shelf.vetting import LENGTH_OFF
from ponder.spread.checking import check, stamp
from ponder.spread.spool import Refused, Result, Spool
from ponder.testing import FakeModels

ITEMS = [Item("a", "text", text="a red kite"), Item("b", "text", text="a blue whale")]
DIM = FakeModels().embedder.dim


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    with Cache(tmp_path_factory.mktemp("cache") / "cache.sqlite") as cache:
        return {row.item.id: row for row in Ingest(FakeModels(), cache).rows(ITEMS) if isinstance(row, Row)}


def result(rows, skipped=(), seen=()):
    return Result(rows, dict(skipped), Usage(3, 4, 5), 1.5, "somewhere:1", seen=dict(seen))


def test_what_is_right_is_accepted(rows):
    check(result(rows), ITEMS, DIM, MediaOpener(), {})
    # A given text is what it was.
    check(result({"a": rows["a"]}, {"b": Skipped("b", "broken")}), ITEMS, DIM, MediaOpener(), {})


def embedded(row, vectors):
    return replace(row, embedded=Embedded(row.embedded.labels, vectors.astype(np.float32)))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda rows: {"a": rows["a"]}, "1 rows for 2 items"),
        (lambda rows: {"a": rows["a"], "c": rows["b"]}, "other items"),
        (lambda rows: {"a": rows["b"], "b": rows["a"]}, "another content"),
        (lambda rows: rows | {"a": replace(rows["a"], digest="0" * 64)}, "another content"),
        (lambda rows: rows | {"a": embedded(rows["a"], rows["a"].embedded.vectors * 0)}, "length 1"),
        (lambda rows: rows | {"a": embedded(rows["a"], rows["a"].embedded.vectors * np.nan)}, "length 1"),
        (lambda rows: rows | {"a": embedded(rows["a"], rows["a"].embedded.vectors[:, :8])}, "shape"),
        (lambda rows: rows | {"a": embedded(rows["a"], rows["a"].embedded.vectors[:0])}, "shape"),
    ],
)
def test_garbage_is_refused(rows, spoil, why):
    with pytest.raises(Refused, match=why):
        check(result(spoil(rows)), ITEMS, DIM, MediaOpener(), {})


def test_lengths_are_as_exact_as_where_rows_are_made(rows):
    def stretched(by):
        return result(rows | {"a": embedded(rows["a"], rows["a"].embedded.vectors * by)})

    check(stretched(1 + LENGTH_OFF * 0.9), ITEMS, DIM, MediaOpener(), {})
    with pytest.raises(Refused, match="length 1"):
        check(stretched(1 + LENGTH_OFF * 1.1), ITEMS, DIM, MediaOpener(), {})


@pytest.fixture
def broken(tmp_path):
    """A file that is no picture, and its item."""
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    return path, Item("p", "image", uri=str(path), path=str(path))


def refused(item, seen, given=()):
    """Why an item that was left out is not believed to be unusable; "" if it is."""
    skip = {item.id: Blamed(item.uri, "not a picture")}
    try:
        check(result({}, skip, {item.id: seen}), [item], DIM, MediaOpener(), dict(given))
    except Refused as error:
        return str(error)
    return ""


def test_a_file_that_was_mended_is_not_left_out(broken):
    path, item = broken
    seen, before = MediaOpener().digest(item), stamp(item)
    assert refused(item, seen) == ""
    path.write_bytes(path.read_bytes() + b"mended")
    assert "for what it holds no more" in refused(item, seen)
    # While the shard is in work it may change: the scan is of earlier, so that the next run looks again.
    assert refused(item, seen, {"p": before}) == ""
    assert "holds no more" in refused(item, seen, {"p": stamp(item)})
    path.unlink()
    assert refused(item, seen) == ""


def test_what_a_worker_alone_cannot_see_is_not_left_out(broken):
    path, item = broken
    assert "though it can be read here (not a picture)" in refused(item, "")
    path.unlink()
    assert refused(item, "") == ""


def test_a_file_that_nobody_could_read_is_not_read_here(broken):
    path, item = broken

    class Unread(MediaOpener):
        def digest(self, item):
            raise AssertionError("read")

    skip = {"p": Blamed(item.uri, "ended every worker that took it")}
    check(result({}, skip, {"p": stamp(item)}), [item], DIM, Unread(), {})
    mended = stamp(item)
    path.write_bytes(b"mended")
    assert "holds no more" in refused(item, mended)


def test_a_file_that_changes_meanwhile_is_taken_as_it_was_seen(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("one line\n")
    item = Item("log", "text", uri=str(path), path=str(path))
    given = {"log": stamp(item)}
    with Cache(tmp_path / "cache.sqlite") as cache:
        [row] = Ingest(FakeModels(), cache).rows([item])
    path.write_text("one line\nanother line\n")
    check(result({"log": row}), [item], DIM, MediaOpener(), given)
    for earlier in ({}, {"log": stamp(item)}):
        with pytest.raises(Refused, match="another content"):
            check(result({"log": row}), [item], DIM, MediaOpener(), earlier)


def test_a_shard_comes_back_from_its_file_as_it_was(rows, tmp_path):
    spool = Spool(tmp_path)
    skips = {"b": Blamed("b", "broken"), "c": Skipped("c", "gone")}
    written = result({"a": rows["a"]}, skips, {"b": "digest", "c": ""})
    spool.put("key", written, DIM)
    read = spool.get("key")
    assert read.skipped == written.skipped
    assert [type(each) for each in read.skipped.values()] == [Blamed, Skipped]
    assert read.seen == written.seen
    assert (read.usage, read.seconds, read.worker) == (written.usage, written.seconds, written.worker)
    assert read.rows["a"].reasoning == rows["a"].reasoning
    np.testing.assert_array_equal(read.rows["a"].embedded.vectors, rows["a"].embedded.vectors)
    spool.put("none", result({}, {"b": Skipped("b", "broken")}), DIM)
    assert spool.get("none").rows == {}


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7), cut=st.booleans())
def test_a_damaged_file_is_refused(rows, tmp_path_factory, place, bit, cut):
    spool = Spool(tmp_path_factory.mktemp("spool"))
    spool.put("key", result(rows), DIM)
    path = spool.folder / "key.shard"
    data = bytearray(path.read_bytes())
    place %= len(data)
    data[place] ^= 1 << bit
    path.write_bytes(data[:place] if cut else data)
    with pytest.raises(Refused):
        spool.get("key")


def test_a_file_under_another_name_is_refused(rows, tmp_path):
    spool = Spool(tmp_path)
    spool.put("key", result(rows), DIM)
    (tmp_path / "key.shard").rename(tmp_path / "other.shard")
    with pytest.raises(Refused, match="another shard"):
        spool.get("other")


def test_a_job_goes_on_with_the_shards_that_it_was_begun_with(tmp_path):
    spool = Spool(tmp_path / "spool")
    with spool.begun(6) as (bits, mark):
        assert bits == 6
        assert spool.seen(mark)
        assert not spool.seen("another")
        with pytest.raises(BackendFailed, match="another process"), Spool(spool.folder).begun(6):
            pass
    with spool.begun(2) as (bits, _):
        assert bits == 6
    # So many more items that the old shards would be too large.
    with spool.begun(9) as (bits, _):
        assert bits == 9
