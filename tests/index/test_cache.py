"""The cache on disk and the codecs."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from index_rows import make_row

from ponder.errors import BackendFailed
from ponder.index import Cache, cache_key, codecs, user_cache
from ponder.protocols import BlobCache
from ponder.records import Embedded, Reasoning


def test_what_is_put_is_there_for_others_and_later(tmp_path):
    path = tmp_path / "deep" / "cache.sqlite"
    with Cache(path) as one, Cache(path) as other:
        assert isinstance(one, BlobCache)
        assert one.get("a") is None
        one.put("a", b"1")
        one.put("a", b"2")
        assert other.get("a") == b"2"
        one.put("empty", b"")
        assert other.get("empty") == b""
        assert len(other) == 2
    with Cache(path) as later:
        assert later.get("a") == b"2"


def test_a_damaged_entry_is_a_miss_and_is_replaced(tmp_path):
    path = tmp_path / "cache.sqlite"
    with Cache(path) as cache:
        cache.put("a", b"right")
        with sqlite3.connect(path) as raw:
            raw.execute("UPDATE entries SET value = ?", (b"wrong",))
        assert cache.get("a") is None
        cache.put("a", b"right")
        assert cache.get("a") == b"right"


def test_a_damaged_file_is_moved_aside(tmp_path):
    path = tmp_path / "cache.sqlite"
    path.write_bytes(b"this is no database" * 1000)
    with Cache(path) as cache:
        cache.put("a", b"1")
        assert cache.get("a") == b"1"
    assert (tmp_path / "cache.sqlite.broken").exists()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BackendFailed, match="PONDER_CACHE"):
        Cache(tmp_path / "file" / "cache.sqlite")


def test_the_users_cache_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "here"))
    with user_cache() as cache:
        cache.put("a", b"1")
    assert (tmp_path / "here" / "cache.sqlite").exists()


def test_threads_share_a_cache(tmp_path):
    with Cache(tmp_path / "cache.sqlite") as cache:

        def work(number):
            for n in range(20):
                cache.put(f"{number}-{n}", bytes([number]))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(cache) == 80
        assert cache.get("3-19") == b"\x03"


def test_a_killed_writer_leaves_what_it_had_acknowledged(tmp_path):
    path = tmp_path / "cache.sqlite"
    script = """
        import sys
        from ponder.index import Cache
        cache = Cache(sys.argv[1])
        for n in range(10**9):
            cache.put(str(n), bytes([n % 256]) * 3000)
            print(n, flush=True)
    """
    for _ in range(3):
        command = [sys.executable, "-c", textwrap.dedent(script), str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.05)
            writer.send_signal(signal.SIGKILL)
            acknowledged = len(writer.stdout.read().split())
        with Cache(path) as cache:
            assert len(cache) >= acknowledged
            for n in range(acknowledged):
                assert cache.get(str(n)) == bytes([n % 256]) * 3000


_PARTS = st.dictionaries(
    st.text(min_size=1, max_size=5), st.one_of(st.integers(), st.text(), st.none(), st.lists(st.integers()))
)


@given(_PARTS, _PARTS)
def test_keys_are_equal_just_when_the_parts_are(one, other):
    assert (cache_key(**one) == cache_key(**other)) == (one == other)
    assert cache_key(**dict(reversed(one.items()))) == cache_key(**one)


_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        st.text(st.characters(exclude_categories=["Cs"])),
        st.binary(max_size=10),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(
            st.one_of(st.sampled_from(["$npy", "$map", "$", "a"]), st.integers()), inner, max_size=3
        ),
    ),
    max_leaves=10,
)


@given(_VALUES)
def test_values_come_back_equal_and_of_the_same_type(value):
    assert repr(codecs.loads(codecs.dumps(value))) == repr(value)


def test_arrays_come_back_within_facts():
    array = np.arange(6, dtype=np.float16).reshape(2, 3)
    back = codecs.loads(codecs.dumps({"features": array, "score": np.float32(0.5)}))
    assert back["score"] == 0.5
    assert back["features"].dtype == np.float16
    np.testing.assert_array_equal(back["features"], array)


@pytest.mark.parametrize("value", [object(), np.array([object()]), {1, 2}])
def test_what_needs_pickle_is_refused(value):
    with pytest.raises(TypeError):
        codecs.dumps(value)


def test_records_come_back():
    row = make_row("a", [[1, 0], [0, 1]])
    assert codecs.decode_reasoning(codecs.encode_reasoning(row.reasoning)) == row.reasoning
    back = codecs.decode_embedded(codecs.encode_embedded(row.embedded))
    assert back.labels == row.embedded.labels
    np.testing.assert_array_equal(back.vectors, row.embedded.vectors)


class Memory(dict):
    def put(self, key, value):
        self[key] = value


@given(st.binary(max_size=40), st.integers(0, 60))
def test_damaged_records_are_misses(noise, cut):
    embedded = codecs.encode_embedded(Embedded(("",), np.ones((1, 4), np.float32)))
    reasoning = codecs.encode_reasoning(Reasoning(text="x"))
    cache = Memory(
        a=noise, b=embedded[:cut] + noise[:3], c=reasoning[:cut], d=reasoning + b"x", e=b"\xff" + noise
    )
    for key in "abcde":
        assert codecs.cached_embedded(cache, key) is None
        assert codecs.cached_reasoning(cache, key) is None
    cache |= {"r": reasoning, "v": embedded}
    assert codecs.cached_reasoning(cache, "r") == Reasoning(text="x")
    assert codecs.cached_embedded(cache, "v") is not None
