"""Haystack: a retriever over a shelf, and a ranker, as components."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ponder.adapters.hits import document_of, metadata_of, text_of, tokens_of
from ponder.adapters.rank import Ranker, verdicts
from ponder.adapters.searching import BUDGET, Searching, not_installed
from ponder.records import Hit, Query, Usage

try:
    from haystack import Document, component, default_from_dict, default_to_dict
except ImportError as error:
    raise not_installed("haystack-ai", "haystack") from error

if TYPE_CHECKING:
    from ponder.cascade import Cascade
    from ponder.protocols import Models
    from ponder.shelf.given import Given
    from ponder.shelf.shelf import Shelf


@component
class PonderRetriever:
    """Retrieves from a shelf with a cascade, within a token budget.

    Documents have the item's id, the passage that was found (else the reasoning) as their content, and as
    meta what `ponder.adapters.hits.metadata_of` says, with ``file_path`` and ``page_number`` as Haystack's
    own converters name them.

    Args:
        shelf: The folder, or the opened shelf.
        top_k: Hits, at most.
        budget: The most tokens to read and write for a query; 0 is plain retrieval.
        stages: The cascade, as in ``--stages``; the default one unless told.
        filters: Only items that this expression holds for, as in ``--filter``.

    Example:
        >>> PonderRetriever("shelf", top_k=3).to_dict()["init_parameters"]["shelf"]
        'shelf'
    """

    def __init__(
        self,
        shelf: str | os.PathLike[str] | Shelf,
        top_k: int = 10,
        budget: int = BUDGET,
        stages: str | Cascade | None = None,
        filters: str | None = None,
    ) -> None:
        self.top_k, self.budget, self.stages, self.filters = top_k, budget, stages, filters
        self._searching = Searching(shelf)

    def to_dict(self) -> dict[str, Any]:
        """For a pipeline's file: a shelf by its path, a cascade by its stages."""
        stages = None if self.stages is None else str(self.stages)
        written: dict[str, Any] = default_to_dict(
            self,
            shelf=self._searching.path,
            top_k=self.top_k,
            budget=self.budget,
            stages=stages,
            filters=self.filters,
        )
        return written

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PonderRetriever:
        """From a pipeline's file."""
        made: PonderRetriever = default_from_dict(cls, data)
        return made

    def warm_up(self) -> None:
        """Open the shelf.

        Raises:
            InputNotFound: There is none in the folder.
        """
        _ = self._searching.shelf.models

    @component.output_types(documents=list[Document], tokens=dict[str, int])
    def run(
        self,
        query: str = "",
        image: str | None = None,
        top_k: int | None = None,
        budget: int | None = None,
        filters: str | None = None,
    ) -> dict[str, Any]:
        """Search.

        Args:
            query: What is asked; may be empty with an image.
            image: Path of a picture to search by.
            top_k: Instead of the component's.
            budget: Instead of the component's.
            filters: Instead of the component's.

        Returns:
            ``documents``, best first, and ``tokens``: ``{"read", "written", "cached"}``.

        Raises:
            PonderError: See `ponder.shelf.shelf.Shelf.search`.
        """
        ranking = self._searching.search(
            Query(query, image=image),
            self.top_k if top_k is None else top_k,
            self.budget if budget is None else budget,
            self.stages,
            self.filters if filters is None else filters,
        )
        documents = [_document(hit, ranking.usage) for hit in ranking.hits]
        return {"documents": documents, "tokens": tokens_of(ranking.usage)}


@component
class PonderRanker:
    """Reranks documents with the judges of a set of models, within a token budget.

    The documents' meta get ``rank``, ``reasoning`` and ``tokens``. One that cannot be opened comes last, with
    a score of None and a ``note``. A document's blob that is a picture is judged with its text.

    Args:
        models: A preset's name, or the models.
        top_k: How many to return, at most; all unless told.
        budget: The most tokens to read and write for a query.
        stages: The cascade; the default one unless told.
        medium: The key of the meta with the path of a picture, clip or PDF that is judged with the text:
            ``"file_path"`` for what `PonderRetriever` found. None opens no file.

    Example:
        >>> PonderRanker("fake", top_k=3).to_dict()["init_parameters"]["models"]
        'fake'
    """

    def __init__(
        self,
        models: str | Models = "lite",
        top_k: int | None = None,
        budget: int = BUDGET,
        stages: str | Cascade | None = None,
        medium: str | None = None,
    ) -> None:
        self.top_k, self.budget, self.stages, self.medium = top_k, budget, stages, medium
        self._ranker = Ranker(models, budget=budget, stages=stages)

    def to_dict(self) -> dict[str, Any]:
        """For a pipeline's file: models by their name, a cascade by its stages."""
        stages = None if self.stages is None else str(self.stages)
        written: dict[str, Any] = default_to_dict(
            self,
            models=self._ranker.name,
            top_k=self.top_k,
            budget=self.budget,
            stages=stages,
            medium=self.medium,
        )
        return written

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> PonderRanker:
        """From a pipeline's file."""
        made: PonderRanker = default_from_dict(cls, data)
        return made

    def warm_up(self) -> None:
        """Build the models.

        Raises:
            BadArguments: There is no preset of that name.
        """
        _ = self._ranker.models

    @component.output_types(documents=list[Document], tokens=dict[str, int])
    def run(
        self, query: str, documents: list[Document], top_k: int | None = None, budget: int | None = None
    ) -> dict[str, Any]:
        """Rerank.

        Args:
            query: What is asked.
            documents: What was retrieved.
            top_k: Instead of the component's.
            budget: Instead of the component's.

        Returns:
            ``documents``, best first: copies with the judges' scores; and ``tokens``.

        Raises:
            PonderError: See `ponder.shelf.given.rank_given`.
        """
        if not documents:
            return {"documents": [], "tokens": tokens_of(Usage())}
        ranked = self._ranker.ranked(query, [self._given(each) for each in documents], budget=budget)
        found = []
        for place, said in verdicts(ranked)[: self.top_k if top_k is None else top_k]:
            score = said.pop("score")
            found.append(replace(documents[place], score=score, meta={**documents[place].meta, **said}))
        return {"documents": found, "tokens": tokens_of(ranked.ranking.usage)}

    def _given(self, document: Document) -> Given:
        text = document.content or ""
        if document.blob is not None and (document.blob.mime_type or "").startswith("image/"):
            return {"text": text, "image": document.blob.data}
        meta = {**document.meta, "page": document.meta.get("page_number")}
        return document_of(text, meta, self.medium)


def _document(hit: Hit, usage: Usage) -> Document:
    meta = metadata_of(hit, usage)
    if hit.item.path:
        meta["file_path"] = hit.item.path
    if hit.item.page:
        meta["page_number"] = hit.item.page
    return Document(id=hit.item.id, content=text_of(hit) or None, meta=meta, score=hit.score)
