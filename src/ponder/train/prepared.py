"""A training set made ready: opened once, reasoned about, measured; duplicates known by their content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ponder.embed.conditioned import Format, Input, document_inputs, query_input
from ponder.errors import InputInvalid, InputNotFound, ModelInvalid
from ponder.index.cache import cache_key
from ponder.media.content import open_query
from ponder.media.limits import Limits
from ponder.records import Item, Query, Reasoning, Skipped
from ponder.shelf.ingest import Document, Ingest, skipped
from ponder.train.batching import Costs, Row
from ponder.train.examples import Example

Advance = Callable[[int, int], None]


@dataclass(slots=True)
class Asked:
    """A query; all that ask the same of a task are one.

    Attributes:
        query: What is asked.
        key: Of its content and instruction.
        tokens: Of its input.
        spared: Digests of documents that never stand against it.
        scores: The judge's, by digest.
    """

    query: Query
    key: str
    tokens: int
    spared: set[str] = field(default_factory=set)
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """A document; all of a task with the same content are one.

    Attributes:
        item: The document.
        digest: Of its content.
        tokens: Of its input.
    """

    item: Item
    digest: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is trained on.

    Attributes:
        tasks: The data sets' names.
        rows: Every query with each of its positives.
        queries: What `Row.query` numbers.
        documents: What `Row.documents` numbers.
        skipped: What cannot be opened.
        alone: Ids of queries that lost all their positives to that.
        unreasoned: Documents that were left without a reasoning.
    """

    tasks: tuple[str, ...]
    rows: tuple[Row, ...]
    queries: tuple[Asked, ...]
    documents: tuple[Target, ...]
    skipped: tuple[Skipped, ...] = ()
    alone: tuple[str, ...] = ()
    unreasoned: int = 0

    @property
    def costs(self) -> Costs:
        """For the plan of batches."""
        return Costs([each.tokens for each in self.queries], [each.tokens for each in self.documents])

    @property
    def scored(self) -> int:
        """Queries of whose documents a judge scored two or more, so that they can be distilled from."""
        return sum(len(each.scores) > 1 for each in self.queries)

    @property
    def digest(self) -> str:
        """Over all that training sees of the data: another training set has another."""
        shown = [
            [row.task, self.queries[row.query].key, *(self.documents[each].digest for each in row.documents)]
            for row in self.rows
        ]
        rules = [[sorted(each.spared), sorted(each.scores.items())] for each in self.queries]
        return cache_key(what="training", rows=shown, rules=rules)


class Measuring(Protocol):
    """Says how a model reads inputs; `ponder.train.base.Ruler` is one."""

    @property
    def form(self) -> Format:
        """How item and reasoning become an input."""
        ...

    @property
    def sees(self) -> bool:
        """Whether the model reads pictures."""
        ...

    def tokens(self, given: Input, side: str) -> int:
        """Tokens that the model reads of an input of a side, "query" or "document"."""
        ...


class Preparing:
    """Makes a training set ready.

    Documents are reasoned about (from the cache where that was done) and opened, so that a file that cannot
    be read is known before training; what was decoded is not kept.

    Args:
        ingest: Opens and reasons.
        ruler: Says how long the model's inputs are.
        negatives: Most hard negatives of a query, the nearest first.
        look_only: Documents without a reasoning stay so, and count with the longest that they can get.
    """

    def __init__(self, ingest: Ingest, ruler: Measuring, negatives: int, *, look_only: bool = False) -> None:
        self._look_only, self._unreasoned = look_only, 0
        self._ingest, self._ruler, self._most = ingest, ruler, negatives
        self._form, self._sees = ruler.form, ruler.sees
        self._queries: list[Asked] = []
        self._documents: list[Target] = []
        self._rows: list[Row] = []
        self._skipped: list[Skipped] = []
        self._alone: list[str] = []

    def of(
        self, tasks: Sequence[tuple[str, Sequence[Example], Sequence[Item]]], advance: Advance
    ) -> Prepared:
        """All tasks, each a name, its examples, and the whole corpus.

        Raises:
            InputInvalid: Nothing is left to train on.
            BackendFailed: The reasoner or the cache failed.
        """
        total = sum(len(examples) for _, examples, _ in tasks)
        done = 0
        for number, (_, examples, items) in enumerate(tasks):
            task = _Task(number, {item.id: item for item in items})
            for example in examples:
                self._example(task, example)
                done += 1
                advance(done, total)
        if not self._rows:
            first = self._skipped[0].error if self._skipped else ""
            raise InputInvalid("nothing is left to train on", ", ".join(name for name, _, _ in tasks), first)
        return Prepared(
            tuple(name for name, _, _ in tasks),
            tuple(dict.fromkeys(self._barred())),
            tuple(self._queries),
            tuple(self._documents),
            tuple(self._skipped),
            tuple(self._alone),
            self._unreasoned,
        )

    def _example(self, task: _Task, example: Example) -> None:
        try:
            content = open_query(example.query, Limits())
        except (InputInvalid, InputNotFound) as error:
            self._skipped.append(Skipped(f"query {example.query.id}", str(error)))
            return
        wanted = (*example.positives, *example.negatives)
        numbers = {item.id: self._document(item, task) for item in wanted}
        positives = dict.fromkeys(n for item in example.positives if (n := numbers[item.id]) is not None)
        if not positives:
            self._alone.append(example.query.id)
            return
        key = cache_key(what="query", digest=content.digest, instruction=content.instruction)
        if key not in task.queries:
            given = query_input(content, None, self._form, sees=self._sees)
            tokens = self._ruler.tokens(given, "query")
            task.queries[key] = len(self._queries)
            self._queries.append(Asked(example.query, key, tokens))
        number = task.queries[key]
        query = self._queries[number]
        query.spared |= set(self._digests(example.spared, task))
        query.spared |= {self._documents[each].digest for each in positives}
        for name, score in example.scores.items():
            for digest in self._digests([name], task):
                query.scores[digest] = score
        negatives = dict.fromkeys(n for item in example.negatives if (n := numbers[item.id]) is not None)
        for positive in positives:
            self._rows.append(Row(task.number, number, (positive, *negatives)))

    def _document(self, item: Item, task: _Task) -> int | None:
        """The number of a document; None where it cannot be opened. Equal contents have one number."""
        if item.id in task.places:
            return task.places[item.id]
        place: int | None = None
        try:
            document = self._ingest.document(item)
            task.digests[item.id] = document.digest
            if document.digest not in task.contents:
                reasoning, more = self._reasoning(document)
                whole = document_inputs(document.content, reasoning, self._form, sees=self._sees)[0]
                tokens = self._ruler.tokens(whole, "document") + more
                task.contents[document.digest] = len(self._documents)
                self._documents.append(Target(item, document.digest, tokens))
            place = task.contents[document.digest]
        except ModelInvalid:
            raise
        except (InputInvalid, InputNotFound) as error:
            self._skipped.append(skipped(item, error))
        task.places[item.id] = place
        return place

    def _reasoning(self, document: Document) -> tuple[Reasoning, int]:
        """A document's reasoning, and tokens that it will be longer by."""
        if not self._look_only:
            return self._ingest.reason(document), 0
        kept = self._ingest.kept(document)
        if kept is not None:
            return kept, 0
        self._unreasoned += 1
        return Reasoning(), self._ingest.reason_tokens

    def _digests(self, names: Iterable[str], task: _Task) -> Iterator[str]:
        """The contents of documents; those that cannot be opened are in no batch."""
        for name in names:
            if name not in task.digests and name in task.corpus:
                try:
                    task.digests[name] = self._ingest.document(task.corpus[name]).digest
                except (InputInvalid, InputNotFound):
                    task.digests[name] = ""
            if found := task.digests.get(name):
                yield found

    def _barred(self) -> Iterator[Row]:
        """The rows, with as many negatives as wanted of those that no example of the query spares."""
        for row in self._rows:
            spared = self._queries[row.query].spared
            negatives = [n for n in row.documents[1:] if self._documents[n].digest not in spared]
            yield Row(row.task, row.query, (row.documents[0], *negatives[: self._most]))


@dataclass(slots=True)
class _Task:
    """What is known of a data set while it is made ready."""

    number: int
    corpus: Mapping[str, Item]
    queries: dict[str, int] = field(default_factory=dict)
    """By content and instruction: the query's number."""
    places: dict[str, int | None] = field(default_factory=dict)
    """By id: the document's number."""
    contents: dict[str, int] = field(default_factory=dict)
    """By digest: the document's number."""
    digests: dict[str, str] = field(default_factory=dict)
    """By id; "" for what cannot be opened."""
