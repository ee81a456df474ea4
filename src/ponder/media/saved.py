"""A picture that lies in a table, as the bytes of a file of its own."""

from __future__ import annotations

import io

from ponder.errors import InputInvalid
from ponder.media.images import FORMATS

_JPEG = {".jpg", ".jpeg"}


def saved_as(data: bytes, suffix: str, where: str = "") -> bytes:
    """What a file of that suffix holds once Pillow has opened the picture and saved it under its defaults.

    Benchmarks do that with pictures in Parquet, so their scores are those of what is saved. A PNG loses
    nothing, and its bytes are left as they are, whatever format they are of: pictures are told by
    content. A JPEG is encoded anew, at Pillow's quality of 75, upright and RGB.

    Args:
        data: The picture's file, whole.
        suffix: Such as ".png".
        where: The picture's name, for messages.

    Raises:
        InputInvalid: It is no picture that can be opened.

    Example:
        >>> import io, PIL.Image
        >>> file = io.BytesIO()
        >>> PIL.Image.new("P", (2, 2)).save(file, "PNG")
        >>> saved_as(file.getvalue(), ".png") == file.getvalue()
        True
        >>> PIL.Image.open(io.BytesIO(saved_as(file.getvalue(), ".jpg"))).format
        'JPEG'
    """
    import PIL.Image
    import PIL.ImageOps

    try:
        with PIL.Image.open(io.BytesIO(data), formats=list(FORMATS)) as image:
            if suffix.lower() not in _JPEG:
                return data
            image.load()
            upright = PIL.ImageOps.exif_transpose(image).convert("RGB")
    except Exception as error:
        # Decoders raise nearly anything at what is broken.
        raise InputInvalid(f"not a readable picture: {error}", where, "fetch the data anew") from None
    saved = io.BytesIO()
    upright.save(saved, "JPEG")
    return saved.getvalue()
