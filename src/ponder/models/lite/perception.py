"""What `lite` perceives before any knowledge is added: classes, features, colours, words, motion."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ponder.models.lite.vision import View, Vision
from ponder.protocols import BlobCache
from ponder.records import Content, Usage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from ponder.models.lite.motion import SegmentMotion

CLASSES_KEPT = 10
"""The likeliest classes that are kept; on `photos` the right one is among five for .97."""

VIEWS: tuple[View, ...] = ("centre", "letterbox")
"""The middle and the whole: on drawings and cut-outs the whole matters more, on photos the middle."""

# Two looks a moment: one more costs 49 tokens a segment and moved no figure on the video set.
_FRAMES_A_SEGMENT = 3
_VERSION = "perception-4"


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """What was seen in a picture or in one stretch of a clip.

    Attributes:
        classes: ``(ImageNet class index, probability)``, the likeliest first.
        features: float32 (1280,), pooled features; zeros where nothing was looked at.
        colours: ``(name, share)`` of the dominant colours.
        span: ``(start, end)`` in seconds; (0, 0) for what is not a clip.
        motion: How the thing in view moves, as in `ponder.models.lite.motion`; "" for what is not a clip.
        confidence: Of `motion`, from 0 to 1.
    """

    classes: tuple[tuple[int, float], ...]
    features: NDArray[np.float32]
    colours: tuple[tuple[str, float], ...] = ()
    span: tuple[float, float] = (0.0, 0.0)
    motion: str = ""
    confidence: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Perception:
    """What was perceived in one content.

    Attributes:
        whole: All of it.
        segments: A clip's segments, in time order; empty for anything else.
        words: Text read in the picture; "" where the content brought its own.
        usage: What it cost: `Vision.tokens_per_image` a view of a picture.
    """

    whole: Glimpse
    segments: tuple[Glimpse, ...] = ()
    words: str = ""
    usage: Usage = field(default_factory=Usage)


class Perceiver:
    """Looks at contents, once each: results are kept by the content's digest.

    Args:
        vision: The classifier.
        cache: Where perceptions are kept between runs; None keeps the last few in memory.
    """

    def __init__(self, vision: Vision, cache: BlobCache | None = None) -> None:
        self._vision, self._cache = vision, cache
        self._recent: dict[str, Perception] = {}

    @property
    def fingerprint(self) -> str:
        """The classifier, and how pictures are looked at."""
        return f"{self._vision.fingerprint}/{'+'.join(VIEWS)}/{_VERSION}"

    def perceive(self, content: Content, *, read: bool = True) -> Perception:
        """Look at a content.

        Args:
            content: Anything; plain text gives an empty perception.
            read: Run OCR on a picture or page that brought no text; False for queries, where it would
                cost more time than all the rest.
        """
        if not content.images:
            return Perception(_nothing())
        key = f"{self.fingerprint}/{content.digest}/{int(read)}"
        found = self._recent.get(key) or self._stored(key)
        if found is None:
            found = self._look(content, read)
            if self._cache is not None:
                self._cache.put(key, _encode(found))
        self._recent[key] = found
        while len(self._recent) > 64:
            del self._recent[next(iter(self._recent))]
        return found

    def glance(self, images: Sequence[Image], views: Sequence[View] = VIEWS) -> tuple[Glimpse, Usage]:
        """Look at pictures of one thing and average what is seen."""
        import numpy as np

        look = self._vision.look(images, views)
        mean = look.probabilities.mean(axis=0)
        best = np.argsort(-mean, kind="stable")[:CLASSES_KEPT]
        classes = tuple((int(i), round(float(mean[i]), 5)) for i in best)
        return Glimpse(classes, look.features.mean(axis=0)), Usage(read=look.tokens)

    def _stored(self, key: str) -> Perception | None:
        data = None if self._cache is None else self._cache.get(key)
        return None if data is None else _decode(data)

    def _look(self, content: Content, read: bool) -> Perception:
        if content.kind == "video":
            return self._clip(content)
        # A page is known by its words; what the classifier says of a page of text ("menu", "web site")
        # is noise, so only its features are kept, for search by picture.
        image = content.images[0]
        whole, usage = self.glance([image])
        words = ""
        if content.kind == "page":
            whole = replace(whole, classes=())
        else:
            from ponder.models.lite.colours import dominant

            whole = replace(whole, colours=tuple(dominant(image, ignore_border=True)))
        if read and not content.text.strip():
            words = self._read(content)
        return Perception(whole, (), words, usage)

    def _read(self, content: Content) -> str:
        """OCR, kept by itself: it takes a hundred times as long as a look, and changes less often."""
        from ponder.models.lite.ocr import FINGERPRINT, read_text

        key = f"{FINGERPRINT}/{content.digest}"
        kept = None if self._cache is None else self._cache.get(key)
        if kept is not None:
            return kept.decode()
        words = read_text(content.images[0])
        if self._cache is not None:
            self._cache.put(key, words.encode())
        return words

    def _clip(self, content: Content) -> Perception:
        from ponder.models.lite.motion import motions

        segments, usage = [], Usage()
        for seen in motions(content.images, content.times, content.segments):
            glimpse, cost = self.glance(_best_crops(content.images, seen))
            usage += cost
            segments.append(
                replace(
                    glimpse,
                    span=(seen.start, seen.end),
                    motion=str(seen.motion),
                    confidence=round(float(seen.confidence), 4),
                )
            )
        return Perception(_together(segments), tuple(segments), "", usage)


def _best_crops(images: Sequence[Image], seen: SegmentMotion) -> list[Image]:
    """The moving thing where it is seen largest; where nothing moves, the frames in the middle."""
    found = [(box, number) for number, box in zip(seen.frames, seen.boxes, strict=True) if box is not None]
    if not found:
        numbers = seen.frames or range(len(images))
        return [images[number] for number in list(numbers)[len(numbers) // 2 :][:1]]
    found.sort(key=lambda pair: (-(pair[0][2] - pair[0][0]) * (pair[0][3] - pair[0][1]), pair[1]))
    return [images[number].crop(box) for box, number in found[:_FRAMES_A_SEGMENT]]


def _nothing() -> Glimpse:
    import numpy as np

    return Glimpse((), np.zeros(1280, np.float32))


def _together(segments: Sequence[Glimpse]) -> Glimpse:
    """A clip as a whole: the mean of its segments."""
    import numpy as np

    if not segments:
        return _nothing()
    sums: dict[int, float] = {}
    for segment in segments:
        for index, probability in segment.classes:
            sums[index] = sums.get(index, 0.0) + probability / len(segments)
    best = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))[:CLASSES_KEPT]
    features = np.stack([segment.features for segment in segments]).mean(axis=0)
    return Glimpse(
        tuple(best), np.asarray(features, np.float32), span=(segments[0].span[0], segments[-1].span[1])
    )


def _encode(perception: Perception) -> bytes:
    import numpy as np

    glimpses = [perception.whole, *perception.segments]
    plain = [{k: v for k, v in asdict(glimpse).items() if k != "features"} for glimpse in glimpses]
    header = {"glimpses": plain, "words": perception.words, "read": perception.usage.read}
    file = io.BytesIO()
    np.savez(
        file,
        header=np.frombuffer(json.dumps(header).encode(), np.uint8),
        features=np.stack([glimpse.features for glimpse in glimpses]),
    )
    return file.getvalue()


def _decode(data: bytes) -> Perception:
    import numpy as np

    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        header: dict[str, Any] = json.loads(stored["header"].tobytes())
        features = stored["features"]
    glimpses = [
        Glimpse(
            tuple((int(i), float(p)) for i, p in plain["classes"]),
            row,
            tuple((str(name), float(share)) for name, share in plain["colours"]),
            (plain["span"][0], plain["span"][1]),
            plain["motion"],
            plain["confidence"],
        )
        for plain, row in zip(header["glimpses"], features, strict=True)
    ]
    return Perception(glimpses[0], tuple(glimpses[1:]), header["words"], Usage(read=header["read"]))
