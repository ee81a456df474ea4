"""What workers put into the cache: found at once, written together, none lost but the last second's."""

from __future__ import annotations

import pytest

from ponder.errors import BackendFailed
from ponder.index import Cache
from ponder.spread.gathered import GatheredCache


@pytest.fixture
def kept(tmp_path):
    with Cache(tmp_path / "cache.sqlite") as cache:
        yield cache


def test_entries_wait_for_a_second_and_are_written_together(kept):
    time = [0.0]
    gathered = GatheredCache(kept, now=lambda: time[0])
    gathered.put("a", b"1")
    time[0] = 0.9
    gathered.put("b", b"2")
    assert (gathered.get("a"), len(kept)) == (b"1", 0)
    time[0] = 1.0
    gathered.put("a", b"3")
    assert (kept.get("a"), kept.get("b"), len(kept)) == (b"3", b"2", 2)
    # The next second begins with the next entry, however long nothing came.
    time[0] = 50.0
    gathered.put("c", b"4")
    assert kept.get("c") is None
    assert gathered.get("nothing") is None


def test_as_many_as_there_are_entries_in_a_shard(kept):
    gathered = GatheredCache(kept, seconds=1e9)
    for number in range(5000):
        gathered.put(f"{number}", b"%d" % number)
    gathered.flush()
    assert len(kept) == 5000
    assert kept.get("4999") == b"4999"


def test_what_could_not_be_written_is_tried_again(tmp_path):
    folder = tmp_path / "cache"
    kept = Cache(folder / "cache.sqlite")
    kept.close()
    gathered = GatheredCache(kept)
    gathered.put("a", b"1")
    (folder / "cache.sqlite").rename(tmp_path / "kept")
    (folder / "cache.sqlite").mkdir()
    with pytest.raises(BackendFailed, match="the cache cannot be used"):
        gathered.flush()
    (folder / "cache.sqlite").rmdir()
    (tmp_path / "kept").rename(folder / "cache.sqlite")
    gathered.flush()
    assert kept.get("a") == b"1"
    kept.close()
