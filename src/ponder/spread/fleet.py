"""Shards through workers: each comes back once and as it was asked for, whoever dies, hangs or lies."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

from ponder.errors import BadArguments, InputInvalid, MissingDependency, PonderError, first_line
from ponder.spread.hiring import Hired, Hiring
from ponder.spread.needs import Event, Needs
from ponder.spread.planning import Shard
from ponder.spread.spool import Refused, Spool
from ponder.spread.tries import Tries
from ponder.spread.worker import Worker, error_in

AT_HAND = 2
"""Shards that a worker has: one in work, one waiting, so that it need not wait for the driver."""

_LOOK_SECONDS = 0.5

_FATAL = (MissingDependency, BadArguments, InputInvalid)
"""A worker's errors that the next one would meet too."""


class Fleet:
    """Gives shards to workers.

    Args:
        ray: The module, connected.
        needs: Of the workers.
        job: As JSON.
        spool: Of finished shards.
        mark: What its folder is marked with.
        events: Called with whatever happens.
        worker: The class of the workers, with `Worker`'s methods.
    """

    def __init__(
        self,
        ray: Any,
        needs: Needs,
        job: str,
        spool: Spool,
        mark: str,
        events: Callable[[Event], None] | None = None,
        worker: type[Worker] = Worker,
    ) -> None:
        self._ray, self._needs = ray, needs
        self._events = events or (lambda event: None)
        self._hiring = Hiring(ray, needs, job, spool, mark, worker)
        self._staff = self._hiring.staff
        self._spool = spool
        self._tries = Tries(spool)
        self._again: deque[Shard] = deque()

    def run(self, shards: Iterable[Shard], accept: Callable[[Shard], None]) -> Generator[Shard]:
        """Have the shards done.

        At any time at most `AT_HAND` shards a worker are in the cluster: the rest is not even planned yet.

        Args:
            shards: Taken as there are workers for them.
            accept: Looks at a shard's file, and raises `Refused` if it is not as it should be.

        Yields:
            Each shard once its file is accepted, in the order in which they are done.

        Raises:
            MissingDependency, BadArguments, InputInvalid: What a worker met with, and every other would.
            BackendFailed: A shard failed `ponder.spread.tries.ATTEMPTS` times, or no worker can be had.
        """
        coming = iter(shards)
        try:
            more = True
            while True:
                more = self._give(coming) and more
                if not more and not self._again and not any(each.hand for each in self._staff):
                    return
                self._hiring.hire()
                yield from self._look(accept)
                self._dismiss_late()
        finally:
            for each in list(self._staff):
                self._hiring.let_go(each)

    def _give(self, coming: Iterator[Shard]) -> bool:
        """Fill the hands of the workers, one shard each in turn; whether there may be more to come."""
        for level in range(1, AT_HAND + 1):
            if level > 1 and self._again:
                # What is tried again is watched, and waits for a worker with nothing else to do.
                return True
            for each in self._staff:
                if each.ready is not None or len(each.hand) >= level or (each.hand and each.watched):
                    continue
                shard = self._again.popleft() if self._again else next(coming, None)
                if shard is None:
                    return False
                self._hiring.hand_over(each, shard, self._tries.without(shard))
                if len(each.hand) == 1:
                    self._begin(each)
        return True

    def _begin(self, each: Hired) -> None:
        each.since = time.monotonic()
        self._tell("began", each, each.hand[0][0])

    def _look(self, accept: Callable[[Shard], None]) -> Iterator[Shard]:
        awaited = {each.awaited: each for each in self._staff if each.awaited is not None}
        if not awaited:
            time.sleep(_LOOK_SECONDS)
            return
        done, _ = self._ray.wait(list(awaited), num_returns=1, timeout=_LOOK_SECONDS)
        for reference in done:
            each = awaited[reference]
            try:
                answer = json.loads(self._ray.get(reference))
            except self._ray.exceptions.RayError as error:
                yield from self._lost(each, error, accept)
                continue
            self._hiring.heard()
            met = error_in(answer)
            if isinstance(met, _FATAL):
                raise met
            if each.ready is not None:
                self._came(each, answer, met)
            else:
                yield from self._came_back(each, met, accept)

    def _came(self, each: Hired, answer: dict[str, Any], error: PonderError | None) -> None:
        if error is not None:
            # What it cannot do now, the folder or its machine being as they are, nor can the next.
            raise error
        each.ready, each.worker, each.pid = None, answer["worker"], answer["pid"]
        self._tell("hired", each)

    def _came_back(
        self, each: Hired, error: PonderError | None, accept: Callable[[Shard], None]
    ) -> Iterator[Shard]:
        shard, _ = each.hand.popleft()
        if each.hand:
            self._begin(each)
        if error is not None:
            self._try_again([shard], self._tell("failed", each, shard, str(error)))
            return
        try:
            accept(shard)
        except Refused as refused:
            self._try_again([shard], self._tell("refused", each, shard, str(refused)))
            # Whoever gives wrong rows once has a broken machine, or a broken state: another takes its place.
            self._replace(each, "")
            return
        self._tell("done", each, shard)
        yield shard

    def _lost(self, each: Hired, error: Exception, accept: Callable[[Shard], None]) -> Iterator[Shard]:
        why = f"{type(error).__name__}: {first_line(error)}"
        if each.ready is not None or isinstance(error, self._ray.exceptions.RayActorError):
            yield from self._finished(each, accept)
            self._end(each, "lost", why)
            return
        # The worker lives: what it called has failed, or the stage before it.
        shard, _ = each.hand.popleft()
        self._try_again([shard], self._tell("failed", each, shard, why))
        if each.hand:
            self._begin(each)

    def _finished(self, each: Hired, accept: Callable[[Shard], None]) -> Iterator[Shard]:
        """What a dead worker had finished, though the answers died with it: a later shard ended it."""
        for handed in [given for given in each.hand if self._spool.has(given[0].key)]:
            shard, _ = handed
            try:
                accept(shard)
            except Refused:
                continue
            each.hand.remove(handed)
            self._tell("done", each, shard)
            yield shard
            if each.hand:
                self._begin(each)

    def _dismiss_late(self) -> None:
        now = time.monotonic()
        for each in list(self._staff):
            if each.awaited is None or now - each.since <= self._needs.seconds:
                continue
            # It may have answered while we were busy storing.
            if not self._ray.wait([each.awaited], timeout=0)[0]:
                self._end(each, "late", f"silent for {self._needs.seconds:.0f} s")

    def _end(self, each: Hired, what: str, why: str) -> None:
        """A worker is dead, or taken for dead."""
        # Where files are opened elsewhere, whichever of its shards is opened first is worked on first.
        blamed = [shard for shard, _ in each.hand][: None if self._needs.stages_apart else 1]
        event = self._tell(what, each, blamed[0] if blamed else None, why)
        self._try_again(blamed, event)
        for _ in blamed:
            each.hand.popleft()
        self._replace(each, why)

    def _try_again(self, shards: list[Shard], event: Event) -> None:
        for shard in shards:
            self._tries.failed(shard, event)
            self._again.append(shard)

    def _replace(self, each: Hired, why: str) -> None:
        # What waited in its hand was not begun.
        self._again.extendleft(shard for shard, _ in reversed(each.hand))
        each.hand.clear()
        self._hiring.let_go(each, why)

    def _tell(self, what: str, each: Hired, shard: Shard | None = None, why: str = "") -> Event:
        event = Event(what, each.worker, each.pid, None if shard is None else shard.number, why)
        self._events(event)
        return event
