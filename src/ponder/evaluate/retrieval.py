"""Running a data set through the cascade, at one budget after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.beir import Dataset, JudgedQuery
from ponder.evaluate.corpus import Corpus
from ponder.evaluate.metrics import hit_at_1_ties_against, scores_of, top_ties
from ponder.evaluate.report import Report, summarise
from ponder.evaluate.settings import Settings
from ponder.media.content import open_query
from ponder.media.limits import Limits
from ponder.protocols import SavesTime
from ponder.records import Ranking, Skipped

DEPTH = 1000
"""Hits kept of each ranking: TREC's custom, and ten times what recall@100 needs."""

Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one query gave at one budget.

    Attributes:
        query: With its judgements.
        ranking: Without the documents that the query excludes.
        scores: Metric → value.
        tied: More than one document has the best score.
        hit_at_1_ties_against: hit@1 where ties count against us.
        seconds: Wall time without the plain query's embedding, which a cache may hold, and with what
            judging would take where a cache holds its scores.
    """

    query: JudgedQuery
    ranking: Ranking
    scores: dict[str, float]
    tied: bool
    hit_at_1_ties_against: float
    seconds: float


@dataclass(frozen=True, slots=True)
class BudgetRun:
    """Every query at one budget, and the line that sums it up."""

    budget: int
    outcomes: tuple[Outcome, ...]
    report: Report


def run_budgets(
    dataset: Dataset, corpus: Corpus, settings: Settings, advance: Advance | None = None
) -> Iterator[BudgetRun]:
    """Run all queries at each budget of `settings`, on one index.

    Args:
        dataset: The queries.
        corpus: The dataset's documents, indexed.
        settings: Budgets and stages.
        advance: Called with (queries done, queries in all budgets).

    Yields:
        One run a budget, as soon as it is done.

    Raises:
        InputInvalid: None of the queries can be opened.
        BadArguments: The cascade does not fit the models.
    """
    total = len(settings.budgets) * len(dataset.queries)
    done = 0
    for budget in settings.budgets:

        def one_more() -> None:
            nonlocal done
            done += 1
            if advance:
                advance(done, total)

        ask = _ask_together if settings.pool == "common" else _ask_each
        outcomes, lost = ask(dataset.queries, corpus, settings, budget, one_more)
        if not outcomes:
            raise InputInvalid("no query can be run", dataset.name, lost[0].error if lost else "")
        skipped = (*dataset.skipped, *corpus.skipped, *lost)
        report = summarise(dataset, corpus, settings, budget, outcomes, skipped)
        yield BudgetRun(budget, tuple(outcomes), report)


def _ask_each(
    queries: Sequence[JudgedQuery],
    corpus: Corpus,
    settings: Settings,
    budget: int,
    done: Callable[[], None],
) -> tuple[list[Outcome], list[Skipped]]:
    outcomes: list[Outcome] = []
    lost: list[Skipped] = []
    for query in queries:
        try:
            outcomes.append(_ask(query, corpus, settings, budget))
        except (InputInvalid, InputNotFound) as error:
            lost.append(Skipped(f"query {query.query.id}", str(error)))
        done()
    return outcomes, lost


def _ask_together(
    queries: Sequence[JudgedQuery],
    corpus: Corpus,
    settings: Settings,
    budget: int,
    done: Callable[[], None],
) -> tuple[list[Outcome], list[Skipped]]:
    """All with one purse; time that is not each query's own is laid to all alike."""
    asked: list[JudgedQuery] = []
    lost: list[Skipped] = []
    for query in queries:
        # A batch takes all or none: what cannot be opened is found before.
        try:
            open_query(query.query, Limits())
            asked.append(query)
        except (InputInvalid, InputNotFound) as error:
            lost.append(Skipped(f"query {query.query.id}", str(error)))
    embedding, saved = corpus.models.embedder.seconds, _saved(corpus)
    rankings = settings.cascade.on(corpus).batch(
        [query.query for query in asked],
        budget=budget,
        k=min(DEPTH, len(corpus.index)),
        where=[without(query.exclude) for query in asked],
        allocate=settings.allocate,
        gates=settings.gates,
    )
    more = (_saved(corpus) - saved) - (corpus.models.embedder.seconds - embedding)
    outcomes = []
    for query, ranking in zip(asked, rankings, strict=True):
        outcomes.append(_outcome(query, ranking, ranking.seconds + more / len(asked)))
    for _ in queries:
        done()
    return outcomes, lost


def _ask(query: JudgedQuery, corpus: Corpus, settings: Settings, budget: int) -> Outcome:
    embedding, saved = corpus.models.embedder.seconds, _saved(corpus)
    search = settings.cascade.on(corpus)
    depth = min(DEPTH, len(corpus.index))
    ranking = search(
        query.query,
        budget=budget,
        k=depth,
        where=without(query.exclude),
        allocate=settings.allocate,
        gates=settings.gates,
    )
    seconds = ranking.seconds - (corpus.models.embedder.seconds - embedding) + (_saved(corpus) - saved)
    return _outcome(query, ranking, seconds)


def _outcome(query: JudgedQuery, ranking: Ranking, seconds: float) -> Outcome:
    return Outcome(
        query=query,
        ranking=ranking,
        scores=scores_of([hit.item.id for hit in ranking], query.grades),
        tied=bool(top_ties(ranking.hits)),
        hit_at_1_ties_against=hit_at_1_ties_against(ranking.hits, query.grades),
        seconds=seconds,
    )


def _saved(corpus: Corpus) -> float:
    return corpus.original.seconds_saved if isinstance(corpus.original, SavesTime) else 0.0


def without(excluded: Sequence[str] | frozenset[str]) -> str | None:
    """A filter that leaves these ids out before anything is judged."""
    if not excluded:
        return None
    quoted = ", ".join("'" + name.replace("'", "''") + "'" for name in sorted(excluded))
    return f"id NOT IN ({quoted})"
