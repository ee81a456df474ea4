"""Rows from a fleet, as if this process had made them."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from ponder.errors import BackendFailed
from ponder.records import Item, Row, Skipped, Usage
from ponder.shelf.ingest import Ingest
from ponder.shelf.making import Made
from ponder.spread.checking import check, stamp
from ponder.spread.cluster import connected
from ponder.spread.costs import Costs
from ponder.spread.fleet import Fleet
from ponder.spread.job import Job
from ponder.spread.naming import name_of, owner_of
from ponder.spread.needs import Event, Needs
from ponder.spread.planning import MOST, Shard, ShardPlan, bits_for
from ponder.spread.spool import Refused, Result, Spool
from ponder.spread.worker import Worker

_HELD = 16
"""Shards whose rows are kept in memory until they are stored; of others the file is read again."""


@dataclass(slots=True)
class Spread:
    """Has rows made on a Ray cluster (`ponder.shelf.making.Spreads`).

    The same rows come out as from one process, whatever happens to workers meanwhile; only what reasoning
    *cost* may be counted twice, or as cached, where a shard was done twice or two met the same content.

    Attributes:
        address: As `ponder.spread.cluster.address_of` gives it.
        needs: Of the workers.
        threads: That open files, in each worker.
        spool: Where finished shards are kept; None for beside what they are for.
        most: Items of a shard, about.
        events: Called with whatever happens to workers.
        worker: Their class.
        costs: What it took, so far.
    """

    address: str = ""
    needs: Needs = field(default_factory=Needs)
    threads: int = 1
    spool: Path | None = None
    most: int = MOST
    events: Callable[[Event], None] | None = None
    worker: type[Worker] = Worker
    costs: Costs = field(default_factory=Costs)

    def __call__(self, ingest: Ingest, place: Path, *, stored: bool = True) -> FleetMaker:
        """See `ponder.shelf.making.Spreads`."""
        return FleetMaker(self, ingest, place, stored)


class FleetMaker:
    """Makes the rows of one ingest (`ponder.shelf.making.MakesRows`).

    Args:
        spread: How and where.
        ingest: What the rows are to be as of.
        place: Folder of spools, where the spread has none.
        stored: As in `ponder.shelf.making.Spreads`.
    """

    def __init__(self, spread: Spread, ingest: Ingest, place: Path, stored: bool) -> None:
        self._spread, self._ingest, self._place, self._stored = spread, ingest, place, stored
        self._held: dict[int, Result] = {}
        self._given: dict[int, dict[str, str]] = {}
        self.usage = Usage()

    def make(self, items: Sequence[Item]) -> Generator[Made]:
        """Every item's row, a shard at a time, in the order of the shards' numbers.

        In order, so that a table is the same whoever was quicker. Who is slow does not hold up the others:
        what they finish meanwhile waits on the disk. Where rows are stored as they come, a shard's file goes
        when the next is asked for, that is when its rows are stored; otherwise all go when the last is done.

        Raises:
            BackendFailed: There is no cluster, another process does the same job, the disk is full or damages
                files, or a shard failed again and again.
            PonderError: Else as for `Ingest.rows`.
        """
        if not items:
            return
        spread, job = self._spread, Job.of(self._ingest, threads=self._spread.threads)
        # A folder of its own, also where many jobs share a place: each ends by taking all of it away.
        whose = owner_of(self._place) if self._stored else name_of(items)
        spool = Spool((spread.spool or self._place).absolute() / f"{job.key}-{whose}")
        began = time.perf_counter()
        with spool.begun(bits_for(len(items), spread.most)) as (bits, mark):
            plan = ShardPlan(items, job.key, bits)
            done: set[int] = set()
            stored = 0
            with closing(self._finished(plan, job, spool, mark)) as finished:
                for number in finished:
                    done.add(number)
                    while stored in done:
                        shard = plan.shard(stored)
                        done.remove(stored)
                        yield Made(self._rows(shard, spool), whole=True)
                        if self._stored:
                            spool.drop([shard.key])
                        stored += 1
                        spread.costs.wall = time.perf_counter() - began
            spool.clear()

    def _finished(self, plan: ShardPlan, job: Job, spool: Spool, mark: str) -> Generator[int]:
        """The numbers of shards whose files are there and were looked at."""
        missing: list[int] = []
        for number in range(len(plan)):
            shard = plan.shard(number)
            if self._is_there(shard, job, spool):
                self._spread.costs.resumed += 1
                yield number
            else:
                missing.append(number)
        if not missing:
            return
        with connected(self._spread.address) as ray:
            wanted = self._spread.needs.workers or len(missing)
            needs = replace(self._spread.needs, workers=min(wanted, len(missing)))
            fleet = Fleet(ray, needs, job.text(), spool, mark, self._event, self._spread.worker)
            coming = (self._stamped(plan.shard(number)) for number in missing)
            with closing(fleet.run(coming, lambda each: self._accept(each, job, spool))) as done:
                for shard in done:
                    yield shard.number

    def _stamped(self, shard: Shard) -> Shard:
        self._given[shard.number] = {item.id: stamp(item) for item in shard.items}
        return shard

    def _is_there(self, shard: Shard, job: Job, spool: Spool) -> bool:
        if not spool.has(shard.key):
            return False
        try:
            self._accept(shard, job, spool)
        except Refused:
            return False
        return True

    def _accept(self, shard: Shard, job: Job, spool: Spool) -> None:
        try:
            result = spool.get(shard.key)
            check(result, shard.items, job.dim, job.opener, self._given.get(shard.number, {}))
        except Refused:
            spool.drop([shard.key])
            raise
        self._given.pop(shard.number, None)
        if len(self._held) < _HELD:
            self._held[shard.number] = result

    def _rows(self, shard: Shard, spool: Spool) -> tuple[tuple[int, Row | Skipped], ...]:
        try:
            result = self._held.pop(shard.number, None) or spool.get(shard.key)
        except Refused as refused:
            raise BackendFailed(
                f"a shard was damaged after it was finished: {refused}",
                str(spool.folder),
                "check the disk, and run the same command again: the shard is done again",
            ) from refused
        self.usage += result.usage
        self._spread.costs.add(result)
        found: list[tuple[int, Row | Skipped]] = []
        for place, item in zip(shard.places, shard.items, strict=True):
            row = result.rows.get(item.id)
            # The item as it was given: a finished shard may be from a run with other metadata.
            found.append((place, result.skipped[item.id] if row is None else replace(row, item=item)))
        return tuple(found)

    def _event(self, event: Event) -> None:
        self._spread.costs.note(event)
        if self._spread.events is not None:
            self._spread.events(event)
