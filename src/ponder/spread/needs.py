"""What workers take of a cluster, and what is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Needs:
    """What workers take, and for how long they are waited for.

    Attributes:
        workers: How many at most; None for as many as the cluster has room for.
        cpus: CPUs of each. On a GPU it is 0: the CPUs are left to the stage that opens files.
        gpus: GPUs of each, also parts of one.
        seconds: A worker that takes longer over a shard (the first one loads the weights) is taken for dead.
            The default, half an hour, is for a shard of 256 items at 7 s each.
        apart: Whether another stage opens the files; so it is with GPUs unless told.
    """

    workers: int | None = None
    cpus: float = 1.0
    gpus: float = 0.0
    seconds: float = 1800.0
    apart: bool | None = None

    @property
    def stages_apart(self) -> bool:
        """Whether files are opened by tasks of their own, on CPUs."""
        return self.gpus > 0 if self.apart is None else self.apart


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a worker.

    Attributes:
        what: hired, began (a shard), done, lost (it died), late (it hung), refused (its rows are wrong) or
            failed.
        worker: Its machine and process; "" while it is not known.
        pid: Its process; 0 while it is not known.
        shard: The shard's number; None where none is concerned.
        why: In words.
    """

    what: str
    worker: str = ""
    pid: int = 0
    shard: int | None = None
    why: str = ""


def room(there: Mapping[str, float], needs: Needs) -> int:
    """How many workers a cluster with these resources holds.

    Example:
        >>> room({"CPU": 8.0}, Needs(cpus=2)), room({"CPU": 8.0, "GPU": 2.0}, Needs(gpus=0.5))
        (4, 4)
    """
    fits = [needs.workers] if needs.workers is not None else []
    if needs.gpus:
        fits.append(int(there.get("GPU", 0) / needs.gpus))
    elif needs.stages_apart:
        # Half of the CPUs open files.
        fits.append(max(1, int(there.get("CPU", 0) / 2)))
    elif needs.cpus:
        fits.append(int(there.get("CPU", 0) / needs.cpus))
    return min(fits) if fits else 1
