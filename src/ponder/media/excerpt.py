"""As much of a content as a model is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


def first_words(text: str, most: int) -> str:
    """The first words of a text, one blank between them.

    Example:
        >>> first_words("one  two three", 2)
        'one two'
    """
    return " ".join(text.split()[:most])


def spread(pictures: Sequence[Image], most: int) -> tuple[Image, ...]:
    """At most `most` of the pictures, spread evenly over them.

    Example:
        >>> spread("abcdefgh", 3)
        ('b', 'e', 'g')
    """
    if len(pictures) <= most:
        return tuple(pictures)
    return tuple(pictures[int((i + 0.5) * len(pictures) / most)] for i in range(most))
