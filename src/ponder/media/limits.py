"""How much of a file is opened: pixels, pages, frames, seconds, bytes and characters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from ponder.errors import BadArguments
from ponder.records import Kind

MIB = 1024 * 1024

# A kind's largest file. Pictures and texts are read whole, so they are held to what fits in memory many
# times over; PDFs and clips are read piece by piece, but hashed whole: 4 GiB hash in some 3 s.
MAX_BYTES: Mapping[Kind, int] = {
    "image": 256 * MIB,
    "page": 1024 * MIB,
    "video": 4096 * MIB,
    "text": 32 * MIB,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is opened; beyond them a file is refused with a clear error, never half read.

    The defaults let everyday files through and keep one item under about 300 MB of memory and a few
    seconds of one core.

    Attributes:
        max_pixels: Of a source picture, before it is decoded. The default is Pillow's own threshold
            (1/4 GiB as RGB); Pillow refuses twice that whatever is given here.
        max_side: Longest side, in pixels, that a picture is reduced to. Classifiers and embedders look
            at 224 to 448; 1024 leaves crops and OCR something to read.
        page_dpi: Resolution that PDF pages are rendered at. OCR wants letters some 20 pixels high:
            10-point type at 150 dpi.
        max_page_side: Longest side of a rendered page, in pixels; A4 at 150 dpi has 1754.
        max_pages: Of one PDF. A longer one is refused rather than indexed in part.
        max_frames: Frames of one clip that are handed out. At about 25 ms a frame in a small
            classifier on one core, 64 are under 2 s.
        frame_side: Longest side of a frame, in pixels: 64 of them then hold under 50 MB.
        max_seconds: Of a clip. Past it, whole frames are too far apart to stand for the clip.
        max_chars: Of a text, or of a page's text layer. Long novels have some 3 million.
        max_bytes: Largest file of each kind, in bytes; kinds left out have no limit.

    Raises:
        BadArguments: A limit is not a positive number.

    Example:
        >>> Limits(max_frames=8).max_frames
        8
    """

    max_pixels: int = 89_478_485
    max_side: int = 1024
    page_dpi: int = 150
    max_page_side: int = 2048
    max_pages: int = 2000
    max_frames: int = 64
    frame_side: int = 512
    max_seconds: float = 4 * 3600.0
    max_chars: int = 4_000_000
    max_bytes: Mapping[Kind, int] = field(default_factory=lambda: dict(MAX_BYTES))

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            numbers = value.values() if each.name == "max_bytes" else [value]
            if not all(isinstance(n, int | float) and n > 0 for n in numbers):
                raise BadArguments("a limit must be a positive number", each.name, f"got {value!r}")
