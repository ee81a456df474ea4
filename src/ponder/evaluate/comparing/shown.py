"""What queries and documents look like: words, and a small picture in a folder beside the report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ponder.errors import InputInvalid, InputNotFound, MissingDependency
from ponder.evaluate.beir import load_beir
from ponder.evaluate.comparing.runs import Part
from ponder.evaluate.mmeb.asking import asking
from ponder.evaluate.mmeb.loading import load
from ponder.evaluate.mmeb.tasks import task_named
from ponder.media.content import open_content, open_query
from ponder.media.limits import Limits
from ponder.records import Content, Item, Query

SIDE = 224
"""Pixels of a picture's longer side."""

# One frame of a clip: enough to tell which it is.
_LIMITS = Limits(max_side=SIDE, max_page_side=2 * SIDE, page_dpi=50, max_frames=1, frame_side=SIDE)

_TEXT = 160
"""Characters of a text."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The queries and documents of a data set or task.

    Attributes:
        queries: By id, as the run names them.
        items: By id or name.
        relevant: Query → its right answers, best first.
        pictures: The folder that small pictures go to; None for words only.
    """

    queries: Mapping[str, Query] = field(default_factory=dict)
    items: Mapping[str, Item] = field(default_factory=dict)
    relevant: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pictures: Path | None = None

    def query(self, name: str) -> tuple[str, str]:
        """Words, and the picture's file name; "" for what is not there."""
        query = self.queries.get(name)
        if query is None:
            return "", ""
        words = query.text or query.instruction
        try:
            return _short(words), self._picture(open_query(query, _LIMITS))
        except (InputInvalid, InputNotFound, MissingDependency):
            return _short(words), ""

    def document(self, name: str) -> tuple[str, str]:
        """The same of a document."""
        item = self.items.get(name)
        if item is None:
            return "", ""
        try:
            content = open_content(item, _LIMITS)
        except (InputInvalid, InputNotFound, MissingDependency):
            return _short(item.text), ""
        return _short(item.text or content.text), self._picture(content)

    def _picture(self, content: Content) -> str:
        """Write the picture, once for each content."""
        if self.pictures is None or not content.images:
            return ""
        image = content.images[0].copy()
        image.thumbnail((SIDE, SIDE))
        name = hashlib.sha256(image.tobytes()).hexdigest()[:16] + ".jpg"
        self.pictures.mkdir(parents=True, exist_ok=True)
        image.save(self.pictures / name, quality=80)
        return name


def shown(data: Path | None, part: Part, pictures: Path | None) -> Shown:
    """Where words and pictures come from.

    Args:
        data: The BEIR folder of an evaluation, or the data directory of MMEB-V2; None where there is none.
        part: The data set or task.
        pictures: As for `Shown`.

    Raises:
        PonderError: The data cannot be read.
    """
    if data is None:
        return Shown()
    if part.split:
        dataset = load_beir(data, split=part.split)
        ordered = {
            each.query.id: tuple(
                sorted((d for d, g in each.grades.items() if g > 0), key=lambda d: -each.grades[d])
            )
            for each in dataset.queries
        }
        queries = {each.query.id: each.query for each in dataset.queries}
        return Shown(queries, {item.id: item for item in dataset.items}, ordered, pictures)
    loaded = load(data, task_named(part.name))
    told = asking(part.name, loaded.parsed, loaded.root, local=loaded.task.local)
    return Shown(
        {str(question.number): question.asked for question in told.questions},
        {str(told.names[item.id]): item for item in told.items},
        {str(row): tuple(map(str, q.info.label_names)) for row, q in enumerate(loaded.parsed.queries)},
        pictures,
    )


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _TEXT else words[:_TEXT] + " …"
