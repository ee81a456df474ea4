"""Clips given as folders of frames, and pages given as pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ponder.errors import InputInvalid
from ponder.media import Limits, digest_of, open_content, open_query
from ponder.media.frames import frame_files, spread
from ponder.records import Item, Query


def clip(folder: Path, count: int, name: str = "{}.jpg") -> Path:
    """Frames whose brightness is their number times ten."""
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", (40, 30), (number * 10,) * 3).save(folder / name.format(number))
    return folder


def brightness(picture: Image.Image) -> int:
    return round(picture.getpixel((5, 5))[0] / 10)  # type: ignore[index]


def test_frames_are_read_in_the_order_of_their_numbers(tmp_path: Path, limits: Limits) -> None:
    folder = clip(tmp_path / "clip", 12)
    (folder / "notes.txt").write_text("no frame")
    content = open_content(Item("a", "video", path=str(folder)), limits)
    assert [brightness(each) for each in content.images] == list(range(12))
    assert content.times == tuple(range(12))
    assert (content.segments, content.duration) == (((0.0, 12.0),), 12.0)


def test_no_more_frames_than_the_limit_and_where_they_stood(tmp_path: Path) -> None:
    folder = clip(tmp_path / "clip", 9)
    content = open_query(Query(video=str(folder), text="what is it"), Limits(max_frames=8))
    assert [brightness(each) for each in content.images] == [0, 1, 2, 3, 4, 5, 6, 8]
    assert content.times == (0, 1, 2, 3, 4, 5, 6, 8)
    assert content.text == "what is it"


@given(st.integers(0, 200), st.integers(2, 64))
def test_spread_keeps_both_ends_and_the_order(count: int, most: int) -> None:
    found = spread(range(count), most)
    assert len(found) == min(count, most)
    assert sorted(set(found)) == found
    assert not count or (found[0], found[-1]) == (0, count - 1)


def test_the_digest_follows_what_is_seen_and_no_names(tmp_path: Path) -> None:
    limits = Limits(max_frames=4)

    def digest(folder: Path) -> str:
        return digest_of(Item("a", "video", path=str(folder)), limits)

    one, same = clip(tmp_path / "one", 6), clip(tmp_path / "same", 6, "frame_{:03}.png")
    other = clip(tmp_path / "other", 7)
    Image.new("RGB", (40, 30), (200,) * 3).save(one / "2.jpg")
    again = clip(tmp_path / "again", 6)
    assert digest(one) == digest(one) != digest(other)
    # Of six frames, 0, 1, 3 and 5 are shown.
    assert digest(again) == digest(one) != digest(same)
    Image.new("RGB", (40, 30), (200,) * 3).save(one / "3.jpg")
    assert digest(again) != digest(one)


def test_a_folder_without_frames_or_with_a_broken_one_is_refused(tmp_path: Path, limits: Limits) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "a.txt").write_text("nothing")
    with pytest.raises(InputInvalid, match="no frames in this folder"):
        frame_files(empty)
    with pytest.raises(InputInvalid, match="no frames in this folder"):
        open_content(Item("a", "video", path=str(empty)), limits)
    broken = clip(tmp_path / "broken", 3)
    (broken / "1.jpg").write_bytes(b"\xff\xd8 no picture")
    with pytest.raises(InputInvalid, match="not a readable picture"):
        open_content(Item("a", "video", path=str(broken)), limits)
    (broken / "1.jpg").write_bytes(b"")
    with pytest.raises(InputInvalid, match="the file is empty"):
        digest_of(Item("a", "video", path=str(broken)), limits)


def test_a_page_may_be_a_picture(tmp_path: Path) -> None:
    scan = tmp_path / "scan.png"
    Image.new("P", (900, 1200)).save(scan)
    content = open_content(Item("a", "page", path=str(scan)), Limits(max_page_side=600))
    assert (content.kind, content.text, content.text_source) == ("page", "", "")
    assert [(each.mode, each.size) for each in content.images] == [("RGB", (450, 600))]
