"""A cache that many workers share, written to once a second and not once an entry."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ponder.index.cache import Cache

SECONDS = 1.0
"""What a killed worker has to make again at most, apart from what it had in hand."""


class GatheredCache:
    """Keeps what is put for a second before it is written, all in one transaction (`protocols.BlobCache`).

    Eight workers on one machine that write each entry by itself wait for each other's locks longer than they
    write. What is put is found at once by whoever has this object, by other processes after the second.

    Args:
        cache: Where it is kept.
        seconds: How long at most, while something is put now and then.
        now: The clock.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, Cache(f"{folder}/cache.sqlite") as cache:
        ...     gathered = GatheredCache(cache)
        ...     gathered.put("key", b"value")
        ...     print(gathered.get("key"), cache.get("key"))
        ...     gathered.flush()
        ...     print(cache.get("key"))
        b'value' None
        b'value'
    """

    def __init__(
        self, cache: Cache, *, seconds: float = SECONDS, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._cache, self._seconds, self._now = cache, seconds, now
        self._lock = threading.Lock()
        self._held: dict[str, bytes] = {}
        self._since = now()

    def get(self, key: str) -> bytes | None:
        """The bytes under `key`; None when there are none."""
        with self._lock:
            found = self._held.get(key)
        return self._cache.get(key) if found is None else found

    def put(self, key: str, value: bytes) -> None:
        """Keep `value`, and write what has waited long enough.

        Raises:
            BackendFailed: The cache cannot be written; what waited is tried again with the next.
        """
        with self._lock:
            if not self._held:
                self._since = self._now()
            self._held[key] = value
            if self._now() - self._since >= self._seconds:
                self._write()

    def flush(self) -> None:
        """Write what waits.

        Raises:
            BackendFailed: The cache cannot be written.
        """
        with self._lock:
            self._write()

    def _write(self) -> None:
        if self._held:
            self._cache.put_all(self._held)
            self._held = {}
