"""LlamaIndex: a retriever over a shelf, and a node postprocessor that reranks."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from ponder.adapters.hits import OWN, document_of, metadata_of, text_of
from ponder.adapters.rank import Ranker, verdicts
from ponder.adapters.searching import BUDGET, Searching, not_installed
from ponder.errors import BadArguments
from ponder.records import Hit, Query, Usage

try:
    from llama_index.core.bridge.pydantic import Field, PrivateAttr
    from llama_index.core.postprocessor.types import BaseNodePostprocessor
    from llama_index.core.retrievers import BaseRetriever
    from llama_index.core.schema import ImageNode, MetadataMode, NodeWithScore, QueryBundle, TextNode
except ImportError as error:
    raise not_installed("llama-index-core", "llama-index") from error

if TYPE_CHECKING:
    from ponder.cascade import Cascade
    from ponder.protocols import Models
    from ponder.shelf.shelf import Shelf

_HIDDEN = [key for key in (*OWN, "item") if key != "uri"]
"""Of the metadata: what a language model is not shown beside the text. It sees where the text comes from."""


class PonderRetriever(BaseRetriever):
    """Retrieves from a shelf with a cascade, within a token budget.

    Nodes have the item's id, the passage that was found (else the reasoning) as their text, and as metadata
    what `ponder.adapters.hits.metadata_of` says. Pictures are `ImageNode`s with their path. A
    `QueryBundle` with an ``image_path`` is searched by the picture and the words.

    Args:
        shelf: The folder, or the opened shelf.
        k: Hits, at most.
        budget: The most tokens to read and write for a query; 0 is plain retrieval.
        stages: The cascade, as in ``--stages``; the default one unless told.
        filter: Only items that this expression holds for, as in ``--filter``.
        **more: As for LlamaIndex's own retrievers.

    Raises:
        PonderError: When it is asked: see `ponder.shelf.shelf.Shelf.search`.

    Example:
        >>> PonderRetriever("shelf", k=3).k
        3
    """

    def __init__(
        self,
        shelf: str | os.PathLike[str] | Shelf,
        *,
        k: int = 10,
        budget: int = BUDGET,
        stages: str | Cascade | None = None,
        filter: str | None = None,
        **more: Any,
    ) -> None:
        self.k, self.budget, self.stages, self.filter = k, budget, stages, filter
        self._searching = Searching(shelf)
        super().__init__(**more)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        query = Query(query_bundle.query_str, image=query_bundle.image_path)
        ranking = self._searching.search(query, self.k, self.budget, self.stages, self.filter)
        return [NodeWithScore(node=_node(hit, ranking.usage), score=hit.score) for hit in ranking.hits]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class PonderPostprocessor(BaseNodePostprocessor):
    """Reranks nodes with the judges of a set of models, within a token budget.

    The nodes' metadata get ``score``, ``rank``, ``reasoning`` and ``tokens``. One that cannot be opened comes
    last, with a score of None and a ``note``.

    Args:
        models: A preset's name, or the models.
        top_n: How many to return, at most; all unless told.
        budget: The most tokens to read and write for a query.
        stages: The cascade; the default one unless told.
        pictures: Whether the pictures of `ImageNode`s with a path are judged with the texts. False judges
            texts only, so that a node cannot make a file be opened.

    Raises:
        PonderError: When it is asked: see `ponder.shelf.given.rank_given`.

    Example:
        >>> PonderPostprocessor(models="fake", top_n=3).top_n
        3
    """

    models: Any = "lite"
    top_n: int | None = None
    budget: int = BUDGET
    stages: Any = Field(default=None, exclude=True)
    pictures: bool = False
    _ranker: Ranker = PrivateAttr()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            models: str | Models = "lite",
            top_n: int | None = None,
            budget: int = BUDGET,
            stages: str | Cascade | None = None,
            pictures: bool = False,
        ) -> None: ...

    def model_post_init(self, context: Any, /) -> None:
        """Hold the models; they are loaded when they are first asked."""
        super().model_post_init(context)
        self._ranker = Ranker(self.models, budget=self.budget, stages=self.stages)

    @classmethod
    def class_name(cls) -> str:
        """As LlamaIndex stores it."""
        return "PonderPostprocessor"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        if query_bundle is None:
            raise BadArguments("no query", "postprocess_nodes", "give query_bundle or query_str")
        if not nodes:
            return []
        query = Query(query_bundle.query_str, image=query_bundle.image_path)
        documents = []
        for each in nodes:
            path = each.node.image_path if isinstance(each.node, ImageNode) else None
            text = each.node.get_content(MetadataMode.NONE)
            documents.append(document_of(text, {"image": path}, "image" if self.pictures else None))
        found = []
        for place, said in verdicts(self._ranker.ranked(query, documents))[: self.top_n]:
            node = nodes[place].node.model_copy()
            node.metadata = {**node.metadata, **said}
            hidden = {*node.excluded_llm_metadata_keys, *said}
            node.excluded_llm_metadata_keys = sorted(hidden)
            node.excluded_embed_metadata_keys = sorted({*node.excluded_embed_metadata_keys, *said})
            found.append(NodeWithScore(node=node, score=said["score"]))
        return found


def _node(hit: Hit, usage: Usage) -> TextNode:
    about: dict[str, Any] = {
        "id_": hit.item.id,
        "text": text_of(hit),
        "metadata": metadata_of(hit, usage),
        "excluded_llm_metadata_keys": _HIDDEN,
        "excluded_embed_metadata_keys": _HIDDEN,
    }
    if hit.item.kind == "image" and hit.item.path:
        return ImageNode(**about, image_path=hit.item.path)
    return TextNode(**about)
