"""One set of models, one thread that works with it, and a line of bounded length before it."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ponder.errors import PonderError

T = TypeVar("T")

_TOGETHER = 64
"""Texts embedded in one call at most: more would let the first wait for the last."""


class Busy(PonderError):
    """More requests wait than may (HTTP 429)."""

    exit_code = 6

    def __init__(self, waiting: int, seconds: float) -> None:
        super().__init__(f"{waiting} requests wait already", "server", "come again later")
        self.retry_after = max(1, round(seconds))


class Stopped(Exception):
    """Nobody waits for the answer any more."""


@dataclass(slots=True, eq=False)
class _Task:
    """Something to do.

    Attributes:
        work: What; None for a thing that is done together with others of its kind.
        done: Gets the outcome.
        batch: What to do all that wait together with; None for most.
        piece: This one's part of it.
        dropped: Set when nobody waits any more.
    """

    work: Callable[[], Any] | None
    done: Future[Any]
    batch: Callable[[Sequence[Any]], Sequence[Any]] | None = None
    piece: Any = None
    dropped: threading.Event = field(default_factory=threading.Event)


class Engine:
    """Runs work in order in one thread: models and their caches are not for several at once.

    Args:
        max_queue: How much may wait.
    """

    def __init__(self, max_queue: int) -> None:
        self._max = max_queue
        self._line: queue.Queue[_Task | None] = queue.Queue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._pace = 0.1
        self._thread = threading.Thread(target=self._work, name="ponder-models", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Requests that wait or are worked on."""
        return self._waiting

    async def run(self, work: Callable[[], T]) -> T:
        """Do something with the models.

        Raises:
            Busy: Too much waits already.
            PonderError: Whatever the work raises.
        """
        task = _Task(work, Future())
        return await self._await(task)

    async def together(self, batch: Callable[[Sequence[Any]], Sequence[T]], piece: Any) -> T:
        """Do something for which all that wait for the same may be handed over at once.

        Args:
            batch: From pieces to their results, in order; tasks with the same function are put together.
            piece: This one's.
        """
        return await self._await(_Task(None, Future(), batch, piece))

    async def stream(self, make: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
        """Iterate with the models; between two values the thread waits for nobody.

        Whoever stops listening stops the work after the value that is being made.
        """
        loop = asyncio.get_running_loop()
        values: asyncio.Queue[tuple[bool, Any]] = asyncio.Queue()
        task = _Task(None, Future())

        def work() -> None:
            for value in make():
                if task.dropped.is_set():
                    raise Stopped
                loop.call_soon_threadsafe(values.put_nowait, (True, value))

        task.work = work
        self._put(task)
        task.done.add_done_callback(
            lambda done: loop.call_soon_threadsafe(values.put_nowait, (False, done.exception()))
        )
        try:
            while True:
                more, value = await values.get()
                if not more:
                    if value is not None:
                        raise value
                    return
                yield value
        finally:
            task.dropped.set()

    def close(self, seconds: float = 10.0) -> None:
        """Let what is being worked on end, and drop what waits."""
        self._line.put(None)
        self._thread.join(seconds)

    async def _await(self, task: _Task) -> Any:
        self._put(task)
        try:
            return await asyncio.wrap_future(task.done)
        except asyncio.CancelledError:
            task.dropped.set()
            raise

    def _put(self, task: _Task) -> None:
        with self._lock:
            if self._waiting >= self._max:
                raise Busy(self._waiting, self._waiting * self._pace)
            self._waiting += 1
        self._line.put(task)

    def _work(self) -> None:
        held: _Task | None = None
        while True:
            task = held or self._line.get()
            held = None
            if task is None:
                self._drop()
                return
            tasks = [task]
            while task.batch is not None and len(tasks) < _TOGETHER:
                try:
                    following = self._line.get_nowait()
                except queue.Empty:
                    break
                if following is None or following.batch != task.batch:
                    held = following
                    if following is None:
                        self._line.put(None)
                    break
                tasks.append(following)
            self._do(tasks)

    def _do(self, tasks: list[_Task]) -> None:
        # A task whose future was cancelled cannot be started: nobody waits for it.
        live = [each for each in tasks if not each.dropped.is_set() and each.done.set_running_or_notify_cancel()]
        began = time.perf_counter()
        try:
            if live and live[0].batch is not None:
                results = live[0].batch([each.piece for each in live])
                for each, result in zip(live, results, strict=True):
                    each.done.set_result(result)
            elif live and live[0].work is not None:
                live[0].done.set_result(live[0].work())
        except Stopped:
            live[0].done.set_result(None)
        except BaseException as error:
            # The thread outlives whatever a model raises: the next request must be served.
            for each in live:
                if not each.done.done():
                    each.done.set_exception(error)
        finally:
            with self._lock:
                self._waiting -= len(tasks)
                self._pace += 0.1 * ((time.perf_counter() - began) / len(tasks) - self._pace)

    def _drop(self) -> None:
        while True:
            try:
                task = self._line.get_nowait()
            except queue.Empty:
                return
            if task is not None:
                task.done.cancel()
