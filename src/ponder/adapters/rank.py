"""Ranking what is at hand, with the calls that CrossEncoders of sentence-transformers have."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ponder.adapters.hits import tokens_of
from ponder.adapters.searching import BUDGET

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ponder.cascade import Cascade
    from ponder.media.limits import Limits
    from ponder.protocols import BlobCache, Models
    from ponder.records import Query
    from ponder.shelf.given import Given, Ranked


class Ranker:
    """Ranks texts, pictures, clips and pages for a query within a token budget.

    Documents are reasoned about and embedded first, which the budget doesn't cover; the reasoning is kept in
    the cache, by content. Searches of several threads wait for each other.

    Args:
        models: A preset's name, or the models.
        budget: The most tokens that judges read and write for a query; 0 ranks by embeddings alone.
        stages: The cascade, as in ``--stages``; the default one unless told.
        reason_tokens: Longest reasoning about a document, in tokens; the models' own unless told. 0 adds no
            knowledge, which is quicker.
        limits: Bounds on what is opened; the media room's own unless told.
        cache: Where reasonings and vectors are kept; the user's cache unless told.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from ponder.index.cache import Cache
        >>> ranker = Ranker("fake", budget=64, cache=Cache(Path(tempfile.mkdtemp()) / "cache.sqlite"))
        >>> ranker.rank("red kite", ["a blue whale", "a red kite"], top_k=1)[0]["corpus_id"]
        1
        >>> near, far = ranker.predict([("kite", "a kite"), ("kite", "a whale")])
        >>> bool(near > far)
        True
    """

    def __init__(
        self,
        models: str | Models = "lite",
        *,
        budget: int = BUDGET,
        stages: str | Cascade | None = None,
        reason_tokens: int | None = None,
        limits: Limits | None = None,
        cache: BlobCache | None = None,
    ) -> None:
        self.budget, self.stages = budget, stages
        self.reason_tokens, self.limits = reason_tokens, limits
        self._models, self._cache = models, cache
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        """The models' name."""
        return self._models if isinstance(self._models, str) else self._models.name

    @property
    def models(self) -> Models:
        """What reasons, embeds and judges; a preset is built at first use.

        Raises:
            BadArguments: There is no preset of that name.
        """
        with self._lock:
            if isinstance(self._models, str):
                from ponder.models.registry import load

                self._models = load(self._models, cache=self.cache)
            return self._models

    @property
    def cache(self) -> BlobCache:
        """Where reasonings and vectors are kept."""
        with self._lock:
            if self._cache is None:
                from ponder.index.cache import user_cache

                self._cache = user_cache()
            return self._cache

    def rank(
        self,
        query: Given | Query,
        documents: Sequence[Given],
        top_k: int | None = None,
        return_documents: bool = False,
        budget: int | None = None,
    ) -> list[dict[str, Any]]:
        """Rank documents.

        Args:
            query: A text, a `Path`, a PIL picture or its file's bytes, or a mapping with ``text`` and one of
                ``image``, ``video`` and ``page``. A string is a text, never a path.
            documents: The same. A mapping's ``id`` is passed through.
            top_k: How many to return, at most; all unless told.
            return_documents: Whether each entry has the document as it was given, and of a text ``text``.
            budget: Instead of the ranker's own.

        Returns:
            Best first, ``{"corpus_id", "score", "reasoning"}`` with the document's place among those given,
            and its ``id`` if it came with one. A document that cannot be opened comes last, with
            a score of None and why under ``note``.

        Raises:
            PonderError: See `ponder.shelf.given.rank_given`.
        """
        ranked = self.ranked(query, documents, budget=budget)
        found: list[dict[str, Any]] = [
            {"corpus_id": place, "score": hit.score, "reasoning": hit.reason}
            for place, hit in zip(ranked.places, ranked.ranking.hits, strict=True)
        ]
        found += [{"corpus_id": place, "score": None, "note": why} for place, why in ranked.unread.items()]
        for entry in found[:top_k]:
            document = documents[entry["corpus_id"]]
            if isinstance(document, Mapping) and "id" in document:
                entry["id"] = document["id"]
            if return_documents:
                entry["document"] = document
                if isinstance(document, str):
                    entry["text"] = document
        return found[:top_k]

    def predict(self, pairs: Sequence[tuple[Given, Given]], budget: int | None = None) -> NDArray[np.float32]:
        """Score pairs of query and document.

        A cascade's judges weigh the documents of one query against each other: scores compare among the pairs
        of one query in one call, and nowhere else.

        Args:
            pairs: ``(query, document)``.
            budget: For each query, instead of the ranker's own.

        Returns:
            float32 array of shape (pairs,); NaN for a document that cannot be opened.

        Raises:
            PonderError: As for `rank`.
        """
        import numpy as np

        scores = np.full(len(pairs), np.nan, np.float32)
        waiting: dict[Any, list[int]] = {}
        for place, (query, _) in enumerate(pairs):
            # Pictures are told apart as objects, texts by what they say.
            waiting.setdefault(query if isinstance(query, str | bytes) else id(query), []).append(place)
        for places in waiting.values():
            query = pairs[places[0]][0]
            ranked = self.ranked(query, [pairs[place][1] for place in places], budget=budget)
            for place, hit in zip(ranked.places, ranked.ranking.hits, strict=True):
                scores[places[place]] = hit.score
        return scores

    def ranked(
        self, query: Given | Query, documents: Sequence[Given], *, budget: int | None = None
    ) -> Ranked:
        """The same with everything that is known: trace, usage, each stage's scores.

        Args:
            query: As for `rank`.
            documents: As for `rank`.
            budget: As for `rank`.

        Raises:
            PonderError: As for `rank`.
        """
        from ponder.shelf.given import rank_given

        with self._lock:
            return rank_given(
                query,
                documents,
                self.models,
                self.cache,
                budget=self.budget if budget is None else budget,
                stages=self.stages,
                reason_tokens=self.reason_tokens,
                limits=self.limits,
            )


def verdicts(ranked: Ranked) -> list[tuple[int, dict[str, Any]]]:
    """What a framework's reranked documents carry: place, and ``{"score", "rank", "reasoning", "tokens"}``.

    Those that cannot be opened come last, with a score of None and a ``note``.

    Args:
        ranked: The ranking.
    """
    tokens = tokens_of(ranked.ranking.usage)
    found: list[tuple[int, dict[str, Any]]] = [
        (place, {"score": hit.score, "rank": hit.rank, "reasoning": hit.reason, "tokens": tokens})
        for place, hit in zip(ranked.places, ranked.ranking.hits, strict=True)
    ]
    for rank, (place, why) in enumerate(ranked.unread.items(), len(found) + 1):
        found.append((place, {"score": None, "rank": rank, "reasoning": "", "tokens": tokens, "note": why}))
    return found
