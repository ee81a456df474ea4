"""What runs in a worker: a set of models, and shards through it. It knows nothing of Ray.

What goes in and out is JSON, so that an error arrives as what it is, whatever was installed here.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ponder import errors
from ponder.errors import BackendFailed, InputInvalid, InputNotFound, PonderError
from ponder.index.cache import Cache
from ponder.models.registry import load
from ponder.records import Content, Item, Row, Skipped
from ponder.shelf.ingest import Document, Ingest, Opener
from ponder.shelf.ingest import skipped as left_out
from ponder.shelf.refused import Blamed
from ponder.spread.gathered import GatheredCache
from ponder.spread.job import Job, items_from
from ponder.spread.spool import Result, Spool
from ponder.spread.timing import Clock, TimedModels


@dataclass(frozen=True, slots=True)
class Opened:
    """A shard's items, opened elsewhere.

    Attributes:
        contents: By item id.
        skipped: By item id, those that cannot be opened.
        digests: By item id, as far as they could be reckoned.
    """

    contents: Mapping[str, Content]
    skipped: Mapping[str, Skipped]
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Given:
    """Hands out contents that are there already (`Opener`)."""

    contents: Mapping[str, Content]

    def digest(self, item: Item) -> str:
        return self.contents[item.id].digest

    def open(self, item: Item) -> Content:
        return self.contents[item.id]


@dataclass(frozen=True, slots=True)
class _Noting:
    """Opens as another does, and keeps what it said of digests (`Opener`)."""

    opener: Opener
    digests: dict[str, str]

    def digest(self, item: Item) -> str:
        self.digests[item.id] = found = self.opener.digest(item)
        return found

    def open(self, item: Item) -> Content:
        return self.opener.open(item)


class Worker:
    """Holds one set of models for as long as it lives.

    Args:
        job: A `Job`, as JSON.
        spool: Folder of finished shards.
        mark: What the folder is marked with.
    """

    def __init__(self, job: str, spool: str, mark: str) -> None:
        self.job, self.spool, self._mark = Job.read(job), Spool(Path(spool)), mark
        self.name = f"{platform.node()}:{os.getpid()}"
        self._ingest: Ingest | None = None
        self._cache: GatheredCache | None = None
        self._clock = Clock()

    def begin(self) -> str:
        """Build the models; their weights load with the first shard.

        Returns:
            ``{"worker", "pid"}``, or an error as `_answer` says.
        """
        return _answer(self._begin)

    def run(
        self, shard: str, items: str, without: Mapping[str, str] | None = None, opened: Opened | None = None
    ) -> str:
        """Make a shard's rows and write its file.

        Args:
            shard: The shard's key.
            items: The items, as JSON.
            without: None for a first try. Then ids of items that ended workers and are left out, with their
                stamps; the others are each noted before they are touched, so that it is known which one this
                worker died of.
            opened: Their contents, where another stage opens them.

        Returns:
            ``{"seconds", "items"}``, or an error as `_answer` says.
        """
        return _answer(lambda: self._run(shard, items_from(items), without, opened))

    def _begin(self) -> dict[str, Any]:
        os.environ.update(self.job.environment)
        if Path(self.job.folder).is_dir():
            os.chdir(self.job.folder)
        if not self.spool.seen(self._mark):
            raise BackendFailed(
                f"{platform.node()} does not see the folder of finished shards",
                str(self.spool.folder),
                "put it where all machines see it: --spool FOLDER",
            )
        self._built()
        return {"worker": self.name, "pid": os.getpid()}

    def _built(self) -> Ingest:
        if self._ingest is None:
            self._cache = cache = GatheredCache(Cache(self.job.cache))
            models = load(self.job.models, cache=cache)
            self.job.check(models)
            timed: Any = TimedModels(models, self._clock)
            self._ingest = Ingest(timed, cache, reason_tokens=self.job.reason_tokens, opener=self.job.opener)
        return self._ingest

    def _run(
        self, key: str, items: list[Item], without: Mapping[str, str] | None, opened: Opened | None
    ) -> dict[str, Any]:
        began = time.perf_counter()
        self._clock.take()
        built = self._built()
        opener = (
            _Noting(built.opener, {})
            if opened is None
            else _Noting(_Given(opened.contents), dict(opened.digests))
        )
        # A ledger of its own for each shard.
        ingest = Ingest(built.models, built.cache, reason_tokens=built.reason_tokens, opener=opener)
        there = {} if opened is None else dict(opened.skipped)
        there |= {item.id: _deadly(item) for item in items if item.id in (without or ())}
        left = [item for item in items if item.id not in there]
        careful = without is not None
        rows, skipped = self._make_noting(ingest, left, key) if careful else self.make(ingest, left)
        if self._cache is not None:
            self._cache.flush()
        seconds = time.perf_counter() - began
        # What was noted before a file was opened: it may be another one by now.
        seen = {**opener.digests, **(without or {})}
        result = Result(
            rows, {**there, **skipped}, ingest.usage, seconds, self.name, self._clock.take(), seen
        )
        self.spool.put(key, result, self.job.dim)
        return {"seconds": seconds, "items": len(items)}

    def make(self, ingest: Ingest, items: list[Item]) -> tuple[dict[str, Row], dict[str, Skipped]]:
        """Rows, and what was left out, by item id."""
        rows: dict[str, Row] = {}
        skipped: dict[str, Skipped] = {}
        for item, row in zip(items, ingest.rows(items, workers=self.job.threads), strict=True):
            if isinstance(row, Skipped):
                skipped[item.id] = row
            else:
                rows[item.id] = row
        return rows, skipped

    def _make_noting(
        self, ingest: Ingest, items: list[Item], key: str
    ) -> tuple[dict[str, Row], dict[str, Skipped]]:
        """The same one by one, each noted before it is touched."""
        rows: dict[str, Row] = {}
        skipped: dict[str, Skipped] = {}
        for item in items:
            self.spool.note(key, item.id)
            one, lost = self.make(ingest, [item])
            rows |= one
            skipped |= lost
        return rows, skipped


def open_items(job: str, items: str) -> Opened:
    """The stage that needs no model: files to contents, for workers that sit on GPUs."""
    opener = _Noting(Job.read(job).opener, {})
    contents: dict[str, Content] = {}
    skipped: dict[str, Skipped] = {}
    for item in items_from(items):
        try:
            contents[item.id] = Document(item, opener).content
        except (InputInvalid, InputNotFound) as error:
            skipped[item.id] = left_out(item, error)
    return Opened(contents, skipped, opener.digests)


def _deadly(item: Item) -> Blamed:
    # As for any other bad file: it is tried again when it, or what opens it, has changed.
    return Blamed(item.uri or item.path or item.id, "ended every worker that took it: look at the file")


def _answer(work: Callable[[], dict[str, Any]]) -> str:
    """What `work` returns, or ``{"error": [kind, what, where, hint]}`` of a `PonderError`, as JSON."""
    try:
        return json.dumps(work())
    except PonderError as error:
        return json.dumps({"error": [type(error).__name__, error.what, error.where, error.hint]})


def error_in(answer: Mapping[str, Any]) -> PonderError | None:
    """The error that a worker met, as what it was there.

    Example:
        >>> error_in({"error": ["InputInvalid", "a broken model", "m", "pull it"]})
        InputInvalid('a broken model (m): pull it')
    """
    if "error" not in answer:
        return None
    kind, *told = answer["error"]
    found = getattr(errors, kind, BackendFailed)
    known = isinstance(found, type) and issubclass(found, PonderError)
    return found(*told) if known else BackendFailed(*told)
