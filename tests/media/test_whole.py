"""Pictures that are whole, cut off, or none."""

import io

import PIL.Image
import pytest

from ponder.errors import InputInvalid
from ponder.media.saved import saved_as
from ponder.media.whole import problem_of


def picture(kind, size=(64, 48)):
    file = io.BytesIO()
    PIL.Image.effect_noise(size, 60).convert("RGB").save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
def test_whole_pictures_have_no_problem(kind, tmp_path):
    data = picture(kind)
    (tmp_path / "p").write_bytes(data)
    for deep in (False, True):
        assert problem_of(data, deep=deep) == problem_of(tmp_path / "p", deep=deep) == ""


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_cut_off_pictures_are_found_by_their_ends(kind):
    assert problem_of(picture(kind)[:-20]) == f"cut off: a {kind} without its end"


def test_what_a_camera_writes_behind_the_end_does_no_harm():
    assert problem_of(picture("JPEG") + b"\0" * 1000) == ""


def test_what_is_spoilt_inside_is_found_by_decoding():
    data = picture("PNG")
    data = data[:100] + bytes(50) + data[150:]
    assert problem_of(data) == ""
    assert problem_of(data, deep=True).startswith("not a readable picture")


def test_no_picture_no_content_no_file(tmp_path):
    assert problem_of(b"") == "the file is empty"
    assert problem_of(b"<html>") == "not a readable picture: cannot identify image"
    assert problem_of(tmp_path / "none").startswith("cannot be read")


def test_a_picture_saved_as_jpeg_is_upright_and_without_a_palette():
    file = io.BytesIO()
    image = PIL.Image.effect_noise((40, 20), 60)
    exif = image.getexif()
    exif[0x0112] = 6  # Turned by a quarter.
    image.save(file, "JPEG", exif=exif)
    with PIL.Image.open(io.BytesIO(saved_as(file.getvalue(), ".JPG"))) as saved:
        assert (saved.format, saved.mode, saved.size) == ("JPEG", "RGB", (20, 40))
        assert 0x0112 not in saved.getexif()


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_what_is_no_picture_is_not_saved(suffix):
    with pytest.raises(InputInvalid, match="page 3"):
        saved_as(b"none", suffix, "page 3")
