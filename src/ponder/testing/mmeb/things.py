"""What the tiny benchmark shows: coloured shapes, each with a name of two words."""

from __future__ import annotations

import io
from pathlib import Path

COLOURS = {"red": (210, 40, 40), "blue": (40, 70, 210), "green": (30, 150, 60), "orange": (240, 150, 30)}
SHAPES = ("disc", "square", "triangle")
SIDE = 48
"""Of a picture, in pixels."""


def name_of(number: int) -> str:
    """The name of the thing of a number; there are twelve.

    Example:
        >>> name_of(0), name_of(5)
        ('red disc', 'blue triangle')
    """
    colours = list(COLOURS)
    return f"{colours[number // len(SHAPES) % len(colours)]} {SHAPES[number % len(SHAPES)]}"


def drawn(number: int, *, step: int = 0, kind: str = "JPEG") -> bytes:
    """A picture of a thing, as the content of a file.

    Args:
        number: Of the thing.
        step: How far it has moved to the right, in eighths of its way.
        kind: Pillow's name of the format.
    """
    import PIL.Image
    import PIL.ImageDraw

    colour, shape = name_of(number).split()
    image = PIL.Image.new("RGB", (SIDE, SIDE), (245, 245, 240))
    draw = PIL.ImageDraw.Draw(image)
    left = 4 + 2 * step
    box = (left, 12, left + 24, 36)
    if shape == "disc":
        draw.ellipse(box, fill=COLOURS[colour])
    elif shape == "square":
        draw.rectangle(box, fill=COLOURS[colour])
    else:
        draw.polygon([(left, 36), (left + 24, 36), (left + 12, 12)], fill=COLOURS[colour])
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def draw(path: Path, number: int) -> None:
    """Write a picture of a thing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(drawn(number))


def film(folder: Path, number: int, *, frames: int = 9) -> None:
    """Write a clip of a thing as a folder of frames, ``1.jpg`` on: their numbers sort as numbers only."""
    folder.mkdir(parents=True, exist_ok=True)
    for frame in range(frames):
        (folder / f"{frame + 2}.jpg").write_bytes(drawn(number, step=frame % 9))
