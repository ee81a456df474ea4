"""LangChain: a retriever over a shelf, and a document compressor that reranks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ponder.adapters.hits import document_of, metadata_of, text_of
from ponder.adapters.rank import Ranker, verdicts
from ponder.adapters.searching import BUDGET, Searching, not_installed

try:
    from langchain_core.callbacks import CallbackManagerForRetrieverRun, Callbacks
    from langchain_core.documents import BaseDocumentCompressor, Document
    from langchain_core.retrievers import BaseRetriever
    from pydantic import ConfigDict, PrivateAttr
except ImportError as error:
    raise not_installed("langchain-core", "langchain") from error

if TYPE_CHECKING:
    from ponder.cascade import Cascade
    from ponder.protocols import Models
    from ponder.shelf.shelf import Shelf


class PonderRetriever(BaseRetriever):
    """Retrieves from a shelf with a cascade, within a token budget.

    Documents have the item's id, the passage that was found (else the reasoning) as their text, and as
    metadata what `ponder.adapters.hits.metadata_of` says. Besides strings, `invoke` takes a `ponder.Query`
    with a picture, a clip or a page. ``ainvoke`` searches in a thread.

    Args:
        shelf: The folder, or the opened shelf.
        k: Hits, at most.
        budget: The most tokens to read and write for a query; 0 is plain retrieval.
        stages: The cascade, as in ``--stages``; the default one unless told.
        filter: Only items that this expression holds for, as in ``--filter``.

    Raises:
        PonderError: When it is asked: see `ponder.shelf.shelf.Shelf.search`.

    Example:
        >>> PonderRetriever(shelf="shelf", k=3).k
        3
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    shelf: Any
    k: int = 10
    budget: int = BUDGET
    stages: Any = None
    filter: str | None = None
    _searching: Searching = PrivateAttr()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            shelf: str | os.PathLike[str] | Shelf,
            k: int = 10,
            budget: int = BUDGET,
            stages: str | Cascade | None = None,
            filter: str | None = None,
            **more: Any,
        ) -> None: ...

    def model_post_init(self, context: Any, /) -> None:
        """Hold the shelf; it is opened when it is first asked."""
        super().model_post_init(context)
        self._searching = Searching(self.shelf)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        ranking = self._searching.search(query, self.k, self.budget, self.stages, self.filter)
        return [
            Document(id=hit.item.id, page_content=text_of(hit), metadata=metadata_of(hit, ranking.usage))
            for hit in ranking.hits
        ]


class PonderCompressor(BaseDocumentCompressor):
    """Reranks documents with the judges of a set of models, within a token budget.

    The documents' metadata get ``score``, ``rank``, ``reasoning`` and ``tokens``. One that cannot be opened
    comes last, with a score of None and a ``note``.

    Args:
        models: A preset's name, or the models.
        top_n: How many to return, at most; all unless told.
        budget: The most tokens to read and write for a query.
        stages: The cascade; the default one unless told.
        medium: The key of the metadata with the path of a picture, clip or PDF (or a PIL picture) that is
            judged with the text: ``"path"`` for what `PonderRetriever` found. None judges texts only, so that
            a document cannot make a file be opened.

    Raises:
        PonderError: When it is asked: see `ponder.shelf.given.rank_given`.

    Example:
        >>> PonderCompressor(models="fake", top_n=3).top_n
        3
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    models: Any = "lite"
    top_n: int | None = None
    budget: int = BUDGET
    stages: Any = None
    medium: str | None = None
    _ranker: Ranker = PrivateAttr()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            models: str | Models = "lite",
            top_n: int | None = None,
            budget: int = BUDGET,
            stages: str | Cascade | None = None,
            medium: str | None = None,
        ) -> None: ...

    def model_post_init(self, context: Any, /) -> None:
        """Hold the models; they are loaded when they are first asked."""
        super().model_post_init(context)
        self._ranker = Ranker(self.models, budget=self.budget, stages=self.stages)

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """The documents in the judges' order; copies, with the judges' scores.

        Args:
            documents: What was retrieved.
            query: What it was retrieved for.
            callbacks: Not used: models are ponder's own.

        Raises:
            PonderError: See the class.
        """
        if not documents:
            return []
        ranked = self._ranker.ranked(
            query, [document_of(each.page_content, each.metadata, self.medium) for each in documents]
        )
        return [
            documents[place].model_copy(update={"metadata": {**documents[place].metadata, **said}})
            for place, said in verdicts(ranked)[: self.top_n]
        ]
