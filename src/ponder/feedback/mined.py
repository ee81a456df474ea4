"""Where mined pairs are: a folder of parts, or one file with its parts beside it until it is done."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ponder.errors import InputInvalid
from ponder.train.checkpoints import TrainingFolder
from ponder.train.differences import differences
from ponder.train.pairs import made_of, read_pairs, writing


class Mined:
    """The place of a mining.

    Args:
        out: A folder, or a file that ends in ``.parquet``.
    """

    def __init__(self, out: Path) -> None:
        self._file = out if out.suffix == ".parquet" else None
        self._folder = out.with_name(out.name + ".parts") if self._file else out
        self.parts = self._folder / "pairs"

    @property
    def result(self) -> Path:
        """What training takes."""
        return self._file or self.parts

    def part(self, number: int) -> Path:
        """The file of a block of queries."""
        return self.parts / f"part-{number:05d}.parquet"

    def open(self, manifest: Mapping[str, Any], *, fresh: bool) -> bool:
        """Begin, or go on; whether a file is there already that was mined just so.

        A file stays until the new one is whole; while parts of a new one are beside it, those go on.

        Args:
            manifest: Whatever decides the pairs, as JSON values.
            fresh: Forget what is there.

        Raises:
            InputInvalid: What is there was mined otherwise; says what differs. Or it is not of a mining, and
                is left as it is whether or not that was to be `fresh`.
        """
        folder = TrainingFolder(self._folder)
        if self._file and self._file.exists():
            there = made_of(self._file).get("manifest")
            if not fresh and not folder.begun_with(manifest):
                self._compare(self._file, there, manifest)
                return True
        folder.open(manifest, fresh=fresh, forget=(f"{self.parts.name}/part-*.parquet",))
        return False

    @staticmethod
    def _compare(file: Path, there: Any, manifest: Mapping[str, Any]) -> None:
        if apart := differences(there, manifest):
            raise InputInvalid(
                f"mined otherwise: {'; '.join(apart[:4])}",
                str(file),
                "give another --out, or --fresh to begin anew",
            )

    def finish(self, made: Mapping[str, Any]) -> None:
        """Make one file of the parts, where one is wanted."""
        if self._file is None:
            return
        with writing(self._file, {**made, "lost": lost_of(self.parts)}) as out:
            for pair in read_pairs(self.parts):
                out.add([pair])
        shutil.rmtree(self._folder)


def pairs_at(path: Path) -> Path:
    """The pairs of what was mined: a file, a folder of parts, or the folder that holds this."""
    inner = path / "pairs"
    return inner if inner.is_dir() else path


def files_of(path: Path) -> list[Path]:
    """The Parquet files of pairs."""
    path = pairs_at(path)
    return sorted(path.glob("*.parquet")) if path.is_dir() else [path]


def lost_of(path: Path) -> dict[str, str]:
    """Queries that could not be mined for, and why, as the files of pairs tell."""
    out: dict[str, str] = {}
    for file in files_of(path):
        out |= made_of(file).get("lost", {})
    return out
