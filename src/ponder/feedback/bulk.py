"""Mined pairs of very many documents as Parquet, in columns from end to end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ponder.errors import InputInvalid
from ponder.feedback.candidates import QUERIES, Found, Judge, candidates
from ponder.feedback.nearest import ROWS, Advance
from ponder.feedback.rules import Rules
from ponder.train.pairs import schema, table

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Judge", "Rules", "mine_embeddings"]

Ids = Sequence[str] | None


def mine_embeddings(
    queries: NDArray[Any],
    corpus: NDArray[Any],
    positives: Sequence[Sequence[int]],
    rules: Rules,
    out: Path,
    *,
    query_ids: Ids = None,
    document_ids: Ids = None,
    judge: Judge | None = None,
    batch: int = QUERIES,
    block: int = ROWS,
    made: Mapping[str, Any] | None = None,
    advance: Advance | None = None,
) -> int:
    """Mine hard negatives into a file of pairs, which ``ponder train`` reads; whole at the end, or not there.

    Args:
        queries: As for `candidates`, as are all that are not told of here.
        corpus: As there.
        positives: As there.
        rules: As there; kept in the file.
        out: The Parquet file.
        query_ids: Names, one a row, a list or a pyarrow array; without them, the rows' numbers.
        document_ids: The same of the corpus.
        judge: As there.
        batch: As there.
        block: As there.
        made: Kept in the file beside the rules: data set, models.
        advance: As there.

    Returns:
        How many negatives were found.

    Raises:
        BadArguments, InputInvalid: As for `candidates`; or another number of names than rows, or one name for
            two rows; or the judge says the same of everything, or nothing.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from ponder.train.pairs import read_pairs
        >>> corpus = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]], np.float32)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "pairs.parquet"
        ...     _ = mine_embeddings(corpus[:1], corpus, [[0]], Rules(), file, document_ids=list("abcd"))
        ...     [(pair.document_id, pair.decision) for pair in read_pairs(file)]
        [('a', 'positive'), ('b', 'hard-negative'), ('c', 'hard-negative'), ('d', 'hard-negative')]
    """
    import pyarrow.parquet as pq

    asked, held = (
        _names(query_ids, len(queries), "query_ids"),
        _names(document_ids, len(corpus), "document_ids"),
    )
    told = schema({**(made or {}), "rules": asdict(rules)})
    partial = out.with_name(out.name + ".partial")
    out.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    heard = None if judge is None else _Heard(judge)
    try:
        with pq.ParquetWriter(partial, told, compression="zstd") as file:
            for found in candidates(
                queries, corpus, positives, rules, judge=heard, batch=batch, block=block, advance=advance
            ):
                file.write_table(_table(found, rules, told, asked, held))
                count += int((found.grade == 0).sum())
        if heard is not None and len(heard.said) < 2:
            raise InputInvalid("the judge says the same of everything, or nothing", "judge", "mine without")
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return count


class _Heard:
    """A judge, and whether it tells anything apart: of what it is asked, most is not kept.

    Attributes:
        said: Two of its scores that differ, as soon as there are two.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.said: set[float] = set()

    def __call__(self, queries: NDArray[np.int64], documents: NDArray[np.int64]) -> ArrayLike:
        import numpy as np

        scores = np.asarray(self._judge(queries, documents), np.float64)
        told = scores[np.isfinite(scores)]
        if len(self.said) < 2 and len(told):
            self.said |= {float(told.min()), float(told.max())}
        return scores


def _names(names: Ids, count: int, which: str) -> pa.Array | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if names is None:
        return None
    if len(names) != count:
        raise InputInvalid(f"{len(names)} names of {count} rows", which, "give one a row")
    told = pc.cast(names, pa.string()) if isinstance(names, pa.Array) else pa.array(names, pa.string())
    if told.null_count:
        raise InputInvalid(f"{told.null_count} rows have no name", which, "give each row one")
    # One document under one name twice would be a query's positive and its negative.
    if pc.count_distinct(told).as_py() < count:
        counts = pc.value_counts(told)
        twice = counts.field(0).filter(pc.greater(counts.field(1), 1))[0]
        raise InputInvalid(f"{twice} names two rows", which, "give each row a name of its own")
    return told


def _table(
    found: Found, rules: Rules, told: pa.Schema, queries: pa.Array | None, documents: pa.Array | None
) -> pa.Table:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    def named(places: NDArray[np.int64], names: pa.Array | None) -> pa.Array:
        return pc.cast(pa.array(places), pa.string()) if names is None else names.take(pa.array(places))

    labelled = pa.array(found.grade == 1)
    count = len(found.query)
    line = np.where(np.isfinite(found.threshold), found.threshold, np.nan)
    by = np.where(np.isnan(found.judge), found.retrieval, found.judge)
    columns = {
        "query_id": named(found.query, queries),
        "document_id": named(found.document, documents),
        "decision": np.where(found.grade == 1, "positive", "hard-negative").tolist(),
        "why": pc.if_else(labelled, "labelled", rules.told()),
        "grade": pa.array(found.grade),
        "rank": pa.array(found.rank),
        "retrieval": _numbers(found.retrieval),
        "judge": _numbers(found.judge),
        "positive_retrieval": _numbers(found.positive_retrieval),
        "positive_judge": _numbers(found.positive_judge),
        "tokens": pa.repeat(pa.scalar(0, pa.int32()), count),
        "threshold": _numbers(line),
        "figure": _numbers(np.where(np.isnan(line), np.nan, by)),
        "decided_by": pa.repeat("rule", count),
    }
    return table(columns, told)


def _numbers(values: NDArray[np.float64]) -> pa.Array:
    """float32, null where NaN."""
    import numpy as np
    import pyarrow as pa

    return pa.array(values.astype(np.float32), from_pandas=True)
