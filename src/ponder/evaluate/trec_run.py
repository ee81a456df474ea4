"""TREC runs: ``query Q0 document rank score tag``, a line a result, ordered as trec_eval does it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ponder.errors import InputInvalid, InputNotFound

Ranking = tuple[tuple[str, float], ...]

_RANK = re.compile(rb"[+-]?\d+")
_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class TrecRun:
    """A run.

    Attributes:
        path: Its file.
        tag: Of its first line: who made it.
        rankings: By query, documents with their scores, best first, each once.
    """

    path: Path
    tag: str
    rankings: Mapping[str, Ranking]


def read_trec(path: Path) -> TrecRun:
    """Read a run and order it.

    Documents are ordered as trec_eval does it (``form_res_rels.c`` of https://github.com/usnistgov/trec_eval):
    by score, compared in single precision, highest first; equal ones by id, in the reverse order of bytes.
    The rank that the line tells plays no part, and neither does the order of lines.

    Args:
        path: A file of six columns, parted by blanks or tabs.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: A line has other columns, its rank or score is no number, or a query has a document
            twice; the message names file and line. Or there is no line.
    """
    if not path.is_file():
        raise InputNotFound("no such run", str(path), "give a file of query Q0 document rank score tag")
    found: dict[str, dict[str, float]] = {}
    tag = ""
    with path.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
            if not line.strip():
                continue
            query, document, score, told = _cells(line, f"{path}:{number}")
            tag = tag or told
            mine = found.setdefault(query, {})
            if document in mine:
                what = f"the query {query!r} has the document {document!r} twice"
                raise InputInvalid(what, f"{path}:{number}", "keep one of the two lines")
            mine[document] = score
    if not found:
        raise InputInvalid("an empty run", str(path), "it needs lines of query Q0 document rank score tag")
    return TrecRun(path, tag, {query: ordered(scores.items()) for query, scores in found.items()})


def ordered(scores: Iterable[tuple[str, float]]) -> Ranking:
    """Documents in trec_eval's order, with the scores that it compares.

    Args:
        scores: Each document with its score.

    Example:
        >>> ordered([("a", 1.0), ("b", 1.0 + 1e-9), ("c", 2.0)])
        (('c', 2.0), ('b', 1.0), ('a', 1.0))
    """
    import numpy as np

    pairs = list(scores)
    with np.errstate(over="ignore"):
        single = np.array([score for _, score in pairs], np.float64).astype(np.float32).tolist()
    rounded = [(document, score) for (document, _), score in zip(pairs, single, strict=True)]
    # Both sorts keep the order of what is equal, so the second one leaves ties as the first had them.
    rounded.sort(key=lambda pair: pair[0].encode(), reverse=True)
    rounded.sort(key=lambda pair: pair[1], reverse=True)
    return tuple(rounded)


def falling(scores: Iterable[float]) -> list[float]:
    """Scores that fall strictly in single precision: whoever reads the run keeps its order.

    Args:
        scores: Of a ranking, best first; none rises.

    Returns:
        The same, where they fall by themselves; else the next single below the one before.

    Example:
        >>> falling([1.0, 1.0, 0.5])
        [1.0, 0.9999999403953552, 0.5]
    """
    import numpy as np

    least = np.float32(-np.inf)
    found: list[float] = []
    last = np.float32(np.inf)
    for score in scores:
        if np.float32(score) < last:
            last = np.float32(score)
            found.append(float(score))
        else:
            last = np.nextafter(last, least)
            found.append(float(last))
    return found


def _cells(line: bytes, where: str) -> tuple[str, str, float, str]:
    """Query, document, score and tag. Blanks of other alphabets part nothing: they may stand in ids."""
    cells = line.split()
    if len(cells) != 6:
        raise InputInvalid(f"{len(cells)} columns", where, "write query Q0 document rank score tag")
    query, _, document, rank, score, tag = cells
    if not _RANK.fullmatch(rank):
        raise InputInvalid(f"the rank is not a whole number: {_told(rank)}", where, "it is the fourth column")
    if not _NUMBER.fullmatch(score) or not math.isfinite(float(score)):
        raise InputInvalid(f"the score is not a number: {_told(score)}", where, "it is the fifth column")
    try:
        return query.decode(), document.decode(), float(score), tag.decode(errors="replace")
    except UnicodeDecodeError as error:
        raise InputInvalid("not UTF-8", where, str(error)) from None


def _told(cell: bytes) -> str:
    return ascii(cell.decode(errors="replace"))[:60]
