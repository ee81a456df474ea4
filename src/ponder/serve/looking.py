"""Looking things up and opening files beside the models: pictures come while a search is being worked on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ponder.serve.engine import Busy

T = TypeVar("T")

_THREADS = 2
"""At once: each may have a decoder of its own, and pictures should not take the models' processors."""

_SECONDS = 0.02
"""What one takes, some picture decoded and encoded anew."""


class Looks:
    """Runs what reads the index or opens files, but needs no model, in threads of its own.

    Indexes and the cache may be used from several threads; models may not.

    Args:
        max_queue: How much may wait.
    """

    def __init__(self, max_queue: int) -> None:
        self._max, self._waiting = max_queue, 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="ponder-looks")

    async def run(self, work: Callable[[], T]) -> T:
        """Look something up.

        Raises:
            Busy: Too much waits already.
            PonderError: Whatever the work raises.
        """
        with self._lock:
            if self._waiting >= self._max:
                raise Busy(self._waiting, self._waiting * _SECONDS / _THREADS)
            self._waiting += 1
        done = self._pool.submit(work)
        done.add_done_callback(self._ended)
        return await asyncio.wrap_future(done)

    def close(self) -> None:
        """Let what is being looked up end, and drop what waits."""
        self._pool.shutdown(cancel_futures=True)

    def _ended(self, _: object) -> None:
        with self._lock:
            self._waiting -= 1
