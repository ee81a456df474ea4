"""A cascade: stages in order, checked before they run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ponder.cascade.ledger import whole_number
from ponder.cascade.stages import Rerank, Retrieve, Stage, Step, Think
from ponder.errors import BadArguments
from ponder.protocols import PricesQueries
from ponder.rerank.fusion import LARGEST

if TYPE_CHECKING:
    from ponder.cascade.search import Search
    from ponder.media.limits import Limits
    from ponder.protocols import Models, Searchable

OnFault = Literal["raise", "keep"]

_KEEP = {"ecr": 20, "query-aware": 10}
"""What a stage named without a number judges: ECRs are cheap to read, query-aware reasoning is not."""


@dataclass(frozen=True, slots=True)
class Cascade(Step):
    """Stages in order, made by ``>>`` or `parse_stages`.

    Example:
        >>> cascade = Retrieve(100) >> Rerank("ecr", keep=20) >> Rerank("query-aware", keep=10)
        >>> cascade == default_cascade()
        True
        >>> str(cascade)
        'retrieve:100,ecr:20,query-aware:10'
    """

    stages: tuple[Stage, ...]

    def _steps(self) -> tuple[Stage, ...]:
        return self.stages

    def __str__(self) -> str:
        return ",".join(str(stage) for stage in self.stages)

    def check(self, models: Models) -> None:
        """Find what cannot run before anything runs.

        Raises:
            BadArguments: `Retrieve` is not the first stage, or comes again; `Think` does not follow it;
                a name comes twice; the models have no such reranker; a number is out of range; a stage
                judges more than the one before passed on.
        """
        first, *rest = self.stages or (None,)
        if not isinstance(first, Retrieve):
            # A stage that nobody knows is said to be that, and not to be out of place.
            if isinstance(first, Rerank):
                first.judge(models)
            raise BadArguments("a cascade begins with retrieve", f"stages {self}", "put retrieve first")
        for name, times in Counter(stage.name for stage in self.stages).items():
            if times > 1:
                raise BadArguments(f"{times} stages are named {name!r}", f"stages {self}", "name it once")
        whole_number(first.k, "k of retrieve", least=1)
        reach: Stage = first
        passed = first.k
        for place, stage in enumerate(rest, start=1):
            if isinstance(stage, Think):
                whole_number(stage.tokens, "tokens of think", least=1)
                if place > 1:
                    raise BadArguments(
                        "think searches anew and would undo the judges' work",
                        f"stages {self}",
                        "put think right after retrieve",
                    )
                if not isinstance(models.embedder, PricesQueries):
                    raise BadArguments(
                        "this embedder cannot say what a query costs",
                        f"models {models.name}",
                        "leave think out, or give it query_tokens",
                    )
            elif isinstance(stage, Rerank):
                self._check_rerank(stage, models, reach, passed)
                reach, passed = stage, stage.keep

    def _check_rerank(self, stage: Rerank, models: Models, reach: Stage, passed: int) -> None:
        judge = stage.judge(models)
        if whole_number(stage.keep, f"keep of {stage.name}", least=1) > passed:
            raise BadArguments(
                f"{stage.name} judges {stage.keep}, but {reach.name} passes on {passed}",
                f"stages {self}",
                "let keep fall from stage to stage",
            )
        weight = stage.weigh(judge)
        if not 0 <= weight <= LARGEST:
            raise BadArguments(
                f"weight {weight}", f"stage {stage.name}", f"give a number from 0 to {LARGEST:g}"
            )
        if stage.share is not None and not 0 <= stage.share <= 1:
            raise BadArguments(
                f"share {stage.share}", f"stage {stage.name}", "give a part of the budget, 0 to 1"
            )
        if stage.normalise not in ("raw", "zscore", "minmax"):
            raise BadArguments(
                f"normalise {stage.normalise!r}", f"stage {stage.name}", "known: raw, zscore, minmax"
            )

    def on(
        self, searchable: Searchable, *, on_fault: OnFault = "raise", limits: Limits | None = None
    ) -> Search:
        """The search that runs this cascade on a shelf, or on anything with an index and its models.

        Args:
            searchable: Where to search.
            on_fault: What a failing engine does. "raise" lets `BackendFailed` through; "keep" keeps the
                earlier stage's order and flags the stage in the trace.
            limits: Bounds on the query's media; the media room's own unless told.

        Raises:
            BadArguments: See `check`.

        Example:
            >>> from ponder.testing import FakeShelf
            >>> search = default_cascade().on(FakeShelf(["a red kite", "a blue whale", "a red red fox"]))
            >>> ranking = search("red kite", budget=64, k=2)
            >>> [hit.item.text for hit in ranking], ranking.usage.spent <= 64
            (['a red kite', 'a red red fox'], True)
        """
        from ponder.cascade.search import Search

        if on_fault not in ("raise", "keep"):
            raise BadArguments(f"on_fault {on_fault!r}", "cascade", "known: raise, keep")
        self.check(searchable.models)
        return Search(self, searchable, on_fault, limits)


def default_cascade() -> Cascade:
    """Retrieve 100, judge the ECRs of 20, reason anew about 10."""
    return Retrieve(100) >> Rerank("ecr", keep=20) >> Rerank("query-aware", keep=10)


def parse_stages(text: str) -> Cascade:
    """The cascade that ``--stages`` names.

    Each stage is ``NAME`` or ``NAME:NUMBER``: k of retrieve, tokens of think, keep of a reranker. Without
    a number, a reranker judges as many as in the default cascade, at most what the stage before passes
    on. Which rerankers there are is the models' matter: see `Cascade.check`.

    Raises:
        BadArguments: A stage has no name, or what follows the colon is no number.

    Example:
        >>> parse_stages("retrieve,ecr,query-aware") == default_cascade()
        True
        >>> str(parse_stages("retrieve:10, ecr"))
        'retrieve:10,ecr:10'
    """
    stages: list[Stage] = []
    passed: int | None = None
    for part in text.split(","):
        name, colon, digits = (piece.strip() for piece in part.partition(":"))
        if not name or (colon and not (digits.isascii() and digits.isdigit())):
            raise BadArguments(
                f"stage {part.strip()!r} not understood", f"stages {text!r}", "write NAME or NAME:NUMBER"
            )
        number = int(digits) if digits else None
        if name == Retrieve.name:
            retrieve = Retrieve() if number is None else Retrieve(number)
            stages.append(retrieve)
            passed = retrieve.k
        elif name == Think.name:
            stages.append(Think() if number is None else Think(number))
        else:
            default = _KEEP.get(name, 20)
            keep = number if number is not None else min(default, passed or default)
            stages.append(Rerank(name, keep))
            passed = keep
    return Cascade(tuple(stages))
