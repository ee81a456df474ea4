"""The content-addressed cache: what was reasoned or embedded once is not computed again."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ponder.errors import BackendFailed
from ponder.models.folder import cache_folder
from ponder.protocols import BlobCache

_SCHEMA = "CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, sum BLOB NOT NULL, value BLOB NOT NULL)"
_BUSY_SECONDS = 60.0
_AT_ONCE = 1000
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def cache_key(**parts: Any) -> str:
    """The key of what is made from `parts`: sha256 hex over their canonical JSON.

    Args:
        **parts: JSON values; equal parts in any order give equal keys.

    Returns:
        64 hexadecimal digits.

    Raises:
        TypeError: A part is not a JSON value.

    Example:
        >>> cache_key(a=1, b="x") == cache_key(b="x", a=1) != cache_key(a=1, b="y")
        True
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Cache:
    """Bytes by key in one sqlite file (`protocols.BlobCache`).

    The file is in WAL mode: readers never wait for the writer, writers wait for each other, and a
    process killed at any moment loses at most the entry that it was writing. Each entry carries a
    checksum, so that an entry damaged on disk is a miss; a file that sqlite cannot read any more is
    moved aside (``….broken``) and a new one begun: it is a cache, and everything in it can be made
    again. An instance may be used from several threads.

    Args:
        path: The file; it and its folder are made if need be.

    Raises:
        BackendFailed: The file cannot be made, read or written (permissions, disk full).
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._failed(error) from error
        self._db: sqlite3.Connection | None = None
        self._run(_SCHEMA)

    def get(self, key: str) -> bytes | None:
        """The bytes under `key`; None when there are none or they are damaged."""
        found = self._run("SELECT sum, value FROM entries WHERE key = ?", key)
        if not found:
            return None
        checksum, value = found[0]
        return value if isinstance(value, bytes) and checksum == _checksum(value) else None

    def put(self, key: str, value: bytes) -> None:
        """Store `value` under `key`, replacing what is there."""
        self._run("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", key, _checksum(value), value)

    def put_all(self, entries: Mapping[str, bytes]) -> None:
        """Store entries, a thousand in one transaction, replacing what is there."""
        told = list(entries.items())
        for start in range(0, len(told), _AT_ONCE):
            rows = [(key, _checksum(value), value) for key, value in told[start : start + _AT_ONCE]]
            many = ", ".join(["(?, ?, ?)"] * len(rows))
            self._run(
                f"INSERT OR REPLACE INTO entries VALUES {many}", *(each for row in rows for each in row)
            )

    def __len__(self) -> int:
        """Number of entries."""
        return int(self._run("SELECT count(*) FROM entries")[0][0])

    def close(self) -> None:
        """Close the file; using the cache again opens it again."""
        with self._lock:
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, statement: str, *values: str | bytes) -> list[Any]:
        with self._lock:
            try:
                return self._execute(statement, values)
            except sqlite3.DatabaseError as error:
                if not _is_broken(error):
                    raise self._failed(error) from error
            try:
                self._start_over()
                return self._execute(statement, values)
            except (sqlite3.Error, OSError) as error:
                raise self._failed(error) from error

    def _execute(self, statement: str, values: tuple[str | bytes, ...]) -> list[Any]:
        if self._db is None:
            # Autocommit: in WAL mode with synchronous=NORMAL a commit is one write without fsync,
            # which a killed process cannot lose, so there is nothing to gain from batches.
            self._db = sqlite3.connect(
                self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(_SCHEMA)
        return self._db.execute(statement, values).fetchall()

    def _start_over(self) -> None:
        self._close()
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self.path.replace(self.path.with_name(self.path.name + ".broken"))

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _failed(self, error: Exception) -> BackendFailed:
        return BackendFailed(
            f"the cache cannot be used: {error}",
            str(self.path),
            "free some disk space, or set PONDER_CACHE to a folder that can be written",
        )


class Overlay:
    """A cache (`protocols.BlobCache`) whose additions stay in memory: what is under it is only read.

    Args:
        under: Where else to look; None for nowhere.

    Example:
        >>> overlay = Overlay(None)
        >>> overlay.put("key", b"value")
        >>> overlay.get("key"), overlay.get("other")
        (b'value', None)
    """

    def __init__(self, under: BlobCache | None) -> None:
        self._under = under
        self._own: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        """The bytes under `key`, from memory or from below."""
        found = self._own.get(key)
        return found if found is not None or self._under is None else self._under.get(key)

    def put(self, key: str, value: bytes) -> None:
        """Keep `value` for as long as this object lives."""
        self._own[key] = value


def user_cache() -> Cache:
    """The user's cache, shared by all shelves and evaluations; see `ponder.models.folder.cache_folder`."""
    return Cache(cache_folder() / "cache.sqlite")


def _checksum(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=8).digest()


def _is_broken(error: sqlite3.DatabaseError) -> bool:
    # The low byte is the primary code; extended codes (SQLITE_CORRUPT_INDEX, ...) add to it.
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _BROKEN
