"""Finding a moment: rank the segments of one clip for a query (contract: ``ponder evaluate-moments``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from ponder.errors import InputInvalid
from ponder.evaluate.bootstrap import interval
from ponder.evaluate.corpus import Corpus
from ponder.evaluate.metrics import hit_at, hit_at_1_ties_against
from ponder.evaluate.report import DIGITS, LineRun, rounded, tokens_of, tokens_per_query
from ponder.evaluate.rows import Line, media_path, missing, read_lines, unique_id
from ponder.evaluate.settings import Settings
from ponder.records import Item, Query, Ranking, Skipped

Segments = tuple[tuple[float, float], ...]
Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class MomentQuery:
    """A query for a moment of one clip.

    Attributes:
        query: The words.
        ids: Ids of the segments' items; their order is that of time.
        relevant: Those that answer.
    """

    query: Query
    ids: tuple[str, ...]
    relevant: frozenset[str]


@dataclass(frozen=True, slots=True)
class Moments:
    """A file of queries for moments.

    Attributes:
        items: Every segment of every clip, once.
        queries: In the file's order.
        skipped: Clips that are missing.
        file: What they were read from.
    """

    items: tuple[Item, ...]
    queries: tuple[MomentQuery, ...]
    skipped: tuple[Skipped, ...]
    file: Path


def load_moments(path: Path) -> Moments:
    """Read {"_id", "video", "text", "segments": [[start, end], …], "relevant": [i, …]} lines.

    Args:
        path: The file; its folder is what videos are relative to.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: A row cannot be used, or there is none that can be run.
    """
    groups: dict[tuple[Path, Segments], tuple[Item, ...]] = {}
    queries: list[MomentQuery] = []
    skipped: list[Skipped] = []
    seen: set[str] = set()
    for line in read_lines(path):
        name = unique_id(line, seen)
        clip = media_path(path.parent, line.text("video", required=True), line.where)
        segments = _segments(line)
        relevant = _relevant(line, len(segments))
        query = Query(text=line.text("text", required=True), instruction=line.text("instruction"), id=name)
        if lost := missing(clip):
            skipped.append(lost)
            continue
        if (clip, segments) not in groups:
            groups[clip, segments] = _items(len(groups), clip, segments)
        ids = tuple(item.id for item in groups[clip, segments])
        queries.append(MomentQuery(query, ids, frozenset(ids[i] for i in relevant)))
    if not queries:
        raise InputInvalid("no query can be run", str(path), "check the lines and the videos")
    found = tuple(item for items in groups.values() for item in items)
    return Moments(found, tuple(queries), tuple(skipped), path)


def run_moments(
    moments: Moments, corpus: Corpus, settings: Settings, advance: Advance | None = None
) -> Iterator[LineRun]:
    """Rank each query's segments at each budget.

    Args:
        moments: The queries.
        corpus: Their segments, indexed.
        settings: Budgets and stages.
        advance: Called with (queries done, queries in all budgets).

    Yields:
        For each budget the contract's line (``budget``, ``hit@1``, ``ci95``, ``no_media``,
        ``tokens_per_query``, and more) and each query's figures. ``no_media`` is what a choice by chance
        would get: without the clip its segments cannot be told apart.
    """
    present = {row.item.id for row in corpus.index.get([item.id for item in moments.items])}
    queries = [query for query in moments.queries if present.issuperset(query.ids)]
    if not queries:
        error = corpus.skipped[0].error if corpus.skipped else ""
        raise InputInvalid("no clip can be opened", "", error)
    chance = fmean(len(query.relevant) / len(query.ids) for query in queries)
    done = 0
    for budget in settings.budgets:
        rankings: list[Ranking] = []
        for query in queries:
            search = settings.cascade.on(corpus.part(query.ids))
            rankings.append(search(query.query, budget=budget, k=len(query.ids)))
            done += 1
            if advance:
                advance(done, len(settings.budgets) * len(queries))
        yield _report(queries, rankings, chance, budget, corpus, (*moments.skipped, *corpus.skipped))


def _report(
    queries: Sequence[MomentQuery],
    rankings: Sequence[Ranking],
    chance: float,
    budget: int,
    corpus: Corpus,
    skipped: Sequence[Skipped],
) -> LineRun:
    pairs = [
        (ranking.hits, dict.fromkeys(query.relevant, 1))
        for query, ranking in zip(queries, rankings, strict=True)
    ]
    right = [hit_at([hit.item.id for hit in hits], grades, 1) for hits, grades in pairs]
    honest = [hit_at_1_ties_against(hits, grades) for hits, grades in pairs]
    fields = {
        "budget": budget,
        "hit@1": round(fmean(right), DIGITS),
        "ci95": rounded(interval(right)),
        "no_media": round(chance, DIGITS),
        "tokens_per_query": tokens_per_query([ranking.usage for ranking in rankings]),
        "models": corpus.models.name,
        "queries": len(queries),
        "hit@1_ties_against": round(fmean(honest), DIGITS),
        "skipped": [{"uri": each.uri, "error": each.error} for each in skipped],
    }
    rows = (
        {
            "_id": query.query.id,
            "metrics": {"hit@1": hit},
            "tokens": tokens_of(ranking.usage),
            "hit@1_ties_against": least,
            "segments": [query.ids.index(each.item.id) for each in ranking.hits],
        }
        for query, ranking, hit, least in zip(queries, rankings, right, honest, strict=True)
    )
    return LineRun(fields, tuple(rows))


def _items(group: int, clip: Path, segments: Segments) -> tuple[Item, ...]:
    """One item a segment. Ids sort in time: a judge may need to know what comes next."""
    return tuple(
        Item(
            id=f"{group:05}-{number:05}",
            kind="video",
            uri=f"{clip}#t={start:g},{end:g}",
            path=str(clip),
            span=(start, end),
        )
        for number, (start, end) in enumerate(segments)
    )


def _segments(line: Line) -> Segments:
    value = line.values.get("segments")
    hint = "write [[start, end], …] in seconds"
    if not isinstance(value, list) or not value:
        raise InputInvalid('"segments" is missing or empty', line.where, hint)
    for each in value:
        numbers = isinstance(each, list) and len(each) == 2 and all(_is_number(bound) for bound in each)
        if not numbers or not 0 <= each[0] < each[1]:
            raise InputInvalid(f"not a segment: {each!r}", line.where, hint)
    return tuple((float(start), float(end)) for start, end in value)


def _relevant(line: Line, segments: int) -> tuple[int, ...]:
    value = line.values.get("relevant")
    if not isinstance(value, list) or not value:
        raise InputInvalid('"relevant" is missing or empty', line.where, "give numbers of segments, from 0")
    if not all(type(each) is int and 0 <= each < segments for each in value):
        raise InputInvalid(
            f'"relevant" names no segment: {value!r}', line.where, f"numbers go from 0 to {segments - 1}"
        )
    return tuple(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
