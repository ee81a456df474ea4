"""One rerank stage: what it may spend, what its judge said, and how the candidates move."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from ponder.cascade.asking import Asking
from ponder.cascade.ledger import Ledger
from ponder.cascade.offer import Offer, price_of
from ponder.cascade.pacing import Allocation
from ponder.cascade.stages import Rerank
from ponder.cascade.standing import Standing, moves
from ponder.cascade.weighing import Weighing
from ponder.errors import BackendFailed, PonderError
from ponder.protocols import Models
from ponder.records import Content, Event, NextStep, StageScore, Verdict
from ponder.rerank.fusion import usable

EARLY_SHARE = 0.6
"""Of what is left, at least, for a stage that others follow: reading ECRs of 20 is the cheaper way to
accuracy than reasoning about 5, but the later stage must be able to begin. What later stages cannot use,
by their own price, comes on top."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The candidates in their new order and what there is to tell.

    Attributes:
        standings: All of them.
        events: For the trace.
        next: What could be asked next, where that was to be reckoned and anyone is left.
    """

    standings: list[Standing]
    events: list[Event]
    next: NextStep | None = None


@dataclass(frozen=True, slots=True)
class Wants:
    """What the stages behind one can use.

    Attributes:
        most: Tokens, at most; 0 where there are none, None if they cannot say.
        least: Below it they can do nothing: the price of two candidates; 0 if they cannot say.
    """

    most: int | None = 0
    least: int = 0


def planned(stage: Rerank, left: int, later: Wants) -> int:
    """Tokens that a stage may spend of the `left` ones, in whole tokens.

    Args:
        stage: Its own `share` counts, if it has one.
        left: Tokens that no stage has spent.
        later: What the stages behind it can use.

    Example:
        >>> ecr = Rerank("ecr")
        >>> [planned(ecr, 1000, Wants(most)) for most in (None, 0, 80, 700)]
        [600, 1000, 920, 600]
        >>> planned(ecr, 100, Wants(700, least=50))
        100
    """
    if stage.share is not None:
        return _part(left, stage.share)
    own = _part(left, EARLY_SHARE)
    if left - own < later.least:
        return left
    return own if later.most is None else max(own, left - later.most)


def _part(left: int, share: float) -> int:
    return left * round(share * 1_000_000) // 1_000_000


def price(
    stages: Sequence[Rerank],
    models: Models,
    query: Content,
    standings: Sequence[Standing],
    signals: Mapping[str, float],
) -> Wants:
    """What these stages can use, were the order to stay as it is."""
    total = least = 0
    for stage in stages:
        weighing = Weighing.of(stage, models, signals)
        asked = weighing.asked(standings[: stage.keep])
        if not asked:
            continue
        places = list(enumerate(asked))
        cost = price_of(weighing, query, places)
        if cost is None:
            return Wants(None, least)
        total += cost
        least = least or price_of(weighing, query, places[:2]) or 0
    return Wants(total, least)


def judge(
    weighing: Weighing,
    query: Content,
    standings: list[Standing],
    ledger: Ledger,
    *,
    tokens: int,
    last: bool = False,
    keep_on_fault: bool = False,
    allocate: Allocation = "uniform",
    explain: bool = False,
) -> Generator[Offer, int | None, Outcome]:
    """Run one rerank stage, stopping at each question for the tokens that it may cost.

    Args:
        weighing: The stage, its judge, and how far he counts.
        query: As the cascade was asked.
        standings: Candidates of the earlier stage, in its order.
        ledger: Grants and counts tokens.
        tokens: What the stage may spend at most.
        last: Whether no later stage has anything to say of the query, by their own price.
        keep_on_fault: Whether a failing engine leaves the order as it is.
        allocate: "uniform" has everyone judged that the tokens pay for; "adaptive" stops when the lead is
            safe, and asks nobody when it is so from the beginning (`ponder.cascade.pacing`).
        explain: Whether to reckon what could be asked next.

    Returns:
        In the end; what is yielded before are questions (`ponder.cascade.offer.Offers`).

    Raises:
        BackendFailed: The engine raised and `keep_on_fault` is off.
        PonderError: Whatever else an engine raises on purpose, such as a missing dependency, which a
            person can put right.
    """
    stage = weighing.stage
    block = standings[: stage.keep]
    gates = [
        Event(stage.name, f"gate: no {kind} is judged, {why}") for kind, why in _refused(weighing, block)
    ]
    judged = weighing.asked(block)
    asked = Asking(weighing, query, judged, ledger, tokens, events=gates, last=last)
    if not judged or tokens == 0:
        why = f"no tokens for it, {ledger.left} left in all" if judged else "nothing to judge"
        asked.tell(f"skipped: {why}")
        return Outcome(standings, asked.events, asked.next(allocate) if explain else None)
    try:
        yield from asked.run(allocate)
    except PonderError as failure:
        if not keep_on_fault or not isinstance(failure, BackendFailed):
            raise
        if not asked.verdicts:
            why = f"failed, order kept: {failure}"
            return _unchanged(stage, standings, judged, why, asked.spent, failed=True)
        asked.tell(f"failed, what was judged before counts: {failure}", failed=True)
    if asked.broken and not asked.verdicts:
        return _unchanged(stage, standings, judged, asked.broken, asked.spent)
    # Before candidates move: what comes next is asked about those who stand here now.
    following = asked.next(allocate) if explain else None
    after = _moved(weighing, standings, block, asked.verdicts)
    events = asked.events + [
        Event(stage.name, f"keeps its place: {_unread(verdict)}", verdict.id, rank, rank)
        for rank, standing in enumerate(block, start=1)
        if (verdict := asked.verdicts.get(standing.id)) is not None and not usable(verdict.score)
    ]
    return Outcome(after, events + moves(stage.name, standings, after), following)


def _refused(weighing: Weighing, block: Sequence[Standing]) -> list[tuple[str, str]]:
    """Kinds among the candidates that the judge is not asked about, each with the reason."""
    found = {each.row.item.kind: weighing.refused(each.row.item.kind) for each in block}
    return [(kind, why) for kind, why in found.items() if why]


def _moved(
    weighing: Weighing,
    standings: list[Standing],
    block: list[Standing],
    verdicts: dict[str, Verdict],
) -> list[Standing]:
    rest = standings[len(block) :]
    said = [verdicts.get(standing.id) for standing in block]
    scores = [verdict.score if verdict else None for verdict in said]
    fused = weighing.fused(block, scores, rest[0].score if rest else None)
    stage, chances = weighing.stage, weighing.chances(block, scores)
    for rank, (old, score) in enumerate(zip(fused.order, fused.scores, strict=True), start=1):
        standing, verdict = block[old], said[old]
        standing.score = score
        standing.read |= verdict is not None
        standing.thought = (verdict.reasoning if verdict else "") or standing.thought
        standing.stages.append(_stage_score(stage.name, verdict, rank, chances[old]))
    for rank, standing in enumerate(rest, start=len(block) + 1):
        standing.stages.append(StageScore(stage.name, None, rank))
    return [block[old] for old in fused.order] + rest


def _stage_score(stage: str, verdict: Verdict | None, rank: int, chance: float | None) -> StageScore:
    if verdict is None:
        return StageScore(stage, None, rank)
    if verdict.score is None or not usable(verdict.score):
        return StageScore(stage, None, rank, _unread(verdict))
    return StageScore(stage, float(verdict.score), rank, verdict.note, chance)


def _unread(verdict: Verdict) -> str:
    why = verdict.note or f"its score is {verdict.score!r}"
    return f"no verdict could be read: {why}"


def _unchanged(
    stage: Rerank,
    standings: list[Standing],
    block: list[Standing],
    why: str,
    tokens: int,
    *,
    failed: bool = False,
) -> Outcome:
    """Keep the order and say why; what the engine read is unknown, so nothing counts as unread."""
    asked = {id(standing) for standing in block}
    for standing in block:
        standing.read = True
    for rank, standing in enumerate(standings, start=1):
        note = why if id(standing) in asked else ""
        standing.stages.append(StageScore(stage.name, None, rank, note))
    return Outcome(standings, [Event(stage.name, why, tokens=tokens, failed=failed)])
