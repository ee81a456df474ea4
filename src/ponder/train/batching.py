"""Which pairs are learned from together: batches of one task, tasks interleaved, each batch within a budget.

The whole of a training is planned before it begins, from the seed alone. To resume is then to go on at a
number in the plan.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ponder.errors import BadArguments


@dataclass(frozen=True, slots=True)
class Row:
    """A query with one of its positives and with the negatives that were mined for it.

    Attributes:
        task: Number of the data set.
        query: Number of the query.
        documents: Numbers of documents: the positive first, then the negatives; no number twice.
    """

    task: int
    query: int
    documents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Costs:
    """Tokens of each query and each document."""

    queries: Sequence[int]
    documents: Sequence[int]

    def of(self, rows: Sequence[Row]) -> int:
        """Tokens of a batch: what stands in it twice is embedded once.

        Example:
            >>> Costs([5], [10, 20]).of([Row(0, 0, (0, 1)), Row(0, 0, (1,))])
            35
        """
        queries = {row.query for row in rows}
        documents = {number for row in rows for number in row.documents}
        return sum(self.queries[each] for each in queries) + sum(self.documents[each] for each in documents)


def plan(
    rows: Sequence[Row], costs: Costs, *, tokens: int, pairs: int, epochs: int, seed: int, multiple: int = 1
) -> list[list[int]]:
    """The batches of a training in order, each a list of places in `rows`.

    In each epoch every row is in one batch. Rows are shuffled within their task and packed in that order; the
    batches of all tasks are then shuffled together, so that a large task comes more often.

    Args:
        rows: All of them.
        costs: What they take.
        tokens: Most of a batch. A row that takes more alone is a batch alone.
        pairs: Most rows of a batch.
        epochs: Times over all rows.
        seed: Of all shuffling.
        multiple: The number of batches is cut to a multiple of this: processes that train together take
            equally many.

    Raises:
        BadArguments: A limit below 1, or nothing is left of `multiple`.
    """
    if min(tokens, pairs, epochs, multiple) < 1:
        raise BadArguments("tokens, pairs and epochs are at least 1", "--batch-tokens, --batch, --epochs", "")
    batches: list[list[int]] = []
    for epoch in range(epochs):
        of_epoch: list[list[int]] = []
        for task in sorted({row.task for row in rows}):
            places = [place for place, row in enumerate(rows) if row.task == task]
            random.Random(f"{seed}/{epoch}/{task}").shuffle(places)
            of_epoch += _packed(places, rows, costs, tokens, pairs)
        random.Random(f"{seed}/{epoch}").shuffle(of_epoch)
        batches += of_epoch
    kept = batches[: len(batches) // multiple * multiple]
    if not kept:
        raise BadArguments(
            f"{len(batches)} batches for {multiple} processes", "--batch", "use fewer, or smaller batches"
        )
    return kept


def _packed(
    places: Sequence[int], rows: Sequence[Row], costs: Costs, tokens: int, pairs: int
) -> Iterator[list[int]]:
    batch: list[int] = []
    queries: set[int] = set()
    documents: set[int] = set()
    spent = 0
    for place in places:
        row = rows[place]
        more = costs.queries[row.query] * (row.query not in queries)
        more += sum(costs.documents[each] for each in row.documents if each not in documents)
        if batch and (spent + more > tokens or len(batch) == pairs):
            yield batch
            batch, queries, documents, spent = [], set(), set(), 0
            more = costs.queries[row.query] + sum(costs.documents[each] for each in row.documents)
        batch.append(place)
        queries.add(row.query)
        documents.update(row.documents)
        spent += more
    if batch:
        yield batch
