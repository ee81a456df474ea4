"""A server that runs on a shelf is found there, so that the command line need not load the models again."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from ponder.errors import BackendFailed, BadArguments, InputInvalid, InputNotFound, PonderError

NAME = "server.json"

_PATIENCE = 5.0
"""Seconds in which a server on this machine says that it is there: a busy one may need some, and loading the
models instead takes longer still. A port that nobody listens to refuses at once."""

_KINDS: dict[int, type[PonderError]] = {400: BadArguments, 404: InputNotFound, 422: InputInvalid}


def announce(shelf: Path, port: int) -> None:
    """Write down where a shelf's server is. Only servers on loopback without a token are told of.

    Args:
        shelf: The shelf's folder.
        port: On loopback.
    """
    path = shelf / NAME
    partial = path.with_name(f".{NAME}.{os.getpid()}")
    # A shelf that cannot be written is served all the same: only the command line does not find it.
    with suppress(OSError):
        partial.write_text(json.dumps({"port": port, "pid": os.getpid()}) + "\n", "utf-8")
        partial.replace(path)


def withdraw(shelf: Path) -> None:
    """Remove what this process announced."""
    path = shelf / NAME
    with suppress(OSError, ValueError, KeyError):
        if json.loads(path.read_text("utf-8"))["pid"] == os.getpid():
            path.unlink()


def find(shelf: Path) -> str | None:
    """The address of the server that runs on a shelf; None where none does or it is full.

    A file that a killed server left behind names a port that nobody, or somebody else, listens to: the server
    has to say that it is this shelf's.
    """
    import httpx2

    try:
        port = int(json.loads((shelf / NAME).read_text("utf-8"))["port"])
        address = f"http://127.0.0.1:{port}"
        with httpx2.Client(timeout=_PATIENCE, trust_env=False) as client:
            told = client.get(f"{address}/readyz").json()
        return address if told.get("shelf") == identity(shelf) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, httpx2.HTTPError):
        return None


def identity(shelf: Path) -> str:
    """What tells a shelf from others on this machine: the folder's place on its disk."""
    there = shelf.stat()
    return f"{there.st_dev}-{there.st_ino}"


def ask(address: str, asked: dict[str, Any]) -> dict[str, Any]:
    """A search's answer, as ``ponder search --json`` prints it.

    Args:
        address: Of `find`.
        asked: Fields of ``POST /v1/search``.

    Raises:
        PonderError: What the server says is wrong.
        BackendFailed: It does not answer.
    """
    import httpx2

    try:
        with httpx2.Client(timeout=600, trust_env=False) as client:
            response = client.post(f"{address}/v1/search", json=asked)
        found: dict[str, Any] = response.json()
    except (httpx2.HTTPError, ValueError) as error:
        raise BackendFailed(f"the server does not answer: {error}", address, "use --server off") from error
    if response.status_code != 200:
        kind = _KINDS.get(response.status_code, BackendFailed)
        raise kind(str(found.get("message", response.status_code)), address, "or use --server off")
    return found
