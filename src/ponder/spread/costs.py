"""What a run on a fleet took, worker by worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ponder.records import Usage
from ponder.spread.needs import Event
from ponder.spread.spool import Result


@dataclass(slots=True)
class WorkerCost:
    """What one worker did.

    Attributes:
        shards: That were accepted.
        items: In these.
        tokens: Of the reasoner.
        seconds: At work on these, the loading of weights included.
        model_seconds: Of these, in reasoner and embedder.
    """

    shards: int = 0
    items: int = 0
    tokens: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    model_seconds: float = 0.0


@dataclass(slots=True)
class Costs:
    """Of a whole run.

    Attributes:
        workers: By machine and process.
        troubles: How often workers were lost, late, refused or failed.
        resumed: Shards that an earlier run had finished.
        wall: Seconds from the first shard asked for to the last one stored.
    """

    workers: dict[str, WorkerCost] = field(default_factory=dict)
    troubles: dict[str, int] = field(default_factory=dict)
    resumed: int = 0
    wall: float = 0.0

    def add(self, result: Result) -> None:
        """Count a shard."""
        cost = self.workers.setdefault(result.worker, WorkerCost())
        cost.shards += 1
        cost.items += len(result.rows) + len(result.skipped)
        cost.tokens += result.usage
        cost.seconds += result.seconds
        cost.model_seconds += result.model_seconds

    def note(self, event: Event) -> None:
        """Count a trouble; other events are passed over."""
        if event.what in ("lost", "late", "refused", "failed"):
            self.troubles[event.what] = self.troubles.get(event.what, 0) + 1

    @property
    def seconds(self) -> float:
        """At work, of all workers."""
        return sum(each.seconds for each in self.workers.values())

    @property
    def model_seconds(self) -> float:
        """In reasoners and embedders, of all workers."""
        return sum(each.model_seconds for each in self.workers.values())

    def fields(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "workers": [{"worker": name, **_fields(each)} for name, each in sorted(self.workers.items())],
            "worker_seconds": round(self.seconds, 3),
            "model_seconds": round(self.model_seconds, 3),
            "wall_seconds": round(self.wall, 3),
            "shards": sum(each.shards for each in self.workers.values()),
            "resumed_shards": self.resumed,
            "troubles": dict(self.troubles),
        }

    def line(self) -> str:
        """For people."""
        fields = self.fields()
        lost = ", ".join(f"{count} {what}" for what, count in self.troubles.items()) or "none lost"
        return (
            f"{fields['shards']} shards on {len(self.workers)} workers, {self.seconds:.1f} s of work "
            f"({self.model_seconds:.1f} s in models) in {self.wall:.1f} s; {lost}; "
            f"{self.resumed} shards were finished before"
        )


def _fields(cost: WorkerCost) -> Mapping[str, Any]:
    tokens = cost.tokens
    return {
        "shards": cost.shards,
        "items": cost.items,
        "tokens": {"read": tokens.read, "written": tokens.written, "cached": tokens.cached},
        "seconds": round(cost.seconds, 3),
        "model_seconds": round(cost.model_seconds, 3),
    }
