"""What a part must do. Third-party parts implement these and pass the suites in `ponder.testing`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from ponder.records import (
    Candidate,
    Choice,
    Content,
    Embedded,
    Judgement,
    Kind,
    Match,
    Reasoning,
    Role,
    Row,
    Trust,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Reads = Literal["ecr", "media"]


@runtime_checkable
class Reasoner(Protocol):
    """Writes embedding-centric reasoning (ECR) about contents."""

    @property
    def fingerprint(self) -> str:
        """Model, revision, prompt and settings: equal fingerprints give equal reasoning."""
        ...

    def reason(self, contents: Sequence[Content], *, role: Role, tokens: int) -> list[Reasoning]:
        """Reason about each content, writing at most `tokens` tokens each; 0 gives no added knowledge.

        For role "query", ``usage.spent <= tokens`` for each.
        """
        ...


@runtime_checkable
class Embedder(Protocol):
    """Embeds content together with its reasoning."""

    @property
    def fingerprint(self) -> str:
        """As for `Reasoner`."""
        ...

    @property
    def dim(self) -> int:
        """Length of every vector."""
        ...

    def embed_documents(self, contents: Sequence[Content], reasonings: Sequence[Reasoning]) -> list[Embedded]:
        """Vectors of each content's parts, unit norm."""
        ...

    def embed_queries(
        self, contents: Sequence[Content], reasonings: Sequence[Reasoning | None]
    ) -> NDArray[np.float32]:
        """float32 array of shape (queries, dim), rows of unit norm; None embeds the plain query."""
        ...


@runtime_checkable
class HasBlocks(Protocol):
    """An embedder whose vectors consist of blocks, each a representation of its own."""

    @property
    def blocks(self) -> dict[str, tuple[int, int]]:
        """Name → where the block begins and ends; the most important first."""
        ...


@runtime_checkable
class ReadsInstructions(Protocol):
    """An embedder for which a document's vector depends on what it is for (`Content.instruction`)."""

    @property
    def reads_instructions(self) -> bool:
        """Whether it does; the contents of documents carry `Item.instruction` only where it says so."""
        ...


@runtime_checkable
class PricesQueries(Protocol):
    """An embedder that can say what a query costs it: the cascade's `Think` needs one.

    The plain query's embedding is free; embedding it again with its reasoning is not.
    """

    def query_tokens(self, content: Content, reasoning: Reasoning | None) -> int:
        """Tokens that `embed_queries` reads for this query, in the embedder's own tokens."""
        ...


@runtime_checkable
class Reranker(Protocol):
    """Judges candidates for a query within a token limit."""

    @property
    def name(self) -> str:
        """Short name, as in ``--stages``."""
        ...

    @property
    def fingerprint(self) -> str:
        """As for `Reasoner`."""
        ...

    @property
    def reads(self) -> Reads:
        """Whether it reads stored reasoning only, or opens media."""
        ...

    @property
    def weight(self) -> float:
        """Default fusion weight of its score beside the earlier stage's (LamRA; fitted on dev)."""
        ...

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """Judge candidates from the first on, spending at most `limit` tokens read + written.

        Candidates that cannot be afforded get no verdict. The order of the candidates given is that
        of the earlier stage.
        """
        ...


@runtime_checkable
class PricesJudging(Protocol):
    """A reranker that can say beforehand what judging costs, so that none is held back for it in vain."""

    def price(self, query: Content, candidates: Sequence[Candidate]) -> int | None:
        """Tokens that `Reranker.rerank` would spend on all of these, or more; None where it cannot say.

        Spends none itself.
        """
        ...


@runtime_checkable
class JudgesApart(Protocol):
    """A reranker whose verdict on a candidate does not depend on who else is judged.

    It can be asked in rounds, so that the cascade stops when the order is no longer open.
    """

    def swing(self, query: Content, candidate: Candidate) -> float | None:
        """How far its verdicts on such a candidate lie apart: their standard deviation, before weighting.

        Returns:
            ``math.inf`` where that is not known: then it is estimated from the first verdicts. None where
            this query's candidates have to be judged together after all.
        """
        ...


@runtime_checkable
class TellsSizes(Protocol):
    """Models that say how large they are, so that work can be priced where they cannot run."""

    @property
    def billions(self) -> Mapping[str, float]:
        """Parameters, in billions, of ``reasoner``, ``embedder`` and the judges by stage name.

        Parts whose size is not known are left out.
        """
        ...


class Calibrates(Protocol):
    """What was measured about judges."""

    @property
    def embedder(self) -> str:
        """Fingerprint of the embedder whose scores the judges' were weighed against; "" for any."""
        ...

    @property
    def fingerprint(self) -> str:
        """Equal for equal measurements."""
        ...

    def trust(self, stage: str, judge: str, kind: Kind) -> Trust | None:
        """How far a judge counts on a kind of candidate; None where it has not been measured.

        Args:
            stage: The stage's name.
            judge: The judge's fingerprint: another judge of the same name has not been measured.
            kind: Of the candidates.
        """
        ...

    def chance(self, stage: str, judge: str, kind: Kind, score: float, mean: float) -> float | None:
        """Probability that a candidate with this score is relevant; None where that is not known.

        Args:
            stage: As for `trust`.
            judge: As for `trust`.
            kind: As for `trust`.
            score: The judge's.
            mean: Of its scores over the query's candidates of this kind.
        """
        ...


@runtime_checkable
class Sits(Protocol):
    """A reranker that need not read a query again when it is asked about more candidates."""

    def sitting(self) -> Reranker:
        """A judge as this one, for one query and one caller after the other.

        What it has read for the query it counts as cached from then on.
        """
        ...


@runtime_checkable
class Calibrated(Protocol):
    """Models whose judges have been measured. A set without a calibration is used with the prior."""

    @property
    def calibration(self) -> Calibrates | None:
        """What was measured; None for nothing."""
        ...


@runtime_checkable
class SavesTime(Protocol):
    """Models that keep what they computed, and can say what that has saved."""

    @property
    def seconds_saved(self) -> float:
        """What finding results took when they were made, so far: a timing adds it back."""
        ...

    def compute_anew(self) -> None:
        """From now on use nothing that is kept: to measure what computing costs."""
        ...


@runtime_checkable
class Chooser(Protocol):
    """Answers multiple-choice questions. A set of models that has one offers it as ``chooser``."""

    @property
    def fingerprint(self) -> str:
        """As for `Reasoner`."""
        ...

    @property
    def weight(self) -> float:
        """Weight of its scores beside the likeness of question and answer to the item's vector."""
        ...

    def choose(
        self,
        content: Content,
        reasoning: Reasoning,
        question: str,
        candidates: Sequence[str],
        *,
        limit: int,
    ) -> Choice:
        """Score each candidate as the answer, spending at most `limit` tokens read + written.

        A content without text and pictures, with an empty reasoning, is the question asked blind.
        """
        ...


@runtime_checkable
class Index(Protocol):
    """Stores rows and finds the nearest by dot product."""

    def add(self, rows: Sequence[Row]) -> None:
        """Add rows; a row whose item id is there already replaces it. All in or none."""
        ...

    def remove(self, ids: Collection[str]) -> int:
        """Remove items by id; the number that were there."""
        ...

    def search(self, vector: NDArray[np.float32], k: int, where: str | None = None) -> list[Match]:
        """The min(k, items) best items by their best part, best first, ties by id.

        Args:
            vector: Array of shape (dim,).
            k: How many.
            where: Only among items that this filter keeps (`ponder.index.filters`); None for all.

        Raises:
            InputInvalid: A vector of another width, or an invalid filter.
        """
        ...

    def get(self, ids: Sequence[str]) -> list[Row]:
        """The rows of these ids, in this order; ids that are not there are left out."""
        ...

    def __len__(self) -> int:
        """Number of items (not parts)."""
        ...


@runtime_checkable
class BlobCache(Protocol):
    """Content-addressed bytes: what was made once is not made again."""

    def get(self, key: str) -> bytes | None:
        """The bytes under `key`, or None."""
        ...

    def put(self, key: str, value: bytes) -> None:
        """Store `value`; a crash leaves it wholly in or wholly out."""
        ...


@runtime_checkable
class Models(Protocol):
    """A set of models that work together, as a preset builds it.

    A preset is a function ``build(*, cache: BlobCache | None = None) -> Models``, registered under the
    entry point group ``ponder.models``. Building is cheap: weights load at first use, and
    fingerprints are known without them.
    """

    @property
    def name(self) -> str:
        """As in ``--models``."""
        ...

    @property
    def reasoner(self) -> Reasoner:
        """Writes the ECRs."""
        ...

    @property
    def embedder(self) -> Embedder:
        """Embeds item + ECR."""
        ...

    @property
    def rerankers(self) -> Mapping[str, Reranker]:
        """By stage name: "ecr", "query-aware"."""
        ...

    @property
    def reason_tokens(self) -> int:
        """Default length of a document's ECR, in the reasoner's tokens."""
        ...


@runtime_checkable
class Searchable(Protocol):
    """What a cascade runs on: an index with the models that filled it. A shelf is one."""

    @property
    def index(self) -> Index:
        """Where the rows are."""
        ...

    @property
    def models(self) -> Models:
        """What embeds, reasons and judges."""
        ...
