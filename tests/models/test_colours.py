from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ponder.models.lite.colours import dominant, names

byte = st.integers(0, 255)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((255, 215, 0), "yellow"),
        ((128, 0, 0), "red"),
        ((139, 69, 19), "brown"),
        ((0, 0, 128), "blue"),
        ((85, 107, 47), "green"),
        ((255, 192, 203), "pink"),
        ((245, 245, 220), "beige"),
        ((255, 140, 0), "orange"),
        ((128, 0, 128), "purple"),
        ((64, 224, 208), "turquoise"),
        ((105, 105, 105), "grey"),
    ],
)
def test_css_colours_have_their_names(rgb: tuple[int, int, int], name: str) -> None:
    assert dominant(Image.new("RGB", (5, 9), rgb))[0].name == name


def test_shares_follow_the_areas() -> None:
    image = Image.new("RGB", (64, 64), "white")
    image.paste((210, 20, 20), (0, 0, 64, 16))
    assert [(c.name, round(c.share, 2)) for c in dominant(image)] == [("white", 0.75), ("red", 0.25)]


def test_a_plain_border_can_be_ignored() -> None:
    image = Image.new("RGB", (64, 64), "white")
    image.paste((210, 20, 20), (20, 20, 44, 44))
    assert [c.name for c in dominant(image, ignore_border=True)] == ["red"]
    plain = Image.new("RGB", (64, 64), "white")
    assert [c.name for c in dominant(plain, ignore_border=True)] == ["white"]


@settings(max_examples=40, deadline=None)
@given(st.tuples(byte, byte, byte), st.tuples(byte, byte, byte), st.integers(1, 63), st.booleans())
def test_shares_are_shares(
    ground: tuple[int, int, int], thing: tuple[int, int, int], height: int, ignore: bool
) -> None:
    image = Image.new("RGB", (64, 64), ground)
    image.paste(thing, (0, 0, 64, height))
    found = dominant(image, ignore_border=ignore)
    assert 1 <= len(found) <= 3
    assert sum(c.share for c in found) <= 1.0 + 1e-6
    assert [c.share for c in found] == sorted((c.share for c in found), reverse=True)
    assert {c.name for c in found} <= set(names())


def test_modes_other_than_rgb() -> None:
    assert dominant(Image.new("L", (4, 4), 255))[0].name == "white"
    assert dominant(Image.new("RGBA", (4, 4), (0, 0, 255, 255)))[0].name == "blue"
