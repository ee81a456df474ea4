"""Files of every kind, made as they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
RED, BLUE = (200, 30, 30), (20, 40, 160)


def make_pdf(path: Path, pages: Sequence[str], *, password: str | None = None) -> Path:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), encrypt=StandardEncryption(password) if password else None)
    for text in pages:
        for row, line in enumerate(text.split("\n")):
            canvas.drawString(72, 760 - 14 * row, line)
        canvas.showPage()
    canvas.save()
    return path


def make_clip(path: Path, frames: Sequence[np.ndarray], *, fps: int = 8, codec: str = "libx264") -> Path:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def scene(colour: Colour = (220, 220, 240), side: int = 96) -> np.ndarray:
    """A background: a plain colour."""
    return np.full((side, side, 3), colour, dtype=np.uint8)


def disc(x: float, y: float, colour: Colour, side: int = 96, radius: int = 14) -> np.ndarray:
    """The background with a disc on it; `x` and `y` from 0 to 1."""
    picture = Image.fromarray(scene(side=side))
    box = (x * side - radius, y * side - radius, x * side + radius, y * side + radius)
    ImageDraw.Draw(picture).ellipse(box, fill=colour)
    return np.asarray(picture)


def crossing(colour: Colour, seconds: float, fps: int = 8) -> list[np.ndarray]:
    """A disc that crosses the picture from left to right."""
    count = round(seconds * fps)
    return [disc(-0.2 + 1.4 * k / (count - 1), 0.5, colour) for k in range(count)]


def nothing(seconds: float, fps: int = 8) -> list[np.ndarray]:
    """The background alone."""
    return [scene()] * round(seconds * fps)
