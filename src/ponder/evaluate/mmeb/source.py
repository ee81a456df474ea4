"""A data directory: the rows of a task and the media that they name.

Media lie in ``data_basedir/`` as the official archives unpack (``image-tasks/``, ``video-tasks/frames/``), or
straight in the data directory, or where ``hf download TIGER-Lab/MMEB-V2`` puts them. Paths are told
relative to the data directory, with forward slashes: the official names of clips are such paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.mmeb.cutting import uncut_clip, uncut_root
from ponder.evaluate.mmeb.hub import Repo, find_repo
from ponder.evaluate.mmeb.tables import Row, rows
from ponder.evaluate.mmeb.tasks import Task
from ponder.media.frames import frame_files, spread

ARCHIVES = "TIGER-Lab/MMEB-V2"
"""The repository that has the media, in archives."""

NO_FRAMES, NO_FILE = "no frames in ", "no such file: "
"""How problems begin that are about missing media."""

_BASES = ("data_basedir", "", f"hf/{ARCHIVES}", ARCHIVES, "MMEB-V2")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a task is read from.

    Attributes:
        root: The data directory.
        task: The task.
        repo: Its repository on this machine.
        base: The folder of media, relative to `root`.
        refused: Folders of frames whose clip could not be cut, and why.
        uncut: Folders without frames whose clip is there, and which it is; filled as they are asked for.
    """

    root: Path
    task: Task
    repo: Repo
    base: str
    refused: Mapping[str, str] = field(default_factory=dict, repr=False)
    uncut: dict[str, str] = field(default_factory=dict, repr=False)
    _listed: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, root: Path, task: Task, refused: Mapping[str, str] | None = None) -> Source:
        """Find a task's repository and media.

        Args:
            root: The data directory.
            task: The task.
            refused: As the attribute.

        Raises:
            InputNotFound: There is no such directory.
            MissingDependency: The repository is not here.
        """
        repo = find_repo(task.repo, checked_root(root))
        return cls(root, task, repo, media_base(root, task), refused or {})

    def rows(self, *columns: str, optional: Sequence[str] = (), config: str | None = None) -> Iterator[Row]:
        """Rows of the task's split.

        Args:
            *columns: That every row must have.
            optional: Read where they are there, else None.
            config: One of the task's configurations; None for its first.

        Raises:
            MissingDependency: The files are not here.
            InputInvalid: A file cannot be read, or lacks a column.
        """
        return rows(self.files(config), columns, optional)

    def files(self, config: str | None = None) -> list[Path]:
        """The files of one configuration, as `rows` takes it."""
        first = self.task.configs[0] if self.task.configs else ""
        return self.repo.files(first if config is None else config, self.task.split)

    def path(self, *parts: str) -> str:
        """A path below the task's media, relative to the data directory.

        Raises:
            InputInvalid: It leads out of there.
        """
        below = PurePosixPath(*parts) if parts else PurePosixPath()
        if below.is_absolute() or ".." in below.parts:
            raise InputInvalid(
                f"a path that leads out of the data: {'/'.join(parts)!r}",
                self.task.name,
                "fetch the data anew",
            )
        start = f"{self.base}/{self.task.media_root}" if self.base else self.task.media_root
        return "/".join((start, *parts))

    def exists(self, path: str) -> bool:
        """Whether such a path, relative to the data directory, is a file."""
        return (self.root / path).is_file()

    def absent(self, path: str) -> str:
        """The problem of a file that is not there, else ""."""
        return "" if self.exists(path) else NO_FILE + path

    def no_frames(self, folder: str) -> str:
        """The problem of a folder without frames."""
        why = self.refused.get(folder, "")
        if not why and folder in self.uncut:
            why = "`ponder mmeb run` cuts it first"
        return f"{NO_FRAMES}{folder}" + (f"; {self.uncut[folder]} is there: {why}" if why else "")

    def folders(self, path: str) -> list[str]:
        """Names of the folders in a folder; none where it is missing."""
        here = self.root / path
        return [each.name for each in here.iterdir() if each.is_dir()] if here.is_dir() else []

    def frames(self, folder: str, most: int | None, clip: str = "") -> tuple[str, ...]:
        """The frames of a clip that are shown, in order.

        Args:
            folder: Relative to the data directory.
            most: How many, spread evenly; None for all.
            clip: As the rows name it, where they do; looked for where there are no frames.

        Returns:
            Their paths, relative to the data directory; none where the folder is missing or has no frames.
        """
        if folder not in self._listed:
            try:
                names = tuple(each.name for each in frame_files(self.root / folder))
            except InputInvalid:
                names = ()
                if whole := uncut_clip(self.root, folder, clip):
                    self.uncut[folder] = whole
            self._listed[folder] = names
        found = self._listed[folder]
        taken = found if most is None else spread(found, most)
        return tuple(f"{folder}/{name}" for name in taken)


def checked_root(root: Path) -> Path:
    """The data directory, if it is one.

    Raises:
        InputNotFound: It is none.
    """
    if not root.is_dir():
        raise InputNotFound(
            "no such data directory", str(root), "give the folder that holds hf/ and data_basedir/"
        )
    return root


def media_base(root: Path, task: Task) -> str:
    """The folder of media that has some of this task, relative to the data directory; else the usual one."""
    for place in filter(None, (task.media_root, uncut_root(task.media_root))):
        for base in _BASES:
            if (root / base / place).is_dir():
                return base
    return _BASES[0] if (root / _BASES[0]).is_dir() else ""
