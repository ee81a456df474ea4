"""Questions about clips with answers to choose from: MVBench, Video-MME, NExTQA, EgoSchema, ActivityNetQA.

The answers stand in the query's text and are its candidates too, each data set in its own way: with letters
or without, as they are stored or stripped. What looks wrong here is so in the official scores: EgoSchema's
answers follow the question without a blank, two blanks stand behind "Question:".

Source: https://github.com/TIGER-AI-Lab/VLM2Vec at 6e1e1d42, ``src/data/eval_dataset/mvbench_dataset.py`` and
    its like, as the notes of their behaviour describe them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ponder.evaluate.mmeb.parsed import Info, Parsed, Query, Side
from ponder.evaluate.mmeb.pool import Pool
from ponder.evaluate.mmeb.source import Source
from ponder.evaluate.mmeb.tables import Row
from ponder.evaluate.mmeb.video_classes import filmed

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class _Posed:
    """A row, understood.

    Attributes:
        folder: Of the frames, below the task's media.
        asked: Question and answers as the query has them.
        names: Of the candidates.
        texts: Of the candidates.
        right: Number of the right one; -1 where it is not among them.
        label: Its name.
        details: Further fields of the official line.
    """

    folder: str
    asked: str
    names: tuple[str, ...]
    texts: tuple[str, ...]
    right: int
    label: str
    details: dict[str, Any]


def mvbench(source: Source) -> Parsed:
    """Twenty sub-tasks, one after the other; all have to be there."""
    posed = []
    for part in source.task.configs:
        for row in source.rows("video", "question", "candidates", "answer", config=part):
            posed.append(_mvbench(row, part))
    return _parsed(source, posed, counted=True)


def videomme(source: Source) -> Parsed:
    """Answers are stored as "A. …" and shown so; a candidate's text is what follows the first ". "."""
    columns = ("videoID", "question", "options", "answer")
    return _each(source, _videomme, columns, ("question_id", "domain", "sub_category"))


def nextqa(source: Source) -> Parsed:
    """Answers get letters in the query and stand bare among the candidates: equal ones are one candidate."""
    columns = ("video", "question", "a0", "a1", "a2", "a3", "a4", "answer")
    return _each(source, _nextqa, columns, ("qid", "type"))


def egoschema(source: Source) -> Parsed:
    """Answers are stored as "A. …"; the first of them is glued to the question."""
    columns = ("video_idx", "question", "option", "answer")
    return _each(source, _egoschema, columns, ("question_idx",))


def activitynetqa(source: Source) -> Parsed:
    """Yes or no: whoever guesses is right half of the time."""
    return _each(source, _activitynetqa, ("video_name", "question", "answer"), ("question_id",))


def _each(
    source: Source, pose: Callable[[Row], _Posed], columns: Sequence[str], optional: Sequence[str]
) -> Parsed:
    return _parsed(source, [pose(row) for row in source.rows(*columns, optional=optional)])


def _parsed(source: Source, posed: Sequence[_Posed], *, counted: bool = False) -> Parsed:
    pool, queries = Pool(), []
    for each in posed:
        side, problem = filmed(source, each.folder, each.asked)
        for name, text in zip(each.names, each.texts, strict=True):
            pool.add(name, Side(text))
        details = {
            **each.details,
            "query": side.text,
            "answer_idx": each.right,
            "qry_frame_paths": list(side.media),
        }
        if counted:
            details["num_unique_qry_frame"] = len(set(side.media))
        labels = (each.label,) if each.label else ()
        info = Info(each.names, labels, single=bool(labels))
        queries.append(Query(side, info, details, problem or ("" if labels else "no right answer is told")))
    return Parsed(queries, pool.candidates)


def _mvbench(row: Row, part: str) -> _Posed:
    answers, answer = row["candidates"] or [], row["answer"]
    names = tuple(f"({letter}) {each}" for letter, each in zip(LETTERS, answers, strict=False))
    asked = "\n".join((f"{row['question']}\nOptions:", *names))
    # The last of equal answers is the right one; one that is not among them can be hit by nobody.
    right = max((at for at, each in enumerate(answers) if each == answer), default=-1)
    label = names[right] if right >= 0 else f"(@) {answer}"
    details = {"subset": part, "video_id": row["video"], "answer": label}
    return _Posed(f"{part}/{row['video']}", asked, names, names, right, label, details)


def _videomme(row: Row) -> _Posed:
    names = tuple(row["options"] or ())
    right = _number(LETTERS.find(str(row["answer"] or "?").strip()), names)
    details = {
        "question_id": row["question_id"],
        "video_id": row["videoID"],
        "answer": row["answer"],
        "domain": row["domain"],
        "sub_category": row["sub_category"],
    }
    asked = "\n".join((row["question"], *names))
    return _Posed(row["videoID"], asked, names, _bare(names), right, _at(names, right), details)


def _nextqa(row: Row) -> _Posed:
    names = tuple(str(row[f"a{at}"]) for at in range(5))
    lettered = (f"({letter}) {name}" for letter, name in zip(LETTERS, names, strict=False))
    asked = "\n".join((f"{row['question']}\nOptions:", *lettered))
    right = _number(row["answer"], names)
    label = _at(names, right)
    details = {"question_id": row["qid"], "video_id": row["video"], "answer": label, "type": row["type"]}
    return _Posed(str(row["video"]), asked, names, names, right, label, details)


def _egoschema(row: Row) -> _Posed:
    names = tuple(row["option"] or ())
    right = _number(row["answer"], names)
    label = _at(names, right)
    details = {"question_id": row["question_idx"], "video_id": row["video_idx"], "answer": label}
    asked = row["question"] + " ".join(names)
    return _Posed(str(row["video_idx"]), asked, names, _bare(names), right, label, details)


def _activitynetqa(row: Row) -> _Posed:
    names = ("yes", "no")
    answer = row["answer"] or ""
    right = names.index(answer) if answer in names else -1
    asked = f"{row['question']}? (A) yes; (B) no."
    details = {"question_id": row["question_id"], "video_id": row["video_name"], "answer": answer}
    return _Posed(f"v_{row['video_name']}", asked, names, names, right, answer, details)


def _number(told: object, names: Sequence[str]) -> int:
    """The number of the right answer, which some data have as text; -1 where it is none of them."""
    text = str(told).strip()
    return int(text) if text.isdecimal() and int(text) < len(names) else -1


def _at(names: Sequence[str], at: int) -> str:
    return names[at] if at >= 0 else ""


def _bare(names: Sequence[str]) -> tuple[str, ...]:
    """Answers without their letters; where no ". " follows the letter all but the last character is lost.

    Example:
        >>> _bare(["A. 0.5 m.", "B.dome"])
        ('0.5 m', 'e')
    """
    return tuple(each[each.find(". ") :].strip(". ") for each in names)
