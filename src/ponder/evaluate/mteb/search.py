"""A cascade as a model of mteb's that searches: any retrieval or reranking task runs through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ponder.cascade import Cascade, default_cascade
from ponder.cascade.pacing import Allocation
from ponder.errors import BadArguments
from ponder.evaluate.corpus import Corpus, build_corpus
from ponder.evaluate.mteb.meta import meta_of
from ponder.evaluate.mteb.rows import Rows, instruction_of
from ponder.evaluate.settings import Settings
from ponder.evaluate.trec_run import falling
from ponder.protocols import BlobCache, Models
from ponder.records import Skipped, Usage


class MtebSearch:
    """mteb's `SearchProtocol` over a cascade.

    Args:
        models: What reasons, embeds and judges.
        cache: Reasonings and vectors by content, so that a task run again embeds nothing.
        budget: The most tokens that a query may cost; 0 is plain retrieval.
        cascade: The stages; the default ones unless told.
        allocate: As for a search.
        folder: Where pictures are written that mteb holds in memory; a temporary one unless told.

    Attributes:
        usage: Tokens of all queries so far.
        skipped: Documents that could not be opened.

    Example:
        >>> import mteb  # doctest: +SKIP
        >>> model = MtebSearch(ponder.load("lite"), ponder.user_cache(), budget=256)  # doctest: +SKIP
        >>> mteb.evaluate(model, mteb.get_tasks(tasks=["NFCorpus"]))  # doctest: +SKIP
    """

    def __init__(
        self,
        models: Models,
        cache: BlobCache,
        *,
        budget: int = 0,
        cascade: Cascade | None = None,
        allocate: Allocation = "uniform",
        folder: Path | None = None,
    ) -> None:
        if budget < 0:
            raise BadArguments("a negative budget", "budget", "give 0 or more")
        self.models, self.cache, self.budget = models, cache, budget
        self._settings = Settings(budgets=(budget,), cascade=cascade or default_cascade(), allocate=allocate)
        self._settings.cascade.check(models)
        self._rows = Rows(folder)
        self._corpus: Corpus | None = None
        self.usage = Usage()
        self.skipped: tuple[Skipped, ...] = ()

    @cached_property
    def mteb_model_meta(self) -> Any:
        """Mteb's record; its revision stands for models, budget and cascade."""
        s = self._settings
        return meta_of(
            self.models, {"budget": self.budget, "cascade": str(s.cascade), "allocate": s.allocate}
        )

    def index(self, corpus: Any, **_: Any) -> None:
        """Reason about and embed a task's documents.

        Args:
            corpus: A dataset with columns ``id``, ``text``, ``title``, ``image``.

        Raises:
            InputInvalid: A row has neither text nor a picture, or no document can be opened.
        """
        items = [self._rows.item(row) for row in corpus]
        self._corpus = build_corpus(items, self.models, self.cache, self._settings)
        self.skipped = self._corpus.skipped

    def search(
        self,
        queries: Any,
        *,
        top_k: int,
        task_metadata: Any = None,
        top_ranked: Mapping[str, Sequence[str]] | None = None,
        **_: Any,
    ) -> dict[str, dict[str, float]]:
        """Rank the indexed documents for each query.

        Args:
            queries: A dataset with columns ``id``, ``text``, ``image``, ``instruction``.
            top_k: Documents to return for each.
            task_metadata: Whose prompt is the instruction of queries that have none.
            top_ranked: For reranking tasks: the only documents that a query is ranked over.

        Returns:
            By query, each document's score. They fall strictly, in single precision too: mteb's metrics are
            trec_eval's, which orders equal scores by ids.

        Raises:
            BadArguments: Nothing was indexed.
        """
        if self._corpus is None:
            raise BadArguments("search before index", "mteb", "call index first")
        instruction = instruction_of(task_metadata) if task_metadata is not None else ""
        found = {}
        for row in queries:
            searched = self._corpus
            if top_ranked is not None:
                searched = searched.part(list(top_ranked[str(row["id"])]))
            ranking = self._settings.cascade.on(searched)(
                self._rows.query(row, instruction),
                budget=self.budget,
                k=top_k,
                allocate=self._settings.allocate,
            )
            self.usage += ranking.usage
            scores = falling(hit.score for hit in ranking)
            found[str(row["id"])] = {hit.item.id: s for hit, s in zip(ranking, scores, strict=True)}
        return found
