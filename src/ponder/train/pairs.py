"""Pairs of a query and a document with what was decided about each, and why: what training learns from.

On disk a Parquet file, or a folder of them, one row a pair; every figure behind the decision is a column, so
that an audit needs nothing else. Columns have the names that the field uses (`COLUMNS`), decisions are
written with underscores.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from ponder.errors import InputInvalid, InputNotFound

if TYPE_CHECKING:
    import pyarrow as pa

Decision = Literal[
    "positive",
    "suspect-positive",
    "hard-negative",
    "false-negative",
    "doubtful",
    "near-duplicate",
    "easy",
    "unjudged",
]
"""What a pair is taken for.

*positive*: labelled relevant. *suspect-positive*: labelled relevant, but scored far below what it should be.
*hard-negative*: unlabelled, found near the query, and judged irrelevant. *false-negative*: unlabelled, and a
copy of the positive or probably relevant: never trained against, and a positive where that is asked for.
*doubtful*: unlabelled, and scored no lower than the positive, which may be the positive's fault: not handed
on as a hard negative, nor promoted; what a person should look at. *near-duplicate*: of the positive, or of a
hard negative that is there already. *easy*: too far off to teach anything. *unjudged*: the tokens ended
before it.
"""

DECISIONS: tuple[Decision, ...] = get_args(Decision)

COLUMNS = {
    "document_id": "doc_id",
    "retrieval": "retriever_score",
    "judge": "reranker_score",
    "positive_retrieval": "positive_retriever_score",
    "positive_judge": "positive_reranker_score",
    "why": "reason",
}
"""Fields of `Pair` whose columns have other names."""

_FORMAT = "ponder-pairs-2"
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and a document.

    Attributes:
        query_id: Of the data set.
        document_id: Of the data set.
        decision: What the pair is taken for.
        why: The rule that decided and its figures, in words.
        grade: As labelled; 0 where nobody labelled it.
        rank: Place in the retriever's ranking, from 1; 0 for a labelled document that was not found.
        retrieval: The retriever's score.
        judge: The score after the judges: the retriever's and theirs, weighed; None where none was asked or
            said anything.
        chance: The judge's calibrated probability of relevance, 0 to 1; None without a calibration.
        positive_retrieval: The retriever's score of the query's best labelled positive.
        positive_judge: The score after the judges of the query's best labelled positive.
        positive_chance: Its calibrated probability.
        tokens: Read and written to judge this pair.
        decided_by: "rule", or "review" where a person corrected it.
        threshold: The figure that decided; None where none did.
        figure: The pair's own that was held against it, as `why` says: a score, a probability, a closeness,
            or odds. None where none was, and in files of before 2026-11-27.
    """

    query_id: str
    document_id: str
    decision: Decision
    why: str = ""
    grade: int = 0
    rank: int = 0
    retrieval: float | None = None
    judge: float | None = None
    chance: float | None = None
    positive_retrieval: float | None = None
    positive_judge: float | None = None
    positive_chance: float | None = None
    tokens: int = 0
    decided_by: Literal["rule", "review"] = "rule"
    threshold: float | None = None
    figure: float | None = None


def spelt(decision: str) -> str:
    """A decision as files spell it.

    Example:
        >>> spelt("hard-negative")
        'hard_negative'
    """
    return decision.replace("-", "_")


_NAMES = tuple(each.name for each in fields(Pair))


def schema(made: Mapping[str, Any] | None = None) -> pa.Schema:
    """The Parquet schema; `made` says how the pairs came to be and is kept in the file.

    Example:
        >>> schema().names[:3]
        ['query_id', 'doc_id', 'decision']
    """
    import pyarrow as pa

    kinds = {"rank": pa.int32(), "grade": pa.int32(), "tokens": pa.int32()}
    texts = {"query_id", "document_id", "decision", "why", "decided_by"}
    columns = [
        pa.field(
            COLUMNS.get(each.name, each.name),
            kinds.get(each.name, pa.string() if each.name in texts else pa.float32()),
        )
        for each in fields(Pair)
    ]
    told = {"ponder": json.dumps({"format": _FORMAT, **(made or {})}, sort_keys=True)}
    return pa.schema(columns, metadata=told)


def table(columns: Mapping[str, Any], told: pa.Schema) -> pa.Table:
    """Rows of a file of pairs.

    Args:
        columns: By field of `Pair`, all of the same length; one that is not there is null.
        told: Of `schema`.
    """
    import pyarrow as pa

    named = {COLUMNS.get(name, name): values for name, values in columns.items()}
    named["decision"] = [spelt(each) for each in columns["decision"]]
    count = len(named["decision"])
    lacking = {each.name: pa.nulls(count, each.type) for each in told if each.name not in named}
    return pa.table({**named, **lacking}, schema=told)


@contextmanager
def writing(path: Path, made: Mapping[str, Any] | None = None) -> Iterator[PairWriter]:
    """Write pairs to a Parquet file as they come; it is there whole when the block ends, or not at all.

    Args:
        path: The file.
        made: Kept in the file: command, data set, models, settings.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "pairs.parquet"
        ...     with writing(file) as out:
        ...         out.add([Pair("q1", "d1", "positive", grade=1)])
        ...     next(read_pairs(file)).decision
        'positive'
    """
    import pyarrow.parquet as pq

    partial = path.with_name(path.name + ".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    told = schema(made)
    try:
        with pq.ParquetWriter(partial, told, compression="zstd") as file:
            out = PairWriter(file, told)
            yield out
            out.flush()
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


class PairWriter:
    """Appends pairs, some thousands to a row group; `writing` makes one."""

    def __init__(self, file: Any, told: pa.Schema) -> None:
        self._file, self._schema = file, told
        self._waiting: list[Pair] = []

    def add(self, pairs: Iterable[Pair]) -> None:
        """Append pairs in this order."""
        self._waiting += pairs
        if len(self._waiting) >= _BLOCK:
            self.flush()

    def flush(self) -> None:
        """Put what waits into the file."""
        if not self._waiting:
            return
        columns = {name: [getattr(each, name) for each in self._waiting] for name in _NAMES}
        self._file.write_table(table(columns, self._schema))
        self._waiting.clear()


def write_pairs(path: Path, pairs: Iterable[Pair], made: Mapping[str, Any] | None = None) -> None:
    """Write all pairs at once; see `writing`."""
    with writing(path, made) as out:
        out.add(pairs)


def read_pairs(path: Path) -> Iterator[Pair]:
    """The pairs of a file, or of a folder's ``*.parquet`` in the order of their names.

    Raises:
        InputNotFound: There is no such file, or none in the folder.
        InputInvalid: It is no file of pairs.
    """
    import pyarrow.parquet as pq

    known = {spelt(each): each for each in DECISIONS}
    for file in _files(path):
        _ = made_of(file)
        with pq.ParquetFile(file) as parquet:
            # What a file of before has no column for has its default.
            there = {name: COLUMNS.get(name, name) for name in _NAMES}
            there = {name: column for name, column in there.items() if column in parquet.schema_arrow.names}
            columns = list(there.values())
            for batch in parquet.iter_batches(_BLOCK, columns=columns):
                for row in batch.to_pylist():
                    if row["decision"] not in known:
                        raise InputInvalid(
                            f"unknown decision {row['decision']!r}",
                            str(file),
                            f"known: {', '.join(known)}",
                        )
                    told = {name: row[column] for name, column in there.items()}
                    yield Pair(**{**told, "decision": known[row["decision"]]})


def made_of(path: Path) -> dict[str, Any]:
    """How the pairs of a file or folder came to be.

    Raises:
        InputNotFound, InputInvalid: As for `read_pairs`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = _files(path)[0]
    try:
        told = json.loads((pq.read_schema(file).metadata or {}).get(b"ponder", b"{}"))
    except (pa.ArrowInvalid, ValueError) as error:
        raise InputInvalid("not a Parquet file", str(file), str(error).splitlines()[0]) from error
    if told.get("format") != _FORMAT:
        raise InputInvalid("not a file of pairs", str(file), "make one with: ponder mine")
    return dict(told)


def _files(path: Path) -> list[Path]:
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise InputNotFound("no pairs here", str(path), "make some with: ponder mine")
    return files
