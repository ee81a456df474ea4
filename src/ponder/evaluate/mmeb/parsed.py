"""A task as the official loaders form it: queries with their labels, and the pool of candidates in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    """A query and what it is scored by."""

    side: Side
    info: Info


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate of the pool: the first that bears its name."""

    name: Name
    side: Side


@dataclass(frozen=True, slots=True)
class Parsed:
    """A task's queries and its pool, both in the official order."""

    queries: Sequence[Query]
    candidates: Sequence[Candidate]
