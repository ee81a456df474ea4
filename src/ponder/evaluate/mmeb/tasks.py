"""The 78 tasks of MMEB-V2 as data, and the three English-only ones that its configuration has besides.

``tasks.csv`` has a line a task, in the order of the leaderboard's meta-tasks. The instructions of the image
tasks are not there: they live in the data, and are read from it. Source of the facts: the configuration files
of https://github.com/TIGER-AI-Lab/VLM2Vec at 6e1e1d42, and the published score files of version 2.0.1 for the
numbers of queries.
"""

from __future__ import annotations

import csv
import difflib
import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal

from ponder.errors import BadArguments

Modality = Literal["image", "video", "visdoc"]
Scope = Literal["local", "global"]


@dataclass(frozen=True, slots=True)
class Task:
    """One task.

    Attributes:
        name: As the official configuration has it.
        meta_task: I-CLS, I-QA, I-RET, I-VG, V-CLS, V-RET, V-MRET, V-QA or VisDoc.
        modality: image, video or visdoc.
        metric: The one that counts: hit@1, or ndcg_linear@5 for pages.
        candidate_scope: local ranks a query's own candidates, global the whole pool.
        num_queries: Of the published score files; None where there is none.
        in_headline_average: Whether it is one of the 78.
        leaderboard_key: Its name in a submission; "" where it is in none.
        parser: The official loader's name, which says how its rows are read.
        repo: ``owner/name`` of the data set on the hub.
        configs: Of the repository, all of which are read; empty for the only or default one.
        split: Of the configurations.
        language: Only queries of this language are taken; "" for all.
        media_root: Where its media are below the folder of media.
        gold: Where its rows have the right answer.
        query_instruction: What is put before a query; "" where the data say.
        target_instruction: The same for candidates.
        extra: What only some families know: ``num_frames`` of a clip, ``labels`` (the key in ``labels.json``
            of those that join the pool), MomentSeeker's ``image_instruction`` and ``video_instruction``.
    """

    name: str
    meta_task: str
    modality: Modality
    metric: str
    candidate_scope: Scope
    num_queries: int | None
    in_headline_average: bool
    leaderboard_key: str
    parser: str
    repo: str
    configs: tuple[str, ...]
    split: str
    language: str
    media_root: str
    gold: str
    query_instruction: str
    target_instruction: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def local(self) -> bool:
        """Whether a query is ranked over its own candidates only."""
        return self.candidate_scope == "local"

    @property
    def num_frames(self) -> int | None:
        """Of a clip; None takes all that there are."""
        return self.extra.get("num_frames")

    @property
    def fields(self) -> dict[str, Any]:
        """For JSON: each attribute by its name."""
        found: dict[str, Any] = {name: getattr(self, name) for name in Task.__dataclass_fields__}
        return {**found, "configs": list(self.configs), "extra": dict(self.extra)}


def tasks(*, everything: bool = False) -> tuple[Task, ...]:
    """The 78 tasks of the headline average.

    Args:
        everything: The English-only variants too, which are evaluated officially but not reported.

    Example:
        >>> len(tasks()), len(tasks(everything=True))
        (78, 81)
    """
    return tuple(each for each in _all() if everything or each.in_headline_average)


def task_named(name: str) -> Task:
    """The task of a name, whatever its case.

    Raises:
        BadArguments: There is none; the error names those that are alike.

    Example:
        >>> task_named("msvd").repo
        'VLM2Vec/MSVD'
        >>> task_named("MSRVTT")
        Traceback (most recent call last):
        ponder.errors.BadArguments: no such task (MSRVTT): did you mean MSR-VTT or MSVD?
    """
    by_name = {each.name.casefold(): each for each in _all()}
    # The leaderboard has other names for two of them.
    by_name |= {each.leaderboard_key.casefold(): each for each in _all() if each.leaderboard_key}
    found = by_name.get(name.casefold())
    if found is None:
        raise BadArguments("no such task", name, _near(name, list(by_name)))
    return found


def chosen(text: str | None) -> tuple[Task, ...]:
    """The tasks that ``--tasks`` asks for, in the order of the table.

    Args:
        text: Names, meta-tasks or modalities with commas between them; ``all`` has the English-only variants
            too. None takes the 78.

    Raises:
        BadArguments: One of them is none of these.

    Example:
        >>> [each.name for each in chosen("V-MRET,msvd")]
        ['MSVD', 'QVHighlight', 'Charades-STA', 'MomentSeeker']
    """
    if text is None:
        return tasks()
    wanted: set[str] = set()
    for word in filter(None, (part.strip() for part in text.split(","))):
        key = word.casefold()
        if key == "all":
            return _all()
        group = {each.name for each in tasks() if key in (each.meta_task.casefold(), each.modality)}
        wanted |= group or {task_named(word).name}
    if not wanted:
        raise BadArguments("no tasks are named", "--tasks", "name some, as in I-CLS,MSVD")
    return tuple(each for each in _all() if each.name in wanted)


def labels_of(task: Task) -> tuple[str, ...]:
    """The labels that join a classification's pool behind those of its queries, in the official order."""
    key = task.extra.get("labels")
    return tuple(_labels()[key]) if key else ()


def _near(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name.casefold(), known, n=3, cutoff=0.5)
    if not close:
        return "`ponder mmeb tasks` lists them"
    spelt = dict.fromkeys(task_named(each).name for each in close)
    return f"did you mean {' or '.join(spelt)}?"


@functools.cache
def _all() -> tuple[Task, ...]:
    text = resources.files("ponder.evaluate.mmeb").joinpath("tasks.csv").read_text("utf-8")
    return tuple(_task(row) for row in csv.DictReader(text.splitlines()))


@functools.cache
def _labels() -> dict[str, list[str]]:
    text = resources.files("ponder.evaluate.mmeb").joinpath("labels.json").read_text("utf-8")
    found: dict[str, list[str]] = json.loads(text)
    return found


def _task(row: dict[str, Any]) -> Task:
    return Task(
        name=row["name"],
        meta_task=row["meta_task"],
        modality=row["modality"],
        metric=row["metric"],
        candidate_scope=row["candidate_scope"],
        num_queries=int(row["num_queries"]) if row["num_queries"] else None,
        in_headline_average=row["in_headline_average"] == "yes",
        leaderboard_key=row["leaderboard_key"],
        parser=row["parser"],
        repo=row["repo"],
        configs=tuple(filter(None, row["config"].split("|"))),
        split=row["split"],
        language=row["language"],
        media_root=row["media_root"],
        gold=row["gold"],
        query_instruction=row["query_instruction"],
        target_instruction=row["target_instruction"],
        extra=json.loads(row["extra"] or "{}"),
    )
