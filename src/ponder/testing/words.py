"""What the fakes see in a content: its words, and a colour word for each of its pictures."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, cast

from ponder.records import Content

if TYPE_CHECKING:
    from PIL.Image import Image

_WORD = re.compile(r"\w+")
_COLOURS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "red": (220, 20, 20),
    "green": (20, 160, 20),
    "blue": (20, 20, 220),
    "yellow": (240, 220, 20),
    "orange": (250, 140, 0),
    "purple": (140, 20, 160),
}


class ModelUsed(AssertionError):
    """A fake that was built with ``forbidden=True`` has been asked to work."""


def words(text: str) -> list[str]:
    """Lower-case words of `text`, in order: the fakes' tokens.

    Example:
        >>> words("A red, RED kite.")
        ['a', 'red', 'red', 'kite']
    """
    return _WORD.findall(text.lower())


def colour(image: Image) -> str:
    """Name of the colour nearest to the picture's mean."""
    mean = cast("tuple[int, int, int]", image.convert("RGB").resize((1, 1)).getpixel((0, 0)))
    return min(
        _COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(_COLOURS[name], mean, strict=True))
    )


def seen(content: Content) -> list[str]:
    """Words of the content's text, then the colours of its pictures in order."""
    return words(content.text) + [colour(image) for image in content.images]


def parts_of(content: Content) -> list[tuple[str, str]]:
    """``(label, text)`` of the content's parts: the whole, its passages, its segments.

    Labels are those of `ponder.records.PartReasoning`.
    """
    parts = [("", " ".join(seen(content)))]
    parts += [(f"chars={p.start}-{p.end}", p.text) for p in content.passages]
    for start, end in content.segments:
        inside = [
            colour(image)
            for image, time in zip(content.images, content.times, strict=True)
            if start <= time < end
        ]
        parts.append((f"t={start:g},{end:g}", " ".join(inside)))
    return parts


def digest(text: str) -> str:
    """sha256 hex of `text`."""
    return hashlib.sha256(text.encode()).hexdigest()


def number(text: str, below: int) -> int:
    """A number in ``[0, below)`` that depends on nothing but `text`."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % below
