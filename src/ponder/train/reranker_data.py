"""A reranker's training before it begins: each query's list of documents, as a search would show them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ponder.errors import InputInvalid, InputNotFound, ModelInvalid
from ponder.evaluate.beir import Dataset
from ponder.index.cache import cache_key
from ponder.media.content import open_query
from ponder.media.limits import Limits
from ponder.protocols import BlobCache, Models
from ponder.records import Candidate, Content, Embedded, Item, Query, Reasoning, Row, Skipped
from ponder.rerank.showing import Showing
from ponder.shelf.ingest import Ingest, skipped
from ponder.train.examples import Example, examples_of
from ponder.train.pairs import Pair

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """A query's documents, positives first.

    Attributes:
        query: What is asked.
        key: Of its content and instruction.
        candidates: The documents, each with the part that retrieval would find.
        gains: Grades; 0 for negatives.
        scores: The larger judge's, NaN where there is none.
    """

    query: Query
    key: str
    candidates: tuple[Candidate, ...]
    gains: tuple[int, ...]
    scores: tuple[float, ...]

    @property
    def scored(self) -> int:
        """Documents that the larger judge scored."""
        return sum(not math.isnan(score) for score in self.scores)

    def content(self) -> Content:
        """The query, opened anew."""
        return open_query(self.query, Limits())


@dataclass(frozen=True, slots=True)
class Told:
    """How lists are made.

    Attributes:
        negatives: Most of a query: mined ones first, the nearest before the others.
        fill: Where fewer were mined, take documents at random that no label or pair speaks for.
        promote: Take false negatives for positives.
        suspects: Train on suspect positives too; see `ponder.train.examples.examples_of`.
        seed: Of the random ones.
    """

    negatives: int
    fill: bool
    promote: bool
    suspects: bool
    seed: int


class Listing:
    """Makes the lists of one data set.

    Args:
        models: Their reasoner and embedder make the rows that a judge reads from.
        cache: Has reasonings and vectors, and gets those that are missing.
        showing: What the judge is shown.
        told: How.
        reason_tokens: Longest reasoning about a document; None takes the models' own.
        look_only: Nothing is reasoned about or embedded: what the cache lacks counts with its longest.

    Attributes:
        skipped: What could not be opened or shown, and queries that teach nothing.
    """

    def __init__(
        self,
        models: Models,
        cache: BlobCache,
        showing: Showing,
        told: Told,
        reason_tokens: int | None,
        *,
        look_only: bool = False,
    ) -> None:
        self._look_only = look_only
        self._models, self._showing, self._told = models, showing, told
        self._ingest = Ingest(models, cache, reason_tokens=reason_tokens)
        self.skipped: list[Skipped] = []
        self._rows: dict[str, Row | None] = {}

    def of(self, dataset: Dataset, pairs: Sequence[Pair], advance: Advance) -> list[Listed]:
        """The lists of all queries that have a positive and a negative.

        Raises:
            InputInvalid: No query has a positive in the corpus.
            BackendFailed: A model or the cache failed.
        """
        self._rows = {}
        found = examples_of(dataset, pairs, promote=self._told.promote, suspects=self._told.suspects)
        self.skipped += [*dataset.skipped, *found.left_out()]
        grades = {each.query.id: each.grades for each in dataset.queries}
        lists = []
        for number, example in enumerate(found.kept, 1):
            made = self._listed(example, dataset.items, grades[example.query.id])
            if made is not None:
                lists.append(made)
            advance(number, len(found.kept))
        return lists

    def _listed(self, example: Example, items: Sequence[Item], grades: Mapping[str, int]) -> Listed | None:
        name = example.query.id
        try:
            content = open_query(example.query, Limits())
            vector = None if self._look_only else self._models.embedder.embed_queries([content], [None])[0]
        except ModelInvalid:
            raise
        except (InputInvalid, InputNotFound) as error:
            self.skipped.append(Skipped(f"query {name}", str(error)))
            return None
        if missing := self._showing.query(content).missing:
            self.skipped.append(Skipped(f"query {name}", missing))
            return None
        positives = [row for item in example.positives if (row := self._row(item)) is not None]
        negatives = list(self._negatives(example, items))
        if not positives or not negatives:
            why = "none of its positives can be opened" if not positives else "there is no negative for it"
            self.skipped.append(Skipped(f"query {name}", why))
            return None
        rows = [*positives, *negatives]
        return Listed(
            example.query,
            cache_key(what="query", digest=content.digest, instruction=content.instruction),
            tuple(Candidate(row, *_best(row, vector), rank) for rank, row in enumerate(rows, 1)),
            tuple(max(1, grades.get(row.item.id, 1)) for row in positives) + (0,) * len(negatives),
            tuple(example.scores.get(row.item.id, math.nan) for row in rows),
        )

    def _negatives(self, example: Example, items: Sequence[Item]) -> Iterator[Row]:
        """Mined negatives, then random ones; never the content of what is spared."""
        spared = {row.digest for each in items if each.id in example.spared and (row := self._row(each))}
        wanted = self._told.negatives
        mined = {item.id for item in example.negatives}
        for item in (*example.negatives, *self._random(example, items, mined)):
            if not wanted:
                return
            row = self._row(item)
            if row is not None and row.digest not in spared:
                spared.add(row.digest)
                wanted -= 1
                yield row

    def _random(self, example: Example, items: Sequence[Item], mined: set[str]) -> Iterator[Item]:
        if not self._told.fill:
            return
        chance = random.Random(f"{self._told.seed}/{example.query.id}")
        for item in chance.sample(items, min(len(items), 4 * self._told.negatives + len(example.spared))):
            if item.id not in example.spared and item.id not in mined:
                yield item

    def _row(self, item: Item) -> Row | None:
        """What is stored of a document; None where it cannot be opened or shown."""
        if item.id not in self._rows:
            self._rows[item.id] = None
            try:
                row = self._looked(item) if self._look_only else self._ingest.row(self._ingest.document(item))
                missing = self._showing.candidate(Candidate(row, "", 0.0, 1)).missing
                if missing:
                    self.skipped.append(Skipped(f"document {item.id}", missing))
                else:
                    self._rows[item.id] = row
            except ModelInvalid:
                raise
            except (InputInvalid, InputNotFound) as error:
                self.skipped.append(skipped(item, error))
        return self._rows[item.id]

    def _looked(self, item: Item) -> Row:
        """A row for an estimate."""
        import numpy as np

        document = self._ingest.document(item)
        kept = self._ingest.kept(document)
        unwritten = Reasoning(f"{document.content.text} {'word ' * self._ingest.reason_tokens}")
        nothing = Embedded(("",), np.zeros((1, 1), np.float32))
        return Row(item, kept or unwritten, nothing, document.digest)


def digest_of_lists(lists: Sequence[Listed]) -> str:
    """Over all that a training sees of the data."""
    shown = [
        [
            each.key,
            [[c.row.digest, c.row.reasoning.text, c.part] for c in each.candidates],
            list(each.gains),
            [None if math.isnan(score) else score for score in each.scores],
        ]
        for each in lists
    ]
    return cache_key(what="lists", lists=shown)


def _best(row: Row, vector: NDArray[np.float32] | None) -> tuple[str, float]:
    """Label and score of the part that retrieval would find; the whole without a vector."""
    if vector is None:
        return "", 0.0
    scores = row.embedded.vectors @ vector
    place = int(scores.argmax())
    return row.embedded.labels[place], float(scores[place])
