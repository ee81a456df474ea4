import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from ponder.errors import InputInvalid
from ponder.media.handed import Handed
from ponder.media.images import open_image
from ponder.media.limits import Limits


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "CMYK", "YCbCr", "F", "I;16"])
def test_pictures_of_every_mode_can_be_opened(mode):
    with Handed() as handed:
        path = handed.picture(Image.new(mode, (5, 4)))
        assert open_image(path, Limits()).size == (5, 4)


def test_bytes_are_kept_as_they_are():
    file = io.BytesIO()
    Image.new("RGB", (5, 4), "red").save(file, "JPEG")
    with Handed() as handed:
        paths = [
            handed.picture(file.getvalue()),
            handed.encoded(base64.b64encode(file.getvalue()).decode()),
            handed.encoded("data:image/jpeg;base64," + base64.encodebytes(file.getvalue()).decode()),
        ]
        assert len(set(paths)) == 3
        assert {Path(path).read_bytes() for path in paths} == {file.getvalue()}
        assert Path(paths[0]).parent.stat().st_mode & 0o077 == 0
    assert not Path(paths[0]).parent.exists()


@pytest.mark.parametrize(
    "text", ["", "data:", "data:image/png,abc", "data:image/png;base64", "a", "äöü", "aGVsbG8", "<svg/>"]
)
def test_what_is_not_base64_is_refused(text):
    with Handed() as handed, pytest.raises(InputInvalid):
        handed.encoded(text)


def test_too_much_is_refused():
    with Handed(max_bytes=9) as handed:
        assert handed.picture(b"123456789")
        with pytest.raises(InputInvalid, match="10 bytes"):
            handed.picture(b"1234567890")
        with pytest.raises(InputInvalid, match="at most 9 bytes"):
            handed.encoded("a" * 100)
