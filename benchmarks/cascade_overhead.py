"""What the cascade itself costs a query, beside a loop by hand that calls the same models.

Everything is in memory and the models are fakes, whose own time is measured and taken off on both sides.
The loop has no budget, no ledger, no trace and no checks of what the engines return: it retrieves 100, has
20 judged by their stored reasoning and 5 with the query in view, and adds up the scores.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from harness import finish, options, percentile

from ponder.cascade import default_cascade
from ponder.media.content import open_query
from ponder.media.limits import Limits
from ponder.records import Candidate, Query
from ponder.testing import FakeModels, FakeShelf

ITEMS, QUERIES, BUDGET = 1_000, 200, 4096
LIMIT = 0.01
"""Seconds: a hundredth of what lite's judges take for one query."""


class Clock:
    """Adds up the time that calls take."""

    def __init__(self) -> None:
        self.spent = 0.0

    def around(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*values: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return method(*values, **named)
            finally:
                self.spent += time.perf_counter() - began

        return timed


def main() -> None:
    arguments = options(__doc__).parse_args()
    models, clock = FakeModels(), Clock()
    shelf = FakeShelf([text(number) for number in range(ITEMS)], models)
    # The index is no part of the cascade either: `search` measures it.
    for part, names in (
        (models.embedder, ["embed_queries"]),
        (shelf.index, ["search", "get"]),
        *((judge, ["rerank"]) for judge in models.rerankers.values()),
    ):
        for name in names:
            setattr(part, name, clock.around(getattr(part, name)))
    cascade = default_cascade().on(shelf)
    queries = [f"word{number % 97} word{number % 89} word{number % 83}" for number in range(QUERIES)]

    def own(search: Callable[[str], object], query: str) -> float:
        """Seconds outside of models and index."""
        clock.spent = 0.0
        began = time.perf_counter()
        search(query)
        return time.perf_counter() - began - clock.spent

    sides: dict[str, Callable[[str], list[str]]] = {
        "cascade": lambda query: [hit.item.id for hit in cascade(query, budget=BUDGET)],
        "by hand": lambda query: by_hand(shelf, query),
    }
    for search in sides.values():
        search(queries[0])
    times: dict[str, list[float]] = {name: [] for name in sides}
    for query in queries:
        for name, search in sides.items():
            times[name].append(own(search, query))
    same = all(len({tuple(search(query)) for search in sides.values()}) == 1 for query in queries)
    middle = {name: median(each) for name, each in times.items()}
    p95 = percentile(sorted(times["cascade"]), 0.95)
    finish(
        arguments,
        "cascade_overhead",
        ours=middle["cascade"],
        peer=middle["by hand"],
        peer_name="a loop by hand over the same models, without budget, ledger and trace",
        unit="seconds a query outside of models and index, median",
        limit_share=middle["cascade"] / LIMIT,
        checks={
            f"under {LIMIT * 1000:g} ms a query": middle["cascade"] < LIMIT,
            "both rank alike": same,
        },
        details={"items": ITEMS, "budget": BUDGET, "stages": str(default_cascade()), "p95": round(p95, 6)},
    )


def text(number: int) -> str:
    return " ".join(f"word{(number * step + step) % 101}" for step in range(1, 13))


def by_hand(shelf: FakeShelf, query: str) -> list[str]:
    """Retrieve and rerank as one would write it down."""
    models = shelf.models
    content = open_query(Query(text=query), Limits())
    matches = shelf.index.search(models.embedder.embed_queries([content], [None])[0], 100)
    rows = {row.item.id: row for row in shelf.index.get([match.id for match in matches])}
    order = [match.id for match in matches]
    scores = {match.id: match.score for match in matches}
    for name, keep in (("ecr", 20), ("query-aware", 5)):
        judge = models.rerankers[name]
        block = [Candidate(rows[i], "", scores[i], rank) for rank, i in enumerate(order[:keep], 1)]
        for verdict in judge.rerank(content, block, limit=10**9).verdicts:
            scores[verdict.id] += judge.weight * (verdict.score or 0.0)
        order[:keep] = sorted(order[:keep], key=lambda i: -scores[i])
    return order[:10]


if __name__ == "__main__":
    main()
