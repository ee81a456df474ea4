"""One set of models, one thread that works with it, and a line of bounded length before it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
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
        self._line: deque[_Task] = deque()
        self._slow: deque[_Task] = deque()
        self._waiting = 0
        self._closed = False
        self._lock = threading.Condition()
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

    def later(self, work: Callable[[], Any]) -> Future[Any]:
        """Do something long when nothing else waits; it lets others go first by calling `breathe`."""
        task = _Task(work, Future())
        with self._lock:
            self._slow.append(task)
            self._lock.notify()
        return task.done

    def breathe(self) -> None:
        """Do whatever waits. Called by long work, in the engine's own thread, between two of its pieces."""
        while tasks := self._next(patient=False):
            self._do(tasks)

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
        with self._lock:
            self._closed = True
            dropped = [*self._line, *self._slow]
            self._line.clear()
            self._slow.clear()
            self._lock.notify()
        for task in dropped:
            task.done.cancel()
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
            if self._closed or self._waiting >= self._max:
                raise Busy(self._waiting, self._waiting * self._pace)
            self._waiting += 1
            self._line.append(task)
            self._lock.notify()

    def _work(self) -> None:
        while True:
            if tasks := self._next(patient=True):
                self._do(tasks)
            elif self._closed:
                return
            elif self._slow:
                self._do([self._slow.popleft()], counted=False)

    def _next(self, *, patient: bool) -> list[_Task]:
        """What is to be done next: one task, or several that can be done together; none where none waits."""
        with self._lock:
            while patient and not (self._line or self._slow or self._closed):
                self._lock.wait()
            if not self._line:
                return []
            tasks = [self._line.popleft()]
            batch = tasks[0].batch
            while (
                batch is not None and self._line and len(tasks) < _TOGETHER and self._line[0].batch == batch
            ):
                tasks.append(self._line.popleft())
            return tasks

    def _do(self, tasks: list[_Task], *, counted: bool = True) -> None:
        # A task whose future was cancelled cannot be started: nobody waits for it.
        live = [
            each for each in tasks if not each.dropped.is_set() and each.done.set_running_or_notify_cancel()
        ]
        began = time.perf_counter()
        results: Sequence[Any] = ()
        failed: BaseException | None = None
        try:
            if live and live[0].batch is not None:
                results = list(live[0].batch([each.piece for each in live]))
            elif live and live[0].work is not None:
                results = [live[0].work()]
        except Stopped:
            results = [None]
        except BaseException as error:
            # The thread outlives whatever a model raises: the next request must be served.
            failed = error
        if failed is None and len(results) != len(live):
            failed = ValueError(f"{len(results)} results for {len(live)} pieces")
        if counted:
            # Before anyone is answered: who has an answer may ask again at once, and finds room.
            with self._lock:
                self._waiting -= len(tasks)
                self._pace += 0.1 * ((time.perf_counter() - began) / len(tasks) - self._pace)
        for place, each in enumerate(live):
            if failed is not None:
                each.done.set_exception(failed)
            else:
                each.done.set_result(results[place])
