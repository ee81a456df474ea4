"""A candidate on its way through a cascade, and the hit that it becomes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ponder.cascade.stages import Retrieve, Think
from ponder.records import Candidate, Event, Hit, Match, Row, StageScore

_FINDERS = (Retrieve.name, Think.name)


@dataclass(slots=True, eq=False)
class Standing:
    """Where a candidate stands.

    Attributes:
        row: Its stored row.
        match: What the index said.
        found: The rank that the index found it at.
        score: After the last stage.
        stages: What each stage said.
        thought: Last reasoning that a judge wrote about it.
        read: Whether a judge has read its stored reasoning, which is then not counted as reused.
    """

    row: Row
    match: Match
    found: int
    score: float
    stages: list[StageScore] = field(default_factory=list)
    thought: str = ""
    read: bool = False

    @property
    def id(self) -> str:
        """The item's id."""
        return self.row.item.id

    def candidate(self, rank: int) -> Candidate:
        """What a reranker is shown."""
        judged = tuple(
            each.name for each in self.stages if each.score is not None and each.name not in _FINDERS
        )
        return Candidate(self.row, self.match.part, self.score, rank, judged)

    def hit(self, rank: int) -> Hit:
        """The result, with the reasoning and the passage that found it.

        A passage of a text stands in its part as it is, so the reason is then the whole item's ECR; a
        segment's part is itself the reasoning about it.
        """
        reasoning, label = self.row.reasoning, self.match.part
        part = next((part.text for part in reasoning.parts if part.label == label), "")
        about = reasoning.text if label.startswith("chars=") else part or reasoning.text
        if not label:
            about = reasoning.text or part
        return Hit(
            item=self.row.item,
            rank=rank,
            score=self.score,
            part=label,
            reason=self.thought or about,
            passage=part,
            stages=tuple(self.stages),
        )


def moves(stage: str, before: Iterable[Standing], after: Iterable[Standing]) -> list[Event]:
    """One event for each candidate that is at another rank than before."""
    old = {standing.id: rank for rank, standing in enumerate(before, start=1)}
    events = []
    for rank, standing in enumerate(after, start=1):
        was = old.get(standing.id)
        if was == rank:
            continue
        score = standing.stages[-1].score
        said = "not judged" if score is None else f"score {score:.4g}"
        what = f"found, now {rank}: {said}" if was is None else f"moved {was} -> {rank}: {said}"
        events.append(Event(stage, f"{what}, shown as {standing.score:.4g}", standing.id, was, rank, score))
    return events
