"""The stages of a cascade: descriptions only, joined by ``>>``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ponder.errors import BadArguments
from ponder.records import Gate

if TYPE_CHECKING:
    from ponder.cascade.cascade import Cascade, OnFault
    from ponder.cascade.search import Search
    from ponder.media.limits import Limits
    from ponder.protocols import Models, Reranker, Searchable
    from ponder.rerank.fusion import Normalise


class Step:
    """What stages and cascades share: ``a >> b`` joins them, ``a.on(shelf)`` makes them searchable."""

    __slots__ = ()

    def __rshift__(self, after: Step) -> Cascade:
        """This, then `after`. Joining is associative: only the order counts."""
        from ponder.cascade.cascade import Cascade

        if not isinstance(after, Step):
            return NotImplemented
        return Cascade((*self._steps(), *after._steps()))

    def check(self, models: Models) -> None:
        """Find what cannot run before anything runs; see `Cascade.check`."""
        from ponder.cascade.cascade import Cascade

        Cascade(self._steps()).check(models)

    def on(
        self, searchable: Searchable, *, on_fault: OnFault = "raise", limits: Limits | None = None
    ) -> Search:
        """The search that runs this on a shelf; see `Cascade.on`."""
        from ponder.cascade.cascade import Cascade

        return Cascade(self._steps()).on(searchable, on_fault=on_fault, limits=limits)

    def _steps(self) -> tuple[Stage, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Retrieve(Step):
    """Find the nearest items by their stored vectors. Costs nothing; always the first stage.

    Args:
        k: How many candidates later stages may choose from. 100 holds nearly every relevant item of
            the benchmarks' corpora, and searching for more costs no tokens.
    """

    name: ClassVar[str] = "retrieve"
    k: int = 100

    def _steps(self) -> tuple[Stage, ...]:
        return (self,)

    def __str__(self) -> str:
        return f"{self.name}:{self.k}"


NAMED = Gate("pictured", False, 0.5, "thoughts name things, and naming what a page says led away from it")
"""Thinks only where most of what was found is pictures or clips; measured with `lite` (docs/scaling.md)."""


@dataclass(frozen=True, slots=True)
class Think(Step):
    """Reason about the query, embed it with that reasoning, and search again. Follows `Retrieve`.

    Off in the default cascade; docs/scaling.md has what it does on each data set.

    Args:
        tokens: The most tokens that the reasoner may read and write.
        gate: For which queries it is left out; None thinks about each. `NAMED` unless told.
    """

    name: ClassVar[str] = "think"
    tokens: int = 64
    gate: Gate | None = NAMED

    def _steps(self) -> tuple[Stage, ...]:
        return (self,)

    def __str__(self) -> str:
        return f"{self.name}:{self.tokens}"


@dataclass(frozen=True, slots=True)
class Rerank(Step):
    """Let a reranker judge the best candidates and fuse its scores with the earlier stage's.

    Args:
        name: The reranker's name in the models: "ecr", "query-aware", ...
        keep: How many of the best are judged. The others follow in their old order.
        weight: Of the judge's score beside the earlier one; None takes the reranker's own.
        share: Of the budget that is left when the stage begins, how much it may spend; None is .6, and
            all of it for the last stage. What it does not spend goes on to the next.
        normalise: What is done to the judge's scores before they are weighted; see
            `ponder.rerank.fusion.fuse`.
        reranker: A judge of your own instead of the models' one of that name.
    """

    name: str
    keep: int = 20
    weight: float | None = None
    share: float | None = None
    normalise: Normalise = "raw"
    reranker: Reranker | None = None

    def _steps(self) -> tuple[Stage, ...]:
        return (self,)

    def weigh(self, judge: Reranker) -> float:
        """The weight of the judge's scores: the stage's own, or else the judge's."""
        return judge.weight if self.weight is None else self.weight

    def judge(self, models: Models) -> Reranker:
        """The reranker that this stage asks.

        Raises:
            BadArguments: The models have none of that name.
        """
        if self.reranker is not None:
            return self.reranker
        if self.name not in models.rerankers:
            known = ", ".join([Retrieve.name, Think.name, *sorted(models.rerankers)])
            raise BadArguments(f"unknown stage {self.name!r}", f"models {models.name}", f"known: {known}")
        return models.rerankers[self.name]

    def __str__(self) -> str:
        return f"{self.name}:{self.keep}"


Stage = Retrieve | Think | Rerank
