"""Running a cascade on a shelf: the way of one query."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ponder.cascade.cascade import Cascade, OnFault
from ponder.cascade.judging import judge, price
from ponder.cascade.ledger import Ledger, whole_number
from ponder.cascade.pacing import Allocation, check_allocation
from ponder.cascade.signals import signals
from ponder.cascade.stages import Rerank, Retrieve, Think
from ponder.cascade.standing import Standing
from ponder.cascade.thinking import think
from ponder.cascade.weighing import Weighing
from ponder.errors import BadArguments
from ponder.protocols import HasBlocks, Searchable
from ponder.records import Content, Event, Query, Ranking, Row, StageScore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ponder.media.limits import Limits


class Search:
    """A cascade on a shelf, ready to be asked. Made by `Cascade.on`; checked already.

    Attributes:
        cascade: The stages.
        searchable: The shelf.
        keep_on_fault: Whether a failing engine leaves the earlier order instead of raising.
    """

    def __init__(
        self, cascade: Cascade, searchable: Searchable, on_fault: OnFault, limits: Limits | None
    ) -> None:
        self.cascade = cascade
        self.searchable = searchable
        self.keep_on_fault = on_fault == "keep"
        self._limits = limits

    def __call__(
        self,
        query: Query | str,
        *,
        budget: int = 0,
        k: int = 10,
        where: str | None = None,
        allocate: Allocation = "uniform",
        gates: bool = True,
    ) -> Ranking:
        """Search.

        The plain query is embedded and the stored vectors compared, which is free; then each stage spends
        its share of the budget. With a budget of 0 no reranker and no reasoner is called.

        Args:
            query: What is asked; a string is a query of text.
            budget: The most tokens that reasoner and judges may read and write for this query.
            k: How many hits to return, at most.
            where: A filter that the index understands.
            allocate: "uniform" spends what it is given; "adaptive" only while the first place is open.
            gates: Whether a stage is left out for queries that it was measured not to help. Costs no tokens;
                without a calibration there are none.

        Returns:
            min(k, items) hits. ``usage.spent <= budget`` whatever the engines do. ``usage.cached`` is the
            number of stored reasoning tokens of the retrieved candidates (those that `Retrieve` asks for)
            that no judge has read: they worked through their vectors, free.

        Raises:
            BadArguments: `budget`, `k`, `where` or `allocate` cannot be used.
            InputInvalid: The query is empty, or its media cannot be opened.
            InputNotFound: Its media are not there.
            BackendFailed: An engine failed, unless the search was made with ``on_fault="keep"``.
        """
        from ponder.media.content import open_query
        from ponder.media.limits import Limits

        started = time.perf_counter()
        asked = Query(text=query) if isinstance(query, str) else query
        if not isinstance(asked, Query):
            raise BadArguments(f"a query is text or a Query, not {type(query).__name__}", "query")
        ledger = Ledger(budget)
        k = whole_number(k, "k", least=1)
        run = _Run(
            self,
            open_query(asked, self._limits or Limits()),
            ledger,
            k,
            where,
            check_allocation(allocate),
            gates,
        )
        for place, stage in enumerate(self.cascade.stages):
            run.do(stage, self.cascade.stages[place + 1 :])
        run.count_reused()
        return Ranking(
            query=asked,
            hits=tuple(standing.hit(rank) for rank, standing in enumerate(run.standings[:k], start=1)),
            usage=ledger.usage,
            by_stage={
                stage.name: ledger.by_stage[stage.name]
                for stage in self.cascade.stages
                if stage.name in ledger.by_stage
            },
            budget=ledger.budget,
            trace=tuple(run.trace),
            seconds=time.perf_counter() - started,
            signals=run.signals,
        )


@dataclass(slots=True, eq=False)
class _Run:
    """One query's way through the stages."""

    search: Search
    content: Content
    ledger: Ledger
    k: int
    where: str | None
    allocate: Allocation
    gates: bool
    signals: dict[str, float] = field(default_factory=dict)
    standings: list[Standing] = field(default_factory=list)
    trace: list[Event] = field(default_factory=list)

    def do(self, stage: Retrieve | Think | Rerank, later: Sequence[Retrieve | Think | Rerank]) -> None:
        models = self.search.searchable.models
        match stage:
            case Retrieve():
                vector = models.embedder.embed_queries([self.content], [None])[0]
                self.standings = self._nearest(vector, stage.name)
                self.signals = self._signals(vector)
                self.trace.append(Event(stage.name, f"found {len(self.standings)} items"))
            case Think(gate=gate) if self.gates and gate is not None and gate.shut(self.signals):
                self.trace.append(Event(stage.name, f"gate: not thought, {gate.told(self.signals)}"))
            case Think():
                thought = think(stage, models, self.content, self.ledger, self.search.keep_on_fault)
                self.trace += thought.events
                if thought.vector is not None:
                    self.standings = self._nearest(thought.vector, stage.name)
            case Rerank():
                waiting = [each for each in later if isinstance(each, Rerank)]
                seen = self.signals if self.gates else {}
                outcome = judge(
                    Weighing.of(stage, models, seen),
                    self.content,
                    self.standings,
                    self.ledger,
                    later=price(waiting, models, self.content, self.standings, seen),
                    keep_on_fault=self.search.keep_on_fault,
                    allocate=self.allocate,
                )
                self.standings = outcome.standings
                self.trace += outcome.events

    def _nearest(self, vector: NDArray[np.float32], stage: str) -> list[Standing]:
        """The items nearest to `vector`, with what earlier stages said about them."""
        index = self.search.searchable.index
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

    def _signals(self, vector: NDArray[np.float32]) -> dict[str, float]:
        embedder = self.search.searchable.models.embedder
        blocks = embedder.blocks if isinstance(embedder, HasBlocks) else {}
        candidates = [each.candidate(rank) for rank, each in enumerate(self.standings, start=1)]
        return signals(self.content, candidates, vector, blocks)

    @property
    def _reach(self) -> int:
        first = self.search.cascade.stages[0]
        return first.k if isinstance(first, Retrieve) else 0

    def count_reused(self) -> None:
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
