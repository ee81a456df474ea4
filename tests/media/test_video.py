from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media_files import BLUE, RED, crossing, disc, make_clip, nothing, scene

from ponder.errors import BadArguments, InputInvalid, PonderError
from ponder.media import Limits, open_content
from ponder.media.segments import LONGEST, SHORTEST, segment
from ponder.media.video import FEWEST_FRAMES, open_clip
from ponder.records import Item

TWO = [*nothing(0.5), *crossing(RED, 3), *nothing(0.5), *crossing(BLUE, 3), *nothing(0.5)]


def mean_colour(picture: object) -> np.ndarray:
    return np.asarray(picture).reshape(-1, 3).mean(axis=0)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mov", "libx264"),
        ("a.mkv", "libx264"),
        ("a.avi", "mpeg4"),
        ("a.webm", "libvpx"),
    ],
)
def test_frames_times_and_segments(tmp_path: Path, limits: Limits, name: str, codec: str) -> None:
    clip = open_clip(str(make_clip(tmp_path / name, TWO, codec=codec)), limits)
    assert clip.duration == pytest.approx(7.5, abs=0.3)
    assert len(clip.images) == len(clip.times)
    assert all(i.mode == "RGB" and i.size == (96, 96) for i in clip.images)
    assert all(a < b for a, b in pairwise(clip.times))
    assert clip.times[0] >= 0 and clip.times[-1] < clip.duration
    # The red disc's segment and the blue one's, with the pause between them.
    (_, border), (again, _) = clip.segments
    assert border == again == pytest.approx(3.75, abs=0.4)
    for start, end in clip.segments:
        assert sum(start <= t < end for t in clip.times) >= FEWEST_FRAMES


def test_frames_show_what_happens(tmp_path: Path, limits: Limits) -> None:
    clip = open_clip(str(make_clip(tmp_path / "a.mp4", TWO)), limits)
    border = clip.segments[0][1]
    empty = mean_colour(scene())
    for time, image in zip(clip.times, clip.images, strict=True):
        red, _, blue = mean_colour(image) - empty
        # Red takes blue out of the picture and blue takes red.
        assert (blue < red) == (time < border)
        assert min(red, blue) < -1


def test_order_of_time_within_a_segment(tmp_path: Path, limits: Limits) -> None:
    clip = open_clip(str(make_clip(tmp_path / "a.mp4", crossing(RED, 3))), limits)
    places = []
    for image in clip.images[1:-1]:
        darkness = 255.0 - np.asarray(image)[:, :, 1]
        columns = np.clip(darkness.mean(axis=0) - 40, 0, None)
        places.append(float((columns * np.arange(96)).sum() / columns.sum()))
    assert places == sorted(places)


def test_span_takes_that_stretch_only(tmp_path: Path, limits: Limits) -> None:
    path = str(make_clip(tmp_path / "a.mp4", TWO))
    whole = open_content(Item("a", "video", path=path), limits)
    part = open_content(Item("b", "video", path=path, span=(4.0, 7.0)), limits)
    assert part.segments == ((4.0, 7.0),)
    assert part.duration == 3.0
    assert len(part.images) >= FEWEST_FRAMES
    assert part.times[0] >= 3.8 and part.times[-1] < 7
    assert part.digest != whole.digest
    assert open_content(Item("c", "video", path=path, span=(4, 7)), limits).digest == part.digest
    for wrong in ((3.0, 3.0), (-1.0, 2.0), (100.0, 101.0)):
        with pytest.raises(BadArguments):
            open_content(Item("b", "video", path=path, span=wrong), limits)


def test_limits(tmp_path: Path) -> None:
    path = str(make_clip(tmp_path / "a.mp4", TWO))
    few = open_clip(path, Limits(max_frames=3))
    assert len(few.images) <= 3 and len(few.segments) == 1
    assert max(open_clip(path, Limits(frame_side=48)).images[0].size) == 48
    with pytest.raises(InputInvalid, match="over the limit of 5 s"):
        open_clip(path, Limits(max_seconds=5))


def test_one_frame(tmp_path: Path, limits: Limits) -> None:
    clip = open_clip(str(make_clip(tmp_path / "a.mp4", [scene()])), limits)
    assert len(clip.images) == 1 and len(clip.segments) == 1


def test_long_clip_is_read_by_its_key_frames(tmp_path: Path, limits: Limits) -> None:
    shades = [scene((k * 2 % 256, 90, 160), side=32) for k in range(100)]
    # 100 s at 100 frames a second: more frames than are decoded one by one.
    frames = [shades[k // 100] for k in range(10_000)]
    clip = open_clip(str(make_clip(tmp_path / "a.mp4", frames, fps=100)), limits)
    assert clip.duration == pytest.approx(100, abs=1)
    assert len(clip.images) <= limits.max_frames
    assert len(clip.segments) <= limits.max_frames // FEWEST_FRAMES
    for time, image in zip(clip.times, clip.images, strict=True):
        assert mean_colour(image)[0] == pytest.approx(int(time) * 2 % 256, abs=8)


def test_refusals(tmp_path: Path, limits: Limits) -> None:
    import av

    data = make_clip(tmp_path / "a.mp4", TWO).read_bytes()
    path = tmp_path / "b.mp4"
    for wrong in (data[: len(data) // 2], data[:40], b"not a clip at all"):
        path.write_bytes(wrong)
        with pytest.raises(InputInvalid):
            open_clip(str(path), limits)
    # A playlist names other files: FFmpeg would show them in the clip's place.
    for playlist in ("ffconcat version 1.0\nfile a.mp4\n", "#EXTM3U\n#EXTINF:5,\na.mp4\n#EXT-X-ENDLIST\n"):
        path.write_text(playlist)
        with pytest.raises(InputInvalid):
            open_clip(str(path), limits)
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(InputInvalid, match="no moving picture"):
        open_clip(str(tmp_path / "sound.mp4"), limits)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["a.mp4", "a.avi"]),
    cut=st.just(1.0) | st.floats(0, 1),
    at=st.floats(0, 1),
    junk=st.binary(max_size=16),
)
def test_damage_raises_nothing_else(
    name: str, cut: float, at: float, junk: bytes, tmp_path: Path, limits: Limits
) -> None:
    whole = tmp_path / name
    if not whole.exists():
        make_clip(whole, crossing(RED, 1), codec="libx264" if name == "a.mp4" else "mpeg4")
    data = whole.read_bytes()
    data = data[: int(cut * len(data)) + 1]
    place = int(at * len(data))
    path = tmp_path / f"damaged-{name}"
    path.write_bytes(data[:place] + junk + data[place + len(junk) :])
    try:
        content = open_content(Item("a", "video", path=str(path)), limits)
    except PonderError:
        return
    assert 1 <= len(content.images) <= limits.max_frames


def borders(frames: list[np.ndarray], fps: float = 8.0) -> list[float]:
    small = np.stack(frames)
    found = segment(small, [k / fps for k in range(len(frames))], len(frames) / fps, most=16)
    return [s.start for s in found[1:]]


def test_cut_between_scenes() -> None:
    frames = [scene((200, 60, 60))] * 16 + [scene((60, 60, 200))] * 16
    assert borders(frames) == [2.0]


def test_swap_after_standing_still() -> None:
    still = [disc(0.3, 0.4, RED)] * 4
    moving = [disc(0.3 + 0.01 * k, 0.4, RED) for k in range(-16, 1)]
    frames = [*nothing(0.5), *moving, *still, *crossing(BLUE, 2), *nothing(0.5)]
    (border,) = borders(frames)
    assert border == pytest.approx((4 + 17 + 4) / 8, abs=0.5)


def test_long_emptiness_is_a_segment_of_its_own() -> None:
    frames = [*crossing(RED, 3), *nothing(3), *crossing(BLUE, 3)]
    first, second = borders(frames)
    assert first == pytest.approx(3, abs=0.4)
    assert second == pytest.approx(6, abs=0.4)


def test_what_never_rests_is_cut_into_windows() -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(160)]
    edges = [0.0, *borders(noise), 20.0]
    assert all(end - start <= LONGEST for start, end in pairwise(edges))


def test_low_frame_rate_is_not_taken_for_pauses() -> None:
    frames = [disc(0.1 + 0.05 * (k // 3), 0.5, RED) for k in range(45)]
    assert borders(frames) == []


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    counts=st.lists(
        st.tuples(st.integers(1, 30), st.sampled_from(["still", "noise", "blank"])), min_size=1, max_size=6
    ),
    most=st.integers(1, 16),
    fps=st.sampled_from([0.5, 3.0, 8.0]),
)
def test_segments_cover_the_clip(seed: int, counts: list[tuple[int, str]], most: int, fps: float) -> None:
    rng = np.random.default_rng(seed)
    frames = []
    for count, what in counts:
        picture = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        for _ in range(count):
            if what == "noise":
                picture = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
            frames.append(np.zeros((8, 8, 3), np.uint8) if what == "blank" else picture)
    duration = len(frames) / fps
    found = segment(np.stack(frames), [k / fps for k in range(len(frames))], duration, most=most)
    assert 1 <= len(found) <= most
    assert found[0].start == 0 and found[-1].end == duration
    assert all(a.end == b.start for a, b in pairwise(found))
    assert all(s.start <= s.first <= s.last <= s.end for s in found)
    assert len(found) == 1 or min(s.end - s.start for s in found) >= SHORTEST
