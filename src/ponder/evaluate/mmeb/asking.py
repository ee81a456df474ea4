"""From a task as the official loaders form it to the items and queries that a cascade takes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from ponder.evaluate.mmeb.parsed import Candidate, Name, Parsed, Side
from ponder.evaluate.sampling import drawn
from ponder.media.limits import Limits
from ponder.records import Item
from ponder.records import Query as Asked

FRAMES = 8
"""Of a clip, as the official loaders take them."""

_TOKENS = re.compile(r"<\|(?:image|video)_(?:pad|\d+)\|>")


@dataclass(frozen=True, slots=True)
class Question:
    """A query of a task, ready to be asked.

    Attributes:
        number: Its place in the task, from 0.
        asked: What the cascade takes.
        pool: Ids of the items that it is ranked over; None for all.
        problem: Why it cannot be asked as the benchmark means it; "" for most.
    """

    number: int
    asked: Asked
    pool: tuple[str, ...] | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """A task, ready to be run.

    Attributes:
        items: Whatever one of the questions is ranked over, in the pool's order.
        names: From an item's id to the candidate's name.
        questions: In the task's order.
        limits: How much of a clip is opened.
    """

    items: tuple[Item, ...]
    names: dict[str, Name]
    questions: tuple[Question, ...]
    limits: Limits


def asking(
    task: str, parsed: Parsed, root: Path, *, local: bool, limit: int | None = None, seed: int = 0
) -> Asking:
    """Turn a task into items and questions.

    The ids of items are hashes of the candidates' names: where scores are equal an index goes by ids, and
    the order of the pool would tell the right answer, which comes first in half of the tasks.

    Args:
        task: Its name.
        parsed: The task.
        root: What media paths are relative to.
        local: Whether each query has a pool of its own.
        limit: Take so many of the queries, drawn by `seed`, and only the items that they are ranked over.
        seed: Of the draw.
    """
    numbers = drawn(len(parsed.queries), limit, f"{task} {seed}")
    wanted: set[Name] | None = None
    if local:
        wanted = {name for number in numbers for name in parsed.queries[number].info.cand_names}
    taken = [each for each in parsed.candidates if wanted is None or each.name in wanted]
    ids = {each.name: _id(task, each.name) for each in taken}
    questions = []
    for number in numbers:
        query = parsed.queries[number]
        pool = None
        if local:
            pool = tuple(ids[name] for name in dict.fromkeys(query.info.cand_names) if name in ids)
        asked = _query(query.side, root, f"{task}/{number}")
        questions.append(Question(number, asked, pool, query.problem))
    items = tuple(_item(each, ids[each.name], root) for each in taken)
    sides = [*(each.side for each in taken), *(parsed.queries[number].side for number in numbers)]
    frames = max([FRAMES, *(len(side.media) for side in sides if side.kind == "video")])
    names = {id_: name for name, id_ in ids.items()}
    return Asking(items, names, tuple(questions), Limits(max_frames=frames))


def words(side: Side) -> str:
    r"""The text of a side without the tokens of its media and without the instruction.

    Example:
        >>> words(Side("<|image_pad|>\nFind the caption: a dog\n", instruction="Find the caption:"))
        'a dog'
    """
    text = _TOKENS.sub(" ", side.text).strip()
    instruction = _instruction(side)
    if instruction and text.startswith(instruction):
        text = text[len(instruction) :]
    return text.strip()


def _instruction(side: Side) -> str:
    return _TOKENS.sub(" ", side.instruction).strip()


def _id(task: str, name: Name) -> str:
    return hashlib.sha256(f"{task}\n{type(name).__name__}\n{name}".encode()).hexdigest()[:24]


def _item(candidate: Candidate, id_: str, root: Path) -> Item:
    side = candidate.side
    # A bare label is all words: nothing may be taken for an instruction.
    said = words(side) or ("" if side.media else side.text.strip())
    path = _path(side, root)
    told = _instruction(side) if side.media else ""
    return Item(id_, side.kind, str(candidate.name), path, text=said, instruction=told)


def _query(side: Side, root: Path, id_: str) -> Asked:
    path = _path(side, root)
    instruction = _instruction(side)
    return Asked(
        # A query of a picture alone is asked by its picture.
        text=words(side) or ("" if path else instruction),
        image=path if side.kind == "image" else None,
        video=path if side.kind == "video" else None,
        page=(path, 1) if path and side.kind == "page" else None,
        instruction=instruction,
        id=id_,
    )


def _path(side: Side, root: Path) -> str | None:
    if not side.media:
        return None
    first = root / side.media[0]
    return str(first.parent if side.kind == "video" else first)
