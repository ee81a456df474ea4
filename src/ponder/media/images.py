"""Pictures: from any common file to one upright RGB picture of bounded size."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ponder.errors import InputInvalid, MissingDependency, PonderError
from ponder.media.limits import Limits

if TYPE_CHECKING:
    from PIL.Image import Image

# Formats that Pillow may try. Others (PostScript, fonts, sheets of icons) run more code than a search
# needs on files that strangers made.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "JPEG2000", "PPM")

_HEIF = {".heic", ".heif"}
_AVIF = {".avif"}

# `warnings.catch_warnings` swaps global state.
_WARNINGS = threading.Lock()


def open_image(path: str, limits: Limits) -> Image:
    """Open a picture: first frame, upright by its EXIF tag, RGB on white, at most `limits.max_side` long.

    16-bit and float pictures are scaled to 8 bits over their range, not cut off at 255. Pixels are
    counted before any is decoded.

    Args:
        path: The file.
        limits: `max_pixels` and `max_side` apply.

    Returns:
        A loaded picture of mode RGB; the file is closed.

    Raises:
        InputInvalid: Not a picture, broken, cut off, or over the limit of pixels.
        MissingDependency: HEIC without pillow-heif.

    A file that is changed while it is read, or made to do harm, can make a decoder raise nearly
    anything: every such error is an InputInvalid here.
    """
    formats = _formats(path)
    try:
        image = _open(path, formats)
        with image:
            _check_pixels(path, image.size, limits)
            # JPEG decoders can skip most of the work for a smaller picture; other formats ignore this.
            image.draft(None, (limits.max_side, limits.max_side))
            image.load()
            shown = _to_rgb(image)
            shown.thumbnail((limits.max_side, limits.max_side), reducing_gap=3.0)
            return _upright(shown, image)
    except PonderError:
        raise
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise InputInvalid(
            f"not a readable picture: {reason}", path, "check that the file is whole"
        ) from None


def _formats(path: str) -> tuple[str, ...]:
    from PIL import features

    suffix = Path(path).suffix.lower()
    if suffix in _HEIF:
        try:
            import pillow_heif
        except ImportError:
            raise MissingDependency(
                "HEIC pictures need pillow-heif", path, 'pip install "ponder[heic]"'
            ) from None
        pillow_heif.register_heif_opener()
        return (*FORMATS, "HEIF")
    if suffix in _AVIF:
        if not features.check("avif"):
            raise MissingDependency("this Pillow cannot read AVIF", path, "pip install --upgrade pillow")
        return (*FORMATS, "AVIF")
    return FORMATS


def _open(path: str, formats: tuple[str, ...]) -> Image:
    import PIL.Image

    with _WARNINGS, warnings.catch_warnings():
        # We count pixels ourselves and refuse with an error; Pillow's warning would come on top.
        warnings.simplefilter("ignore")
        return PIL.Image.open(path, formats=list(formats))


def _check_pixels(path: str, size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise InputInvalid(
            f"the picture has {width}x{height} pixels, over the limit of {limits.max_pixels:,}",
            path,
            "make it smaller, or raise max_pixels in Limits",
        )


def _to_rgb(image: Image) -> Image:
    import PIL.Image

    if image.mode in {"F", "I"} or image.mode.startswith("I;"):
        return _eight_bits(image)
    if image.has_transparency_data or image.mode in {"LA", "PA", "RGBa", "La"}:
        over = image.convert("RGBA")
        white = PIL.Image.new("RGBA", over.size, (255, 255, 255, 255))
        return PIL.Image.alpha_composite(white, over).convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: Image) -> Image:
    import numpy as np
    import PIL.Image

    values = np.nan_to_num(np.asarray(image).astype(np.float32), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if image.mode == "F" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif image.mode != "F" and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    scaled = (values - low) / ((high - low) or 1.0) * 255
    return PIL.Image.fromarray(np.rint(scaled).astype(np.uint8)).convert("RGB")


def _upright(shown: Image, source: Image) -> Image:
    from PIL import ImageOps

    try:
        orientation = int(source.getexif().get(0x0112, 1))
    except Exception:
        # A broken tag says nothing about the picture, which is whole.
        orientation = 1
    if not 2 <= orientation <= 8:
        return shown
    shown.getexif()[0x0112] = orientation
    return ImageOps.exif_transpose(shown)
