"""Still frames of a clip by their numbers, evenly over all of it, for what keeps clips as their frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ponder.errors import InputInvalid
from ponder.media.limits import Limits
from ponder.media.video import check_seconds, frames_at, origin, reading, stated_length

if TYPE_CHECKING:
    from PIL.Image import Image


def numbers(count: int, most: int) -> list[int]:
    """Which frames of `count` are taken, from 0: all, or the one at ``floor(i * count / most)`` for each i.

    Source: ``save_frames`` in ``vision_utils.py`` of https://github.com/TIGER-AI-Lab/VLM2Vec.

    Args:
        count: Frames that there are.
        most: Frames to take.

    Example:
        >>> numbers(3, 8), numbers(9, 4)
        ([0, 1, 2], [0, 2, 4, 6])
    """
    return list(range(count)) if count <= most else [number * count // most for number in range(most)]


def cut_here(path: str, limits: Limits, most: int) -> tuple[Image, ...]:
    """Frames of a clip, decoded in this process: use `ponder.media.isolated.cut_apart`.

    Their times are learned from the packets, so that a long clip is not decoded whole.

    Args:
        path: The file.
        limits: `frame_side` and `max_seconds` apply.
        most: Frames to take, evenly (`numbers`).

    Returns:
        RGB pictures in the order of time.

    Raises:
        InputInvalid: Not a clip, broken, without pictures, or longer than the limit.
    """
    with reading(path) as (container, stream):
        duration, _ = stated_length(container, stream)
        check_seconds(path, duration, limits)
        times = _times(container, stream)
    if not times:
        raise InputInvalid("no frame of the clip can be read", path, "check that the file is whole")
    check_seconds(path, times[-1], limits)
    with reading(path) as (container, stream):
        wanted = [times[number] for number in numbers(len(times), most)]
        images, _ = frames_at(container, stream, wanted, limits.frame_side)
    if not images:
        raise InputInvalid("no frame of the clip can be read", path, "check that the file is whole")
    return tuple(images)


def _times(container: Any, stream: Any) -> list[float]:
    """Seconds of all frames, as they are shown; where packets say nothing, at the usual rate."""
    start, step = origin(stream), 1.0 / float(stream.average_rate or 25)
    packets = [packet for packet in container.demux(stream) if packet.size and not packet.is_discard]
    told = [packet.pts for packet in packets if packet.pts is not None]
    if len(told) < len(packets):
        return [number * step for number in range(len(packets))]
    # As `frames_at` reckons a frame's time, so that both are the same number.
    times = (float(each * stream.time_base) - start for each in told)
    return sorted({max(0.0, time) for time in times})
