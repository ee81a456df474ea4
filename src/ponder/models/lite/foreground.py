"""What moves before a still background: where it is in each frame, how large, and how visible.

The background is each pixel's median over the clip. Where a pixel changes at all, the median may be the
moving thing itself (it grows, spins, stays); there the background is the observation that lies near to what
surrounds the changing region, smoothly continued into it, and that others agree with. So it is found even
where it shows only briefly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

Box = tuple[int, int, int, int]
"""left, upper, right, lower in pixels of the frame as given, as Pillow's `crop` takes it."""

_SIDE = 96
# Levels of 255: above compression noise and a pastel pattern's seam, below a thing half faded in.
_DIFFERS = 24.0
# An observation further than this from the smooth continuation is the thing and not the background,
_FAR = 56.0
# unless half of the others agree with it this well: a horizon is not smooth.
_AGREES = 10.0
# What an observation that few others agree with costs at most: enough to tell a pattern of the background
# from a thing that passes, too little to prefer a thing that stays to a background that shows once.
_ALONE = 40.0
# Share of the picture below which a blob is noise.
_BLOB = 0.002
# Share of the picture that may change before there is no still background to speak of.
UNSTEADY = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class Foreground:
    """The moving thing in each frame of a clip.

    Attributes:
        centres: float32 (frames, 2), x and y of its middle, as shares of width and height; nan where
            nothing is seen.
        areas: float32 (frames,), share of the picture that it covers.
        sizes: float32 (frames, 2), width and height of its box, as shares.
        difference: float32 (frames, height, width, 3), small frames minus background.
        masks: bool (frames, height, width), where the thing is.
        boxes: Its box in the frame as given; None where nothing is seen.
        parts: int64 (frames,), number of separate blobs of a size.
        unsteady: Share of the picture that changes at some time; near 1 the camera moves.
    """

    centres: NDArray[np.float32]
    areas: NDArray[np.float32]
    sizes: NDArray[np.float32]
    difference: NDArray[np.float32]
    masks: NDArray[np.bool_]
    boxes: tuple[Box | None, ...]
    parts: NDArray[np.int64]
    unsteady: float


def find_foreground(frames: Sequence[Image]) -> Foreground:
    """Separate what moves from what stays.

    Args:
        frames: RGB, all of one size, in time order; 8 for each thing that happens are enough.
    """
    import numpy as np
    from scipy import ndimage

    width, height = frames[0].size
    scale = _SIDE / max(width, height)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = np.stack([np.asarray(frame.convert("RGB").resize(size), np.float32) for frame in frames])
    background, unsteady = _background(small)
    difference = small - background
    masks = np.stack([_thing(np.abs(one).max(-1) > _DIFFERS) for one in difference])
    count = len(frames)
    centres = np.full((count, 2), np.nan, np.float32)
    sizes = np.zeros((count, 2), np.float32)
    boxes: list[Box | None] = []
    for i, mask in enumerate(masks):
        if not mask.any():
            boxes.append(None)
            continue
        rows, columns = np.nonzero(mask)
        centres[i] = (columns.mean() + 0.5) / size[0], (rows.mean() + 0.5) / size[1]
        left, right = columns.min() / size[0], (columns.max() + 1) / size[0]
        upper, lower = rows.min() / size[1], (rows.max() + 1) / size[1]
        sizes[i] = right - left, lower - upper
        boxes.append(
            (
                int(left * width),
                int(upper * height),
                int(np.ceil(right * width)),
                int(np.ceil(lower * height)),
            )
        )
    areas = masks.mean((1, 2)).astype(np.float32)
    parts = np.array([ndimage.label(mask)[1] for mask in masks], np.int64)
    return Foreground(centres, areas, sizes, difference, masks, tuple(boxes), parts, unsteady)


def _background(small: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    import numpy as np
    from scipy import ndimage

    median = np.median(small, axis=0)
    changing = (np.abs(small - median).max(-1) > _DIFFERS).any(0)
    changing = ndimage.binary_fill_holes(ndimage.binary_dilation(ndimage.binary_opening(changing)))
    unsteady = float(changing.mean())
    if not changing.any() or unsteady > UNSTEADY:
        return median, unsteady
    smooth = _continued(median, changing)
    distance = np.abs(small - smooth).max(-1)
    alone = np.stack([np.median(np.abs(small - one).max(-1), axis=0) for one in small])
    best = (distance + np.minimum(alone, _ALONE)).argmin(0)[None]
    seen = np.take_along_axis(small, best[..., None], axis=0)[0]
    near = np.take_along_axis(distance, best, axis=0)[0] < _FAR
    steady = np.take_along_axis(alone, best, axis=0)[0] < _AGREES
    inside = np.where((near | steady)[..., None], seen, smooth)
    return np.where(changing[..., None], inside, median).astype(np.float32), unsteady


def _continued(picture: NDArray[np.float32], hole: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The picture with the hole filled smoothly from its rim (Laplace's equation, from coarse values)."""
    import numpy as np
    from scipy import ndimage

    _, (rows, columns) = ndimage.distance_transform_edt(hole, return_indices=True)
    filled = picture[rows, columns]
    for _ in range(200):
        around = np.stack([ndimage.uniform_filter(filled[..., c], 3, mode="nearest") for c in range(3)], -1)
        filled = np.where(hole[..., None], around, picture)
    return filled


def _thing(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest blob and those of a size with it; nothing when all are noise."""
    import numpy as np
    from scipy import ndimage

    labels, count = ndimage.label(ndimage.binary_closing(mask, iterations=2) | mask)
    if not count:
        return np.zeros_like(mask)
    sizes = ndimage.sum_labels(np.ones_like(labels), labels, range(1, count + 1))
    keep = (sizes >= 0.15 * sizes.max()) & (sizes >= _BLOB * mask.size)
    return np.asarray(ndimage.binary_fill_holes(np.isin(labels, np.nonzero(keep)[0] + 1)))
