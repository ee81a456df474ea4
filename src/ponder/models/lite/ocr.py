"""Writing in pictures and on pages: RapidOCR with the PP-OCRv6 small models of its wheel (Apache-2.0).

Measured on two busy cores: a probe takes .05 s, reading a 320-pixel photo .6 s. Half the photos of the
`photos` corpus pass the probe; of 33 in 194 with writing it lets 30 through. A page at 150 dpi takes 3 s, of
which most is recognition, and .99 of its words are read; detection at 960 pixels is as good there as at the
full 1754.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from ponder.errors import MissingDependency
from ponder.models.lite.reading_order import Line, in_reading_order

if TYPE_CHECKING:
    from PIL.Image import Image

# Pixels of the longest side. Detection works at this size: small pictures are enlarged, since that is
# what finds small writing in them.
_DETECT = 960
# Pictures up to this size are probed at half their size, at least at this.
_PROBED = 1280
_PROBE = 416
# A line of a lower confidence, or of fewer letters and digits, is more often an ornament than writing.
FINGERPRINT = "rapidocr-3.10.0/pp-ocrv6-small/1"
"""Models and settings: equal fingerprints read equal words."""

_SURE = 0.8
_LETTERS = 3


@dataclass(frozen=True, slots=True)
class OcrResult:
    """What was read.

    Attributes:
        lines: In reading order, each with its confidence and box.
        text: The lines joined by newlines.
        confidence: Mean over the characters; 0 when there are none.
    """

    lines: tuple[Line, ...]
    text: str
    confidence: float


class Ocr:
    """Reads writing. Cheap to make: the models load at first use (a second)."""

    def read(self, image: Image, *, least: float = _SURE, probe: bool = True) -> OcrResult:
        """Read what is written in a picture.

        Args:
            image: Any mode and size.
            least: Lines of less confidence are left out; so are those of fewer than 3 letters or digits.
            probe: First look for writing in a small copy of a picture of up to 1280 pixels, and read only
                if there seems to be some. False for scans that are known to be text.

        Raises:
            MissingDependency: RapidOCR is not installed.
        """
        image = image.convert("RGB")
        longest = max(image.size)
        if probe and longest <= _PROBED and not self._found(image, max(_PROBE, longest // 2)):
            return OcrResult((), "", 0.0)
        scale = max(1.0, _DETECT / longest)
        # What a call leaves out, the engine remembers of the call before.
        seen = self._engine(_pixels(image, scale), use_det=True, use_cls=False, use_rec=True)
        if seen is None or seen.txts is None:
            return OcrResult((), "", 0.0)
        lines = [
            Line(text.strip(), float(score), _box(corners, scale))
            for text, score, corners in zip(seen.txts, seen.scores, seen.boxes, strict=True)
            if score >= least and len(re.sub(r"[\W_]", "", text)) >= _LETTERS
        ]
        lines = in_reading_order(lines)
        length = sum(len(line.text) for line in lines)
        mean = sum(line.confidence * len(line.text) for line in lines) / length if length else 0.0
        return OcrResult(tuple(lines), "\n".join(line.text for line in lines), mean)

    def _found(self, image: Image, side: int) -> bool:
        seen = self._engine(
            _pixels(image, side / max(image.size)), use_det=True, use_cls=False, use_rec=False
        )
        return seen is not None and seen.boxes is not None and len(seen.boxes) > 0

    @cached_property
    def _engine(self) -> Any:
        try:
            from rapidocr import RapidOCR
        except ImportError as error:
            raise MissingDependency(
                f"RapidOCR cannot be imported: {error}", "ocr", "pip install rapidocr"
            ) from error
        return RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "Det.limit_type": "max",
                "Det.limit_side_len": _DETECT,
            }
        )


def read_text(image: Image) -> str:
    """The writing in a picture, in reading order, with the one shared `Ocr`; "" when there is none."""
    return _shared().read(image).text


@cache
def _shared() -> Ocr:
    return Ocr()


def _pixels(image: Image, scale: float) -> Any:
    """The picture at another size, as the BGR array that RapidOCR takes."""
    import numpy as np

    if scale != 1.0:
        width, height = image.size
        image = image.resize((max(1, round(width * scale)), max(1, round(height * scale))))
    return np.ascontiguousarray(np.asarray(image)[:, :, ::-1])


def _box(corners: Sequence[Sequence[float]], scale: float) -> tuple[float, float, float, float]:
    across = [float(x) / scale for x, _ in corners]
    down = [float(y) / scale for _, y in corners]
    return min(across), min(down), max(across), max(down)
