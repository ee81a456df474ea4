"""Indexing in the background, with progress and cancel: one job after the other."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ponder.errors import InputNotFound, PonderError

if TYPE_CHECKING:
    from ponder.serve.engine import Engine
    from ponder.shelf.shelf import Shelf

State = Literal["waiting", "running", "done", "failed", "cancelled"]

_KEPT = 100
"""Jobs that have ended and are still told of."""


class _Cancelled(Exception):
    pass


@dataclass(slots=True)
class Job:
    """One indexing.

    Attributes:
        id: Its name.
        paths: What is indexed.
        state: How far it is.
        done: Items that are stored.
        total: Items in all; 0 while not known.
        seconds: Since it began.
        report: What came of it.
        error: Why it failed; "" for most.
    """

    id: str
    paths: tuple[str, ...]
    state: State = "waiting"
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    report: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def fields(self) -> dict[str, Any]:
        """For JSON; paths by their names only."""
        found = asdict(self)
        left = (self.total - self.done) * self.seconds / self.done if self.done and self.total else None
        return {**found, "paths": [Path(path).name for path in self.paths], "seconds_left": left}


class Jobs:
    """A server's jobs.

    Args:
        shelf: What is indexed into.
        engine: Whose thread works; between two items whatever else waits goes first.
    """

    def __init__(self, shelf: Shelf, engine: Engine) -> None:
        self._shelf, self._engine = shelf, engine
        self._jobs: dict[str, Job] = {}
        self._stop: set[str] = set()
        self._lock = threading.Lock()

    def add(self, paths: Sequence[Path]) -> Job:
        """Begin to index files or folders."""
        job = Job(uuid.uuid4().hex[:12], tuple(str(path) for path in paths))
        with self._lock:
            ended = [each.id for each in self._jobs.values() if each.state not in ("waiting", "running")]
            for old in ended[: max(0, len(ended) - _KEPT)]:
                del self._jobs[old]
            self._jobs[job.id] = job
        self._engine.later(lambda: self._work(job))
        return job

    def all(self) -> list[Job]:
        """The newest first."""
        return list(self._jobs.values())[::-1]

    def get(self, id_: str) -> Job:
        """One job.

        Raises:
            InputNotFound: There is none.
        """
        if id_ not in self._jobs:
            raise InputNotFound("no such job", id_, "ids are those of POST /v1/items")
        return self._jobs[id_]

    def cancel(self, id_: str) -> Job:
        """Stop a job after the item that it is at; what is stored stays."""
        job = self.get(id_)
        self._stop.add(id_)
        if job.state == "waiting":
            job.state = "cancelled"
        return job

    def stop(self) -> None:
        """Cancel all: the server ends."""
        self._stop |= set(self._jobs)

    def _work(self, job: Job) -> None:
        """Do a job; runs in the engine's thread."""
        if job.state == "cancelled":
            return
        job.state, began = "running", time.perf_counter()

        def progress(done: int, total: int, skipped: int) -> None:
            job.done, job.total, job.seconds = done, total, time.perf_counter() - began
            self._engine.breathe()
            if job.id in self._stop:
                raise _Cancelled

        try:
            report = self._shelf.add(*job.paths, progress=progress)
        except _Cancelled:
            job.state = "cancelled"
            return
        except PonderError as error:
            job.state, job.error = "failed", f"{error.what}: {error.hint}"
            return
        job.report = {
            "added": report.added,
            "updated": report.updated,
            "unchanged": report.unchanged,
            "removed": report.removed,
            "skipped": [{"name": Path(each.uri).name, "error": each.error} for each in report.skipped],
            "ignored": report.ignored,
        }
        job.state, job.seconds = "done", time.perf_counter() - began
