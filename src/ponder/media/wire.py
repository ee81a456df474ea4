"""What goes between a process and its decoder: JSON with the pixels behind it, never pickle.

Whoever takes over a decoder says what it likes: every length is checked before it is believed.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, BinaryIO

from ponder.media.limits import Limits
from ponder.records import Content, Item, Passage

if TYPE_CHECKING:
    from PIL.Image import Image

_HEAD = struct.Struct("<4sI")
_MAGIC = b"PDec"

MOST_JSON = 256 * 1024 * 1024
"""Bytes: a text of `Limits.max_chars` with its passages, written as escapes, stays below."""

_MOST_PIXELS = 512 * 1024 * 1024
"""Bytes of all pictures of one answer: 64 frames of the default size are 50 MB."""


class Garbled(Exception):
    """The other side has ended, or said something that is no message."""


def send(stream: BinaryIO, fields: Mapping[str, Any], images: Sequence[Image] = ()) -> None:
    """Write a message.

    Args:
        stream: Where to.
        fields: JSON values.
        images: RGB pictures; their pixels follow as they lie in memory.

    Raises:
        OSError: Nobody reads.
    """
    told = json.dumps({**fields, "sizes": [image.size for image in images]}).encode()
    stream.write(_HEAD.pack(_MAGIC, len(told)) + told)
    for image in images:
        stream.write(image.tobytes())
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Any], tuple[Image, ...]]:
    """Read a message.

    Raises:
        Garbled: There is none, or it is none.

    Example:
        >>> import io
        >>> import PIL.Image
        >>> pipe = io.BytesIO()
        >>> send(pipe, {"kind": "image"}, [PIL.Image.new("RGB", (2, 1), "red")])
        >>> _ = pipe.seek(0)
        >>> fields, (picture,) = receive(pipe)
        >>> fields["kind"], picture.size, picture.getpixel((1, 0))
        ('image', (2, 1), (255, 0, 0))
    """
    import PIL.Image

    magic, length = _HEAD.unpack(_exactly(stream, _HEAD.size))
    if magic != _MAGIC or length > MOST_JSON:
        raise Garbled("not a message")
    try:
        fields = json.loads(_exactly(stream, length))
        sizes = [(int(width), int(height)) for width, height in fields.pop("sizes")]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Garbled(str(error)) from error
    if any(side < 1 for size in sizes for side in size):
        raise Garbled("a picture without pixels")
    if sum(3 * width * height for width, height in sizes) > _MOST_PIXELS:
        raise Garbled("more pixels than were asked for")
    return fields, tuple(
        PIL.Image.frombytes("RGB", size, _exactly(stream, 3 * size[0] * size[1])) for size in sizes
    )


def item_fields(item: Item) -> dict[str, Any]:
    """An item without its metadata, which no decoder needs."""
    return {
        "id": item.id,
        "kind": item.kind,
        "uri": item.uri,
        "path": item.path,
        "page": item.page,
        "text": item.text,
        "span": item.span,
    }


def item_from(fields: Mapping[str, Any]) -> Item:
    """The item of `item_fields`."""
    span = fields["span"]
    return Item(**{**fields, "span": None if span is None else (span[0], span[1])})


def limits_from(fields: Mapping[str, Any]) -> Limits:
    """The limits of ``dataclasses.asdict``."""
    return Limits(**fields)


def content_fields(content: Content) -> dict[str, Any]:
    """A content without its pictures."""
    return {
        "kind": content.kind,
        "digest": content.digest,
        "text": content.text,
        "text_source": content.text_source,
        "passages": [asdict(passage) for passage in content.passages],
        "times": content.times,
        "segments": content.segments,
        "duration": content.duration,
        "instruction": content.instruction,
    }


def content_from(fields: Mapping[str, Any], images: tuple[Image, ...]) -> Content:
    """The content of `content_fields` and its pictures.

    Raises:
        Garbled: The fields are others.
    """
    try:
        return Content(
            kind=fields["kind"],
            digest=str(fields["digest"]),
            text=str(fields["text"]),
            text_source=fields["text_source"],
            passages=tuple(Passage(p["text"], int(p["start"]), int(p["end"])) for p in fields["passages"]),
            images=images,
            times=tuple(float(time) for time in fields["times"]),
            segments=tuple((float(start), float(end)) for start, end in fields["segments"]),
            duration=float(fields["duration"]),
            instruction=str(fields["instruction"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Garbled(str(error)) from error


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if data is None or len(data) != count:
        raise Garbled("the message ends before its end")
    return data
