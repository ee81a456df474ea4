"""Frames of a clip by their numbers."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_files import make_clip

from ponder.errors import InputInvalid, InputNotFound
from ponder.media.cutting import cut_here, numbers
from ponder.media.isolated import cut_apart
from ponder.media.limits import Limits

LIMITS = Limits(frame_side=64)


def numbered(count):
    """Frames that show their numbers: eight bars, black or white."""
    bits = [[255 * (number >> bit & 1) for bit in range(8)] for number in range(count)]
    return [np.repeat(np.tile(np.uint8(row), (48, 1)), 8, axis=1)[..., None].repeat(3, 2) for row in bits]


def told(images):
    bars = [np.asarray(image).mean(axis=(0, 2)).reshape(8, 8).mean(axis=1) for image in images]
    return [sum(int(level > 128) << bit for bit, level in enumerate(each)) for each in bars]


@given(st.integers(1, 5000), st.integers(1, 64))
def test_frames_are_even_and_begin_with_the_first(count, most):
    found = numbers(count, most)
    assert found[0] == 0 and len(found) == min(count, most) and found[-1] < count
    gaps = np.diff(found)
    assert not len(gaps) or (gaps.min() >= 1 and gaps.max() - gaps.min() <= 1)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.avi", "mpeg4"), ("a.mkv", "libx264")])
@pytest.mark.parametrize("opened", [cut_here, cut_apart])
def test_the_frames_are_those_of_these_numbers(tmp_path, name, codec, opened):
    path = make_clip(tmp_path / name, numbered(100), codec=codec)
    assert told(opened(str(path), LIMITS, 8)) == numbers(100, 8) == [0, 12, 25, 37, 50, 62, 75, 87]


def test_a_short_clip_is_taken_whole(tmp_path):
    path = make_clip(tmp_path / "a.mp4", numbered(5))
    assert told(cut_here(str(path), LIMITS, 64)) == [0, 1, 2, 3, 4]


def test_what_is_no_clip_is_refused(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no clip")
    for opened in (cut_here, cut_apart):
        with pytest.raises(InputInvalid, match="not a readable clip"):
            opened(str(tmp_path / "a.mp4"), LIMITS, 8)
        with pytest.raises((InputInvalid, InputNotFound)):
            opened(str(tmp_path / "none.mp4"), LIMITS, 8)
    with pytest.raises(InputInvalid, match="over the limit"):
        cut_here(str(make_clip(Path(tmp_path / "b.mp4"), numbered(100))), Limits(max_seconds=2), 8)
