"""One rerank stage: ask the engine within a grant, read its verdicts, move the candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ponder.cascade.ledger import Ledger
from ponder.cascade.pacing import Allocation, Runner, next_round
from ponder.cascade.stages import Rerank
from ponder.cascade.standing import Standing, moves
from ponder.errors import BackendFailed, PonderError
from ponder.protocols import JudgesApart, Models, PricesJudging, Reranker
from ponder.records import Content, Event, Judgement, StageScore, Verdict
from ponder.rerank.fusion import centred, fuse, usable

EARLY_SHARE = 0.6
"""Of what is left, at least, for a stage that others follow: reading ECRs of 20 is the cheaper way to
accuracy than reasoning about 5, but the later stage must be able to begin. What later stages cannot use,
by their own price, comes on top."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The candidates in their new order and what there is to tell."""

    standings: list[Standing]
    events: list[Event]


def planned(stage: Rerank, left: int, later: int | None) -> int:
    """Tokens that a stage may spend of the `left` ones, in whole tokens.

    Args:
        stage: Its own `share` counts, if it has one.
        left: Tokens that no stage has spent.
        later: What the stages behind it can use at most: 0 for the last, None if they cannot say.

    Example:
        >>> ecr = Rerank("ecr")
        >>> [planned(ecr, 1000, later) for later in (None, 0, 80, 700)]
        [600, 1000, 920, 600]
    """
    if stage.share is None:
        least = _part(left, EARLY_SHARE)
        return least if later is None else max(least, left - later)
    return _part(left, stage.share)


def _part(left: int, share: float) -> int:
    return left * round(share * 1_000_000) // 1_000_000


def price(
    stages: Sequence[Rerank], models: Models, query: Content, standings: Sequence[Standing]
) -> int | None:
    """What these stages can use at most, were the order to stay as it is; None if one cannot say."""
    total = 0
    for stage in stages:
        reranker = stage.judge(models)
        if not isinstance(reranker, PricesJudging):
            return None
        block = [standing.candidate(rank) for rank, standing in enumerate(standings[: stage.keep], start=1)]
        try:
            cost = reranker.price(query, block)
        except Exception:
            # An engine that is down fails when its turn comes, and is reported there.
            return None
        if cost is None:
            return None
        total += max(0, cost)
    return total


def judge(
    stage: Rerank,
    reranker: Reranker,
    query: Content,
    standings: list[Standing],
    ledger: Ledger,
    *,
    later: int | None = 0,
    keep_on_fault: bool = False,
    allocate: Allocation = "uniform",
) -> Outcome:
    """Run one rerank stage.

    Args:
        stage: What to do.
        reranker: Who does it.
        query: As the cascade was asked.
        standings: Candidates of the earlier stage, in its order.
        ledger: Grants and counts tokens.
        later: As for `planned`.
        keep_on_fault: Whether a failing engine leaves the order as it is.
        allocate: "uniform" has everyone judged that the tokens pay for; "adaptive" stops when the lead is
            safe, and asks nobody when it is so from the beginning (`ponder.cascade.pacing`).

    Raises:
        BackendFailed: The engine raised and `keep_on_fault` is off.
        PonderError: Whatever else an engine raises on purpose, such as a missing dependency, which a
            person can put right.
    """
    tokens = planned(stage, ledger.left, later)
    block = standings[: stage.keep]
    if not block or tokens == 0:
        why = "nothing to judge" if not block else f"no tokens for it, {ledger.left} left in all"
        return Outcome(standings, [Event(stage.name, f"skipped: {why}")])
    asked = _Asking(stage, reranker, query, block, ledger, tokens)
    try:
        asked.run(allocate)
    except PonderError as failure:
        if not keep_on_fault or not isinstance(failure, BackendFailed):
            raise
        if not asked.verdicts:
            why = f"failed, order kept: {failure}"
            return _unchanged(stage, standings, block, why, asked.spent, failed=True)
        asked.tell(f"failed, what was judged before counts: {failure}", failed=True)
    if asked.broken and not asked.verdicts:
        return _unchanged(stage, standings, block, asked.broken, asked.spent)
    after = _moved(stage, reranker, standings, block, asked.verdicts)
    events = asked.events + [
        Event(stage.name, f"keeps its place: {_unread(verdict)}", verdict.id, rank, rank)
        for rank, standing in enumerate(block, start=1)
        if (verdict := asked.verdicts.get(standing.id)) is not None and not usable(verdict.score)
    ]
    return Outcome(after, events + moves(stage.name, standings, after))


@dataclass(slots=True, eq=False)
class _Asking:
    """One stage's questions to its judge: all candidates at once, or in rounds while their order is open.

    Attributes:
        verdicts: By item, of all rounds.
        events: What happened.
        broken: How the judge broke its limit, "" if it kept it; that round's verdicts are thrown away.
        spent: Tokens charged.
    """

    stage: Rerank
    reranker: Reranker
    query: Content
    block: Sequence[Standing]
    ledger: Ledger
    tokens: int
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    broken: str = ""
    spent: int = 0

    def run(self, allocate: Allocation) -> None:
        """Ask until everyone is judged, the tokens are spent, or the order is no longer open."""
        runners = self._runners() if allocate == "adaptive" else None
        if runners is None:
            self._ask(range(len(self.block)))
            return
        judged: dict[int, float | None] = {}
        while True:
            step = next_round(runners, judged)
            if not step.places:
                self.tell(f"stopped: {step.why}" if judged else f"gate: not judged, {step.why}")
                return
            if not self._ask(step.places):
                return
            judged |= {place: self._added(place) for place in step.places}

    def tell(self, what: str, *, failed: bool = False) -> None:
        """Note something about the whole stage."""
        self.events.append(Event(self.stage.name, what, failed=failed))

    @property
    def _weight(self) -> float:
        return self.reranker.weight if self.stage.weight is None else self.stage.weight

    def _runners(self) -> list[Runner] | None:
        """The candidates as a race sees them; None where the judge has to see all of them together."""
        if not isinstance(self.reranker, JudgesApart) or self.stage.normalise != "raw":
            return None
        swings = [
            self.reranker.swing(self.query, each.candidate(rank))
            for rank, each in enumerate(self.block, start=1)
        ]
        known = [swing for swing in swings if swing is not None]
        if len(known) < len(swings):
            return None
        return [
            Runner(each.score, self._weight * swing, each.row.item.kind)
            for each, swing in zip(self.block, known, strict=True)
        ]

    def _added(self, place: int) -> float | None:
        verdict = self.verdicts.get(self.block[place].id)
        score = verdict.score if verdict else None
        return self._weight * score if score is not None and usable(score) else None

    def _ask(self, places: Sequence[int]) -> bool:
        """One call; whether all of these were judged, so that another round makes sense."""
        chosen = [self.block[place] for place in places]
        left = self.tokens - self.spent
        grant = self.ledger.reserve(self.stage.name, left)
        if grant.tokens == 0:
            self.tell(f"stopped: its {self.tokens} tokens are spent")
            return False
        candidates = [each.candidate(place + 1) for place, each in zip(places, chosen, strict=True)]
        try:
            judgement = self.reranker.rerank(self.query, candidates, limit=grant.tokens)
            if not isinstance(judgement, Judgement):
                raise TypeError(f"a reranker must return a Judgement, not {type(judgement).__name__}")
            verdicts, strange = _by_id(judgement.verdicts, chosen, self.stage.name)
        except Exception as fault:
            self.ledger.forfeit(grant)
            self.spent += grant.tokens
            raise _as_failure(fault, self.stage.name) from fault
        if not self.ledger.settle(grant, judgement.usage):
            self.spent += grant.tokens
            self.broken = (
                f"over its limit of {grant.tokens} tokens, verdicts discarded: reported {judgement.usage}"
            )
            self.tell(self.broken)
            return False
        self.spent += judgement.usage.spent
        self.verdicts |= verdicts
        self.events.append(
            Event(
                self.stage.name,
                f"judged {len(verdicts)} of {len(chosen)} within {judgement.usage.spent} of {grant.tokens} "
                "tokens",
                tokens=judgement.usage.spent,
            )
        )
        self.events += strange
        return len(verdicts) == len(chosen)


def _by_id(
    verdicts: Sequence[Verdict], block: Sequence[Standing], stage: str
) -> tuple[dict[str, Verdict], list[Event]]:
    """The first verdict on each candidate; events about the others."""
    asked = {standing.id for standing in block}
    known: dict[str, Verdict] = {}
    events = []
    for verdict in verdicts:
        if verdict.id not in asked:
            events.append(Event(stage, "verdict ignored: this item was not asked about", verdict.id))
        elif verdict.id in known:
            events.append(Event(stage, "verdict ignored: the item has one already", verdict.id))
        else:
            known[verdict.id] = verdict
    return known, events


def _moved(
    stage: Rerank,
    reranker: Reranker,
    standings: list[Standing],
    block: list[Standing],
    verdicts: dict[str, Verdict],
) -> list[Standing]:
    rest = standings[len(block) :]
    said = [verdicts.get(standing.id) for standing in block]
    fused = fuse(
        [standing.score for standing in block],
        centred(
            [verdict.score if verdict else None for verdict in said],
            [standing.row.item.kind for standing in block],
        ),
        reranker.weight if stage.weight is None else stage.weight,
        normalise=stage.normalise,
        floor=rest[0].score if rest else None,
    )
    for rank, (old, score) in enumerate(zip(fused.order, fused.scores, strict=True), start=1):
        standing, verdict = block[old], said[old]
        standing.score = score
        standing.read |= verdict is not None
        standing.thought = (verdict.reasoning if verdict else "") or standing.thought
        standing.stages.append(_stage_score(stage.name, verdict, rank))
    for rank, standing in enumerate(rest, start=len(block) + 1):
        standing.stages.append(StageScore(stage.name, None, rank))
    return [block[old] for old in fused.order] + rest


def _stage_score(stage: str, verdict: Verdict | None, rank: int) -> StageScore:
    if verdict is None:
        return StageScore(stage, None, rank)
    if verdict.score is None or not usable(verdict.score):
        return StageScore(stage, None, rank, _unread(verdict))
    return StageScore(stage, float(verdict.score), rank, verdict.note)


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
    for standing in block:
        standing.read = True
    for rank, standing in enumerate(standings, start=1):
        note = why if rank <= len(block) else ""
        standing.stages.append(StageScore(stage.name, None, rank, note))
    return Outcome(standings, [Event(stage.name, why, tokens=tokens, failed=failed)])


def _as_failure(fault: Exception, stage: str) -> PonderError:
    if isinstance(fault, PonderError):
        return fault
    return BackendFailed(
        f"{type(fault).__name__}: {fault}", f"stage {stage}", "see the model's log, or leave the stage out"
    )
