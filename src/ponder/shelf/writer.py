"""Writing rows to an index in batches, so that a stop at any moment loses little and breaks nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from ponder.errors import BackendFailed, PonderError
from ponder.protocols import Index
from ponder.records import Row

ITEMS_AT_ONCE = 32
"""Rows in one commit: a commit takes some 10 ms, an item's models mostly longer."""

SECONDS_AT_ONCE = 5.0
"""A slow model's rows do not wait longer: so much is lost by a kill, apart from the caches."""


LOCK = "write.lock"


class Writer:
    """Collects rows and commits them in batches, each all or none.

    As a context manager it commits what is left at the end, also when an exception (Ctrl-C) ends it.

    Args:
        index: Where to write.
        commit_every: Rows in one commit.
    """

    def __init__(self, index: Index, commit_every: int = ITEMS_AT_ONCE) -> None:
        self._index, self._commit_every = index, commit_every
        self._rows: list[Row] = []
        self._since = time.monotonic()

    def put(self, row: Row, *, whole: bool = False) -> None:
        """Store a row, now or with the next batch.

        Args:
            row: The row.
            whole: Nothing is committed before `flush` is called.

        Raises:
            BackendFailed: The batch could not be written.
        """
        self._rows.append(row)
        if whole:
            return
        if len(self._rows) >= self._commit_every or time.monotonic() - self._since >= SECONDS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Commit the rows that are waiting.

        Raises:
            BackendFailed: They could not be written; nothing of them is stored.
        """
        rows, self._rows = self._rows, []
        if rows:
            self._index.add(rows)
        self._since = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.flush()
        else:
            with suppress(PonderError):
                self.flush()


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the shelf's write lock; the system gives it back when the process dies.

    Raises:
        BackendFailed: Another process holds it, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise BackendFailed(
            "another process is writing", str(folder), "wait until it has finished, and try again"
        ) from error
    except OSError as error:
        raise BackendFailed(
            f"the shelf cannot be written: {error.strerror}", str(folder), "check the folder's permissions"
        ) from error
    try:
        yield
    finally:
        lock.release()
