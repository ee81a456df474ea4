"""A task as the official loaders form it: queries with their labels, and the pool of candidates in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Name = int | str
"""A candidate's name: the official evaluator keeps integers integers, and the type decides some scores."""

Kind = Literal["text", "image", "video", "page"]


@dataclass(frozen=True, slots=True)
class Info:
    """A query's line of the official ``_info.jsonl``.

    Attributes:
        cand_names: What a query with a pool of its own is ranked over, in order, repeats and all. Where the
            pool is shared it plays no part.
        label_names: The right answers.
        rel_scores: Their grades, in the order of `label_names`; None where there are none.
        single: Whether the label stands alone rather than in a list, to be written back as it was.

    Example:
        >>> Info.of({"cand_names": ["a", "b"], "label_name": "a"})
        Info(cand_names=('a', 'b'), label_names=('a',), rel_scores=None, single=True)
    """

    cand_names: tuple[Name, ...]
    label_names: tuple[Name, ...]
    rel_scores: tuple[float, ...] | None = None
    single: bool = False

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Info:
        """From a line's fields; takes them as they are."""
        label = fields["label_name"]
        single = not isinstance(label, list)
        grades = fields.get("rel_scores")
        return cls(
            tuple(fields.get("cand_names") or ()),
            (label,) if single else tuple(label),
            None if grades is None else tuple(grades),
            single,
        )

    @property
    def fields(self) -> dict[str, Any]:
        """As the line has them."""
        label = self.label_names[0] if self.single else list(self.label_names)
        found: dict[str, Any] = {"cand_names": list(self.cand_names), "label_name": label}
        return found if self.rel_scores is None else {**found, "rel_scores": list(self.rel_scores)}


@dataclass(frozen=True, slots=True)
class Side:
    """What of a query or a candidate is given to a model.

    Attributes:
        text: As an official model reads it, picture and video tokens included.
        media: Paths of its picture, page, or frames in order; relative to where the data directory is.
        kind: Of the media; "text" where there are none.
        instruction: What of the text says what the task is, rather than what is asked; "" where nothing
            does. Models that take instructions apart from words get it apart.
    """

    text: str
    media: tuple[str, ...] = ()
    kind: Kind = "text"
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """A query and what it is scored by.

    Attributes:
        side: What is asked.
        info: What it is ranked over, and the right answers.
        details: What the official ``_info.jsonl`` has besides, by its names: the question's number, say.
        problem: Why it cannot be scored as the benchmark means it: its frames are missing, say, or no clip
            of it is the right one; "" for most. A task with such queries is incomplete.
        note: What is odd about it in the data themselves, and part of the benchmark: an answer that is in no
            pool, say; "" for most.
    """

    side: Side
    info: Info
    details: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate of the pool: the first that bears its name.

    Attributes:
        name: Its name.
        side: What of it is given to a model.
        problem: Why it cannot be shown as the benchmark means it: its picture is missing, say; "" for most.
    """

    name: Name
    side: Side
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A task's queries and its pool, both in the official order."""

    queries: Sequence[Query]
    candidates: Sequence[Candidate]

    @property
    def problems(self) -> dict[int, str]:
        """Numbers of the queries that cannot be scored as meant, and why."""
        return {number: each.problem for number, each in enumerate(self.queries) if each.problem}

    @property
    def incomplete(self) -> str:
        """Why the whole cannot be scored as meant, in one clause; "" where it can."""
        queries = [each.problem for each in self.queries if each.problem]
        pool = [each.problem for each in self.candidates if each.problem]
        counts = [
            (len(queries), len(self.queries), "queries"),
            (len(pool), len(self.candidates), "candidates"),
        ]
        told = [f"{bad} of {total} {what}" for bad, total, what in counts if bad]
        return f"{' and '.join(told)}, such as: {(queries or pool)[0]}" if told else ""

    @property
    def notes(self) -> dict[int, str]:
        """Numbers of the queries that are odd, and how."""
        return {number: each.note for number, each in enumerate(self.queries) if each.note}
