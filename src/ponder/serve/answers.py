"""Rankings and explanations as JSON: what ``--json`` prints and the API answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ponder.adapters.hits import place_of, tokens_of
from ponder.records import Event, Hit, Item, NextStep, Query, Ranking, StageScore, Usage


def ranking_json(ranking: Ranking, seconds: float) -> dict[str, Any]:
    """The document of ``ponder search --json``."""
    by_stage = {name: tokens_of(usage) for name, usage in ranking.by_stage.items()}
    return {
        "hits": [_hit_json(hit) for hit in ranking.hits],
        "budget": ranking.budget,
        "usage": {**tokens_of(ranking.usage), "by_stage": by_stage},
        "failed": [{"stage": event.stage, "why": event.what} for event in ranking.trace if event.failed],
        "seconds": round(seconds, 3),
    }


def ranking_of(fields: Mapping[str, Any]) -> Ranking:
    """A ranking from what `ranking_json` made of one; what is not in there is not in it.

    Example:
        >>> ranking = Ranking(Query(), (Hit(Item("a", "text", "/a.txt"), 1, 0.5),), Usage(read=3), budget=9)
        >>> ranking_of(ranking_json(ranking, 0.1)).hits == ranking.hits
        True
    """
    usage = dict(fields["usage"])
    by_stage = {name: Usage(**each) for name, each in usage.pop("by_stage").items()}
    return Ranking(
        query=Query(),
        hits=tuple(_hit_of(each) for each in fields["hits"]),
        usage=Usage(**usage),
        by_stage=by_stage,
        budget=fields["budget"],
        trace=tuple(Event(each["stage"], each["why"], failed=True) for each in fields["failed"]),
        seconds=fields["seconds"],
    )


def explanation(ranking: Ranking) -> dict[str, Any]:
    """The explanation as JSON.

    Returns:
        ``stages``, each with its tokens, what it did as a whole (``did``) and the moves of items
        (``moves``); ``hits``, each with what a stage added to its score; and ``next``, what could be asked
        next, null when nobody is left to judge.
    """
    names = list(dict.fromkeys(event.stage for event in ranking.trace))
    return {
        "stages": [_stage(ranking, name) for name in names],
        "hits": [{"id": hit.item.id, "rank": hit.rank, "why": hit_line(hit)} for hit in ranking],
        "next": None if ranking.next is None else asdict(ranking.next),
    }


def next_line(step: NextStep | None) -> str:
    """What could be asked next, in one line.

    Example:
        >>> from ponder.records import NextStep
        >>> next_line(NextStep("ecr", 4, 260, False, "the lead of 0.12 is safe"))
        'judge 4 more of ecr, about 260 tokens; could change the first place: no, the lead of 0.12 is safe'
        >>> next_line(None)
        'none, nobody is left to judge'
    """
    if step is None:
        return "none, nobody is left to judge"
    price = "price unknown" if step.tokens is None else f"about {step.tokens} tokens"
    changes = {True: "yes", False: "no", None: "not known"}[step.changes]
    more = f"judge {step.candidates} more of {step.stage}, {price}"
    return f"{more}; could change the first place: {changes}, {step.why}"


def _hit_json(hit: Hit) -> dict[str, Any]:
    return {
        "id": hit.item.id,
        "uri": place_of(hit),
        "kind": hit.item.kind,
        "rank": hit.rank,
        "score": hit.score,
        "part": hit.part,
        "reasoning": hit.reason,
        "passage": hit.passage,
        "stages": [
            {"name": stage.name, "score": stage.score, "rank": stage.rank, "note": stage.note}
            for stage in hit.stages
        ],
    }


def _hit_of(fields: Mapping[str, Any]) -> Hit:
    return Hit(
        Item(fields["id"], fields["kind"], fields["uri"]),
        fields["rank"],
        fields["score"],
        part=fields["part"],
        reason=fields["reasoning"],
        passage=fields["passage"],
        stages=tuple(
            StageScore(each["name"], each["score"], each["rank"], each["note"]) for each in fields["stages"]
        ),
    )


def _stage(ranking: Ranking, name: str) -> dict[str, Any]:
    events = [event for event in ranking.trace if event.stage == name]
    usage = ranking.by_stage.get(name)
    return {
        "name": name,
        "tokens": usage.spent if usage else 0,
        "did": [event.what for event in events if not event.item],
        "moves": [
            {"id": event.item, "what": event.what, "before": event.before, "after": event.after}
            for event in events
            if event.item
        ],
    }


def hit_line(hit: Hit) -> str:
    """``retrieve 0.41 (4) → ecr 0.12 (1), 63% likely``: each stage's own score, the rank it left the hit at,
    and how likely its judge's score makes the hit relevant, where that was measured.
    """
    said = []
    for stage in hit.stages:
        score = "not judged" if stage.score is None else f"{stage.score:.3g}"
        likely = "" if stage.chance is None else f", {stage.chance:.0%} likely"
        note = f", {stage.note}" if stage.note else ""
        said.append(f"{stage.name} {score} ({stage.rank}){likely}{note}")
    return " → ".join(said)
