"""Searching from examples: near what is liked, away from what is not, then judged by what the liked share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ponder.cascade.cascade import Cascade, default_cascade
from ponder.cascade.pacing import Allocation
from ponder.cascade.swapped import WithEmbedder
from ponder.errors import BadArguments, InputNotFound
from ponder.protocols import Embedder, Index, Models, Searchable
from ponder.records import Content, Embedded, Query, Ranking, Reasoning, Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ponder.media.limits import Limits

AWAY = 0.25
"""Of the mean of what is disliked, beside 1 of what is liked (Rocchio, 1971). A fifth is the custom (Manning,
Raghavan and Schuetze, Introduction to Information Retrieval, section 9.1.1); a little more, since people name
here what they do not want."""

SHARED_WORDS = 40
"""Of what the liked share, at most: judges read it once for each that they judge."""

_BREAK = re.compile(r"[.;:\n]+|,\s")
_WORD = re.compile(r"\w{3,}")


def recommend(
    searchable: Searchable,
    like: Sequence[str],
    dislike: Sequence[str] = (),
    *,
    k: int = 10,
    budget: int = 0,
    cascade: Cascade | None = None,
    where: str | None = None,
    allocate: Allocation = "uniform",
    explain: bool = False,
    limits: Limits | None = None,
) -> Ranking:
    """Find more like some items and less like others.

    Retrieval is from the stored vectors: the mean of the liked, less `AWAY` of the mean of the disliked. The
    judges then read what the ECRs of the liked have in common (`shared`) as the query; where they share
    nothing, the order of retrieval stands.

    Args:
        searchable: The shelf.
        like: Ids of one item or more.
        dislike: Ids.
        k: Hits, at most; the examples are not among them.
        budget: The most tokens that the judges may read and write.
        cascade: The stages; the default ones unless told.
        where: Only among items that this filter keeps.
        allocate: As for a search.
        explain: As for a search.
        limits: As for a search.

    Raises:
        BadArguments: Nothing is liked, or an item is liked and disliked.
        InputNotFound: One of the items is not there.

    Example:
        >>> from ponder.cascade.recommending import shared
        >>> shared(["A red kite, high in the sky.", "A big red kite, on the ground."])
        'red kite'
    """
    if not like:
        raise BadArguments("nothing is liked", "--like", "name one item or more")
    both = sorted(set(like) & set(dislike))
    if both:
        raise BadArguments(f"liked and disliked: {', '.join(both)}", "--like, --dislike", "choose one")
    liked, disliked = _rows(searchable, like), _rows(searchable, dislike)
    stages = cascade or default_cascade()
    text = shared([row.reasoning.text or row.item.text for row in liked])
    asked = Query(text=text or "more like these", instruction="Find more items like these.")
    if not text:
        stages, budget = Cascade(stages.stages[:1]), 0
    towards = _Towards(
        searchable.index,
        WithEmbedder.of(searchable.models, _One(searchable.models.embedder, _direction(liked, disliked))),
    )
    search = stages.on(towards, limits=limits)
    return search(
        asked,
        budget=budget,
        k=k,
        where=_without([*like, *dislike], where),
        allocate=allocate,
        explain=explain,
    )


def shared(texts: Sequence[str], *, words: int = SHARED_WORDS) -> str:
    """What most of the texts say: phrases that recur, else words that do, the most common first.

    Of one text, its first sentences.

    Args:
        texts: ECRs, or the items' own texts.
        words: Most to return.

    Example:
        >>> shared(["a cat; black fur", "a dog; black fur", "a cow, black fur"])
        'black fur'
        >>> shared(["A boat. Two sails."])
        'A boat. Two sails'
        >>> shared(["one", "other"])
        ''
    """
    if len(texts) == 1:
        return " ".join(texts[0].split()[:words]).rstrip(".")
    most = len(texts) // 2 + 1
    phrases = _counted([_phrases(text) for text in texts], most)
    found = phrases or [" ".join(_counted([_words(text) for text in texts], most))]
    kept: list[str] = []
    for phrase in found:
        if len(" ".join([*kept, phrase]).split()) <= words:
            kept.append(phrase)
    return ", ".join(each for each in kept if each)


def _phrases(text: str) -> list[str]:
    return [phrase for part in _BREAK.split(text.casefold()) if len(phrase := part.strip()) > 2]


def _words(text: str) -> list[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return [word for word in _WORD.findall(text.casefold()) if word not in ENGLISH_STOP_WORDS]


def _counted(texts: Sequence[Sequence[str]], least: int) -> list[str]:
    """What is in `least` of the lists or more; the most common first, then as first said."""
    counts = Counter(each for said in texts for each in dict.fromkeys(said))
    return [each for each, count in counts.most_common() if count >= least]


def _rows(searchable: Searchable, ids: Sequence[str]) -> list[Row]:
    rows = searchable.index.get(list(ids))
    lost = set(ids) - {row.item.id for row in rows}
    if lost:
        raise InputNotFound("no such item", ", ".join(sorted(lost)), "ids are those of search --json")
    return rows


def _direction(liked: Sequence[Row], disliked: Sequence[Row]) -> NDArray[np.float32]:
    import numpy as np

    towards = np.mean([row.embedded.vectors[0] for row in liked], axis=0)
    if disliked:
        towards = towards - AWAY * np.mean([row.embedded.vectors[0] for row in disliked], axis=0)
    found: NDArray[np.float32] = (towards / (np.linalg.norm(towards) or 1.0)).astype(np.float32)
    return found


def _without(ids: Sequence[str], where: str | None) -> str:
    quoted = ", ".join("'" + name.replace("'", "''") + "'" for name in ids)
    others = f"id NOT IN ({quoted})"
    return others if where is None else f"({where}) AND {others}"


@dataclass(frozen=True, slots=True)
class _Towards:
    """A shelf whose queries are one direction."""

    index: Index
    models: Models


@dataclass(frozen=True, slots=True)
class _One:
    """An embedder for which each query is the same direction."""

    embedder: Embedder
    direction: NDArray[np.float32]

    @property
    def fingerprint(self) -> str:
        return self.embedder.fingerprint

    @property
    def dim(self) -> int:
        return self.embedder.dim

    def embed_documents(self, contents: Sequence[Content], reasonings: Sequence[Reasoning]) -> list[Embedded]:
        return self.embedder.embed_documents(contents, reasonings)

    def embed_queries(
        self, contents: Sequence[Content], reasonings: Sequence[Reasoning | None]
    ) -> NDArray[np.float32]:
        import numpy as np

        return np.stack([self.direction for _ in contents])
