"""Walking the paths that a person gives: which files are ours, and what is skipped and why."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ponder.errors import InputInvalid, InputNotFound
from ponder.media.formats import kind_of, known_types, size_problem
from ponder.media.limits import Limits
from ponder.records import Kind, Skipped

_MANIFEST, _LONGEST = "manifest.json", 64 << 10
"""Where a shelf says what it was made with, and more bytes than that takes."""

_SAID = {"ponder", "embedder", "reason_tokens", "limits"}
"""Names that stand in there."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file of ours, found but not opened.

    Attributes:
        path: Absolute path.
        kind: What it holds; "page" is a PDF with all its pages.
        size: In bytes.
        mtime_ns: Time of the last change, in nanoseconds.
    """

    path: str
    kind: Kind
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Scan:
    """What a walk found.

    Attributes:
        sources: The files of ours, by path.
        skipped: What was left out and why, by uri.
        ignored: How many files are of types that are not ours; hidden files are not counted.
        shelves: Folders that were passed over because a shelf lies in them.
    """

    sources: tuple[Source, ...]
    skipped: tuple[Skipped, ...] = ()
    ignored: int = 0
    shelves: tuple[str, ...] = ()


def expanded(path: str | os.PathLike[str]) -> Path:
    """The path with the home folder in the place of a leading ``~``.

    Raises:
        InputNotFound: It is the home folder of somebody who is not known here.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InputNotFound("no such user's home folder", str(path), "check the path") from error


def plain(path: str | os.PathLike[str]) -> str:
    """The path as `scan` names it: absolute, without "..", links not followed.

    Raises:
        InputNotFound: As for `expanded`.
    """
    # Not resolved: the path that a person gave is the one that they know, links and all.
    return os.path.abspath(expanded(path))  # noqa: PTH100


def reaches(root: str, path: str) -> bool:
    """Whether a walk from `root` comes to `path`, by their names: it is in there, and not hidden on the way.

    Example:
        >>> reaches("/home/ann", "/home/ann/notes/a.txt"), reaches("/home/ann", "/home/ann/.notes/a.txt")
        (True, False)
        >>> reaches("/home/ann/.notes", "/home/ann/.notes/a.txt")
        True
    """
    return _within(path, root) and f"{os.sep}." not in path[len(root.rstrip(os.sep)) :]


def scan(
    paths: Iterable[str | os.PathLike[str]],
    *,
    limits: Limits,
    follow_links: bool = False,
    nothing: bool = False,
) -> Scan:
    """Walk files and folders, in an order that depends on their names only.

    Hidden files and folders (a name that starts with a dot) are passed over, unless given themselves, and
    so is a folder with a shelf in it: what it says of other files is not one of them.
    A file that is reached twice is listed once, under the path that no link is part of. A symbolic
    link that leads out of all the given paths is skipped and listed, unless `follow_links`; so are
    links that lead nowhere or in a circle, what cannot be read, and files over their kind's size.

    Args:
        paths: Files or folders; a leading ``~`` is the home folder. A link given here is followed.
        limits: For the size of files.
        follow_links: Whether links may lead out of the given paths.
        nothing: Whether there may be nothing.

    Raises:
        InputNotFound: A given path does not exist.
        InputInvalid: Nothing under the paths is of a type that we open.
    """
    given = [plain(path) for path in paths]
    for path in given:
        if not os.path.lexists(path):
            raise InputNotFound("no such file or folder", path, "check the path")
    walk = _Walk(given, limits, follow_links)
    walk.run()
    if not (walk.sources or walk.skipped or nothing):
        where = ", ".join(given)
        raise InputInvalid("no file of a type that can be indexed", where, f"types are {known_types()}")
    return Scan(
        sources=tuple(sorted(walk.sources, key=lambda s: s.path)),
        skipped=tuple(sorted(walk.skipped, key=lambda s: (s.uri, s.error))),
        ignored=walk.ignored,
        shelves=tuple(walk.shelves),
    )


@dataclass
class _Walk:
    given: list[str]
    limits: Limits
    follow_links: bool
    sources: list[Source] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    ignored: int = 0
    shelves: list[str] = field(default_factory=list)
    # Folders wait with the path that is left when all links are resolved, links with their own.
    folders: deque[tuple[str, str]] = field(default_factory=deque)
    links: deque[str] = field(default_factory=deque)
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.roots = [os.path.realpath(path) for path in self.given]

    def run(self) -> None:
        """Go through the given paths, and through the folders and links that they lead to."""
        for path, real in zip(self.given, self.roots, strict=True):
            self.visit(path, real, named=True)
        # Links wait until all else has been reached, so that the plain path names a file.
        while self.folders or self.links:
            if self.folders:
                self.folder(*self.folders.popleft())
            else:
                self.follow(self.links.popleft())

    def skip(self, path: str, error: str) -> None:
        # A name that is not UTF-8 must not reach a manifest or a terminal as a lone surrogate.
        self.skipped.append(Skipped(path.encode("utf-8", "backslashreplace").decode(), error))

    def visit(self, path: str, real: str, *, named: bool = False) -> None:
        """Take a file, or put a folder in the queue; `named` is a path that the person gave."""
        try:
            path.encode("utf-8")
            status = Path(path).stat()
        except UnicodeEncodeError:
            return self.skip(path, "the name is not valid UTF-8: rename it")
        except OSError as error:
            return self.skip(path, f"cannot be read: {error.strerror}")
        if stat.S_ISDIR(status.st_mode):
            return self.folders.append((path, real))
        return self.file(path, real, status, named)

    def folder(self, path: str, real: str) -> None:
        if real in self.seen:
            return None
        self.seen.add(real)
        try:
            with os.scandir(path) as entries:
                inside = sorted((e.name, e.path, e.is_symlink()) for e in entries if e.name[0] != ".")
        except OSError as error:
            return self.skip(path, f"cannot be read: {error.strerror}")
        if any(name == _MANIFEST for name, _, _ in inside) and _is_shelf(Path(path)):
            return self.shelves.append(path)
        for name, inner, is_link in inside:
            if is_link:
                self.links.append(inner)
            else:
                self.visit(inner, real.rstrip(os.sep) + os.sep + name)
        return None

    def file(self, path: str, real: str, status: os.stat_result, named: bool) -> None:
        kind = kind_of(path)
        if kind is None:
            self.ignored += 1
            if named and len(self.given) > 1:
                self.skip(path, f"not a type that can be indexed; types are {known_types()}")
            return
        if real in self.seen:
            return
        self.seen.add(real)
        problem = ""
        if not stat.S_ISREG(status.st_mode):
            problem = "not a regular file"
        elif not os.access(path, os.R_OK):
            problem = "cannot be read: permission denied"
        problem = problem or size_problem(status.st_size, kind, self.limits)
        if problem:
            self.skip(path, problem)
        else:
            self.sources.append(Source(path, kind, status.st_size, status.st_mtime_ns))

    def follow(self, path: str) -> None:
        """Visit what a link leads to, under the link's name, if that is allowed."""
        try:
            real = os.path.realpath(path, strict=True)
        except OSError as error:
            loop = error.errno == errno.ELOOP
            return self.skip(path, "a symbolic link in a loop" if loop else "a broken symbolic link")
        if not self.follow_links and not any(_within(real, root) for root in self.roots):
            return self.skip(path, "a symbolic link that leads out of the folder; --follow-links allows it")
        if _within(os.path.realpath(Path(path).parent), real):
            return self.skip(path, "a symbolic link in a loop")
        return self.visit(path, real)


def _is_shelf(folder: Path) -> bool:
    """Whether a folder's manifest is a shelf's; other programs have files of this name, too."""
    manifest = folder / _MANIFEST
    with suppress(OSError, ValueError, RecursionError):
        if manifest.is_file() and manifest.stat().st_size <= _LONGEST:
            said = json.loads(manifest.read_bytes())
            return isinstance(said, dict) and said.keys() >= _SAID
    return False


def _within(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)
