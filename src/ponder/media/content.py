"""Items and queries as models see them: opened, bounded, without names or paths."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from ponder.errors import InputInvalid, InputNotFound
from ponder.media.formats import size_of
from ponder.media.limits import Limits
from ponder.media.passages import passages
from ponder.media.text import check_length, read_text
from ponder.records import Content, Item, Kind, Query, TextSource


def open_content(
    item: Item,
    limits: Limits,
    *,
    text_layer: bool = True,
    segments: Sequence[tuple[float, float]] | None = None,
) -> Content:
    """Open an item's file, or take its given text.

    Text that came with the item stands before what the file holds. A PDF page without it has its text
    layer, or "" where there is none (OCR is a model's work); every page has its picture.

    Args:
        item: The item.
        limits: How much is opened.
        text_layer: False leaves a PDF's text layer unread.
        segments: ``(start, end)`` seconds to divide a clip into, instead of those found in it.

    Raises:
        InputNotFound: The file has gone.
        InputInvalid: The file is broken, empty, or over a limit; or there is neither file nor text.
        MissingDependency: The format needs an extra.
    """
    return _content(item.kind, item.path, item.page, item.text, "", limits, text_layer, segments)


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
    return _content(kind, path, page, text, query.instruction, limits, True, None)


def digest_of(
    item: Item,
    limits: Limits,
    *,
    text_layer: bool = True,
    segments: Sequence[tuple[float, float]] | None = None,
) -> str:
    """The digest that `open_content` would give, without decoding anything.

    Raises:
        InputNotFound: The file has gone.
        InputInvalid: It is empty or over a limit of bytes.
    """
    return _digest(item.kind, item.path, item.page, item.text, "", limits, text_layer, segments)


def _content(
    kind: Kind,
    path: str | None,
    page: int | None,
    given: str,
    instruction: str,
    limits: Limits,
    text_layer: bool,
    segments: Sequence[tuple[float, float]] | None,
) -> Content:
    digest = _digest(kind, path, page, given, instruction, limits, text_layer, segments)
    check_length(given, path or "text", limits)
    text, source = given, _source("given", given)
    if path is None:
        if kind != "text" or not given.strip():
            raise InputInvalid(f"an item of kind {kind!r} without a file", "path", "give its path")
        return Content("text", digest, text, source, passages(text), instruction=instruction)
    if kind == "text":
        if not given.strip():
            text, source = read_text(path, limits), "given"
        return Content(kind, digest, text, source, passages(text), instruction=instruction)
    if kind == "image":
        from ponder.media.images import open_image

        images = (open_image(path, limits),)
        return Content(kind, digest, text, source, passages(text), images, instruction=instruction)
    if kind == "video":
        from ponder.media.video import open_clip

        clip = open_clip(path, limits, segments)
        return Content(
            kind=kind,
            digest=digest,
            text=text,
            text_source=source,
            passages=passages(text),
            images=clip.images,
            times=clip.times,
            segments=clip.segments,
            duration=clip.duration,
            instruction=instruction,
        )
    from ponder.media.pages import page_image, page_text

    number = 1 if page is None else page
    images = (page_image(path, number, dpi=limits.page_dpi, max_side=limits.max_page_side),)
    if not given.strip() and text_layer:
        text = page_text(path, number)
        check_length(text, f"{path}#page={number}", limits)
        source = _source("layer", text)
    return Content(kind, digest, text, source, passages(text), images, instruction=instruction)


def _source(source: TextSource, text: str) -> TextSource:
    return source if text.strip() else ""


def _digest(
    kind: Kind,
    path: str | None,
    page: int | None,
    given: str,
    instruction: str,
    limits: Limits,
    text_layer: bool,
    segments: Sequence[tuple[float, float]] | None,
) -> str:
    """sha256 of all that decides what a model gets to see; names and times of files do not."""
    parts = [given, instruction]
    if path is not None:
        size = size_of(path, kind, limits)
        parts += [kind, _file_digest(path, size, Path(path).stat().st_mtime_ns)]
        if kind == "image":
            parts += [str(limits.max_side)]
        elif kind == "page":
            parts += [str(page or 1), f"{limits.page_dpi} {limits.max_page_side} {text_layer}"]
        elif kind == "video":
            divided = "" if segments is None else repr([(float(s), float(e)) for s, e in segments])
            parts += [f"{limits.max_frames} {limits.frame_side}", divided]
        elif kind == "text":
            parts += [Path(path).suffix.lower()]
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
