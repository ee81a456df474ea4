from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ponder.errors import BadArguments, InputInvalid, InputNotFound, MissingDependency, PonderError
from ponder.media import Limits, open_content
from ponder.media.images import open_image
from ponder.records import Item

# Left half dark red, right half light blue: tells turned, mirrored and wrongly scaled pictures.
LEFT, RIGHT = (160, 20, 20), (180, 200, 250)


def halves(width: int = 64, height: int = 48) -> Image.Image:
    picture = Image.new("RGB", (width, height), RIGHT)
    picture.paste(LEFT, (0, 0, width // 2, height))
    return picture


def near(picture: Image.Image, place: tuple[int, int], colour: tuple[int, int, int], by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(picture.getpixel(place), colour, strict=True))


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "bmp", "tiff", "avif"])
def test_formats(tmp_path: Path, limits: Limits, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    halves().save(path)
    picture = open_image(str(path), limits)
    assert (picture.mode, picture.size) == ("RGB", (64, 48))
    assert near(picture, (5, 5), LEFT) and near(picture, (60, 5), RIGHT)


def test_heic(tmp_path: Path, limits: Limits) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "a.heic"
    pillow_heif.from_pillow(halves()).save(path, quality=95)
    picture = open_image(str(path), limits)
    assert near(picture, (5, 5), LEFT, 25) and near(picture, (60, 5), RIGHT, 25)


def test_heic_without_its_extra(tmp_path: Path, limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "a.heic"
    path.write_bytes(b"x")
    with pytest.raises(MissingDependency, match=r"ponder\[heic\]"):
        open_image(str(path), limits)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "I;16", "F"])
def test_modes_become_rgb(tmp_path: Path, limits: Limits, mode: str) -> None:
    path = tmp_path / ("a.jpg" if mode in {"CMYK", "YCbCr"} else "a.tiff")
    gray = halves().convert("L")
    if mode == "I;16":
        source = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    elif mode == "F":
        source = Image.fromarray(np.asarray(gray).astype(np.float32) / 255)
    else:
        source = halves().convert(mode)
    source.save(path)
    picture = open_image(str(path), limits)
    assert picture.mode == "RGB"
    # Means, because pictures of few colours are dithered.
    seen = np.asarray(picture.convert("L")).astype(int)
    assert seen[:, :32].mean() < 100 < 180 < seen[:, 32:].mean()
    if mode not in {"1", "P"}:
        assert abs(picture.convert("L").getpixel((5, 5)) - gray.getpixel((5, 5))) <= 12


def test_16_bits_are_scaled_not_cut_off(tmp_path: Path, limits: Limits) -> None:
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (4, 1))
    Image.fromarray(ramp).save(tmp_path / "a.png")
    seen = np.asarray(open_image(str(tmp_path / "a.png"), limits))[0, :, 0]
    assert np.abs(seen.astype(int) - np.arange(256)).max() <= 1


def test_float_outside_0_to_1_is_stretched(tmp_path: Path, limits: Limits) -> None:
    values = np.linspace(-500, 3000, 64, dtype=np.float32).reshape(8, 8)
    values[0, 1] = np.nan
    Image.fromarray(values).save(tmp_path / "a.tiff")
    seen = np.asarray(open_image(str(tmp_path / "a.tiff"), limits))
    assert (seen.min(), seen.max()) == (0, 255)


def test_transparent_is_white(tmp_path: Path, limits: Limits) -> None:
    for name, picture, save in [
        ("rgba.png", Image.new("RGBA", (4, 4), (0, 0, 0, 0)), {}),
        ("la.png", Image.new("LA", (4, 4), (0, 0)), {}),
        ("palette.gif", Image.new("P", (4, 4), 3), {"transparency": 3}),
        ("key.png", Image.new("RGB", (4, 4), (0, 0, 0)), {"transparency": (0, 0, 0)}),
    ]:
        picture.save(tmp_path / name, **save)
        assert open_image(str(tmp_path / name), limits).getpixel((1, 1)) == (255, 255, 255), name
    Image.new("RGBA", (4, 4), (255, 0, 0, 128)).save(tmp_path / "half.png")
    assert near(open_image(str(tmp_path / "half.png"), limits), (1, 1), (255, 127, 127), 1)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_animation_gives_its_first_frame(tmp_path: Path, limits: Limits, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    frames = [Image.new("RGB", (32, 32), c) for c in ((250, 0, 0), (0, 0, 250))]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    content = open_content(Item("a", "image", path=str(path)), limits)
    assert content.kind == "image" and len(content.images) == 1
    assert near(content.images[0], (10, 10), (250, 0, 0))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_exif_orientation(tmp_path: Path, limits: Limits, orientation: int, suffix: str) -> None:
    # How a camera stores the upright picture under each tag: the inverse of what viewers do.
    stored = {
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }[orientation]
    upright = halves()
    upright.paste((0, 120, 0), (0, 0, 64, 10))
    picture = upright
    for step in stored:
        picture = picture.transpose(step)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    picture.save(path, exif=exif, quality=95)
    seen = open_image(str(path), limits)
    assert seen.size == upright.size
    assert np.abs(np.asarray(seen).astype(int) - np.asarray(upright)).mean() < 8


def test_large_pictures_are_reduced_and_small_ones_are_not(tmp_path: Path, limits: Limits) -> None:
    for suffix in ("jpg", "png"):
        halves(3000, 600).save(tmp_path / f"a.{suffix}")
        picture = open_image(str(tmp_path / f"a.{suffix}"), limits)
        assert max(picture.size) == limits.max_side
        assert picture.width / picture.height == pytest.approx(5, rel=0.02)
        assert near(picture, (5, 5), LEFT) and near(picture, (picture.width - 5, 5), RIGHT)


def test_too_many_pixels_are_refused_before_decoding(tmp_path: Path, limits: Limits) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (12000, 12000)).save(path)
    with pytest.raises(InputInvalid, match="12000x12000"):
        open_image(str(path), limits)
    Image.new("1", (20000, 20000)).save(path)
    with pytest.raises(InputInvalid, match="pixels"):
        open_image(str(path), limits)
    halves(20, 10).save(path)
    with pytest.raises(InputInvalid, match="20x10 pixels, over the limit of 199"):
        open_image(str(path), Limits(max_pixels=199))


def test_missing_empty_foreign_and_cut_off(tmp_path: Path, limits: Limits) -> None:
    def opened(path: Path) -> None:
        open_content(Item("a", "image", path=str(path)), limits)

    path = tmp_path / "a.png"
    with pytest.raises(InputNotFound):
        opened(path)
    path.write_bytes(b"")
    with pytest.raises(InputInvalid, match="empty"):
        opened(path)
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n")
    with pytest.raises(InputInvalid, match="not a readable picture"):
        opened(path)
    for suffix in ("png", "jpg", "gif", "webp", "tiff", "bmp"):
        noise = Image.effect_noise((64, 64), 80).convert("RGB")
        noise.save(tmp_path / f"b.{suffix}")
        data = (tmp_path / f"b.{suffix}").read_bytes()
        cut = tmp_path / f"cut.{suffix}"
        cut.write_bytes(data[: len(data) // 2])
        with pytest.raises(InputInvalid):
            opened(cut)
    with pytest.raises(InputInvalid, match="regular"):
        opened(tmp_path)


def test_limits_must_be_positive() -> None:
    for wrong in ({"max_side": 0}, {"max_seconds": -1.0}, {"max_bytes": {"image": 0}}):
        with pytest.raises(BadArguments):
            Limits(**wrong)


SAMPLES = {}
for _suffix in ("png", "jpg", "gif", "webp", "tiff", "bmp"):
    _buffer = io.BytesIO()
    halves(24, 16).save(_buffer, format={"jpg": "jpeg"}.get(_suffix, _suffix))
    SAMPLES[_suffix] = _buffer.getvalue()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    suffix=st.sampled_from(sorted(SAMPLES)),
    cut=st.just(1.0) | st.floats(0, 1),
    at=st.floats(0, 1),
    junk=st.binary(max_size=8),
)
def test_damage_raises_nothing_else(
    suffix: str, cut: float, at: float, junk: bytes, tmp_path: Path, limits: Limits
) -> None:
    data = SAMPLES[suffix]
    data = data[: int(cut * len(data)) + 1]
    place = int(at * len(data))
    path = tmp_path / f"damaged.{suffix}"
    path.write_bytes(data[:place] + junk + data[place + len(junk) :])
    try:
        picture = open_content(Item("a", "image", path=str(path)), limits).images[0]
    except PonderError:
        return
    assert picture.mode == "RGB"
    assert max(picture.size) <= limits.max_side
