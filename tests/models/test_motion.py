"""Motion verdicts on clips drawn here: a toy train of two colours before a patterned background."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from ponder.errors import InputInvalid
from ponder.models.lite.foreground import find_foreground
from ponder.models.lite.motion import motions

SIDE, COUNT = 160, 9
SHARES = [i / (COUNT - 1) for i in range(COUNT)]


def ground() -> Image.Image:
    image = Image.new("RGB", (SIDE, SIDE), (214, 234, 248))
    draw = ImageDraw.Draw(image)
    for x in range(0, SIDE, 40):
        draw.rectangle((x, 0, x + 19, SIDE), fill=(196, 216, 232))
    return image


def frame(x: float, y: float, size: float = 50, opacity: float = 1.0, angle: float = 0.0) -> Image.Image:
    thing = Image.new("RGBA", (max(2, round(size)), max(2, round(size * 0.6))), (180, 40, 30, 255))
    thing.paste((30, 40, 90, 255), (0, 0, thing.width // 3, thing.height))
    thing = thing.rotate(angle, expand=True)
    thing.putalpha(thing.getchannel("A").point(lambda a: int(a * opacity)))
    image = ground()
    image.paste(thing, (round(x - thing.width / 2), round(y - thing.height / 2)), thing)
    return image


def across(t: float) -> Image.Image:
    return frame(-30 + t * (SIDE + 60), 80)


def down(t: float) -> Image.Image:
    return frame(80, -30 + t * (SIDE + 60))


MADE = {
    "left to right": across,
    "right to left": lambda t: across(1 - t),
    "falls": down,
    "rises": lambda t: down(1 - t),
    "grows": lambda t: frame(80, 80, 15 + t * 90),
    "shrinks": lambda t: frame(80, 80, 105 - t * 90),
    "appears": lambda t: frame(80, 80, opacity=t),
    "disappears": lambda t: frame(80, 80, opacity=1 - t),
    "spins": lambda t: frame(80, 80, 80, angle=t * 500),
    "bounces": lambda t: frame(80, 130 - abs(math.sin(t * math.pi * 2.9)) * 90),
}


@pytest.mark.parametrize("motion", MADE)
def test_each_motion_is_told_apart(motion: str) -> None:
    frames = [MADE[motion](t) for t in SHARES]
    (found,) = motions(frames, SHARES, [(0.0, 1.0)])
    assert found.motion == motion
    assert found.confidence >= 0.3
    assert found.frames == tuple(range(COUNT))


@pytest.mark.parametrize(
    ("first", "second"), [("spins", "left to right"), ("falls", "grows"), ("appears", "rises")]
)
def test_each_segment_has_its_own_motion(first: str, second: str) -> None:
    frames = [MADE[first](t) for t in SHARES] + [MADE[second](t) for t in SHARES]
    times = [i * 0.25 for i in range(2 * COUNT)]
    middle = times[COUNT] - 0.1
    found = motions(frames, times, [(0.0, middle), (middle, times[-1])])
    assert [one.motion for one in found] == [first, second]


def test_nothing_moves() -> None:
    (found,) = motions([ground()] * 6, [0, 1, 2, 3, 4, 5], [(0.0, 5.0)])
    assert found.motion == "still"
    assert set(found.boxes) == {None}


def test_a_camera_that_moves_has_no_verdict() -> None:
    noisy = [Image.effect_noise((SIDE, SIDE), 120).convert("RGB") for _ in range(6)]
    (found,) = motions(noisy, [0, 1, 2, 3, 4, 5], [(0.0, 5.0)])
    assert found.motion == "unknown"


def test_too_few_frames_have_no_verdict() -> None:
    (found,) = motions([across(0.2), across(0.5)], [0.0, 1.0], [(0.0, 1.0)])
    assert found.motion == "unknown"
    assert motions([], [], [(0.0, 1.0)])[0].motion == "unknown"


@settings(max_examples=15, deadline=None)
@given(st.floats(40, 120), st.floats(40, 120))
def test_the_box_holds_the_thing(x: float, y: float) -> None:
    frames = [ground(), ground(), ground(), frame(x, y), ground()]
    seen = find_foreground(frames)
    assert seen.boxes[0] is None
    box = seen.boxes[3]
    assert box is not None
    expected = (x - 25, y - 15, x + 25, y + 15)
    assert all(abs(got - want) <= 6 for got, want in zip(box, expected, strict=True))


def test_frames_and_times_have_to_fit() -> None:
    with pytest.raises(InputInvalid):
        motions([ground()], [0.0, 1.0], [(0.0, 1.0)])
    with pytest.raises(InputInvalid):
        motions([ground(), Image.new("RGB", (8, 8))], [0.0, 1.0], [(0.0, 1.0)])
