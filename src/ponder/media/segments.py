"""Segments of a clip: where one thing that happens ends and the next begins.

Two signs are looked for. A *cut*: much of the picture changes at once, far more than in the frames around
it (the adaptive rule that PySceneDetect made popular). And, within a shot, a *pause*: for a moment nothing
moves, or nothing is there but the background, which is each pixel's median over the shot. What is still
long after that is divided into windows of equal length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Seconds. In less than SHORTEST there is too little to see; a WINDOW holds one action; what is over
# LONGEST is divided into windows; a pause over LULL is a segment of its own if nothing is there; less than
# _PAUSE is none.
SHORTEST = 0.75
WINDOW = 4.0
LONGEST = 6.0
LULL = 1.5
_PAUSE = 0.2


# Levels of 255. A pixel differs from its background above compression noise and below a pastel; two
# frames are still when their mean difference is what an encoder leaves of identical pictures, which is more
# after much has moved.
_PIXEL = 18
_STILL = 0.03
_STILL_OF_NEAR = 0.015
# Share of the picture (8 pixels of 64x64), and of what is there at other times, below which it is empty.
_EMPTY = 0.002
_EMPTY_OF_FULL = 0.05
# A shot with more foreground than this, in the mean, has no fixed camera: no background to speak of.
_UNSTEADY = 0.4
# A cut: mean change in levels, and how far above the median of the changes around it.
_CUT = 18.0
_CUT_RATIO = 3.0
_AROUND = 8


class Segment(NamedTuple):
    """A stretch of a clip, in seconds, and within it the part from first to last where something is there."""

    start: float
    end: float
    first: float
    last: float


def segment(
    frames: NDArray[np.uint8], times: Sequence[float], duration: float, *, most: int
) -> tuple[Segment, ...]:
    """Divide a clip into segments that cover it without overlap.

    Args:
        frames: uint8 array of shape (frames, height, width, 3): small pictures, evenly spread; 64x64 at 8
            a second is what the thresholds were set on. Below 4 a second only cuts are looked for.
        times: Seconds of each frame, rising, below `duration`.
        duration: Seconds of the clip.
        most: Largest number of segments; the shortest are joined to a neighbour until they fit.

    Returns:
        At least one segment; the first starts at 0, each starts where the one before it ends, and the
        last ends at `duration`.
    """
    import numpy as np

    borders: list[float] = []
    there = np.ones(len(frames), dtype=bool)
    cuts = _cuts(frames)
    for first, after in pairwise([0, *cuts, len(frames)]):
        if first:
            borders.append(times[first])
        if len(frames) >= 4 * duration and after - first >= 4:
            shot = _Shot(frames[first:after], times[first:after])
            there[first:after] = shot.there
            borders += shot.borders()
    edges = [0.0, *sorted(b for b in borders if 0 < b < duration), duration]
    while len(edges) > 2 and _shortest(edges)[0] < SHORTEST:
        edges = _joined(edges)
    edges = _windows(edges)
    while len(edges) - 1 > max(1, most):
        edges = _joined(edges)
    return tuple(_trimmed(start, end, times, there) for start, end in pairwise(edges))


def _cuts(frames: NDArray[np.uint8]) -> list[int]:
    import numpy as np

    if len(frames) < 2:
        return []
    change = np.abs(np.diff(frames.astype(np.int16), axis=0)).mean(axis=(1, 2, 3))
    found = []
    for i, value in enumerate(change):
        around = np.delete(change[max(0, i - _AROUND) : i + _AROUND + 1], min(i, _AROUND))
        usual = float(np.median(around)) if len(around) else 0.0
        if value >= _CUT and value >= _CUT_RATIO * usual:
            found.append(i + 1)
    return found


class _Shot:
    """What is there, and what moves, in one shot."""

    def __init__(self, frames: NDArray[np.uint8], times: Sequence[float]) -> None:
        import numpy as np

        self.times = times
        # 64 frames are enough for a median; it is the slowest step.
        background = np.median(frames[:: max(1, len(frames) // 64)], axis=0).astype(np.int16)
        whole = frames.astype(np.int16)
        area = (np.abs(whole - background).max(axis=-1) > _PIXEL).mean(axis=(1, 2))
        least = max(_EMPTY, _EMPTY_OF_FULL * float(np.percentile(area, 90)))
        steady = float(area.mean()) <= _UNSTEADY
        # A picture that never changes is not empty: it is its background.
        self.there = area >= least if steady and (area >= least).any() else np.ones(len(area), dtype=bool)
        # change[i]: from frame i - 1 to frame i.
        self.change = np.zeros(len(frames))
        self.change[1:] = np.abs(np.diff(whole, axis=0)).max(axis=-1).mean(axis=(1, 2))

    def borders(self) -> list[float]:
        """Seconds at which something ends or begins."""
        times = self.times
        found: list[float] = []
        for i, j in self._pauses():
            empty = [k for k in range(i, j + 1) if not self.there[k]]
            long = bool(empty) and times[empty[-1]] - times[empty[0]] > LULL
            if i == 0 or j == len(times) - 1:
                # At either end of a shot only a long emptiness is told from what follows or went before.
                if long and len(empty) < len(times):
                    found.append(times[empty[-1] + 1] if i == 0 else times[empty[0]])
            elif long:
                found += [times[empty[0]], times[empty[-1] + 1]]
            elif empty:
                found.append((times[empty[0]] + times[empty[-1]]) / 2)
            else:
                # Something stands still: it belongs with the side that it changed less from.
                found.append(times[i] if self.change[i - 1] > self.change[j + 1] else times[j + 1])
        return found

    def _pauses(self) -> list[tuple[int, int]]:
        """First and last frame of each stretch that is like the frame before it."""
        import numpy as np

        change = self.change
        near = np.pad(change, _AROUND // 2, mode="edge")
        near = np.lib.stride_tricks.sliding_window_view(near, _AROUND + 1).max(axis=1)
        still = change < np.maximum(_STILL, _STILL_OF_NEAR * near)
        still[0] = still[1]
        usual = float(np.median(change[~still])) if not still.all() else 0.0
        lone = np.zeros(len(still), dtype=bool)
        lone[1:-1] = ~still[1:-1] & still[:-2] & still[2:]
        if len(list(_runs(still))) > self.times[-1] - self.times[0]:
            # More than once a second: a clip of a low frame rate, where standing still is no sign.
            return []
        # A weak change between still frames is an encoder's key frame. Where nothing is there, little
        # must move: a fade that passes through the background is no pause.
        calm = still | (lone & (change < usual)) | (~self.there & (change < usual / 2))
        return [(i, j) for i, j in _runs(calm) if self.times[j] - self.times[max(0, i - 1)] >= _PAUSE]


def _runs(flags: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    start = None
    for i, flag in enumerate([*flags.tolist(), False]):
        if flag and start is None:
            start = i
        elif not flag and start is not None:
            yield start, i - 1
            start = None


def _shortest(edges: list[float]) -> tuple[float, int]:
    return min((end - start, i) for i, (start, end) in enumerate(pairwise(edges)))


def _joined(edges: list[float]) -> list[float]:
    """Without the border between the shortest segment and the shorter of its neighbours."""
    _, i = _shortest(edges)
    left = edges[i] - edges[i - 1] if i > 0 else float("inf")
    right = edges[i + 2] - edges[i + 1] if i + 2 < len(edges) else float("inf")
    gone = i if left <= right else i + 1
    return edges[:gone] + edges[gone + 1 :]


def _windows(edges: list[float]) -> list[float]:
    divided = [edges[0]]
    for start, end in pairwise(edges):
        parts = round((end - start) / WINDOW) if end - start > LONGEST else 1
        divided += [start + (end - start) * k / parts for k in range(1, parts)]
        divided.append(end)
    return divided


def _trimmed(start: float, end: float, times: Sequence[float], there: NDArray[np.bool_]) -> Segment:
    seen = [t for t, flag in zip(times, there, strict=True) if flag and start <= t < end]
    return Segment(start, end, seen[0], seen[-1]) if seen else Segment(start, end, start, end)
