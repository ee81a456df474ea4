"""The workers on a cluster: hired as there is room, given shards, and replaced when they die or hang."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ponder.errors import (
    BackendFailed,
    BadArguments,
    InputInvalid,
    MissingDependency,
    PonderError,
    first_line,
)
from ponder.spread.job import items_text
from ponder.spread.needs import Event, Needs, room
from ponder.spread.planning import Shard
from ponder.spread.spool import Refused
from ponder.spread.worker import Worker, error_in, open_items

ATTEMPTS = 4
"""Times that a shard is tried: what fails on four workers fails because of itself."""

AT_HAND = 2
"""Shards that a worker has: one in work, one waiting, so that it need not wait for the driver."""

_LOOK_SECONDS = 0.5
_HIRE_SECONDS = 1.0

_FATAL = (MissingDependency, BadArguments, InputInvalid)
"""A worker's errors that the next one would meet too."""


@dataclass(slots=True, eq=False)
class _Hired:
    actor: Any
    ready: Any
    since: float
    worker: str = ""
    pid: int = 0
    hand: deque[tuple[Shard, Any]] = field(default_factory=deque)

    @property
    def awaited(self) -> Any:
        return self.hand[0][1] if self.ready is None else self.ready


class Fleet:
    """Gives shards to workers and sees to it that each comes back, once, and as it was asked for.

    Args:
        ray: The module, connected.
        needs: Of the workers.
        job: As JSON.
        spool: Folder of finished shards.
        mark: What it is marked with.
        events: Called with whatever happens.
        worker: The class of the workers, with `Worker`'s methods.
    """

    def __init__(
        self,
        ray: Any,
        needs: Needs,
        job: str,
        spool: str,
        mark: str,
        events: Callable[[Event], None] | None = None,
        worker: type[Worker] = Worker,
    ) -> None:
        self._ray, self._needs, self._told = ray, needs, (job, spool, mark)
        self._events = events or (lambda event: None)
        self._class = ray.remote(worker).options(
            num_cpus=0 if needs.stages_apart else needs.cpus,
            num_gpus=needs.gpus,
            # Replaced by us, so that a shard is not tried for ever.
            max_restarts=0,
            max_task_retries=0,
        )
        self._opens = ray.remote(open_items).options(num_cpus=1, max_retries=0)
        self._staff: list[_Hired] = []
        self._again: deque[Shard] = deque()
        self._tries: dict[int, int] = {}
        self._looked = self._heard = 0.0

    def run(self, shards: Iterable[Shard], accept: Callable[[Shard], None]) -> Iterator[Shard]:
        """Have the shards done.

        At any time at most `AT_HAND` shards a worker are in the cluster: the rest is not even planned yet.

        Args:
            shards: Taken as there are workers for them.
            accept: Looks at a shard's file, and raises `Refused` if it is not as it should be.

        Yields:
            Each shard once its file is accepted, in the order in which they are done.

        Raises:
            MissingDependency, BadArguments, InputInvalid: What a worker met with, and every other would.
            BackendFailed: A shard failed on `ATTEMPTS` workers, or no worker can be had.
        """
        coming = iter(shards)
        self._heard = time.monotonic()
        try:
            more = True
            while True:
                more = self._give(coming) if more or self._again else False
                if not more and not self._again and not any(each.hand for each in self._staff):
                    return
                self._hire()
                yield from self._look(accept)
                self._dismiss_late()
        finally:
            for each in list(self._staff):
                self._let_go(each)

    def _give(self, coming: Iterator[Shard]) -> bool:
        """Fill the hands of the workers, one shard each in turn; whether there may be more to come."""
        for level in range(1, AT_HAND + 1):
            for each in self._staff:
                if each.ready is not None or len(each.hand) >= level:
                    continue
                shard = self._again.popleft() if self._again else next(coming, None)
                if shard is None:
                    return False
                self._hand_over(each, shard)
        return True

    def _hand_over(self, each: _Hired, shard: Shard) -> None:
        items = items_text(shard.items)
        opened = [self._opens.remote(self._told[0], items)] if self._needs.stages_apart else []
        each.hand.append((shard, each.actor.run.remote(shard.key, items, *opened)))
        if len(each.hand) == 1:
            self._begin(each)

    def _begin(self, each: _Hired) -> None:
        each.since = time.monotonic()
        self._tell("began", each, each.hand[0][0])

    def _hire(self) -> None:
        now = time.monotonic()
        if now - self._looked < _HIRE_SECONDS:
            return
        self._looked = now
        for _ in range(room(self._ray.cluster_resources(), self._needs) - len(self._staff)):
            actor = self._class.remote(*self._told)
            self._staff.append(_Hired(actor, actor.begin.remote(), now))
        if not any(each.ready is None for each in self._staff) and now - self._heard > self._needs.seconds:
            raise BackendFailed(
                f"no worker could be had in {self._needs.seconds:.0f} s",
                "--on",
                "look at the cluster's CPUs and GPUs: ray status",
            )

    def _look(self, accept: Callable[[Shard], None]) -> Iterator[Shard]:
        awaited = {each.awaited: each for each in self._staff if each.ready is not None or each.hand}
        if not awaited:
            time.sleep(_LOOK_SECONDS)
            return
        done, _ = self._ray.wait(list(awaited), num_returns=1, timeout=_LOOK_SECONDS)
        for reference in done:
            each = awaited[reference]
            try:
                answer = json.loads(self._ray.get(reference))
            except self._ray.exceptions.RayError as error:
                self._lost(each, error)
                continue
            self._heard = time.monotonic()
            met = error_in(answer)
            if isinstance(met, _FATAL):
                raise met
            if each.ready is not None:
                self._came(each, answer, met)
            else:
                yield from self._came_back(each, met, accept)

    def _came(self, each: _Hired, answer: dict[str, Any], error: PonderError | None) -> None:
        if error is not None:
            # What it cannot do now, the folder or its machine being as they are, nor can the next.
            raise error
        each.ready, each.worker, each.pid = None, answer["worker"], answer["pid"]
        self._tell("hired", each)

    def _came_back(
        self, each: _Hired, error: PonderError | None, accept: Callable[[Shard], None]
    ) -> Iterator[Shard]:
        shard, _ = each.hand.popleft()
        if each.hand:
            self._begin(each)
        if error is not None:
            self._try_again(shard, "failed", each, str(error))
            return
        try:
            accept(shard)
        except Refused as refused:
            self._try_again(shard, "refused", each, str(refused))
            # Whoever gives wrong rows once has a broken machine, or a broken state: another takes its place.
            self._replace(each)
            return
        self._tell("done", each, shard)
        yield shard

    def _lost(self, each: _Hired, error: Exception) -> None:
        why = f"{type(error).__name__}: {first_line(error)}"
        dead = isinstance(error, self._ray.exceptions.RayActorError) or each.ready is not None
        if each.hand:
            shard, _ = each.hand.popleft()
            self._try_again(shard, "lost" if dead else "failed", each, why)
            if each.hand and not dead:
                self._begin(each)
        else:
            self._tell("lost", each, why=why)
        if dead:
            self._replace(each)

    def _dismiss_late(self) -> None:
        now = time.monotonic()
        for each in list(self._staff):
            if now - each.since <= self._needs.seconds or not (each.ready is not None or each.hand):
                continue
            # It may have answered while we were busy storing.
            if self._ray.wait([each.awaited], timeout=0)[0]:
                continue
            why = f"silent for {self._needs.seconds:.0f} s"
            if each.hand:
                shard, _ = each.hand.popleft()
                self._try_again(shard, "late", each, why)
            else:
                self._tell("late", each, why=why)
            self._replace(each)

    def _try_again(self, shard: Shard, what: str, each: _Hired, why: str) -> None:
        self._tell(what, each, shard, why)
        tries = self._tries[shard.number] = self._tries.get(shard.number, 0) + 1
        if tries >= ATTEMPTS:
            named = ", ".join(item.uri or item.id for item in shard.items[:3])
            raise BackendFailed(
                f"shard {shard.number} failed {tries} times, at last on {each.worker or '?'}: {why}",
                f"{len(shard.items)} items: {named}, …",
                "what is finished is kept: run it again, or without --on",
            )
        self._again.append(shard)

    def _replace(self, each: _Hired) -> None:
        # What waited in its hand was not begun.
        self._again.extendleft(shard for shard, _ in reversed(each.hand))
        each.hand.clear()
        self._let_go(each)
        self._looked = 0.0

    def _let_go(self, each: _Hired) -> None:
        self._staff.remove(each)
        with suppress(self._ray.exceptions.RayError, ValueError):
            self._ray.kill(each.actor, no_restart=True)

    def _tell(self, what: str, each: _Hired, shard: Shard | None = None, why: str = "") -> None:
        self._events(Event(what, each.worker, each.pid, None if shard is None else shard.number, why))
