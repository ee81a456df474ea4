"""What of the benchmark is on this machine, what is missing or broken, and how to get it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ponder.errors import InputInvalid, MissingDependency
from ponder.evaluate.mmeb.cutting import uncut_root
from ponder.evaluate.mmeb.getting import media_commands, rows_command
from ponder.evaluate.mmeb.hub import find_repo
from ponder.evaluate.mmeb.loading import LOADERS
from ponder.evaluate.mmeb.parsed import Parsed
from ponder.evaluate.mmeb.pool import checked
from ponder.evaluate.mmeb.source import NO_FILE, NO_FRAMES, Source, media_base
from ponder.evaluate.mmeb.tasks import Task
from ponder.media.whole import problem_of

State = Literal["ready", "differs", "incomplete", "invalid", "missing"]

EXAMPLES = 5
"""Paths and problems that are named; the rest is counted."""

Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class TaskState:
    """A task on this machine.

    Attributes:
        task: Its name.
        state: ready; differs: all is there, but not as many queries as the published scores are over, or an
            older revision than the cache knows of; incomplete: media are missing or broken; invalid: rows
            cannot be read; missing: they are not here.
        repo: Of its rows.
        folder: Where they are; "" where they are not.
        revision: Of the rows; "" where nothing tells.
        queries: That were read; None where none could be.
        expected_queries: Of the published scores; None where nobody published any.
        candidates: Of the whole pool.
        media: Files that queries and candidates show; pages count as files.
        missing: Media, or whole folders of frames, that are not there.
        uncut: Of the missing folders, those whose clip is there: a run cuts it.
        unreadable: Media that are cut off, empty or no pictures.
        bytes: Of rows and media here.
        problems: What is wrong: the first few of a kind.
        notes: What is odd in the data themselves and part of the benchmark.
        commands: That get what is missing, in order.
    """

    task: str
    state: State
    repo: str
    folder: str = ""
    revision: str = ""
    queries: int | None = None
    expected_queries: int | None = None
    candidates: int | None = None
    media: int = 0
    missing: int = 0
    uncut: int = 0
    unreadable: int = 0
    bytes: int = 0
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    @property
    def fields(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def verify(
    data: Path, chosen: Iterable[Task], *, deep: bool = False, advance: Advance | None = None
) -> Iterator[TaskState]:
    """Look at tasks one after the other.

    Args:
        data: The data directory.
        chosen: Which tasks.
        deep: Decode every picture, rather than look at both its ends.
        advance: Called with (tasks done, tasks).

    Raises:
        InputNotFound: There is no such directory.
    """
    every = list(chosen)
    for number, task in enumerate(every, 1):
        yield verify_task(data, task, deep=deep)
        if advance:
            advance(number, len(every))


def verify_task(data: Path, task: Task, *, deep: bool = False) -> TaskState:
    """Look at one task: `verify`."""
    expected = task.num_queries
    try:
        source = Source.open(data, task)
        parsed = checked(LOADERS[task.parser](source), local=task.local)
        looked = _pages(source, deep) if task.modality == "visdoc" else _media(source, parsed, deep)
    except MissingDependency as error:
        told = (f"{error.what} ({error.where})",)
        need = (rows_command(task, data), *_media_needed(data, task))
        return TaskState(
            task.name, "missing", task.repo, expected_queries=expected, problems=told, commands=need
        )
    except InputInvalid as error:
        need = (rows_command(task, data),)
        return TaskState(
            task.name, "invalid", task.repo, expected_queries=expected, problems=(str(error),), commands=need
        )
    differs = _differing(source, parsed)
    problems = (*looked.problems, *differs)
    broken = bool(looked.missing or looked.unreadable or parsed.incomplete)
    # What is only uncut need not be fetched.
    uncut = source.uncut and looked.missing == len(source.uncut) and not looked.unreadable
    if parsed.incomplete and not looked.problems:
        problems = (parsed.incomplete, *problems)
    return TaskState(
        task.name,
        "incomplete" if broken else "differs" if differs else "ready",
        task.repo,
        str(source.repo.folder),
        source.repo.revision,
        len(parsed.queries),
        expected,
        len(parsed.candidates),
        looked.media,
        looked.missing,
        len(source.uncut),
        looked.unreadable,
        looked.bytes + sum(file.stat().st_size for file in _files(source)),
        problems,
        (*_notes(parsed), *earlier_data(data, task)),
        _needed(task, data, media=broken and not uncut, rows=bool(differs) and not broken),
    )


def _needed(task: Task, data: Path, *, media: bool, rows: bool) -> tuple[str, ...]:
    return tuple(media_commands(task, data)) if media else (rows_command(task, data),) if rows else ()


@dataclass(frozen=True, slots=True)
class _Looked:
    media: int
    missing: int
    unreadable: int
    bytes: int
    problems: tuple[str, ...]


def _media(source: Source, parsed: Parsed, deep: bool) -> _Looked:
    sides = [*(each.side for each in parsed.queries), *(each.side for each in parsed.candidates)]
    shown = dict.fromkeys(path for side in sides for path in side.media)
    # A folder without frames shows nothing: its query or candidate says so.
    told = [*(each.problem for each in parsed.queries), *(each.problem for each in parsed.candidates)]
    told = list(dict.fromkeys(filter(None, told)))
    missing = [path for path in shown if not source.exists(path)]
    lacking = [each for each in told if each.startswith(NO_FRAMES)]
    broken, size = {}, 0
    for path in shown.keys() - set(missing):
        file = source.root / path
        size += file.stat().st_size
        problem = problem_of(file, deep=deep)
        if problem:
            broken[path] = problem
    others = [each for each in told if each not in lacking and not each.startswith(NO_FILE)]
    problems = [
        *(NO_FILE + path for path in missing[:EXAMPLES]),
        *lacking[:EXAMPLES],
        *(f"{path}: {broken[path]}" for path in sorted(broken)[:EXAMPLES]),
        *others[:EXAMPLES],
    ]
    return _Looked(len(shown) + len(lacking), len(missing) + len(lacking), len(broken), size, tuple(problems))


def _pages(source: Source, deep: bool) -> _Looked:
    """Pages lie in their rows: a file that was cut off has already said so, and their pictures are read if
    `deep`.
    """
    count, broken = 0, []
    columns = ("corpus-id", "image") if deep else ("corpus-id",)
    for row in source.rows(*columns, config="corpus"):
        count += 1
        if deep:
            told = row["image"]
            data = told.get("bytes") if isinstance(told, dict) else told
            problem = problem_of(data, deep=True) if isinstance(data, bytes) else "a page without a picture"
            if problem:
                broken.append(f"page {row['corpus-id']!r}: {problem}")
    return _Looked(count, 0, len(broken), 0, tuple(broken[:EXAMPLES]))


def _files(source: Source) -> list[Path]:
    return [file for config in source.task.configs or ("",) for file in source.files(config)]


def _differing(source: Source, parsed: Parsed) -> tuple[str, ...]:
    """How the rows may be of another revision than those that published scores are over."""
    found = []
    count, expected = len(parsed.queries), source.task.num_queries
    if expected is not None and count != expected:
        found.append(f"{count} queries, and the published scores are over {expected}")
    repo = source.repo
    if repo.stale:
        found.append(f"revision {repo.revision}, and the cache knows of {repo.stale}")
    return tuple(found)


def _notes(parsed: Parsed) -> tuple[str, ...]:
    told = [f"query {number}: {note}" for number, note in parsed.notes.items()]
    rest = len(told) - EXAMPLES
    return (*told[:EXAMPLES], *([f"and {rest} more"] if rest > 0 else []))


def _media_needed(data: Path, task: Task) -> list[str]:
    """Commands for media, where even the folder that they are in is missing."""
    base = data / media_base(data, task)
    uncut = uncut_root(task.media_root)
    there = base / (uncut if uncut and (base / uncut).is_dir() else task.media_root)
    # Image tasks share a root, and have a folder each in it.
    there = there / task.name if task.modality == "image" else there
    return [] if there.is_dir() else media_commands(task, data)


def earlier_data(data: Path, task: Task) -> tuple[str, ...]:
    """A warning where the faulty pages of earlier days lie beside those that were mended; none for most
    tasks.
    """
    earlier = task.repo.removesuffix("-fixed")
    if earlier == task.repo:
        return ()
    try:
        found = find_repo(earlier, data)
    except MissingDependency:
        return ()
    return (f"{found.folder} has the earlier, faulty pages, and is not read",)
