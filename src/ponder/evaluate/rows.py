"""Reading a data set's files: every complaint names the file and the line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from ponder.errors import InputInvalid, InputNotFound
from ponder.records import Skipped


@dataclass(frozen=True, slots=True)
class Line:
    """One JSON object of a file of JSON lines.

    Attributes:
        values: Its fields.
        where: ``file:line``, for messages.
    """

    values: Mapping[str, Any]
    where: str

    def text(self, name: str, *, required: bool = False) -> str:
        """The string in field `name`; "" when it is absent or null.

        Raises:
            InputInvalid: It is no string, or it is required and empty.
        """
        value = self.values.get(name)
        if value is None:
            value = ""
        if not isinstance(value, str):
            raise InputInvalid(f'"{name}" is not a string', self.where, "quote it")
        if required and not value.strip():
            raise InputInvalid(f'"{name}" is missing or empty', self.where, "give it a value")
        return value

    def strings(self, name: str) -> tuple[str, ...]:
        """The list of strings in field `name`.

        Raises:
            InputInvalid: It is missing, empty or holds something else.
        """
        value = self.values.get(name)
        if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
            raise InputInvalid(f'"{name}" is not a list of strings', self.where, "give at least one string")
        return tuple(value)

    def integer(self, name: str, *, low: int, high: int | None = None) -> int:
        """The whole number in field `name`, from `low` up to and without `high`.

        Raises:
            InputInvalid: It is missing, no whole number, or outside.
        """
        value: Any = self.values.get(name)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or value < low or (high is not None and value >= high):
            span = f"from {low}" + (f" to {high - 1}" if high is not None else "")
            raise InputInvalid(f'"{name}" is not a whole number {span}', self.where, f"it is {value!r}")
        return int(value)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The object in field ``metadata``, {} when absent: for analysis, never for a model.

        Raises:
            InputInvalid: It is no object.
        """
        value = self.values.get("metadata") or {}
        if not isinstance(value, dict):
            raise InputInvalid('"metadata" is not an object', self.where, "use {}")
        return value


def read_lines(path: Path) -> Iterator[Line]:
    """The objects of a file of JSON lines; blank lines are passed over.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: A line is no JSON object, or the file is not UTF-8.
    """
    if not path.is_file():
        raise InputNotFound("no such file", str(path), "check the path")
    with path.open("rb") as stream:
        for number, raw in enumerate(stream, 1):
            where = f"{path}:{number}"
            if not raw.strip():
                continue
            try:
                values = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError as error:
                raise InputInvalid("not UTF-8", where, str(error)) from error
            except (ValueError, RecursionError) as error:
                raise InputInvalid("not JSON", where, str(error)) from error
            if not isinstance(values, dict):
                raise InputInvalid("not a JSON object", where, 'write {"_id": …}')
            yield Line(values, where)


def unique_id(line: Line, seen: set[str]) -> str:
    """The line's ``_id``, which is added to `seen`.

    Raises:
        InputInvalid: It is missing, no string, or there already.
    """
    found = line.text("_id", required=True)
    if found in seen:
        raise InputInvalid(f"the id {found!r} is there twice", line.where, "give each line its own _id")
    seen.add(found)
    return found


def media_path(folder: Path, value: str, where: str) -> Path:
    """The media file `value` of a data set, which has to stay inside `folder`, links followed.

    Args:
        folder: The data set's folder.
        value: Relative path, with slashes.
        where: ``file:line``, for messages.

    Raises:
        InputInvalid: The path is absolute, climbs with ``..``, or a link leads out of the folder.
    """
    windows = PureWindowsPath(value)
    hint = "use a path relative to the data set's folder, inside it"
    if "\0" in value or windows.drive or windows.root or ".." in windows.parts:
        raise InputInvalid(f"the path {value!r} leads out of the data set", where, hint)
    try:
        root, path = folder.resolve(), (folder / value).resolve()
    except (OSError, RuntimeError) as error:
        raise InputInvalid(f"the path {value!r} cannot be followed", where, str(error)) from error
    if root not in path.parents:
        raise InputInvalid(f"the path {value!r} leads out of the data set", where, hint)
    return path


def missing(path: Path, *, folder: bool = False) -> Skipped | None:
    """What to list when `path` is no file, else None.

    Args:
        path: Of a medium.
        folder: Whether it may be a folder: a clip given as its frames.
    """
    there = path.is_file() or (folder and path.is_dir())
    return None if there else Skipped(str(path), "no such file")
