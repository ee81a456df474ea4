"""Where a query's labels stand in its ranking, and what is tied with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ponder.evaluate.mmeb.judged import Judged
from ponder.evaluate.mmeb.official import DEEPEST, Slots
from ponder.evaluate.mmeb.parsed import Name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_LABEL = -1

Group = tuple[int, Mapping[int, int]]
"""Candidates with one score: how many, and of each label that is among them how often its name is."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The first places of one query, as far as metrics look.

    Attributes:
        marks: Of each place, from the first, which label stands there; `NO_LABEL` where none does.
        runs: How many candidates share each score, from the highest; the last run may reach past `marks`.
        cut: Of the last run: label → how often its name is in it. Used where the run reaches past `marks`.
    """

    marks: tuple[int, ...]
    runs: tuple[int, ...]
    cut: Mapping[int, int] = field(default_factory=dict)

    @property
    def tied(self) -> bool:
        """Whether any of these places could be another's."""
        return len(self.runs) < len(self.marks) or sum(self.runs) > len(self.marks)

    @property
    def groups(self) -> list[Group]:
        """Score by score, from the highest."""
        found: list[Group] = []
        start = 0
        for size in self.runs:
            here = Counter(mark for mark in self.marks[start : start + size] if mark != NO_LABEL)
            start += size
            found.append((size, self.cut if start > len(self.marks) else here))
        return found


def standing_of_names(ranked: Sequence[Name], judged: Judged) -> Standing:
    """Of a ranking without scores: what stands first was ranked first, and nothing is known to be tied.

    Example:
        >>> standing_of_names(["x", "b"], Judged(("a", "b"), (1.0, 1.0), (1.0, 1.0), False)).marks
        (-1, 1)
    """
    index = {name: number for number, name in enumerate(judged.names)}
    marks = tuple(index.get(name, NO_LABEL) for name in ranked[:DEEPEST])
    return Standing(marks, (1,) * len(marks))


def slots_of(standings: Sequence[Standing], judged: Sequence[Judged], *, textbook: bool = False) -> Slots:
    """What stands where, ties in the candidates' order.

    Args:
        standings: One a query.
        judged: The same queries' labels.
        textbook: With the grades that were meant, rather than those of the official pairing.
    """
    import numpy as np

    grades = [each.textbook if textbook else each.grades for each in judged]
    marks = np.full((len(standings), DEEPEST), NO_LABEL, np.int64)
    grade = np.zeros((len(standings), DEEPEST))
    new = np.zeros((len(standings), DEEPEST), bool)
    for row, each in enumerate(standings):
        marks[row, : len(each.marks)] = each.marks
        seen: set[int] = set()
        for place, mark in enumerate(each.marks):
            if mark != NO_LABEL:
                grade[row, place] = grades[row][mark]
                new[row, place] = mark not in seen
                seen.add(mark)
    return Slots(marks != NO_LABEL, new, grade, counts(judged), grades)


def counts(judged: Sequence[Judged]) -> NDArray[np.int64]:
    """How many labels each query has."""
    import numpy as np

    return np.array([len(each.names) for each in judged], np.int64)
