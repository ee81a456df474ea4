"""A clip that is given as a folder of frames, as benchmarks and annotation tools keep them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ponder.errors import InputInvalid
from ponder.media.formats import size_problem
from ponder.media.images import open_image
from ponder.media.limits import Limits
from ponder.media.video import Clip

SUFFIXES = (".jpg", ".jpeg", ".png")
"""Files of a folder of frames; whatever else lies there is passed over."""

T = TypeVar("T")


def frame_files(folder: Path) -> list[Path]:
    """The frames of a folder in the order that they are numbered in: ``2.jpg`` before ``10.jpg``.

    Raises:
        InputInvalid: It cannot be read, or holds no frames.
    """
    try:
        found = [each for each in folder.iterdir() if each.suffix.lower() in SUFFIXES and each.is_file()]
    except OSError as error:
        raise InputInvalid(f"cannot be read: {error.strerror}", str(folder), "check the folder") from None
    if not found:
        raise InputInvalid(
            "no frames in this folder", str(folder), f"it needs files of {', '.join(SUFFIXES)}"
        )
    return sorted(found, key=lambda path: natural(path.name))


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts the numbers in names as numbers.

    Example:
        >>> sorted(["f10.png", "f9.png", "e.png"], key=natural)
        ['e.png', 'f9.png', 'f10.png']
    """
    pieces = re.split(r"(\d+)", name)
    return tuple((0, int(each), "") if each.isdecimal() else (1, 0, each) for each in pieces)


def spread(frames: Sequence[T], most: int) -> list[T]:
    """At most `most` of the frames, evenly from the first to the last, as MMEB-V2 takes them.

    The i-th is at ``floor(i * (n - 1) / (most - 1))``; where there are no more than `most`, all are taken.

    Source: https://github.com/TIGER-AI-Lab/VLM2Vec, ``vision_utils.py``.

    Example:
        >>> spread(range(9), 8)
        [0, 1, 2, 3, 4, 5, 6, 8]
        >>> spread(range(3), 8)
        [0, 1, 2]
    """
    import numpy as np

    if len(frames) <= most:
        return list(frames)
    return [frames[int(at)] for at in np.linspace(0, len(frames) - 1, most)]


def open_frames(path: str, limits: Limits) -> Clip:
    """Open a folder of frames as a clip of one segment; a frame lasts a second, since none says otherwise.

    Args:
        path: The folder.
        limits: `max_frames`, `frame_side` and those of pictures apply.

    Raises:
        InputInvalid: There are no frames, or one of those that are taken cannot be read.
    """
    files = frame_files(Path(path))
    small = replace(limits, max_side=limits.frame_side)
    shown = spread(list(enumerate(files)), limits.max_frames)
    images = tuple(open_image(str(file), small) for _, file in shown)
    times = tuple(float(number) for number, _ in shown)
    return Clip(images, times, ((0.0, float(len(files))),), float(len(files)))


def frames_digest(path: str, limits: Limits) -> str:
    """sha256 over the frames that `open_frames` shows and how many there are; their names do not matter.

    Raises:
        InputInvalid: As `open_frames`, or a file is empty or over the limit of pictures.
    """
    files = frame_files(Path(path))
    whole = hashlib.sha256(str(len(files)).encode())
    for file in spread(files, limits.max_frames):
        problem = size_problem(file.stat().st_size, "image", limits)
        if problem:
            raise InputInvalid(problem, str(file), "leave it out")
        with file.open("rb") as opened:
            whole.update(hashlib.file_digest(opened, "sha256").digest())
    return whole.hexdigest()
