"""The demo's clips: clips.yaml played with cut-outs of the collection's pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import yaml
from PIL import Image, ImageDraw

from demo_maker.stage import SIZE, backdrop, cutout

SOURCE = Path(__file__).with_name("clips.yaml")
FPS = 10


@dataclass(frozen=True, slots=True)
class Actor:
    """A cut-out that moves along its keys, as clips.yaml describes it.

    Attributes:
        picture: Name of a picture of the collection, without its ending.
        keys: Rows of (second, x, y, height, turn in degrees), by rising second.
        thread: Draw a thread from the top edge to the actor.
    """

    picture: str
    keys: tuple[tuple[float, ...], ...]
    thread: bool = False

    def at(self, second: float) -> tuple[float, ...] | None:
        """(x, y, height, turn) at a time, None while the actor isn't on stage."""
        times = [key[0] for key in self.keys]
        if not times[0] <= second <= times[-1]:
            return None
        return tuple(
            float(np.interp(second, times, column)) for column in list(zip(*self.keys, strict=True))[1:]
        )


@dataclass(frozen=True, slots=True)
class Shot:
    """A stretch of a clip in front of one backdrop."""

    seconds: float
    backdrop: str
    actors: tuple[Actor, ...]


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip's caption and its shots."""

    caption: str
    shots: tuple[Shot, ...]


def plan() -> dict[str, Clip]:
    """The clips of clips.yaml by name."""
    loaded = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return {
        name: Clip(
            clip["caption"],
            tuple(
                Shot(shot["seconds"], shot["backdrop"], tuple(a for row in shot["actors"] for a in cast(row)))
                for shot in clip["shots"]
            ),
        )
        for name, clip in loaded.items()
    }


def cast(row: dict[str, Any]) -> Iterator[Actor]:
    """One row of `actors`, with its copies."""
    seconds, dx, dy = row.get("offset", (0, 0, 0))
    for copy in range(row.get("copies", 1)):
        keys = tuple(
            (k[0] + copy * seconds, k[1] + copy * dx, k[2] + copy * dy, k[3], k[4] if len(k) > 4 else 0)
            for k in row["keys"]
        )
        yield Actor(row["picture"], keys, row.get("thread", False))


def frames(clip: Clip, pictures: Path) -> Iterator[Image.Image]:
    """The clip's frames in order, RGB, of stage.SIZE; `pictures` is the folder of the actors' pictures."""
    for shot in clip.shots:
        scene = backdrop(shot.backdrop)
        for number in range(round(shot.seconds * FPS)):
            frame = scene.copy()
            for actor in shot.actors:
                place = actor.at(number / FPS)
                if place is not None:
                    paint(frame, actor, place, pictures)
            yield frame


def paint(frame: Image.Image, actor: Actor, place: tuple[float, ...], pictures: Path) -> None:
    """Put an actor onto the frame at (x, y, height, turn)."""
    x, y, height, turn = place
    figure = figure_of(actor.picture, pictures)
    size = (max(1, round(figure.width * height / figure.height)), max(1, round(height)))
    figure = figure.resize(size, Image.Resampling.LANCZOS)
    if turn:
        figure = figure.rotate(turn, Image.Resampling.BICUBIC, expand=True)
    if actor.thread:
        ImageDraw.Draw(frame).line((x, 0, x, y), fill="#555555", width=1)
    frame.paste(figure, (round(x - figure.width / 2), round(y - figure.height / 2)), figure)


@cache
def figure_of(picture: str, pictures: Path) -> Image.Image:
    """The cut-out of a picture of the collection, whatever its ending."""
    return cutout(next(pictures.glob(f"{picture}.*")))


def build(clip: Clip, pictures: Path, target: Path) -> None:
    """Encode a clip as MP4 (H.264, yuv420p, FPS frames a second, no sound), without a creation time."""
    with av.open(str(target), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream(
            "libx264", rate=FPS, options={"crf": "23", "preset": "slow", "threads": "1"}
        )
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, FPS)
        for picture in frames(clip, pictures):
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())


def decoded(path: Path) -> list[Image.Image]:
    """All frames of an encoded clip, RGB."""
    with av.open(str(path)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]
