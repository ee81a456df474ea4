"""Running a cascade on a shelf: one query, or a batch that shares a budget."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ponder.cascade.cascade import Cascade, OnFault
from ponder.cascade.ledger import Ledger, whole_number
from ponder.cascade.pacing import Allocation, check_allocation
from ponder.cascade.purse import serve
from ponder.cascade.run import Run
from ponder.errors import BadArguments
from ponder.protocols import Searchable
from ponder.records import Query, Ranking

if TYPE_CHECKING:
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
        explain: bool = False,
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
            explain: Also reckon what could be asked next (`Ranking.next`); costs time but no tokens.
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
        started = time.perf_counter()
        run = self._run(query, Ledger(budget), k, where, check_allocation(allocate))
        run.gates = gates
        run.explain = explain
        for _ in run.steps():
            pass
        run.seconds = time.perf_counter() - started
        return run.ranking()

    def stream(
        self,
        query: Query | str,
        *,
        budget: int = 0,
        k: int = 10,
        where: str | None = None,
        allocate: Allocation = "uniform",
        explain: bool = False,
        gates: bool = True,
    ) -> Iterator[tuple[str, Ranking]]:
        """Search, and show each stage's order as soon as it is there.

        Args:
            query: As when called.
            budget: As when called.
            k: As when called.
            where: As when called.
            allocate: As when called.
            explain: As when called.
            gates: As when called.

        Yields:
            A stage's name and the ranking after it; the last one is what calling gives. Whoever stops asking
            spends no more tokens.

        Raises:
            PonderError: As when called.

        Example:
            >>> from ponder.cascade import default_cascade
            >>> from ponder.testing import FakeShelf
            >>> search = default_cascade().on(FakeShelf(["a red kite", "a blue whale"]))
            >>> [(stage, len(ranking)) for stage, ranking in search.stream("red kite", budget=64)]
            [('retrieve', 2), ('ecr', 2), ('query-aware', 2)]
        """
        started = time.perf_counter()
        run = self._run(query, Ledger(budget), k, where, check_allocation(allocate))
        run.gates, run.explain = gates, explain
        for stage in run.staged():
            run.seconds = time.perf_counter() - started
            yield stage, run.ranking()

    def batch(
        self,
        queries: Sequence[Query | str],
        *,
        budget: int = 0,
        k: int = 10,
        where: str | Sequence[str | None] | None = None,
        allocate: Allocation = "adaptive",
        gates: bool = True,
    ) -> list[Ranking]:
        """Search for many, with one purse.

        Adaptive, tokens go to the queries whose first place is most likely to change for them
        (`ponder.cascade.purse` has the rule and its sources): one that is safe leaves its share to others.
        Thinking about the query takes at most the mean. Uniform, each query has the mean and no more.

        Args:
            queries: What is asked.
            budget: The mean of tokens a query: the purse holds ``budget * len(queries)``.
            k: How many hits to return for each, at most.
            where: A filter for all, or one for each.
            allocate: "adaptive" shares the purse; "uniform" has each query spend its own.
            gates: As when called.

        Returns:
            A ranking for each query, in their order. The sum of ``usage.spent`` is within the purse,
            whatever the engines do. With engines that give the same answer each time, a query's ranking
            does not depend on the order of the queries; on which others there are it does. ``seconds`` is
            what was spent on the query itself.

        Raises:
            BadArguments: As when called; or there are more or fewer filters than queries.
            InputInvalid: One of the queries cannot be used; nothing is spent then.
            InputNotFound: One query's media are not there; nothing is spent.
            BackendFailed: An engine failed, unless the search was made with ``on_fault="keep"``.

        Example:
            >>> from ponder.cascade import default_cascade
            >>> from ponder.testing import FakeShelf
            >>> search = default_cascade().on(FakeShelf(["a red kite", "a blue whale", "a red red fox"]))
            >>> found = search.batch(["red kite", "whale"], budget=64)
            >>> [ranking.hits[0].item.text for ranking in found]
            ['a red kite', 'a blue whale']
            >>> sum(ranking.usage.spent for ranking in found) <= 2 * 64
            True
        """
        check_allocation(allocate)
        budget = whole_number(budget, "budget")
        filters = [where] * len(queries) if where is None or isinstance(where, str) else list(where)
        if len(filters) != len(queries):
            raise BadArguments(f"{len(filters)} filters for {len(queries)} queries", "where", "give one each")
        if allocate == "uniform":
            return [
                self(query, budget=budget, k=k, where=each, allocate=allocate, gates=gates)
                for query, each in zip(queries, filters, strict=True)
            ]
        purse = Ledger(budget * len(queries))
        runs = []
        for query, each in zip(queries, filters, strict=True):
            run = self._run(query, Ledger(budget, purse), k, each, allocate)
            run.pooled, run.gates = purse, gates
            runs.append(run)
        serve(runs, purse, budget)
        return [run.ranking() for run in runs]

    def _run(
        self, query: Query | str, ledger: Ledger, k: int, where: str | None, allocate: Allocation
    ) -> Run:
        from ponder.media.content import open_query
        from ponder.media.limits import Limits

        asked = Query(text=query) if isinstance(query, str) else query
        if not isinstance(asked, Query):
            raise BadArguments(f"a query is text or a Query, not {type(query).__name__}", "query")
        k = whole_number(k, "k", least=1)
        return Run(
            cascade=self.cascade,
            searchable=self.searchable,
            query=asked,
            content=open_query(asked, self._limits or Limits()),
            ledger=ledger,
            k=k,
            where=where,
            allocate=allocate,
            keep_on_fault=self.keep_on_fault,
        )
