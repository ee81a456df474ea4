"""Backdrops for the demo's clips, painted with a few rectangles each, and cut-outs of the pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIZE = (320, 240)

PLAIN = {"blue": "#7fb2e5", "plaster": "#e6dccb", "yellow": "#f4d35e"}
# Horizontal bands: (top, colour) from the sky down.
BANDS = {
    "meadow": [(0, "#8ecae6"), (190, "#6a994e")],
    "night": [(0, "#10173a"), (222, "#3d405b")],
    "road": [(0, "#bde0fe"), (120, "#8ab17d"), (175, "#6c757d"), (228, "#8ab17d")],
    "savanna": [(0, "#f6e7b0"), (130, "#d9b45b")],
    "sea": [(0, "#cfe8f5"), (165, "#1d6fa3")],
    "snow": [(0, "#5c7fa3"), (195, "#f4f8fb")],
}
BACKDROPS = (*PLAIN, *BANDS, "checked")


def backdrop(name: str) -> Image.Image:
    """A painted backdrop of SIZE, RGB. Raises KeyError for a name that isn't in BACKDROPS."""
    width, height = SIZE
    if name == "checked":
        squares = (np.indices((height, width)) // 20).sum(axis=0) % 2
        return Image.fromarray(
            np.where(squares[..., None], [250, 245, 238], [236, 214, 208]).astype(np.uint8)
        )
    if name in PLAIN:
        return Image.new("RGB", SIZE, PLAIN[name])
    picture = Image.new("RGB", SIZE)
    draw = ImageDraw.Draw(picture)
    for top, colour in BANDS[name]:
        draw.rectangle((0, top, width, height), fill=colour)
    if name == "night":
        for x, y in np.random.default_rng(7).integers(4, [width - 4, 200], (40, 2)):
            draw.ellipse((x, y, x + 1, y + 1), fill="#fff6c9")
    if name == "road":
        for x in range(8, width, 50):
            draw.rectangle((x, 215, x + 26, 218), fill="#f8f9fa")
    return picture


def cutout(path: Path, tolerance: int = 24) -> Image.Image:
    """A picture without the white that surrounds it, cropped: RGBA.

    White inside the outline stays: the background is what a flood from the picture's rim reaches.

    Args:
        path: A picture on white.
        tolerance: How far from white a pixel may be and still be background; JPEG's ringing around an
            outline stays below 24.
    """
    picture = Image.open(path).convert("RGB")
    framed = Image.new("RGB", (picture.width + 2, picture.height + 2), "white")
    framed.paste(picture, (1, 1))
    mark = (255, 0, 254)
    ImageDraw.floodfill(framed, (0, 0), mark, thresh=tolerance)
    opaque = (np.asarray(framed)[1:-1, 1:-1] != mark).any(axis=2)
    picture.putalpha(Image.fromarray((opaque * 255).astype(np.uint8)))
    return picture.crop(picture.getchannel("A").getbbox())
