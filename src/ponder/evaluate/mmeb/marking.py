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
from ponder.evaluate.mmeb.parsed import Info, Name
from ponder.evaluate.mmeb.ranking import Ranked, standing_of_scores
from ponder.evaluate.mmeb.running import Shard, TaskRun, tokens_per_query
from ponder.evaluate.mmeb.score import Scored, score
from ponder.evaluate.report import DIGITS, rounded
from ponder.protocols import Models


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
        "tokens_per_query": tokens_per_query(whole),
        "revision": run.revision,
        "limit": run.limit,
    }
    if not whole:
        return Marked(None, missing, lost, {**fields, "value": None, "ci95": None})
    # Without a query of its own there is no line in the official files for what was lost.
    rankings = [_ranking(answer, info, local=run.local) for answer, info in zip(whole, infos, strict=True)]
    judged = [
        judge(info, f"{run.name}, query {answer.number}") for answer, info in zip(whole, infos, strict=True)
    ]
    scored = score(_ranked(rankings, judged), judged)
    values = scored.by_query[metric].tolist()
    fields |= {"value": round(fmean(values), DIGITS), "ci95": rounded(interval(values))}
    if scored.ties_against is not None:
        fields["ties_against"] = round(scored.ties_against[metric], DIGITS)
    folder = run.out / f"budget-{budget}" / run.modality
    write_info(folder / f"{run.name}_info.jsonl", infos)
    write_predictions(folder / f"{run.name}_pred.jsonl", [names for names, _ in rankings], infos)
    write_score(folder / f"{run.name}_score.json", scored, missing=missing, more=fields)
    return Marked(scored, missing, lost, fields)


def _ranking(answer: Answer, info: Info, *, local: bool) -> tuple[list[Name], list[float]]:
    """As the official files have it: a name that is twice among a query's own candidates is ranked twice."""
    times = Counter(info.cand_names) if local else None
    names: list[Name] = []
    scores: list[float] = []
    for name, value in zip(answer.ranking, answer.scores, strict=True):
        count = times[name] if times else 1
        names += [name] * count
        scores += [value] * count
    return names, scores


def _ranked(rankings: Sequence[tuple[list[Name], list[float]]], judged: Sequence[Judged]) -> Ranked:
    found = Ranked([], {}, [])
    for row, ((names, scores), each) in enumerate(zip(rankings, judged, strict=True)):
        found.standings.append(standing_of_scores(names, scores, each))
        if len(set(names)) < len(names):
            first: dict[Name, float] = {}
            for name, value in zip(names, scores, strict=True):
                first.setdefault(name, value)
            found.once[row] = standing_of_scores(list(first), list(first.values()), each)
        found.predictions.append(names)
    return found
