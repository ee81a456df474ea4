"""A training's folder: its manifest, its checkpoints, its log. A checkpoint is there whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ponder.errors import BackendFailed, InputInvalid, first_line
from ponder.train.differences import differences

_FORMAT = "ponder-training-1"
_WORDS = {"pairs": "mining", "loop": "loop"}
"""What is begun here besides trainings."""

_NAME = "step-{:08d}"


class TrainingFolder:
    """Where a training lives.

    ``manifest.json`` says what it was begun with, ``checkpoints/step-N`` holds what it takes to go on at N,
    ``log.jsonl`` has a line for whatever was measured, ``model`` is the result.

    Args:
        path: The folder; made when something is first written.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._checkpoints = path, path / "checkpoints"

    @property
    def model(self) -> Path:
        """The result; there when the training is done."""
        return self.path / "model"

    @property
    def done(self) -> bool:
        """Whether there is a result."""
        return self.model.is_dir()

    def open(self, told: Mapping[str, Any], *, fresh: bool = False, forget: Collection[str] = ()) -> None:
        """Begin here, or go on, with as many threads as the training was begun with.

        Another number of threads adds the same figures up in another order: the weights would not be those of
        an unbroken training to the bit.

        Args:
            told: Whatever decides the result, as JSON values: settings, base, data.
            fresh: Forget what is here.
            forget: What `fresh` removes besides a training's own, as patterns of paths in here.

        Raises:
            InputInvalid: As for `check`.
            BackendFailed: Nothing can be written, or removed, here.
        """
        import torch

        self.check(told, fresh=fresh)
        there = self._manifest()
        if there is not None and not fresh:
            torch.set_num_threads(there.get("threads", torch.get_num_threads()))
            return
        for pattern in ("checkpoints", "model", "runs", "log.jsonl", *forget):
            for each in self.path.glob(pattern):
                _remove(each)
        wanted = {**told, "format": _FORMAT, "threads": torch.get_num_threads()}
        self.write("manifest.json", json.dumps(wanted, indent=1, sort_keys=True) + "\n")

    def check(self, told: Mapping[str, Any], *, fresh: bool = False) -> None:
        """Refuse what `open` would refuse; nothing is changed.

        Raises:
            InputInvalid: A training with other settings or data is here, or something else is; says what
                differs. What is of another kind is not forgotten, `fresh` or not.
        """
        there = self._manifest()
        if there is None:
            if self.path.exists() and not self.path.is_dir():
                raise InputInvalid("not a folder", f"--out {self.path}", "name another")
            if self.path.is_dir() and any(not _is_partial(each) for each in self.path.iterdir()):
                what = f"not empty, and no {_WORDS.get(_kind(told), 'training')}"
                raise InputInvalid(what, f"--out {self.path}", "name another folder")
            return
        kinds = [_kind(each) for each in (there, told)]
        if kinds[0] != kinds[1]:
            raise InputInvalid(
                f"of another kind: {' and not '.join(kinds)}", f"--out {self.path}", "name another folder"
            )
        differs = [] if fresh else _apart(there, told)
        if differs:
            how = "give another --out, or --fresh to begin anew"
            raise InputInvalid(f"cannot resume: {'; '.join(differs[:4])}", str(self.path), how)

    def begun_with(self, told: Mapping[str, Any]) -> bool:
        """Whether just this was begun here; for `told` see `open`."""
        there = self._manifest()
        return there is not None and not _apart(there, told)

    def _manifest(self) -> dict[str, Any] | None:
        """What was begun here; None where that was no training."""
        try:
            found = json.loads((self.path / "manifest.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) and found.get("format") == _FORMAT else None

    def write(self, name: str, text: str) -> None:
        """Write a small file so that it is there whole or as it was before.

        Raises:
            BackendFailed: It cannot be written.
        """
        partial = self.path / f".{name}.partial"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            partial.write_text(text, encoding="utf-8")
            _sync(partial)
            partial.replace(self.path / name)
        except OSError as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise BackendFailed(
                error.strerror or str(error), str(self.path / name), "check the disk"
            ) from error

    def steps(self) -> list[int]:
        """Of the checkpoints that are here, ascending."""
        return sorted(int(each.name.removeprefix("step-")) for each in self._checkpoints.glob("step-*"))

    def checkpoint(self, step: int) -> Path:
        """The folder of a checkpoint."""
        return self._checkpoints / _NAME.format(step)

    def save(self, step: int, write: Callable[[Path], None], *, keep: Collection[int] = ()) -> None:
        """Save a checkpoint, then remove the others.

        Args:
            step: Steps that were made.
            write: Puts the files into a folder that it is given.
            keep: Steps whose checkpoints stay too.

        Raises:
            BackendFailed: It could not be written; the checkpoints before are as they were.
        """
        self.replace(self.checkpoint(step), write)
        for other in set(self.steps()) - {step, *keep}:
            shutil.rmtree(self.checkpoint(other))

    def remove_checkpoints(self) -> None:
        """Remove them all; the result stays."""
        shutil.rmtree(self._checkpoints, ignore_errors=True)

    def replace(self, target: Path, write: Callable[[Path], None]) -> None:
        """Have a folder written beside its place and moved there when it is complete and on the disk.

        Raises:
            BackendFailed: It could not be written; `target` is as it was.
        """
        partial = target.with_name(f".{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir(parents=True)
            write(partial)
            for each in partial.rglob("*"):
                if each.is_file():
                    _sync(each)
            shutil.rmtree(target, ignore_errors=True)
            partial.replace(target)
        # Whatever a library raises where the disk is full: safetensors and torch have errors of their own.
        except Exception as error:
            shutil.rmtree(partial, ignore_errors=True)
            last = self.steps()
            kept = f"step {last[-1]} is kept" if last else "none is kept"
            raise BackendFailed(
                f"cannot be written: {first_line(error)}",
                str(target),
                f"{kept}; free some space and run the same command again",
            ) from error

    def log(self, line: Mapping[str, Any]) -> None:
        """Append a line to ``log.jsonl``."""
        with (self.path / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(dict(line)) + "\n")

    def logged(self) -> list[dict[str, Any]]:
        """The lines of the log; a last one that was cut off is left out."""
        file = self.path / "log.jsonl"
        return list(_lines(file)) if file.is_file() else []

    def forget_after(self, step: int) -> None:
        """Drop what was logged past a step that the training goes back to."""
        kept = [line for line in self.logged() if line["step"] <= step]
        self.write("log.jsonl", "".join(json.dumps(line) + "\n" for line in kept))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_text("utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return


def _apart(there: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    """Where a manifest differs from what is told now; the number of threads is its own."""
    return differences(
        {name: value for name, value in there.items() if name != "threads"}, {**told, "format": _FORMAT}
    )


def _kind(manifest: Mapping[str, Any]) -> str:
    """What was begun: a training of an embedder's weights is the one that never said so."""
    return str(manifest.get("part") or manifest.get("what") or "embedder")


def _is_partial(path: Path) -> bool:
    """Whether a kill left it half written."""
    return path.name.startswith(".") and path.name.endswith(".partial")


def _remove(path: Path) -> None:
    """A file or folder, or a link to one, for certain: what stays would count as of now.

    Raises:
        BackendFailed: It cannot be removed.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        raise BackendFailed(
            f"cannot be removed: {error.strerror or error}", str(path), "remove it, or name another --out"
        ) from error


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
