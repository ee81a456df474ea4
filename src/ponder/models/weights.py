"""Weights on disk: pulled once, wholly or not at all, and checked against what was recorded.

They live in ``$PONDER_WEIGHTS``, or in ``weights`` under the user's data folder, apart from every
cache: clearing a cache never downloads anything again. Each set has one folder, named after its
version, with ``weights.json`` beside the files: the source and the sha256 of each file.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from ponder.errors import BackendFailed, InputInvalid, InputNotFound, MissingDependency
from ponder.models.fetch import fetch
from ponder.models.folder import sha256_of
from ponder.models.pins import Pin, pins, resolve

RECORD = "weights.json"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class WeightState:
    """What is known about one set of weights on this machine.

    Attributes:
        pin: What it should be.
        folder: Where it is or would be.
        present: The folder is there with its record.
        bytes: Size of the files on disk.
        problems: What is wrong with it; empty when it is whole.
    """

    pin: Pin
    folder: Path
    present: bool
    bytes: int = 0
    problems: tuple[str, ...] = ()


def root() -> Path:
    """The folder that holds all weights: ``$PONDER_WEIGHTS``, else ``weights`` in the user's data folder."""
    import platformdirs

    given = os.environ.get("PONDER_WEIGHTS")
    return Path(given) if given else Path(platformdirs.user_data_dir("ponder")) / "weights"


def folder_of(name: str | Pin) -> Path:
    """Where a set of weights is, or would be after a pull."""
    pin = resolve(name)
    return Path(pin.location).expanduser() if pin.scheme == "path" else root() / pin.slug


def fingerprint(name: str | Pin) -> str:
    """Changes when the weights do; known without loading them.

    For a ``path:`` source the files are read and hashed, since nothing else fixes them.

    Example:
        >>> fingerprint("minilm")
        'minilm-0.1.0-b9a0018dff09'
    """
    import hashlib

    pin = resolve(name)
    if pin.scheme != "path":
        return f"{pin.slug}-{pin.sha256[:12]}" if pin.sha256 else pin.slug
    digest = hashlib.sha256()
    for relative, sha256 in _hashes(_existing(pin)).items():
        digest.update(f"{relative} {sha256}\n".encode())
    return f"path-{digest.hexdigest()[:24]}"


def state(name: str | Pin) -> WeightState:
    """What a cheap look says: presence and file sizes, nothing is hashed."""
    pin, folder = resolve(name), folder_of(name)
    if pin.scheme == "path":
        present = folder.is_dir()
        return WeightState(pin, folder, present, _size(folder), () if present else ("no such folder",))
    record = _read_record(folder)
    if record is None:
        return WeightState(pin, folder, False, 0, ("not pulled",))
    problems = [f"recorded source is {record['source']}"] if record["source"] != pin.source else []
    for relative, expected in record["files"].items():
        path = folder / relative
        if not path.is_file():
            problems.append(f"{relative} is missing")
        elif path.stat().st_size != expected["bytes"]:
            problems.append(f"{relative} has {path.stat().st_size} bytes instead of {expected['bytes']}")
    return WeightState(pin, folder, True, _size(folder), tuple(problems))


def verify(name: str | Pin) -> WeightState:
    """Hash every file and compare it with the record; damage is reported in `problems`, not raised."""
    seen = state(name)
    record = None if seen.pin.scheme == "path" else _read_record(seen.folder)
    if record is None or seen.problems:
        return seen
    problems = tuple(
        f"{relative} has another sha256 than when it was pulled"
        for relative, expected in record["files"].items()
        if sha256_of(seen.folder / relative) != expected["sha256"]
    )
    return WeightState(seen.pin, seen.folder, True, seen.bytes, problems)


def list_weights() -> list[WeightState]:
    """The state of every set that ponder knows by name, in the order of ``pins.yaml``."""
    return [state(pin) for pin in pins().values()]


def ensure(name: str | Pin, say: Say | None = None) -> Path:
    """The folder of a set of weights, pulled now if it is not there.

    Args:
        name: A known name, ``hf:OWNER/NAME@COMMIT``, ``path:FOLDER`` or a `Pin`.
        say: Told in a line what is being done, if anything is.

    Raises:
        MissingDependency: It is not there and cannot be fetched, or ``PONDER_OFFLINE=1`` forbids it.
        InputInvalid: What is there is damaged.
    """
    seen = state(name)
    if seen.pin.scheme == "path":
        return _existing(seen.pin)
    if not seen.present:
        if os.environ.get("PONDER_OFFLINE") == "1":
            raise MissingDependency(
                "weights are not pulled and PONDER_OFFLINE=1",
                seen.pin.name,
                f"ponder models pull {seen.pin.name}",
            )
        return pull(seen.pin, say).folder
    if seen.problems:
        raise InputInvalid(
            f"damaged weights: {'; '.join(seen.problems)}",
            str(seen.folder),
            f"ponder models pull {seen.pin.name}",
        )
    return seen.folder


def pull(name: str | Pin, say: Say | None = None) -> WeightState:
    """Fetch a set of weights unless it is here and whole; a damaged one is replaced.

    The files are made ready in a folder beside the final one, which then gets its name in one step: an
    interrupted pull leaves nothing that looks like weights, and the next pull clears what it left.
    Two processes that pull the same set wait for each other.

    Args:
        name: As for `ensure`.
        say: Told in a line what is being done.

    Raises:
        MissingDependency: The source cannot be reached.
        InputInvalid: What came has another sha256 than the pin.
        BackendFailed: The disk is full or cannot be written.
    """
    from filelock import FileLock

    pin = resolve(name)
    if pin.scheme == "path":
        _existing(pin)
        return state(pin)
    folder = folder_of(pin)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / f".{folder.name}.lock"):
            seen = verify(pin)
            if seen.present and not seen.problems:
                return seen
            _make(pin, folder, say or (lambda line: None))
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise BackendFailed(
            "the disk is full" if full else f"cannot write: {error.strerror or error}",
            str(folder.parent),
            "make room or set PONDER_WEIGHTS to another folder, then pull again",
        ) from error
    return state(pin)


def _make(pin: Pin, folder: Path, say: Say) -> None:
    staging = folder.parent / f".{folder.name}.partial"
    rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        size = f" ({pin.bytes / 1e6:.0f} MB)" if pin.bytes else ""
        say(f"fetching {pin.name} from {pin.source}{size}")
        fetch(pin, staging)
        if pin.convert == "gguf":
            from ponder.models.convert import gguf_to_safetensors

            say(f"converting {pin.name} to safetensors, once (half a minute)")
            gguf_to_safetensors(staging)
        _write_record(pin, staging)
        rmtree(folder, ignore_errors=True)
        staging.replace(folder)
    finally:
        rmtree(staging, ignore_errors=True)


def _existing(pin: Pin) -> Path:
    folder = folder_of(pin)
    if not folder.is_dir():
        raise InputNotFound("no such folder", str(folder), "give the folder that holds the weights")
    return folder


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _hashes(folder: Path) -> dict[str, str]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in found}


def _write_record(pin: Pin, folder: Path) -> None:
    record = {
        "name": pin.name,
        "source": pin.source,
        "sha256": pin.sha256,
        "licence": pin.licence,
        "files": {
            relative: {"sha256": sha256, "bytes": (folder / relative).stat().st_size}
            for relative, sha256 in _hashes(folder).items()
        },
    }
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n", "utf-8")


def _read_record(folder: Path) -> dict[str, Any] | None:
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and {"source", "files"} <= record.keys() else None
