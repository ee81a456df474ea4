"""Workers as Ray's actors: hired as the cluster has room, handed shards, let go."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ponder.errors import BackendFailed
from ponder.spread.job import items_text
from ponder.spread.needs import Needs, room
from ponder.spread.planning import Shard
from ponder.spread.spool import Spool
from ponder.spread.worker import Worker, open_items

_HIRE_SECONDS = 1.0

_STILLBORN = 8
"""Workers in a row that died before they had begun, after which it is no accident."""


@dataclass(slots=True, eq=False)
class Hired:
    """One worker, as the driver knows it.

    Attributes:
        actor: Ray's handle.
        ready: What it answers once its models are built; None when it has.
        since: When it was hired, or began with the first shard of its hand.
        worker: Its machine and process, once it has told.
        pid: Its process.
        hand: Its shards, each with the answer that is awaited; the first is the one in work.
        watched: Whether it notes what it works on: it then has one shard and no more.
    """

    actor: Any
    ready: Any
    since: float
    worker: str = ""
    pid: int = 0
    hand: deque[tuple[Shard, Any]] = field(default_factory=deque)
    watched: bool = False

    @property
    def awaited(self) -> Any:
        """The answer that comes next; None when nothing is asked."""
        if self.ready is not None:
            return self.ready
        return self.hand[0][1] if self.hand else None


class Hiring:
    """Hires and lets go.

    Args:
        ray: The module, connected.
        needs: Of the workers.
        job: As JSON.
        spool: Of finished shards.
        mark: What its folder is marked with.
        worker: The workers' class.
    """

    def __init__(
        self, ray: Any, needs: Needs, job: str, spool: Spool, mark: str, worker: type[Worker]
    ) -> None:
        self._ray, self._needs, self._told = ray, needs, (job, str(spool.folder), mark)
        self._class = ray.remote(worker).options(
            num_cpus=0 if needs.stages_apart else needs.cpus,
            num_gpus=needs.gpus,
            # Replaced by us, so that a shard is not tried for ever.
            max_restarts=0,
            max_task_retries=0,
        )
        self._opens = ray.remote(open_items).options(num_cpus=1, max_retries=0)
        self._looked = 0.0
        self._heard = time.monotonic()
        self._stillborn = 0
        self.staff: list[Hired] = []

    def hire(self) -> None:
        """Hire as many as there is room for now.

        Raises:
            BackendFailed: None could be had for as long as one may be silent.
        """
        now = time.monotonic()
        if now - self._looked < _HIRE_SECONDS:
            return
        self._looked = now
        for _ in range(room(self._ray.cluster_resources(), self._needs) - len(self.staff)):
            actor = self._class.remote(*self._told)
            self.staff.append(Hired(actor, actor.begin.remote(), now))
        if not any(each.ready is None for each in self.staff) and now - self._heard > self._needs.seconds:
            raise BackendFailed(
                f"no worker could be had in {self._needs.seconds:.0f} s",
                "--on",
                "look at the cluster's CPUs and GPUs: ray status",
            )

    def heard(self) -> None:
        """Some worker has answered."""
        self._heard = time.monotonic()
        self._stillborn = 0

    def hand_over(self, each: Hired, shard: Shard, without: dict[str, str] | None) -> None:
        """Give a worker a shard, behind what it has; `without` as for `Worker.run`."""
        items = items_text(shard.items)
        # What is watched is opened where it is noted.
        apart = self._needs.stages_apart and without is None
        opened = [self._opens.remote(self._told[0], items)] if apart else []
        each.hand.append((shard, each.actor.run.remote(shard.key, items, without, *opened)))
        each.watched = without is not None

    def let_go(self, each: Hired, why: str = "") -> None:
        """End a worker, whatever it does; another may be hired at once.

        Raises:
            BackendFailed: It is one of many that died before they had begun.
        """
        self.staff.remove(each)
        self._looked = 0.0
        with suppress(self._ray.exceptions.RayError, ValueError):
            self._ray.kill(each.actor, no_restart=True)
        if why and each.ready is not None:
            self._stillborn += 1
            if self._stillborn >= _STILLBORN:
                raise BackendFailed(
                    f"{_STILLBORN} workers died before they had begun: {why}", "--on", "see Ray's logs"
                )
