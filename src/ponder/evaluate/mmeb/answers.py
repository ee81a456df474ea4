"""Answers of a run, appended as they come: whatever was answered before a kill is not asked again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from ponder.errors import BackendFailed, InputInvalid
from ponder.evaluate.mmeb.parsed import Name
from ponder.evaluate.run_folder import made


@dataclass(frozen=True, slots=True)
class Answer:
    """What one query of a task gave.

    Attributes:
        number: The query's place in the task, from 0.
        ranking: Candidates' names, best first, each once.
        scores: The last stage's, one for each name.
        tokens: Read, written and cached.
        stages: The first names after each stage but the last, as many as metrics look at.
        lost: Why the query could not be asked or not be ranked over its whole pool; "" where it could.
    """

    number: int
    ranking: tuple[Name, ...]
    scores: tuple[float, ...]
    tokens: Mapping[str, int]
    lost: str = ""
    stages: Mapping[str, tuple[Name, ...]] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """As the file has it."""
        fields = {
            "query": self.number,
            "ranking": list(self.ranking),
            "scores": list(self.scores),
            "tokens": dict(self.tokens),
            **({"stages": {name: list(names) for name, names in self.stages.items()}} if self.stages else {}),
            **({"lost": self.lost} if self.lost else {}),
        }
        return json.dumps(fields) + "\n"

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Answer:
        """From a line's fields."""
        return cls(
            fields["query"],
            tuple(fields["ranking"]),
            tuple(fields["scores"]),
            fields["tokens"],
            fields.get("lost", ""),
            {name: tuple(names) for name, names in fields.get("stages", {}).items()},
        )


class AnswerFile:
    """The answers of one task at one budget, ``TASK_answers.jsonl`` or a shard's part of it.

    Its first line says what the run is made of: answers of another run are refused, not mixed in.

    Args:
        path: The file.
        told: Whatever decides an answer, as JSON values.

    Raises:
        InputInvalid: The file is another run's; the message says what differs.
    """

    def __init__(self, path: Path, told: Mapping[str, Any]) -> None:
        from filelock import FileLock

        self.path, self._told = path, json.loads(json.dumps(told))
        self._out: TextIO | None = None
        # The system gives it back when the process dies.
        self._lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
        self._size = self._end()

    def _end(self) -> int:
        """The byte that the last whole line ends at."""
        size = 0
        for fields, end in _lines(self.path):
            if size == 0:
                _compare(fields, self._told, self.path)
            size = end
        return size

    def answers(self) -> dict[int, Answer]:
        """Those that are there, by the query's number."""
        found = [fields for fields, _ in _lines(self.path)][1:]
        return {answer.number: answer for answer in map(Answer.of, found)}

    def add(self, answer: Answer) -> None:
        """Append an answer; it is in the file when this returns.

        Raises:
            BackendFailed: It cannot be written, or another process writes to it; the answers before stay.
        """
        try:
            if self._out is None:
                self._out = self._opened()
            self._out.write(answer.line)
            self._out.flush()
        except OSError as error:
            what = f"cannot be written: {error.strerror}"
            raise BackendFailed(what, str(self.path), "the same command goes on from here") from error

    def close(self) -> None:
        """Have what was written on the disk."""
        if self._out is not None:
            os.fsync(self._out.fileno())
            self._out.close()
            self._out = None
        self._lock.release()

    def _opened(self) -> TextIO:
        from filelock import Timeout

        made(self.path.parent, "--out")
        try:
            self._lock.acquire()
        except Timeout as error:
            what = "another process answers these queries"
            raise BackendFailed(what, str(self.path), "wait for it, or give each a --shard K/N") from error
        if self._end() != self._size:
            self._lock.release()
            what = "another process has answered queries meanwhile"
            raise BackendFailed(what, str(self.path), "run the same command again")
        file = self.path.open("r+" if self.path.exists() else "x", encoding="utf-8")
        # A line that a kill cut off goes.
        file.truncate(self._size)
        file.seek(self._size)
        if self._size == 0:
            file.write(json.dumps(self._told) + "\n")
        return file


def _lines(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """The whole lines of a file, each with the byte that it ends at; stops where a kill cut one off."""
    if not path.is_file():
        return
    end = 0
    with path.open("rb") as file:
        for line in file:
            end += len(line)
            if not line.endswith(b"\n"):
                return
            try:
                found = json.loads(line)
            except ValueError:
                return
            yield found, end


def _compare(there: Mapping[str, Any], wanted: Mapping[str, Any], path: Path) -> None:
    differs = sorted(key for key in {*there, *wanted} if there.get(key) != wanted.get(key))
    if differs:
        raise InputInvalid(
            f"answers of another run: {', '.join(differs)} differ",
            str(path),
            "give another --out, or remove the file",
        )
