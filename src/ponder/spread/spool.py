"""Finished shards on disk: a file each, there whole or not at all. They are the checkpoint."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ponder.errors import BackendFailed, PonderError
from ponder.index.rows import from_table, part_schema, to_table
from ponder.records import Row, Skipped, Usage
from ponder.shelf.manifest import write_whole
from ponder.shelf.refused import Blamed

_MAGIC = b"PSh1"
_SUM = hashlib.sha256().digest_size
_MARK = "mark"
_PLAN = "plan.json"


class Refused(ValueError):
    """A shard's file that is not what was asked for; the message says why."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a worker made of a shard.

    Attributes:
        rows: By item id.
        skipped: By item id, the items that cannot be used.
        usage: Tokens that it took.
        seconds: Of the worker.
        worker: Which one it was.
        model_seconds: Of these, in the models.
        seen: By item id, what the skipped ones were then: the digest of the content, or a stamp
            (`ponder.spread.checking.stamp`) where nobody could read it; "" where nothing was to be seen.
    """

    rows: Mapping[str, Row]
    skipped: Mapping[str, Skipped]
    usage: Usage
    seconds: float
    worker: str
    model_seconds: float = 0.0
    seen: Mapping[str, str] = field(default_factory=dict)


class Spool:
    """The folder of a job's finished shards; every machine has to see it under the same name.

    Args:
        folder: Made by `begin`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def begun(self, bits: int) -> Iterator[tuple[int, str]]:
        """Hold the folder, one process at a time, while shards come in.

        Args:
            bits: Of a new plan.

        Yields:
            The plan's bits, those that the job was begun with unless its shards would be too large now; and a
            mark, by which a worker knows the folder again.

        Raises:
            BackendFailed: Another process does the same job, or nothing can be written.
        """
        from filelock import FileLock, Timeout

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder.with_name(self.folder.name + ".lock"), timeout=0)
            lock.acquire()
        except Timeout as error:
            raise BackendFailed(
                "another process does the same job", str(self.folder), "wait until it has finished"
            ) from error
        except OSError as error:
            raise BackendFailed(
                f"finished shards cannot be kept: {error.strerror}", str(self.folder), "check the disk"
            ) from error
        try:
            self._sweep()
            there = self._bits()
            mark = uuid.uuid4().hex
            write_whole(self.folder / _MARK, mark)
            if there is None or there < bits:
                write_whole(self.folder / _PLAN, json.dumps({"bits": bits}))
                there = bits
            yield there, mark
        finally:
            lock.release()

    def _bits(self) -> int | None:
        with suppress(OSError, ValueError, TypeError, KeyError):
            return int(json.loads((self.folder / _PLAN).read_text("utf-8"))["bits"])
        return None

    def _sweep(self) -> None:
        """Take away what a killed worker had half written."""
        for path in self.folder.glob("*.part"):
            with suppress(OSError):
                path.unlink()

    def seen(self, mark: str) -> bool:
        """Whether this is the folder that the driver marked, and not another of the same name."""
        try:
            return (self.folder / _MARK).read_text("utf-8") == mark
        except OSError:
            return False

    def has(self, key: str) -> bool:
        """Whether the shard's file is there."""
        return self._path(key).is_file()

    def put(self, key: str, result: Result, dim: int) -> None:
        """Write a shard's file; written twice, it is the same file.

        Raises:
            InputInvalid: A row cannot be stored.
            BackendFailed: The disk is full, or the folder cannot be written.
        """
        import pyarrow as pa

        table = to_table(result.rows.values(), dim) if result.rows else part_schema(dim).empty_table()
        told = {
            "key": key,
            "skipped": {name: _told(skip) for name, skip in result.skipped.items()},
            "usage": [result.usage.read, result.usage.written, result.usage.cached],
            "seconds": result.seconds,
            "worker": result.worker,
            "model_seconds": result.model_seconds,
            "seen": {name: result.seen.get(name, "") for name in result.skipped},
        }
        table = table.replace_schema_metadata({"ponder": json.dumps(told)})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        data = sink.getvalue().to_pybytes()
        temporary = self.folder / f"{key}.{uuid.uuid4().hex}.part"
        try:
            with temporary.open("wb") as file:
                file.write(_MAGIC + hashlib.sha256(data).digest() + data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path(key))
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise BackendFailed(
                f"a shard cannot be written: {error.strerror}", str(self.folder), "free some disk space"
            ) from error

    def get(self, key: str) -> Result:
        """Read a shard's file.

        Raises:
            Refused: It is not there, or not whole.
        """
        import pyarrow as pa

        try:
            data = self._path(key).read_bytes()
        except OSError as error:
            raise Refused(f"no file: {error.strerror}") from error
        magic, summed, inner = data[:4], data[4 : 4 + _SUM], data[4 + _SUM :]
        if magic != _MAGIC or hashlib.sha256(inner).digest() != summed:
            raise Refused("a damaged file")
        try:
            table = pa.ipc.open_stream(inner).read_all()
            told = json.loads(table.schema.metadata[b"ponder"])
            skipped = {name: _skip(each) for name, each in told["skipped"].items()}
            result = Result(
                from_table(table),
                skipped,
                Usage(*told["usage"]),
                float(told["seconds"]),
                str(told["worker"]),
                float(told["model_seconds"]),
                dict(told["seen"]),
            )
        except (pa.ArrowException, PonderError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise Refused(f"not a shard: {error}") from error
        if told.get("key") != key:
            raise Refused("another shard's file")
        return result

    def note(self, key: str, item: str) -> None:
        """Write down which item of a shard is being worked on; whoever is killed leaves it so."""
        with suppress(OSError):
            (self.folder / f"{key}.at").write_text(item, "utf-8")

    def noted(self, key: str) -> str | None:
        """The item that was last noted; it is forgotten."""
        path = self.folder / f"{key}.at"
        try:
            item = path.read_text("utf-8")
            path.unlink()
        except OSError:
            return None
        return item

    def drop(self, keys: Sequence[str]) -> None:
        """Let go of shards that are stored, or that were refused."""
        for key in keys:
            with suppress(OSError):
                self._path(key).unlink()
            with suppress(OSError):
                self._path(key).with_suffix(".at").unlink()

    def clear(self) -> None:
        """The job is done: nothing is kept."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.shard"


def _told(skip: Skipped) -> list[Any]:
    return [skip.uri, skip.error, isinstance(skip, Blamed)]


def _skip(told: Sequence[Any]) -> Skipped:
    uri, error, blamed = told
    return (Blamed if blamed else Skipped)(uri, error)
