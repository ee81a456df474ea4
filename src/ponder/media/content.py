"""Items and queries as models see them: opened, bounded, without names or paths."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ponder.errors import InputInvalid, InputNotFound
from ponder.media.formats import kind_of, size_of
from ponder.media.frames import frames_digest, open_frames
from ponder.media.images import open_image
from ponder.media.isolated import is_apart, open_apart
from ponder.media.limits import Limits
from ponder.media.pages import page_image, page_text
from ponder.media.passages import passages
from ponder.media.text import check_length, read_text
from ponder.media.video import Clip, open_clip
from ponder.records import Content, Item, Kind, Query, TextSource

if TYPE_CHECKING:
    from PIL.Image import Image


def open_content(item: Item, limits: Limits, *, text_layer: bool = True) -> Content:
    """Open an item's file, or take its given text.

    Text that came with the item stands before what the file holds. A PDF page without it has its text
    layer, or "" where there is none (OCR is a model's work); every page has its picture. Of an item with
    a `span`, that stretch of its clip is opened as one segment; times count from the clip's start.

    Args:
        item: The item.
        limits: How much is opened.
        text_layer: False leaves a PDF's text layer unread.

    Where `ponder.media.isolated.isolate` says so, it is opened in a process apart.

    Raises:
        InputNotFound: The file has gone.
        InputInvalid: The file is broken, empty, or over a limit; or there is neither file nor text.
        MissingDependency: The format needs an extra.
    """
    return _content(item, "", limits, text_layer)


def open_query(query: Query, limits: Limits) -> Content:
    """Open what is asked. Its kind is that of its medium; a query of plain text is "text".

    Words beside a page stand in place of the page's own text.

    Raises:
        InputNotFound: A file does not exist.
        InputInvalid: The query is empty, has two media, or its file cannot be used.
    """
    media: list[tuple[Kind, str | None, int | None]] = []
    if query.image is not None:
        media.append(("image", query.image, None))
    if query.video is not None:
        media.append(("video", query.video, None))
    if query.page is not None:
        media.append(("page", *query.page))
    if len(media) > 1:
        raise InputInvalid("a query with two media", ", ".join(m[0] for m in media), "ask for one at a time")
    text = query.text.strip()
    if not media and not text:
        raise InputInvalid("empty query", "TEXT", "give some words, or --image, --video or --page")
    kind, path, page = (media or [("text", None, None)])[0]
    asked = Item(id=query.id, kind=kind, path=path, page=page, text=text)
    return _content(asked, query.instruction, limits, True)


def digest_of(item: Item, limits: Limits, *, text_layer: bool = True) -> str:
    """The digest that `open_content` would give, without decoding anything.

    Raises:
        InputNotFound: The file has gone.
        InputInvalid: It is empty or over a limit of bytes.
    """
    return _digest(item, "", limits, text_layer)


def _content(item: Item, instruction: str, limits: Limits, text_layer: bool) -> Content:
    if item.path is not None and is_apart(item.kind):
        return open_apart(item, instruction, limits, text_layer)
    return open_here(item, instruction, limits, text_layer)


def open_here(item: Item, instruction: str, limits: Limits, text_layer: bool) -> Content:
    """What `open_content` and `open_query` give, opened in this process whatever `isolate` says.

    Raises:
        PonderError: As there.
    """
    digest = _digest(item, instruction, limits, text_layer)
    path, given = item.path, item.text
    check_length(given, path or "text", limits)
    clip = Clip()
    images: tuple[Image, ...] = ()
    text = given
    source: TextSource = "given"
    if path is None:
        if item.kind != "text" or not given.strip():
            raise InputInvalid(f"an item of kind {item.kind!r} without a file", "path", "give its path")
    elif item.kind == "text":
        text = given if given.strip() else read_text(path, limits)
    elif item.kind == "image":
        images = (open_image(path, limits),)
    elif item.kind == "page" and kind_of(path) == "image":
        images = (open_image(path, replace(limits, max_side=limits.max_page_side)),)
    elif item.kind == "page":
        number = _number(item)
        images = (page_image(path, number, dpi=limits.page_dpi, max_side=limits.max_page_side),)
        if text_layer and not given.strip():
            text, source = page_text(path, number), "layer"
            check_length(text, f"{path}#page={number}", limits)
    else:
        clip = open_frames(path, limits) if Path(path).is_dir() else open_clip(path, limits, item.span)
        images = clip.images
    return Content(
        kind=item.kind,
        digest=digest,
        text=text,
        text_source=source if text.strip() else "",
        passages=passages(text),
        images=images,
        times=clip.times,
        segments=clip.segments,
        duration=clip.duration,
        instruction=instruction,
    )


def _bytes_digest(item: Item, path: str, limits: Limits) -> str:
    if item.kind == "video" and Path(path).is_dir():
        return frames_digest(path, limits)
    size = size_of(path, item.kind, limits)
    return _file_digest(path, size, Path(path).stat().st_mtime_ns)


def _number(item: Item) -> int:
    return 1 if item.page is None else item.page


def _digest(item: Item, instruction: str, limits: Limits, text_layer: bool) -> str:
    """sha256 of all that decides what a model gets to see; names and times of files do not."""
    parts = [item.text, instruction]
    if item.path is not None:
        parts += [item.kind, _bytes_digest(item, item.path, limits)]
        if item.kind == "image":
            parts += [str(limits.max_side)]
        elif item.kind == "page":
            parts += [str(_number(item)), f"{limits.page_dpi} {limits.max_page_side} {text_layer}"]
        elif item.kind == "video":
            parts += [
                f"{limits.max_frames} {limits.frame_side}",
                "" if item.span is None else repr(tuple(map(float, item.span))),
            ]
        else:
            # The suffix decides how a text is read; the rest of the name does not matter.
            parts += [Path(item.path).suffix.lower()]
    # A length before each part: "ab" + "c" is not "a" + "bc".
    joined = b"".join(b"%d:%s" % (len(p), p) for p in (part.encode(errors="surrogatepass") for part in parts))
    return hashlib.sha256(joined).hexdigest()


# A PDF's pages are opened one after the other: its bytes are hashed once.
@lru_cache(maxsize=64)
def _file_digest(path: str, size: int, mtime_ns: int) -> str:
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise InputNotFound("no such file", path, "index the folder again") from None
    except OSError as error:
        raise InputInvalid(f"cannot be read: {error.strerror}", path, "check the file") from None
