"""What a shelf can be asked: a search, a batch of them, more like this."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ponder.index.stored import StoredIndex
from ponder.protocols import BlobCache, Models
from ponder.records import Query, Ranking
from ponder.shelf.manifest import Manifest

if TYPE_CHECKING:
    from ponder.cascade import Cascade
    from ponder.cascade.cascade import OnFault
    from ponder.cascade.pacing import Allocation
    from ponder.cascade.search import Search as CascadeSearch


class Searches(ABC):
    """Searches of whatever has an index and the models that filled it: the half of a shelf that only reads.

    Attributes:
        path: The folder.
        manifest: What the shelf was made with.
    """

    path: Path
    manifest: Manifest

    @property
    @abstractmethod
    def index(self) -> StoredIndex:
        """Where the rows are."""

    @property
    @abstractmethod
    def models(self) -> Models:
        """What embeds, reasons and judges."""

    @property
    @abstractmethod
    def cache(self) -> BlobCache:
        """Where reasonings and vectors are kept by content."""

    def search(
        self,
        query: str | Query,
        k: int = 10,
        budget: int = 0,
        stages: str | Cascade | None = None,
        where: str | None = None,
        on_fault: OnFault = "raise",
        allocate: Allocation = "uniform",
        explain: bool = False,
        gates: bool = True,
    ) -> Ranking:
        """Search with a cascade.

        Args:
            query: Text, or a `Query` with media.
            k: How many hits to return, at most.
            budget: The most tokens that reasoner and judges may read and write for this query; 0 is plain
                retrieval over the stored vectors.
            stages: A cascade, or its stages as in ``--stages``; the default cascade unless told.
            where: Only among items that this filter keeps (`ponder.index.filters`).
            on_fault: What a failing model does: "raise" ends the search, "keep" goes on without its stage
                and says so in the trace and in the stage's note (`ponder.cascade.Cascade.on`).
            allocate: "uniform" spends the budget while there is someone to judge; "adaptive" only while the
                first place is open (`ponder.cascade.pacing`).
            explain: Also reckon what could be asked next (`Ranking.next`); no tokens are spent on it.
            gates: Whether a stage is left out for queries that it was measured not to help.

        Raises:
            BadArguments: `k`, `budget`, `stages`, `on_fault` or `allocate` cannot be used.
            InputInvalid: The query or the filter cannot be used, or the models are not the shelf's.
            InputNotFound: The query's media are not there.
            MissingDependency: The models' weights are not there.
            BackendFailed: A model or the index failed.
        """
        search = self.searching(stages, on_fault)
        return search(query, budget=budget, k=k, where=where, allocate=allocate, explain=explain, gates=gates)

    def search_batch(
        self,
        queries: Sequence[str | Query],
        k: int = 10,
        budget: int = 0,
        stages: str | Cascade | None = None,
        where: str | None = None,
        on_fault: OnFault = "raise",
        allocate: Allocation = "adaptive",
        gates: bool = True,
    ) -> list[Ranking]:
        """Search for many within one budget: tokens go to the queries whose first place is open.

        Args:
            queries: Texts, or `Query` objects.
            k: How many hits to return for each, at most.
            budget: The mean of tokens a query: all together spend at most ``budget * len(queries)``.
            stages: As for `search`.
            where: As for `search`.
            on_fault: As for `search`.
            allocate: "adaptive" shares the budget (`ponder.cascade.purse`); "uniform" gives each query the
                mean.
            gates: As for `search`.

        Returns:
            A ranking for each query, in their order.

        Raises:
            PonderError: As for `search`.
        """
        search = self.searching(stages, on_fault)
        return search.batch(queries, budget=budget, k=k, where=where, allocate=allocate, gates=gates)

    def recommend(
        self,
        like: Sequence[str],
        dislike: Sequence[str] = (),
        k: int = 10,
        budget: int = 0,
        stages: str | Cascade | None = None,
        where: str | None = None,
        allocate: Allocation = "uniform",
        explain: bool = False,
    ) -> Ranking:
        """Find more like some items and less like others (`ponder.cascade.recommending`).

        Args:
            like: Ids of one item or more.
            dislike: Ids.
            k: How many hits to return, at most; the examples are not among them.
            budget: The most tokens that judges may read and write, over what the liked have in common.
            stages: As for `search`.
            where: As for `search`.
            allocate: As for `search`.
            explain: As for `search`.

        Raises:
            BadArguments: Nothing is liked, or an item is liked and disliked.
            InputNotFound: One of the items is not on the shelf.
            PonderError: Else as for `search`.
        """
        from ponder.cascade import parse_stages
        from ponder.cascade.recommending import recommend

        return recommend(
            self,
            like,
            dislike,
            k=k,
            budget=budget,
            cascade=parse_stages(stages) if isinstance(stages, str) else stages,
            where=where,
            allocate=allocate,
            explain=explain,
            limits=self.manifest.limits,
        )

    def searching(self, stages: str | Cascade | None = None, on_fault: OnFault = "raise") -> CascadeSearch:
        """A cascade on this shelf, ready to be asked: at once, as a batch, or stage by stage.

        Args:
            stages: As for `search`.
            on_fault: As for `search`.

        Raises:
            BadArguments: The stages cannot be used.
        """
        from ponder.cascade import default_cascade, parse_stages

        cascade = parse_stages(stages) if isinstance(stages, str) else stages or default_cascade()
        return cascade.on(self, on_fault=on_fault, limits=self.manifest.limits)
