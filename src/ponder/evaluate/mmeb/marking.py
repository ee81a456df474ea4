"""From a task's answers to its official files: rankings, labels and the score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from ponder.evaluate.bootstrap import interval
from ponder.evaluate.mmeb.answers import Answer
from ponder.evaluate.mmeb.files import write_info, write_predictions, write_score
from ponder.evaluate.mmeb.judged import Judged, judge
from ponder.evaluate.mmeb.official import metrics_by_query
from ponder.evaluate.mmeb.ranking import rank_scored
from ponder.evaluate.mmeb.running import DEPTH, TaskRun
from ponder.evaluate.mmeb.score import Scored, score
from ponder.evaluate.mmeb.shard import Shard
from ponder.evaluate.mmeb.standing import slots_of, standing_of_names
from ponder.evaluate.report import DIGITS, rounded, tokens_per_query
from ponder.protocols import Models
from ponder.records import Usage


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """One task at one budget, scored.

    Attributes:
        scored: The figures of the queries that could be asked as the benchmark means them.
        missing: Queries of the task that are not among these.
        lost: Why, with how many: those that were not drawn by a limit are not counted here.
        fields: What is printed, and kept in the score file beside the official figures.
    """

    scored: Scored | None
    missing: int
    lost: Mapping[str, int]
    fields: dict[str, Any]


def all_answers(run: TaskRun, budget: int, models: Models) -> dict[int, Answer] | None:
    """The answers of all shards; None while some are not there."""
    found: dict[int, Answer] = {}
    for number in range(1, run.shard.of + 1):
        found |= run.file(budget, models, Shard(number, run.shard.of)).answers()
    return found if len(found) == len(run.asking.questions) else None


def mark(run: TaskRun, budget: int, answers: Mapping[int, Answer], metric: str, models: Models) -> Marked:
    """Score a task and write ``_score.json``, ``_pred.jsonl`` and ``_info.jsonl`` beside its answers.

    Args:
        run: The task.
        budget: Tokens that a query might cost.
        answers: Of all its questions.
        metric: The one that counts.
        models: For their name.
    """
    whole = [answer for _, answer in sorted(answers.items()) if not answer.lost]
    infos = [run.parsed.queries[answer.number].info for answer in whole]
    lost = Counter(answer.lost for answer in answers.values() if answer.lost)
    missing = len(run.parsed.queries) - len(whole)
    fields: dict[str, Any] = {
        "task": run.name,
        "modality": run.modality,
        "models": models.name,
        "budget": budget,
        "metric": metric,
        "queries": len(whole),
        "missing": missing,
        "lost": dict(lost),
        "tokens_per_query": tokens_per_query([Usage(**answer.tokens) for answer in whole] or [Usage()]),
        "revision": run.revision,
        "limit": run.limit,
    }
    if not whole:
        return Marked(None, missing, lost, {**fields, "value": None, "ci95": None})
    # Without a query of its own there is no line in the official files for what was lost.
    judged = [
        judge(info, f"{run.name}, query {answer.number}") for answer, info in zip(whole, infos, strict=True)
    ]
    own = [info.cand_names for info in infos] if run.local else None
    ranked = rank_scored([(each.ranking, each.scores) for each in whole], judged, own, DEPTH)
    scored = score(ranked, judged)
    values = scored.by_query[metric].tolist()
    fields |= {"value": round(fmean(values), DIGITS), "ci95": rounded(interval(values))}
    fields["by_stage"] = _by_stage(whole, judged, metric)
    folder = run.out / f"budget-{budget}" / run.modality
    write_info(folder / f"{run.name}_info.jsonl", infos)
    write_predictions(folder / f"{run.name}_pred.jsonl", ranked.predictions, infos)
    write_score(folder / f"{run.name}_score.json", scored, missing=missing, more=fields)
    if scored.ties_against is not None:
        # The score file has all of them already.
        fields["ties_against"] = round(scored.ties_against[metric], DIGITS)
    return Marked(scored, missing, lost, fields)


def _by_stage(answers: Sequence[Answer], judged: Sequence[Judged], metric: str) -> dict[str, float]:
    """The metric after each stage but the last, whose figure is the task's."""
    found = {}
    for stage in answers[0].stages:
        standings = [
            standing_of_names(answer.stages.get(stage, ()), each)
            for answer, each in zip(answers, judged, strict=True)
        ]
        values = metrics_by_query(slots_of(standings, judged))[metric]
        found[stage] = round(float(values.mean()), DIGITS)
    return found
