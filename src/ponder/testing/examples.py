"""Small contents of every kind, made in memory, and stored rows of them."""

from __future__ import annotations

from collections.abc import Sequence

from ponder.records import Candidate, Content, Item, Passage, Row
from ponder.testing.fakes import FakeEmbedder, FakeReasoner
from ponder.testing.words import digest


def text_content(text: str, *, passage_words: int = 12) -> Content:
    """A text in passages of `passage_words` words; one passage is none, as the whole says it already."""
    passages: list[Passage] = []
    pieces = text.split(" ")
    start = 0
    for first in range(0, len(pieces), passage_words):
        piece = " ".join(pieces[first : first + passage_words])
        passages.append(Passage(piece, start, start + len(piece)))
        start += len(piece) + 1
    kept = tuple(passages) if len(passages) > 1 else ()
    return Content("text", digest(text), text=text, text_source="given", passages=kept)


def picture_content(rgb: tuple[int, int, int], size: int = 64) -> Content:
    """A picture of one colour."""
    from PIL import Image

    return Content("image", digest(f"picture {rgb} {size}"), images=(Image.new("RGB", (size, size), rgb),))


def clip_content(*shots: tuple[int, int, int], size: int = 64) -> Content:
    """A clip: a shot of two seconds for each colour, with two frames."""
    from PIL import Image

    return Content(
        "video",
        digest(f"clip {shots} {size}"),
        images=tuple(Image.new("RGB", (size, size), rgb) for rgb in shots for _ in range(2)),
        times=tuple(0.5 + i for i in range(2 * len(shots))),
        segments=tuple((2.0 * i, 2.0 * i + 2) for i in range(len(shots))),
        duration=2.0 * len(shots),
    )


def page_content(text: str) -> Content:
    """A page: a white picture with a text layer."""
    from PIL import Image

    inside = text_content(text)
    return Content(
        "page",
        digest(f"page {text}"),
        text=text,
        text_source="layer",
        passages=inside.passages,
        images=(Image.new("RGB", (64, 90), (255, 255, 255)),),
    )


def contents_of_every_kind() -> list[Content]:
    """A text, a page, a picture and a clip."""
    return [
        text_content("The cello is a bowed string instrument, tuned in fifths, played sitting down."),
        page_content(
            "Invoice for one harbour crane. The crane lifts forty tonnes and turns on a rail of steel. "
            "Payment is due within thirty days of the delivery to the harbour in Rotterdam."
        ),
        picture_content((220, 20, 20)),
        clip_content((20, 20, 220), (20, 160, 20)),
    ]


def rows_of(contents: Sequence[Content], *, tokens: int = 64) -> list[Row]:
    """Rows as the fakes would store them; ids count up from "0"."""
    reasonings = FakeReasoner().reason(contents, role="document", tokens=tokens)
    vectors = FakeEmbedder().embed_documents(contents, reasonings)
    return [
        Row(Item(str(i), content.kind, text=content.text), reasoning, embedded, content.digest)
        for i, (content, reasoning, embedded) in enumerate(zip(contents, reasonings, vectors, strict=True))
    ]


def candidates_of(rows: Sequence[Row]) -> list[Candidate]:
    """The rows as an earlier stage would hand them on, first best."""
    return [Candidate(row, "", 1.0 - i / 100, i + 1) for i, row in enumerate(rows)]
