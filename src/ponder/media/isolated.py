"""Opening files in a process apart: what kills, blocks or bloats a decoder costs one file and not the work.

A long-lived process decodes on request and is begun anew when it dies, takes too long or runs out of memory;
pixels come back through a pipe. What does not fit into `SMALL`, and whatever a decoder died of, is tried once
more in a fresh process that may take `MEMORY`, while no other decoder is at work: all together stay below it.
This bounds accidents. It is no sandbox: the process has the user's rights.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from ponder import errors
from ponder.errors import BadArguments, InputInvalid, PonderError
from ponder.media.decoder import Decoder, Died
from ponder.media.limits import Limits
from ponder.media.wire import Garbled, content_from, item_fields
from ponder.records import Content, Item, Kind

if TYPE_CHECKING:
    from PIL.Image import Image

Isolation = Literal["on", "off", "auto"]
"""Which files are opened apart: all; none; or PDFs and clips, and all once a decoder has died."""

MEMORY = 1792 * 1024**2
"""Bytes of address space, all decoders together. The largest picture that the default limits let through,
transparent, takes 1.69 GiB."""

SMALL = 640 * 1024**2
"""Bytes of address space of one decoder among others: 280 MiB when all of its libraries are loaded."""

SECONDS: Mapping[Kind, float] = {"image": 30.0, "text": 30.0, "page": 60.0, "video": 300.0}
"""A picture takes some 10 ms, a page 100 ms; a clip at its limits, 9,000 frames in 4K, minutes."""

_TOLD: Mapping[str, type[PonderError]] = {
    name: getattr(errors, name)
    for name in ("InputInvalid", "InputNotFound", "MissingDependency", "BadArguments")
}


@dataclass(slots=True)
class _Policy:
    mode: Isolation | None = None
    memory: int = MEMORY
    seconds: Mapping[Kind, float] = field(default_factory=lambda: dict(SECONDS))
    died: bool = False
    idle: list[Decoder] = field(default_factory=list)
    lock: threading.Condition = field(default_factory=threading.Condition)
    busy: int = 0
    alone: bool = False


def isolate(
    mode: Isolation, *, memory: int = MEMORY, seconds: float | Mapping[Kind, float] | None = None
) -> None:
    """Decide for this process which files are opened apart. Without a call, ``PONDER_ISOLATE``, else "off".

    Args:
        mode: "on", "off", or "auto": PDFs and clips, whose decoders are the largest, and everything once a
            decoder has died. `ponder serve` takes "on", `ponder index` "auto" unless told.
        memory: Bytes of address space that decoders may take.
        seconds: How long opening one file may take; `SECONDS` by its kind unless told.

    Raises:
        BadArguments: There is no such mode.

    Example:
        >>> isolate("off")
        >>> is_apart("video")
        False
    """
    if mode not in get_args(Isolation):
        raise BadArguments(f"no way to isolate: {mode!r}", "--isolate", "on, off or auto")
    stop()
    _POLICY.mode, _POLICY.memory, _POLICY.died = mode, memory, False
    if seconds is None or isinstance(seconds, Mapping):
        _POLICY.seconds = {**SECONDS, **(seconds or {})}
    else:
        _POLICY.seconds = dict.fromkeys(SECONDS, seconds)


def is_apart(kind: Kind) -> bool:
    """Whether files of this kind are opened in a process apart.

    Raises:
        BadArguments: ``PONDER_ISOLATE`` is none of the modes.
    """
    if _POLICY.mode is None:
        told = os.environ.get("PONDER_ISOLATE", "off")
        isolate(cast("Isolation", told))
    return _POLICY.mode == "on" or (_POLICY.mode == "auto" and (_POLICY.died or kind in ("page", "video")))


def open_apart(item: Item, instruction: str, limits: Limits, text_layer: bool) -> Content:
    """What `ponder.media.open_content` gives, made in a process apart.

    Raises:
        PonderError: As there; and InputInvalid where the decoder died, took too long or too much memory.
        BackendFailed: No process can be begun.
    """
    assert item.path is not None
    path = str(Path(item.path).absolute())
    request = {
        "do": "content",
        "item": {**item_fields(item), "path": path},
        "instruction": instruction,
        "limits": asdict(limits),
        "text_layer": text_layer,
    }
    fields, images = _ask(request, item.kind, path)
    try:
        return content_from(fields["content"], images)
    except (Garbled, KeyError) as error:
        raise _refused("the decoder answered nonsense", path) from error


def page_count_apart(path: str) -> int:
    """What `ponder.media.pages.page_count` gives, found in a process apart.

    Raises:
        PonderError: As for `open_apart`.
    """
    fields, _ = _ask({"do": "pages", "path": str(Path(path).absolute())}, "page", path)
    return int(fields["pages"])


def cut_apart(path: str, limits: Limits, most: int) -> tuple[Image, ...]:
    """What `ponder.media.cutting.cut_here` gives, made in a process apart, whatever `isolate` says.

    Raises:
        PonderError: As for `open_apart`.
    """
    request = {"do": "cut", "path": str(Path(path).absolute()), "limits": asdict(limits), "most": most}
    _, images = _ask(request, "video", path)
    return images


def decoders() -> tuple[int, ...]:
    """Process ids of the decoders that wait for work."""
    with _POLICY.lock:
        return tuple(each.process.pid for each in _POLICY.idle)


def stop() -> None:
    """End all decoders that wait for work; the next file begins a new one."""
    with _POLICY.lock:
        idle, _POLICY.idle = _POLICY.idle, []
    for each in idle:
        each.end()


def _ask(request: dict[str, Any], kind: Kind, path: str) -> tuple[dict[str, Any], tuple[Image, ...]]:
    seconds = _POLICY.seconds[kind]
    request = {**request, "seconds": seconds}
    try:
        try:
            with _among_others() as decoder:
                fields, images = decoder.ask(request, seconds)
        except Died:
            # Of this file, for want of memory, of one that it opened before, or by another's hand.
            _POLICY.died = True
            with _alone() as decoder:
                fields, images = decoder.ask(request, seconds)
    except TimeoutError:
        raise _refused(f"takes longer than {seconds:g} s to open", path) from None
    except Died as error:
        raise _refused(str(error), path) from None
    if "error" in fields:
        raise _error(fields["error"], path)
    return fields, images


@contextmanager
def _among_others() -> Iterator[Decoder]:
    """A small decoder, which waits for more work afterwards."""
    with _POLICY.lock:
        while _POLICY.alone:
            _POLICY.lock.wait()
        _POLICY.busy += 1
        decoder = _POLICY.idle.pop() if _POLICY.idle else None
    try:
        decoder = Decoder(min(SMALL, _POLICY.memory)) if decoder is None else decoder
        yield decoder
        with _POLICY.lock:
            _POLICY.idle.append(decoder)
    finally:
        with _POLICY.lock:
            _POLICY.busy -= 1
            _POLICY.lock.notify_all()


@contextmanager
def _alone() -> Iterator[Decoder]:
    """A fresh decoder with all the memory, while there is no other; it ends afterwards."""
    with _POLICY.lock:
        while _POLICY.alone or _POLICY.busy:
            _POLICY.lock.wait()
        _POLICY.alone = True
    try:
        stop()
        decoder = Decoder(_POLICY.memory)
        try:
            yield decoder
        finally:
            decoder.end()
    finally:
        with _POLICY.lock:
            _POLICY.alone = False
            _POLICY.lock.notify_all()


def _refused(what: str, path: str) -> InputInvalid:
    return InputInvalid(what, path, "check the file; a changed one is tried again")


def _error(told: Mapping[str, Any], path: str) -> PonderError:
    kind = _TOLD.get(str(told.get("kind")), InputInvalid)
    error = kind(
        str(told.get("what")), str(told.get("where") or path), str(told.get("hint") or "check the file")
    )
    if told.get("errno"):
        # Not the bytes' fault: whoever remembers refused files looks for this.
        error.__cause__ = OSError(told["errno"], "in the decoder")
    return error


def _forget() -> None:
    """In a forked child: the parent's decoders are not this process's to talk to."""
    _POLICY.idle = []
    _POLICY.lock = threading.Condition()
    _POLICY.busy, _POLICY.alone = 0, False


_POLICY = _Policy()
atexit.register(stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
