"""An index and a shelf in memory: what a cascade runs on, without a disk or a database."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from ponder.errors import BadArguments
from ponder.protocols import Models
from ponder.records import Content, Item, Match, Row
from ponder.testing.fakes import FakeModels
from ponder.testing.words import digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_EQUALS = re.compile(r"\s*(id|kind|uri)\s*=\s*'([^']*)'\s*")


class FakeIndex:
    """Rows in a dictionary, compared one by one.

    Filters are ``id = '…'``, ``kind = '…'`` and ``uri = '…'``; anything else raises `BadArguments`.
    """

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}

    def add(self, rows: Sequence[Row]) -> None:
        """Add or replace; all or none."""
        new = {row.item.id: row for row in rows}
        widths = {row.embedded.vectors.shape[1] for row in [*self._rows.values(), *new.values()]}
        if len(widths) > 1:
            raise BadArguments("vectors of different lengths", str(sorted(widths)), "use one embedder")
        self._rows |= new

    def remove(self, ids: Collection[str]) -> int:
        """Remove by id."""
        return sum(self._rows.pop(id_, None) is not None for id_ in set(ids))

    def search(self, vector: NDArray[np.float32], k: int, where: str | None = None) -> list[Match]:
        """The best by their best part; ties by id."""
        matches = []
        for row in self._chosen(where):
            if vector.shape != row.embedded.vectors.shape[1:]:
                raise BadArguments(f"a vector of shape {vector.shape}", "search", "use this index' embedder")
            scores = row.embedded.vectors @ vector
            best = int(scores.argmax())
            matches.append(Match(row.item.id, float(scores[best]), row.embedded.labels[best], best))
        return sorted(matches, key=lambda match: (-match.score, match.id))[:k]

    def _chosen(self, where: str | None) -> Iterable[Row]:
        if where is None:
            return self._rows.values()
        equals = _EQUALS.fullmatch(where)
        if equals is None:
            raise BadArguments("filter not understood", where, "here only id, kind or uri = '…'")
        name, value = equals.groups()
        return [row for row in self._rows.values() if getattr(row.item, name) == value]

    def get(self, ids: Sequence[str]) -> list[Row]:
        """The rows that are there."""
        return [self._rows[id_] for id_ in ids if id_ in self._rows]

    def __len__(self) -> int:
        return len(self._rows)


class FakeShelf:
    """A searchable in memory.

    Args:
        texts: Texts to add at once.
        models: What reasons, embeds and judges; the fakes unless told.

    Example:
        >>> shelf = FakeShelf(["a red kite", "a blue whale"])
        >>> len(shelf.index), shelf.index.get(["1"])[0].item.text
        (2, 'a blue whale')
    """

    def __init__(self, texts: Iterable[str] = (), models: Models | None = None) -> None:
        self.models: Models = models or FakeModels()
        self.index = FakeIndex()
        self._added = 0
        self.add(Content("text", digest(text), text=text, text_source="given") for text in texts)

    def add(self, contents: Iterable[Content]) -> None:
        """Reason about, embed and store contents; ids count up from "0"."""
        opened = list(contents)
        reasonings = self.models.reasoner.reason(opened, role="document", tokens=self.models.reason_tokens)
        vectors = self.models.embedder.embed_documents(opened, reasonings)
        first, self._added = self._added, self._added + len(opened)
        self.index.add(
            [
                Row(
                    Item(str(first + i), content.kind, text=content.text), reasoning, embedded, content.digest
                )
                for i, (content, reasoning, embedded) in enumerate(
                    zip(opened, reasonings, vectors, strict=True)
                )
            ]
        )
