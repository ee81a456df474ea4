"""Which ECRs a reasoner learns from: each is looked at, and what is left out is counted with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ponder.records import Item
from ponder.train.ecrs import Ecr
from ponder.train.usefulness import Measured

Decision = Literal["kept", "format", "length", "harmful", "outdone"]
"""*format*: empty, cut off, with a model's marks in it, or repeating itself. *length*: too short or too long.
*harmful*: its usefulness is below what was asked for. *outdone*: another ECR about the same document is more
useful."""

_MARKS = ("<think", "</think", "<answer", "</answer", "<|", "|>")

_ENDS = (".", "!", "?", "…", "。", "！", "？", '"', "”", ")")

_REPEATED = 0.5
"""Least share of distinct runs of three words; a model that is caught in a loop falls far below."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """An ECR with what was found about it.

    Attributes:
        item: What it is about.
        ecr: What was written.
        tokens: Its length, in the student's tokens.
        measured: What it does, where that was measured.
        decision: Whether it is learned from.
        why: The rule and its figures.
    """

    item: Item
    ecr: Ecr
    tokens: int
    measured: Measured = field(default_factory=Measured)
    decision: Decision = "kept"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What an ECR has to be.

    Attributes:
        shortest: Tokens at least.
        longest: Tokens at most.
        useful: Least usefulness; None takes any. 0 drops what does harm.
    """

    shortest: int
    longest: int
    useful: float | None


@dataclass(frozen=True, slots=True)
class Preference:
    """Two ECRs about one item.

    Attributes:
        chosen: The more useful one.
        rejected: The less useful one.
    """

    chosen: Lesson
    rejected: Lesson


def well_formed(lesson: Lesson, rules: Rules) -> Lesson:
    """The lesson, with its decision after looks at its words alone.

    Example:
        >>> well_formed(Lesson(Item("d", "text"), Ecr("d", "A cello."), 3), Rules(1, 9, 0.0)).decision
        'kept'
        >>> well_formed(Lesson(Item("d", "text"), Ecr("d", "A <|im_end|>"), 3), Rules(1, 9, 0.0)).why
        "a model's mark in it: <|"
    """
    if why := fault(lesson.ecr):
        return replace(lesson, decision="format", why=why)
    if not rules.shortest <= lesson.tokens <= rules.longest:
        bounds = f"{rules.shortest} to {rules.longest}"
        return replace(lesson, decision="length", why=f"{lesson.tokens} tokens, not {bounds}")
    return lesson


def fault(ecr: Ecr) -> str:
    """What is wrong with an ECR's form; "" for nothing."""
    if not any(mark.isalpha() for mark in ecr.text):
        return "no words"
    # A limit may have cut the trace only, or have left out what came after a whole sentence.
    if ecr.truncated and not ecr.text.rstrip().endswith(_ENDS):
        return "cut off by a limit"
    for mark in _MARKS:
        if mark in ecr.text:
            return f"a model's mark in it: {mark}"
    words = ecr.text.lower().split()
    runs = list(zip(words, words[1:], words[2:], strict=False))
    if len(runs) > 8 and len(set(runs)) < _REPEATED * len(runs):
        return f"repeats itself: {len(set(runs))} of {len(runs)} runs of three words differ"
    return ""


def chosen_of(lessons: Iterable[Lesson], rules: Rules, measure: Callable[[Lesson], Measured]) -> list[Lesson]:
    """All lessons with their decisions, in their order; of each document at most one is kept.

    Args:
        lessons: With their lengths.
        rules: What they have to be.
        measure: What a lesson's ECR does; asked about those of good form only.
    """
    found = [measured(well_formed(each, rules), rules, measure) for each in lessons]
    best: dict[str, int] = {}
    for place, lesson in enumerate(found):
        if lesson.decision != "kept":
            continue
        other = best.get(lesson.item.id)
        if other is None:
            best[lesson.item.id] = place
            continue
        # What could not be measured is worth no more than what does nothing.
        here, there = ((found[each].measured.value or 0.0) for each in (place, other))
        winner, loser = (place, other) if here > there else (other, place)
        best[lesson.item.id] = winner
        found[loser] = replace(found[loser], decision="outdone", why="another about the same is more useful")
    return found


def measured(lesson: Lesson, rules: Rules, measure: Callable[[Lesson], Measured]) -> Lesson:
    """A lesson of good form, measured and decided about."""
    if lesson.decision != "kept":
        return lesson
    done = measure(lesson)
    lesson = replace(lesson, measured=done)
    if done.value is None:
        return replace(lesson, why="no query tells whether it helps")
    parts = [
        f"{name} {value:+.4f}" for name, value in (("up", done.up), ("down", done.down)) if value is not None
    ]
    why = f"usefulness {done.value:+.4f} ({', '.join(parts)})"
    if rules.useful is not None and done.value < rules.useful:
        return replace(lesson, decision="harmful", why=f"{why}, below {rules.useful:g}")
    return replace(lesson, why=why)


def preferences(lessons: Sequence[Lesson], gap: float) -> list[Preference]:
    """Of each document with several measured ECRs, the most and the least useful, where they lie apart.

    Args:
        lessons: Measured; those of bad form are passed over, harmful ones are not: they are what to avoid.
        gap: By how much usefulness has to differ, at least; and it has to differ.
    """
    by_item: dict[str, list[Lesson]] = {}
    for lesson in lessons:
        if lesson.decision not in ("format", "length") and lesson.measured.value is not None:
            by_item.setdefault(lesson.item.id, []).append(lesson)
    found = []
    for some in by_item.values():
        ordered = sorted(some, key=lambda each: each.measured.value or 0.0)
        low, high = ordered[0], ordered[-1]
        apart = (high.measured.value or 0.0) - (low.measured.value or 0.0)
        if apart > 0 and apart >= gap and high.ecr.text != low.ecr.text:
            found.append(Preference(high, low))
    return found


def counted(lessons: Iterable[Lesson]) -> dict[str, int]:
    """How many lessons met which decision."""
    return dict(sorted(Counter(each.decision for each in lessons).items()))
