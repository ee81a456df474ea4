"""The cascade's judges on one query's candidates, the labelled ones first, within a budget."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from ponder.cascade.asking import Asking
from ponder.cascade.judging import planned, price
from ponder.cascade.ledger import Ledger
from ponder.cascade.stages import Rerank
from ponder.cascade.standing import Standing
from ponder.cascade.weighing import Weighing
from ponder.protocols import JudgesApart, Models
from ponder.records import Content, StageScore
from ponder.rerank.fusion import usable


@dataclass(frozen=True, slots=True)
class Judged:
    """A document after the judges.

    Attributes:
        score: The retriever's, and each judge's less the mean over the query's documents of its kind, times
            the judge's weight (`ponder.cascade.weighing`).
        verdict: What the last judge said that said anything; None for nothing.
        chance: Probability of relevance by the last judge's calibration; None without one.
        asked: Whether a judge was to be asked about its kind, for this query; not all that are of a kind are
            asked about, a stage looks at the first `Rerank.keep`.
    """

    score: float
    verdict: float | None = None
    chance: float | None = None
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Sitting:
    """What came of it.

    Attributes:
        judged: By document id.
        tokens: Read and written.
    """

    judged: Mapping[str, Judged]
    tokens: int


def judge_all(
    stages: Sequence[Rerank],
    models: Models,
    query: Content,
    candidates: Sequence[Standing],
    first: Collection[str],
    budget: int,
    signals: Mapping[str, float] | None = None,
) -> Sitting:
    """Have candidates judged by each stage in turn.

    Judges who look at each candidate apart are given the labelled ones first: without a positive's score
    there is nothing to hold a candidate's against. One who compares candidates sees them in the retriever's
    order, which says nothing of labels.

    Args:
        stages: The judges; a stage looks at the first `Rerank.keep`.
        models: Whose judges and calibration.
        query: As asked.
        candidates: The best first.
        first: Ids of the labelled ones.
        budget: Tokens that are never exceeded, whatever a judge does.
        signals: Of the query, for gates.

    Raises:
        BackendFailed: A judge failed.
    """
    ledger, signals = Ledger(budget), signals or {}
    standings = [replace(each, stages=list(each.stages)) for each in candidates]
    wanted: set[str] = set()
    for number, stage in enumerate(stages):
        weighing = Weighing.of(stage, models, signals)
        standings = _ordered(weighing, query, standings, first)
        asked = weighing.asked(standings[: stage.keep])
        wanted |= {each.id for each in weighing.asked(standings)}
        if not asked or not ledger.left:
            continue
        wants = price(stages[number + 1 :], models, query, standings, signals)
        asking = Asking(weighing, query, asked, ledger, planned(stage, ledger.left, wants))
        for _ in asking.run("uniform"):
            pass
        said = [asking.verdicts.get(each.id) for each in asked]
        scores = [verdict.score if verdict and usable(verdict.score) else None for verdict in said]
        moved, chances = weighing.weighted(asked, scores), weighing.chances(asked, scores)
        for rank, each in enumerate(asked, 1):
            score, more = scores[rank - 1], moved[rank - 1]
            if score is not None and more is not None:
                each.score += more
                each.stages.append(StageScore(stage.name, float(score), rank, chance=chances[rank - 1]))
    return Sitting({each.id: _judged(each, each.id in wanted) for each in standings}, ledger.spent)


def _judged(standing: Standing, asked: bool) -> Judged:
    said = [each for each in standing.stages[1:] if each.score is not None]
    if not said:
        return Judged(standing.score, asked=asked)
    chances = [each.chance for each in said if each.chance is not None]
    return Judged(standing.score, said[-1].score, chances[-1] if chances else None, asked)


def _ordered(
    weighing: Weighing, query: Content, standings: Sequence[Standing], first: Collection[str]
) -> list[Standing]:
    """As this judge is to see them."""
    best = sorted(standings, key=lambda each: -each.score)
    judge = weighing.judge
    apart = isinstance(judge, JudgesApart) and all(
        judge.swing(query, each.candidate(rank)) is not None for rank, each in enumerate(best, 1)
    )
    if not apart:
        return best
    return [each for each in best if each.id in first] + [each for each in best if each.id not in first]
