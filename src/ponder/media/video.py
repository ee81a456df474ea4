"""Clips: frames spread over what happens in them, their times, and the segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from ponder.errors import BadArguments, InputInvalid
from ponder.media.limits import Limits
from ponder.media.segments import Segment, segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

# Containers that hold what they show. FFmpeg reads playlists too, which name other files and addresses,
# whatever a file is called.
_OPTIONS = {"format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi", "protocol_whitelist": "file"}

# Frames of one segment that are handed out when there is room, and the least that show a movement: 8 follow
# one to and fro, and 8 cost a small classifier 0.2 s.
FRAMES, FEWEST_FRAMES = 8, 4

# Small frames that segments are found on: enough to see a thing of a tenth of the width, 12 kB each.
_SIDE = 64
_RATE = 8.0
_MOST_SMALL = 2400
# A clip of more frames than this is looked at by its key frames only, evenly spread, this many at most:
# decoding all of an hour would take minutes.
_MOST_DECODED = 9000
_MOST_SEEKS = 400
# Seconds ahead for which reading on is cheaper than a seek to the key frame before.
_READ_ON = 4.0


class Clip(NamedTuple):
    """What is taken from a clip.

    Attributes:
        images: RGB frames in time order, at most `Limits.max_frames`.
        times: Seconds of each, rising strictly.
        segments: ``(start, end)`` in seconds, in order, covering the clip.
        duration: In seconds, of the stretch if only one was asked for.
    """

    images: tuple[Image, ...] = ()
    times: tuple[float, ...] = ()
    segments: tuple[tuple[float, float], ...] = ()
    duration: float = 0.0


def open_clip(path: str, limits: Limits, span: tuple[float, float] | None = None) -> Clip:
    """Open a clip: find its segments and take frames from each, `FRAMES` if they fit into the limit.

    The frames of a segment are spread evenly over the part of it where something is to be seen.

    Args:
        path: The file.
        limits: `max_frames`, `frame_side` and `max_seconds` apply.
        span: ``(start, end)`` in seconds: take this stretch only, as one segment. Times stay those of the
            whole clip.

    Raises:
        InputInvalid: Not a clip, broken, cut off, without pictures or longer than the limit.
        BadArguments: `span` is empty or outside the clip.
    """
    with reading(path) as (container, stream):
        duration, frames = stated_length(container, stream)
        check_seconds(path, duration, limits)
        if span is None:
            small, times, duration = _small_frames(path, container, stream, duration, frames)
            check_seconds(path, duration, limits)
            most = max(1, limits.max_frames // FEWEST_FRAMES)
            found = segment(small, times, duration, most=most)
        else:
            found = _given(path, span, duration)
            duration = found[0].end - found[0].start
    with reading(path) as (container, stream):
        wanted = _spread(found, limits.max_frames)
        images, shown = frames_at(container, stream, wanted, limits.frame_side)
    if not images:
        raise InputInvalid("no frame of the clip can be read", path, "check that the file is whole")
    return Clip(tuple(images), tuple(shown), tuple((s.start, s.end) for s in found), duration)


@contextmanager
def reading(path: str) -> Iterator[tuple[Any, Any]]:
    """A clip's container and its moving picture, open.

    Raises:
        InputInvalid: It has none, or whatever is read of it meanwhile is broken.
    """
    import av

    try:
        with av.open(path, options=_OPTIONS, metadata_errors="ignore") as container:
            stream = next((s for s in container.streams.video if not _is_cover(s)), None)
            if stream is None:
                raise InputInvalid("the file holds no moving picture", path, "leave it out")
            yield container, stream
    except (av.FFmpegError, OSError, ValueError, OverflowError, RuntimeError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InputInvalid(f"not a readable clip: {reason}", path, "check that the file is whole") from None


def _is_cover(stream: Any) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def stated_length(container: Any, stream: Any) -> tuple[float, int]:
    """Seconds and frames as the head of the file states them; 0 where it does not."""
    seconds = 0.0
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration:
        seconds = container.duration / 1e6
    return max(0.0, seconds), stream.frames or int(seconds * float(stream.average_rate or 25))


def check_seconds(path: str, duration: float, limits: Limits) -> None:
    """Refuse a clip that is longer than the limit."""
    if duration > limits.max_seconds:
        raise InputInvalid(
            f"the clip is {duration:.0f} s long, over the limit of {limits.max_seconds:.0f} s",
            path,
            "cut it, or raise max_seconds in Limits",
        )


def origin(stream: Any) -> float:
    """Seconds at which the stream's clock starts: times are counted from there."""
    return float((stream.start_time or 0) * stream.time_base)


def _decoded(container: Any, stream: Any) -> Iterator[tuple[float, Any]]:
    """Frames with their seconds, rising; frames without a time are taken to follow at the usual rate."""
    start, step = origin(stream), 1.0 / float(stream.average_rate or 25)
    last = -step
    for frame in container.decode(stream):
        time = last + step if frame.time is None else frame.time - start
        # A clock that stands still or runs back is an error in the file, not a reason to lose frames.
        if time > last:
            last = time
            yield max(0.0, time), frame


def _small_frames(
    path: str, container: Any, stream: Any, duration: float, frames: int
) -> tuple[NDArray[np.uint8], list[float], float]:
    import numpy as np

    small: list[NDArray[np.uint8]] = []
    times: list[float] = []
    if frames > _MOST_DECODED and duration > 0:
        for time, frame in _key_frames(container, stream, duration):
            small.append(_small(frame))
            times.append(time)
    else:
        step = max(1.0 / _RATE, duration / _MOST_SMALL)
        time = 0.0
        for count, (time, frame) in enumerate(_decoded(container, stream)):
            # A clip whose head is silent about its length is read no further than any other.
            if count > 2 * _MOST_DECODED or len(small) > 2 * _MOST_SMALL:
                break
            if not times or time >= times[-1] + step * 0.99:
                small.append(_small(frame))
                times.append(time)
        end = time + 1.0 / float(stream.average_rate or 25)
        if end < 0.5 * duration and duration - end > 1:
            raise InputInvalid(
                f"the clip is cut off: {end:.1f} of {duration:.1f} s can be read", path, "get the whole file"
            )
        duration = max(duration, end) if times else duration
    if not small:
        raise InputInvalid("no frame of the clip can be read", path, "check that the file is whole")
    return np.stack(small), times, duration


def _small(frame: Any) -> NDArray[np.uint8]:
    shrunk: NDArray[np.uint8] = frame.reformat(
        width=_SIDE, height=_SIDE, format="rgb24", interpolation="AREA"
    ).to_ndarray()
    return shrunk


def _key_frames(container: Any, stream: Any, duration: float) -> Iterator[tuple[float, Any]]:
    last = -1.0
    for k in range(_MOST_SEEKS):
        _seek(container, stream, duration * k / _MOST_SEEKS)
        time, frame = next(_decoded(container, stream), (last, None))
        if time > last and frame is not None:
            last = time
            yield time, frame


def _seek(container: Any, stream: Any, time: float) -> None:
    container.seek(int((time + origin(stream)) / stream.time_base), stream=stream, backward=True)


def _given(path: str, span: tuple[float, float], duration: float) -> tuple[Segment, ...]:
    start, end = span
    if not 0 <= start < end or (duration and start >= duration):
        raise BadArguments(
            f"a stretch from {start} to {end} s of a clip of {duration:.2f} s", path, "correct its times"
        )
    end = min(end, duration) if duration else end
    return (Segment(start, end, start, end),)


def _spread(segments: Sequence[Segment], most: int) -> list[float]:
    """Seconds to take frames at: in the middle of equal parts of what is seen of each segment."""
    each = max(1, min(FRAMES, most // len(segments)))
    times = {s.first + (s.last - s.first) * (k + 0.5) / each for s in segments for k in range(each)}
    return sorted(times)


def frames_at(
    container: Any, stream: Any, wanted: Sequence[float], side: int
) -> tuple[list[Image], list[float]]:
    """The frame on the screen at each of these seconds, once where two would be the same."""
    images: list[Image] = []
    shown: list[float] = []
    waiting = list(wanted)
    coming = _decoded(container, stream)
    now: tuple[float, Any] | None = None
    read_on = _READ_ON
    while waiting:
        here = now[0] if now else 0.0
        sought = waiting[0] - here > read_on
        if sought:
            _seek(container, stream, waiting[0])
            coming = _decoded(container, stream)
        for following in coming:
            if sought and following[0] <= here:
                # Key frames are further apart than that: seek less, so that no frame is decoded often.
                read_on *= 2
            sought = False
            if now is not None and now[0] <= waiting[0] < following[0]:
                _show(now, side, images, shown)
                while waiting and waiting[0] < following[0]:
                    waiting.pop(0)
            now = following
            if not waiting or (waiting[0] - now[0] > read_on and now[0] > here):
                break
        else:
            # The end: the last frame stands for all that is still waiting.
            if now is not None:
                _show(now, side, images, shown)
            break
    return images, shown


def _show(frame: tuple[float, Any], side: int, images: list[Image], shown: list[float]) -> None:
    time, picture = frame
    if shown and time <= shown[-1]:
        return
    width, height = _upright_size(picture)
    scale = min(1.0, side / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    turned = picture.rotation % 180 != 0
    image = picture.to_image(
        width=size[1] if turned else size[0],
        height=size[0] if turned else size[1],
        interpolation="AREA" if scale < 1 else "BICUBIC",
    )
    images.append(image.rotate(picture.rotation, expand=True) if picture.rotation else image)
    shown.append(time)


def _upright_size(picture: Any) -> tuple[float, float]:
    """Width and height as shown: pixels that are not square are stretched, turned cameras turned."""
    aspect = getattr(picture, "sample_aspect_ratio", None)
    width = picture.width * (float(aspect) if aspect else 1.0)
    height = float(picture.height)
    return (height, width) if picture.rotation % 180 else (width, height)
