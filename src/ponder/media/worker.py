"""The decoder's own process: bounded in memory and time, opens what it is asked to, answers over a pipe."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ponder.errors import PonderError
from ponder.media.wire import Garbled, content_fields, item_from, limits_from, receive, send

if TYPE_CHECKING:
    from PIL.Image import Image

_LATE = 5
"""Seconds after which a decoder ends itself when its parent, which should have ended it, is dead."""


def main() -> None:
    """Answer requests on stdin until it is closed; ``sys.argv[1]`` is the most memory, in bytes."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    # What a decoder prints must not get between the answers.
    os.dup2(2, 1)
    _bound(int(sys.argv[1]))
    # Ctrl-C reaches the whole group of processes; the parent decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            request, _ = receive(requests)
        except Garbled:
            return
        with _no_longer_than(float(request["seconds"]) + _LATE):
            fields, images = _answer(request)
        send(replies, fields, images)


def _bound(memory: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # It has nothing to write but its answers, which go through a pipe.
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@contextlib.contextmanager
def _no_longer_than(seconds: float) -> Any:
    if not hasattr(signal, "setitimer"):
        yield
        return
    # The default of SIGALRM ends the process, whatever C code it is in.
    signal.setitimer(signal.ITIMER_REAL, seconds)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(request: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Image, ...]]:
    from ponder.media.content import open_here
    from ponder.media.cutting import cut_here
    from ponder.media.pages import page_count

    try:
        if request["do"] == "pages":
            return {"pages": page_count(request["path"])}, ()
        if request["do"] == "cut":
            return {}, cut_here(request["path"], limits_from(request["limits"]), int(request["most"]))
        content = open_here(
            item_from(request["item"]),
            request["instruction"],
            limits_from(request["limits"]),
            request["text_layer"],
        )
        return {"content": content_fields(content)}, content.images
    except MemoryError:
        return {"memory": True}, ()
    except Exception as error:
        if _out_of_memory(error):
            return {"memory": True}, ()
        return {"error": _told(error)}, ()


def _told(error: Exception) -> dict[str, Any]:
    if isinstance(error, PonderError):
        said = {"kind": type(error).__name__, "what": error.what, "where": error.where, "hint": error.hint}
    else:
        said = {"kind": "", "what": f"cannot be opened: {type(error).__name__}: {error}", "where": ""}
    return {
        **said,
        "errno": next((e.errno for e in _chain(error) if isinstance(e, OSError) and e.errno), None),
    }


def _out_of_memory(error: BaseException) -> bool:
    return any(isinstance(each, MemoryError) for each in _chain(error))


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in found:
        found.append(each)
        each = each.__cause__ or each.__context__
    return found


if __name__ == "__main__":
    main()
