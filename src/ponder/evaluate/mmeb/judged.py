"""What a query's ranking is held against: its labels and grades, as the official evaluator pairs them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ponder.errors import InputInvalid
from ponder.evaluate.mmeb.parsed import Info, Name


@dataclass(frozen=True, slots=True)
class Judged:
    """A query's labels, each once.

    Attributes:
        names: In the order of the label list.
        grades: Of each name, by the official pairing; 1.0 where there are no grades.
        textbook: Of each name, by the order of the label list: what whoever wrote the list meant.
        undefined: Grades differ and names are strings: the official pairing changes from process to process,
            and `grades` is `textbook`.

    Example:
        >>> judge(Info((), ("a", "b"), (2, 3)), "info.jsonl:1").undefined
        True
        >>> judge(Info((), (8, 3), (3, 2)), "info.jsonl:1").grades  # a set of 8 and 3 begins with 8
        (3.0, 2.0)
        >>> judge(Info((), (3, 8), (2, 3)), "info.jsonl:1").grades
        (3.0, 2.0)
    """

    names: tuple[Name, ...]
    grades: tuple[float, ...]
    textbook: tuple[float, ...]
    undefined: bool


def judge(info: Info, where: str) -> Judged:
    """A query's labels as the official evaluator takes them.

    It puts the labels through a set and gives the first grade to what comes first out of it. The order of
    a set of integers is CPython's and the same every time, whatever order the labels were meant in; that of
    strings depends on ``PYTHONHASHSEED``. (VLM2Vec 6e1e1d4, ``src/utils/eval_utils/metrics.py``, line 214.)

    Args:
        info: The query's labels and grades.
        where: ``file:line``, for messages.

    Raises:
        InputInvalid: There are grades and the official evaluator raises: not as many as labels, or a label is
            there twice. Or a grade is negative or no number.
    """
    names = tuple(dict.fromkeys(info.label_names))
    if info.rel_scores is None:
        ones = (1.0,) * len(names)
        return Judged(names, ones, ones, undefined=False)
    grades = tuple(float(grade) for grade in info.rel_scores)
    if len(grades) != len(info.label_names):
        raise InputInvalid(
            f"{len(grades)} grades of {len(info.label_names)} labels",
            where,
            "the official evaluator raises here: give each label a grade in rel_scores",
        )
    if len(names) != len(grades):
        twice = next(name for name in names if info.label_names.count(name) > 1)
        raise InputInvalid(
            f"the label {twice!r} is there twice, with grades",
            where,
            "the official evaluator raises a ValueError here: name each label once",
        )
    if not all(math.isfinite(grade) and grade >= 0 for grade in grades):
        raise InputInvalid("a grade that is negative or no number", where, "leave such labels out")
    if len(set(grades)) < 2:
        return Judged(names, grades, grades, undefined=False)
    if not all(isinstance(name, int) for name in names):
        return Judged(names, grades, grades, undefined=True)
    paired = dict(zip(set(info.label_names), grades, strict=True))
    return Judged(names, tuple(paired[name] for name in names), grades, undefined=False)
