"""One query's way through the stages of a cascade."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ponder.cascade.cascade import Cascade
from ponder.cascade.judging import Wants, judge, planned, price
from ponder.cascade.ledger import Ledger
from ponder.cascade.nextstep import most_open
from ponder.cascade.offer import Offers
from ponder.cascade.pacing import Allocation
from ponder.cascade.signals import signals
from ponder.cascade.stages import Rerank, Retrieve, Stage, Think
from ponder.cascade.standing import Standing
from ponder.cascade.thinking import think
from ponder.cascade.weighing import Weighing
from ponder.protocols import HasBlocks, Searchable
from ponder.records import Content, Event, NextStep, Query, Ranking, Row, StageScore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(slots=True, eq=False)
class Run:
    """One query's way through the stages.

    Attributes:
        cascade: The stages.
        searchable: The shelf.
        query: As asked.
        content: The query, opened.
        ledger: Of this query.
        k: Hits to return.
        where: A filter.
        allocate: How a stage asks.
        keep_on_fault: Whether a failing engine leaves the order as it is.
        gates: Whether stages may be left out by the query's signals.
        signals: What retrieval alone tells of the query.
        explain: Whether to reckon the next step.
        pooled: The purse, where it is shared with other queries; None if not. Until the first judge is
            asked the query has no more than its own ledger's budget, so that no query can think at the
            expense of another.
        standings: All candidates, in order.
        trace: What happened.
        seconds: Spent on this query so far.
    """

    cascade: Cascade
    searchable: Searchable
    query: Query
    content: Content
    ledger: Ledger
    k: int
    where: str | None
    allocate: Allocation
    keep_on_fault: bool = False
    gates: bool = True
    signals: dict[str, float] = field(default_factory=dict)
    explain: bool = False
    pooled: Ledger | None = None
    seconds: float = 0.0
    standings: list[Standing] = field(default_factory=list)
    trace: list[Event] = field(default_factory=list)
    _following: list[NextStep] = field(default_factory=list)

    def steps(self) -> Offers:
        """All stages, stopping at each question to a judge."""
        for place, stage in enumerate(self.cascade.stages):
            yield from self._do(stage, self.cascade.stages[place + 1 :])
        self._count_reused()

    def staged(self) -> Iterator[str]:
        """All stages, stopping after each; its name."""
        last = len(self.cascade.stages) - 1
        for place, stage in enumerate(self.cascade.stages):
            for _ in self._do(stage, self.cascade.stages[place + 1 :]):
                pass
            if place == last:
                self._count_reused()
            yield stage.name

    def ranking(self) -> Ranking:
        """The answer, once all steps are done."""
        return Ranking(
            query=self.query,
            hits=tuple(each.hit(rank) for rank, each in enumerate(self.standings[: self.k], start=1)),
            usage=self.ledger.usage,
            by_stage={
                stage.name: self.ledger.by_stage[stage.name]
                for stage in self.cascade.stages
                if stage.name in self.ledger.by_stage
            },
            budget=(self.pooled or self.ledger).budget,
            trace=tuple(self.trace),
            seconds=self.seconds,
            signals=self.signals,
            next=most_open(self._following),
        )

    def _do(self, stage: Stage, later: Sequence[Stage]) -> Offers:
        models = self.searchable.models
        match stage:
            case Retrieve():
                vector = models.embedder.embed_queries([self.content], [None])[0]
                self.standings = self._nearest(vector, stage.name)
                self.signals = self._signals(vector)
                self.trace.append(Event(stage.name, f"found {len(self.standings)} items"))
            case Think(gate=gate) if gate is not None and gate.shut(self._seen):
                self.trace.append(Event(stage.name, f"gate: not thought, {gate.told(self._seen)}"))
            case Think():
                thought = think(stage, models, self.content, self.ledger, self.keep_on_fault)
                self.trace += thought.events
                if thought.vector is not None:
                    self.standings = self._nearest(thought.vector, stage.name)
            case Rerank():
                wants = self._wants(later)
                outcome = yield from judge(
                    Weighing.of(stage, models, self._seen),
                    self.content,
                    self.standings,
                    self.ledger,
                    tokens=self._share(stage, wants),
                    last=wants.most == 0,
                    keep_on_fault=self.keep_on_fault,
                    allocate=self.allocate,
                    explain=self.explain,
                )
                self.standings = outcome.standings
                self.trace += outcome.events
                self._following += [outcome.next] if outcome.next else []

    def _wants(self, later: Sequence[Stage]) -> Wants:
        """What the stages behind one can use for this query."""
        waiting = [each for each in later if isinstance(each, Rerank)]
        return price(waiting, self.searchable.models, self.content, self.standings, self._seen)

    def _share(self, stage: Rerank, wants: Wants) -> int:
        """What the stage may spend: from a purse, whatever it is given question by question."""
        if self.pooled is not None:
            self.ledger.budget = self.pooled.budget
            return self.ledger.left
        return planned(stage, self.ledger.left, wants)

    def _nearest(self, vector: NDArray[np.float32], stage: str) -> list[Standing]:
        """The items nearest to `vector`, with what earlier stages said about them."""
        index = self.searchable.index
        matches = index.search(vector, max(self.k, self._reach), self.where)
        rows = {row.item.id: row for row in index.get([match.id for match in matches])}
        said = {standing.id: standing.stages for standing in self.standings}
        # A reader may look while a writer removes: an item without its row is gone.
        found = [match for match in matches if match.id in rows]
        return [
            Standing(
                rows[match.id],
                match,
                rank,
                match.score,
                [*said.get(match.id, ()), StageScore(stage, match.score, rank, _unseen(rows[match.id]))],
            )
            for rank, match in enumerate(found, start=1)
        ]

    @property
    def _seen(self) -> dict[str, float]:
        return self.signals if self.gates else {}

    def _signals(self, vector: NDArray[np.float32]) -> dict[str, float]:
        embedder = self.searchable.models.embedder
        blocks = embedder.blocks if isinstance(embedder, HasBlocks) else {}
        candidates = [each.candidate(rank) for rank, each in enumerate(self.standings, start=1)]
        return signals(self.content, candidates, vector, blocks)

    @property
    def _reach(self) -> int:
        first = self.cascade.stages[0]
        return first.k if isinstance(first, Retrieve) else 0

    def _count_reused(self) -> None:
        """Charge the stored reasoning that was used through vectors only, as cached."""
        unread = sum(
            standing.row.reasoning.tokens
            for standing in self.standings
            if standing.found <= self._reach and not standing.read
        )
        self.ledger.cached(Retrieve.name, unread)


def _unseen(row: Row) -> str:
    """What the stored reasoning is not about, as a note for its hit."""
    return f"reasoned about in part: {row.reasoning.cut}" if row.reasoning.cut else ""
