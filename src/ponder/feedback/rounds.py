"""What a round of the loop gave, kept so that a loop that was interrupted goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ponder.evaluate.bootstrap import Difference, paired_difference

FILE = "figures.json"


@dataclass(frozen=True, slots=True)
class Figures:
    """Models measured on dev.

    Attributes:
        models: As in ``--models``.
        retrieval: Metric → a value a query, of the retriever alone.
        cascade: The same of the cascade at the loop's budget.
        tokens: Mean read and written a query by the cascade.
        guards: By guarded data set, the loop's metric of the retriever alone.
    """

    models: str
    retrieval: Mapping[str, Sequence[float]]
    cascade: Mapping[str, Sequence[float]]
    tokens: float
    guards: Mapping[str, float]

    def mean(self, stage: str, metric: str) -> float:
        """Of all queries; `stage` is "retrieval" or "cascade"."""
        values = getattr(self, stage)[metric]
        return float(sum(values) / len(values))

    def over(self, other: Figures, stage: str, metric: str) -> Difference:
        """The paired difference from other models."""
        return paired_difference(getattr(self, stage)[metric], getattr(other, stage)[metric])


@dataclass(frozen=True, slots=True)
class Round:
    """A round.

    Attributes:
        number: From 1; 0 is how it was before.
        figures: Of the models that it made.
        decisions: Pairs by what was decided.
        mining_tokens: Read and written to judge them.
        seconds: That mining and training took, as measured when they were done.
        kept: Whether it is better than what was there.
        why: In words.
    """

    number: int
    figures: Figures
    decisions: Mapping[str, int]
    mining_tokens: int
    seconds: Mapping[str, float]
    kept: bool
    why: str

    def save(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        partial = folder / f".{FILE}.partial"
        partial.write_text(json.dumps(asdict(self), sort_keys=True) + "\n", encoding="utf-8")
        partial.replace(folder / FILE)

    @classmethod
    def read(cls, folder: Path) -> Round | None:
        """The round that a folder keeps; None where it is not done."""
        file = folder / FILE
        if not file.is_file():
            return None
        told: dict[str, Any] = json.loads(file.read_text("utf-8"))
        told["figures"] = Figures(**told["figures"])
        return cls(**told)


@dataclass(frozen=True, slots=True)
class Rule:
    """When a round is kept.

    Attributes:
        metric: That is to rise, of the retriever alone. ndcg@10 sees the first place and those behind it: by
            hit@10 a round was kept that found more and put less of it first (docs/log.md).
        harm: How far a guarded data set, and the cascade's own figure, may fall below what they were before
            the loop.
    """

    metric: str = "ndcg@10"
    harm: float = 0.01

    def judge(self, now: Figures, best: Figures, before: Figures) -> tuple[bool, str]:
        """Whether a round is kept, and why in words."""
        gain = now.over(best, "retrieval", self.metric)
        told = f"{self.metric} {gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] over the best so far"
        for name, value in now.guards.items():
            if value < before.guards[name] - self.harm:
                return False, f"{name} fell from {before.guards[name]:.3f} to {value:.3f}; {told}"
        # Held against the best so far, each round could lose as much again.
        whole, was = now.mean("cascade", self.metric), before.mean("cascade", self.metric)
        if whole < was - self.harm:
            return False, f"the cascade's {self.metric} fell from {was:.3f} to {whole:.3f}; {told}"
        if gain.mean <= 0:
            return False, f"no gain: {told}"
        return True, told
