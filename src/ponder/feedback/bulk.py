"""Mining over ids and embeddings alone: millions of documents, any media, columns from end to end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponder.errors import InputInvalid
from ponder.feedback.candidates import BLOCK, Nearest, blocks_of, nearest
from ponder.train.pairs import schema

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

Judge = Callable[["NDArray[np.int64]", "NDArray[np.int64]"], "NDArray[np.float32]"]
"""From places of queries and of documents, int64 (n,) each, to scores, float32 (n,)."""

_QUERIES = 1024


@dataclass(frozen=True, slots=True)
class Rules:
    """Who is a negative, as sentence-transformers' ``mine_hard_negatives`` has it.

    Attributes:
        first, last: Places of the ranking without the positives, from 1, both included.
        negatives: Most of a query; fewer where there are not as many, none is no error.
        margin: A negative lies at least so far below the query's lowest positive.
        relative: The same as a share of the positive's score.
        low, high: Bounds of a negative's score.
    """

    first: int = 1
    last: int = 50
    negatives: int = 5
    margin: float | None = None
    relative: float | None = None
    low: float | None = None
    high: float | None = None

    def line(self, positive: NDArray[np.float32]) -> NDArray[np.float32]:
        """The score that a negative may not exceed, of positives' scores."""
        import numpy as np

        line = np.full(len(positive), np.inf if self.high is None else self.high, np.float32)
        if self.margin is not None:
            line = np.minimum(line, positive - np.float32(self.margin))
        if self.relative is not None:
            line = np.minimum(line, positive - np.abs(positive) * np.float32(self.relative))
        return line


def mine_embeddings(
    queries: NDArray[np.float32],
    corpus: NDArray[np.float32],
    positives: Sequence[Sequence[int]],
    rules: Rules,
    out: Path,
    *,
    query_ids: Sequence[str] | None = None,
    document_ids: Sequence[str] | None = None,
    judge: Judge | None = None,
    block: int = BLOCK,
) -> int:
    """Mine hard negatives into a Parquet file of pairs.

    Memory holds a block of scores and the candidates of all queries, never queries x documents.

    Args:
        queries: float32 (q, d), rows no longer than 1.
        corpus: float32 (n, d), the same; a memory map stays on the disk.
        positives: Places of each query's relevant documents.
        rules: Who is a negative.
        out: The file.
        query_ids: Names of the queries; their places in decimal unless given.
        document_ids: Names of the documents, likewise.
        judge: Scores candidates and positives in place of the retriever.
        block: Documents at a time.

    Returns:
        How many negatives were found.

    Raises:
        InputInvalid: As for `nearest`; or a positive that is not in the corpus; or a judge that says the same
            of all.
    """
    import pyarrow.parquet as pq

    if len(positives) != len(queries):
        raise InputInvalid(f"positives of {len(positives)} queries", "positives", f"give {len(queries)}")
    if lost := [place for places in positives for place in places if not 0 <= place < len(corpus)]:
        raise InputInvalid(f"no document {lost[0]}", "positives", f"the corpus has {len(corpus)}")
    most = max((len(places) for places in positives), default=0)
    found = nearest(queries, corpus, rules.last + most, block=block)
    told = schema({"rules": repr(rules)})
    count = 0
    partial = out.with_name(out.name + ".partial")
    said: set[float] = set()
    try:
        with pq.ParquetWriter(partial, told, compression="zstd") as file:
            for start, part in blocks_of(found, len(queries), _QUERIES):
                chosen = _Part(queries, corpus, positives, rules, judge, start).chosen(part)
                said |= {float(chosen.score.min()), float(chosen.score.max())} if len(chosen.score) else set()
                count += len(chosen.query)
                file.write_table(_table(chosen, positives, told, query_ids, document_ids))
        if judge is not None and len(said) == 1:
            raise InputInvalid("the judge says the same of everything", str(out), "mine with another")
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return count


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    """Pairs of some queries, as columns."""

    query: NDArray[np.int64]
    document: NDArray[np.int64]
    rank: NDArray[np.int64]
    retrieval: NDArray[np.float32]
    score: NDArray[np.float32]
    positive: NDArray[np.float32]

    def at(self, which: Any) -> _Chosen:
        """Those at a mask or at places."""
        return _Chosen(*(getattr(self, each.name)[which] for each in fields(self)))


@dataclass(frozen=True, slots=True)
class _Part:
    """Some queries, and who is a negative of theirs."""

    queries: NDArray[np.float32]
    corpus: NDArray[np.float32]
    positives: Sequence[Sequence[int]]
    rules: Rules
    judge: Judge | None
    start: int

    def chosen(self, found: Nearest) -> _Chosen:
        import numpy as np

        count = min(_QUERIES, len(self.queries) - self.start)
        asked = np.arange(self.start, self.start + count)
        pairs = [(query, place) for query in asked.tolist() for place in self.positives[query]]
        owner, answer = (
            (np.array(column, np.int64) for column in zip(*pairs, strict=True))
            if pairs
            else (
                np.zeros(0, np.int64),
                np.zeros(0, np.int64),
            )
        )
        known = np.sort(owner * len(self.corpus) + answer)
        keys = found.query * len(self.corpus) + found.document
        place = np.searchsorted(known, keys)
        labelled = np.zeros(len(keys), bool)
        inside = place < len(known)
        labelled[inside] = known[place[inside]] == keys[inside]
        query, document = found.query[~labelled], found.document[~labelled]
        score = retrieval = found.score[~labelled]
        rank = np.arange(len(query)) - np.searchsorted(query, query) + 1
        lowest = np.full(count, np.inf, np.float32)
        np.minimum.at(lowest, owner - self.start, self._of_positives(owner, answer))
        within = _Chosen(query, document, rank, retrieval, score, lowest[query - self.start])
        # A query without a positive has nothing to compare with: it gets no negatives.
        compared = np.isfinite(within.positive)
        within = within.at((rank >= self.rules.first) & (rank <= self.rules.last) & compared)
        if self.judge is not None:
            within = replace(within, score=self.judge(within.query, within.document))
        fits = within.score <= self.rules.line(within.positive)
        if self.rules.low is not None:
            fits &= within.score >= self.rules.low
        within = within.at(fits)
        order = np.lexsort((within.rank, -within.score, within.query))
        within = within.at(order)
        number = np.arange(len(order)) - np.searchsorted(within.query, within.query)
        return within.at(number < self.rules.negatives)

    def _of_positives(self, owner: NDArray[np.int64], answer: NDArray[np.int64]) -> NDArray[np.float32]:
        import numpy as np

        if self.judge is not None:
            return self.judge(owner, answer)
        return np.asarray(np.einsum("nd,nd->n", self.queries[owner], np.asarray(self.corpus[answer])))


def _table(
    chosen: _Chosen,
    positives: Sequence[Sequence[int]],
    told: pa.Schema,
    query_ids: Sequence[str] | None,
    document_ids: Sequence[str] | None,
) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    n = len(chosen.query)
    owners = np.unique(chosen.query)
    labelled = [(query, place) for query in owners.tolist() for place in positives[query]]
    asked = [query for query, _ in labelled]
    empty = np.full(len(labelled), np.nan, np.float32)
    columns: dict[str, Any] = {
        "query_id": _named([*asked, *chosen.query.tolist()], query_ids),
        "document_id": _named([*(place for _, place in labelled), *chosen.document.tolist()], document_ids),
        "decision": ["positive"] * len(labelled) + ["hard-negative"] * n,
        "why": ["labelled"] * len(labelled) + ["within the rules"] * n,
        "grade": [1] * len(labelled) + [0] * n,
        "rank": np.concatenate([np.zeros(len(labelled), np.int64), chosen.rank]),
        "retrieval": _numbers(np.concatenate([empty, chosen.retrieval])),
        "judge": _numbers(np.concatenate([empty, chosen.score])),
        "chance": pa.nulls(len(labelled) + n, pa.float32()),
        "positive_retrieval": pa.nulls(len(labelled) + n, pa.float32()),
        "positive_judge": _numbers(np.concatenate([empty, chosen.positive])),
        "positive_chance": pa.nulls(len(labelled) + n, pa.float32()),
        "tokens": [0] * (len(labelled) + n),
        "decided_by": ["rule"] * (len(labelled) + n),
    }
    return pa.table(columns, schema=told)


def _named(places: Sequence[int], names: Sequence[str] | None) -> list[str]:
    return [str(place) for place in places] if names is None else [names[place] for place in places]


def _numbers(values: NDArray[np.float32]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, from_pandas=True)
