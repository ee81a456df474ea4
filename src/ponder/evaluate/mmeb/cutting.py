"""Frames of clips that came uncut: cut as the official loaders do it, into the folder that they would use.

The benchmark's archives hold frames. Who has the clips instead has them in ``video-tasks/videos``, under the
same names as their frames' folders in ``video-tasks/frames``; then up to 64 frames of each are taken evenly.
There is no such place for the clips of moment retrieval: those come as frames only.

Source: https://github.com/TIGER-AI-Lab/VLM2Vec, ``save_frames`` in ``vision_utils.py`` and ``video_root`` in
    ``experiments/public/eval/video.yaml``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from ponder.errors import InputInvalid, InputNotFound
from ponder.media.formats import size_of
from ponder.media.isolated import cut_apart
from ponder.media.limits import Limits

SAVED = 64
"""Frames of a clip that are kept; the evaluator then takes eight of these."""

_SIDE = 1280
"""Longest side of a kept frame: no official model is shown more than 28 x 28 x 1280 pixels of it."""

_QUALITY = 92
"""Of JPEG. The official loader leaves it to ffmpeg, whose frames differ a little by its version, too."""

_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm")

_CUT, _UNCUT = "video-tasks/frames/", "video-tasks/videos/"


def uncut_root(media_root: str) -> str:
    """Where a task's clips are, if they are not cut; "" for a task that has none.

    Example:
        >>> uncut_root("video-tasks/frames/video_ret/MSVD")
        'video-tasks/videos/video_ret/MSVD'
    """
    return media_root.replace(_CUT, _UNCUT, 1) if media_root.startswith(_CUT) else ""


def uncut_clip(root: Path, folder: str, told: str = "") -> str:
    """The clip that a folder of frames would be cut from, relative to the data directory; "" for none.

    Args:
        root: The data directory.
        folder: Of the frames, relative to it.
        told: The clip's path below the task's clips, where the rows have one of its own.
    """
    if f"/{_CUT}" not in f"/{folder}":
        return ""
    place = folder.replace(_CUT, _UNCUT, 1)
    names = [place] if PurePosixPath(place).suffix.lower() in _SUFFIXES else []
    names += [place + suffix for suffix in _SUFFIXES]
    below = PurePosixPath(told)
    if told and not below.is_absolute() and ".." not in below.parts:
        # Rows name the clip below the task's clips, or only its last part is there.
        parent = str(PurePosixPath(place).parent)
        names += [f"{parent}/{told}", f"{parent}/{below.name}"]
    return next((name for name in names if (root / name).is_file()), "")


def cut_clips(
    root: Path, clips: Mapping[str, str], advance: Callable[[int, int], None] | None = None
) -> dict[str, str]:
    """Cut clips into folders of frames. A folder is there whole or not at all; several processes may cut.

    Args:
        root: The data directory.
        clips: From the folder of frames to the clip, both relative to `root`.
        advance: Called with (clips done, clips).

    Returns:
        Of those that could not be cut, why not.
    """
    refused = {}
    for done, (folder, clip) in enumerate(clips.items(), 1):
        try:
            _cut(root / clip, root / folder)
        except (InputInvalid, InputNotFound) as error:
            refused[folder] = error.what
        except OSError as error:
            refused[folder] = f"its frames cannot be written: {error.strerror}"
        if advance:
            advance(done, len(clips))
    return refused


def _cut(clip: Path, folder: Path) -> None:
    limits = Limits(frame_side=_SIDE)
    size_of(str(clip), "video", limits)
    images = cut_apart(str(clip), limits, SAVED)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir()
        for number, image in enumerate(images, 1):
            image.save(temporary / f"frame_{number:04d}.jpg", quality=_QUALITY)
        _put(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _put(temporary: Path, folder: Path) -> None:
    try:
        # An empty folder gives way; of two processes the second finds the first one's frames.
        temporary.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        for frame in sorted(temporary.iterdir()):
            frame.replace(folder / frame.name)
