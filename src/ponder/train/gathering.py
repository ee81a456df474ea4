"""ECRs of one data set, from files and from teachers, each with its length and what it does."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ponder.errors import InputInvalid, InputNotFound, ModelInvalid
from ponder.evaluate.beir import Dataset
from ponder.models.local.loading import Loaded
from ponder.models.local.rendering import Renderer
from ponder.protocols import BlobCache, Models
from ponder.reason.chat import reasoned_parts
from ponder.records import Reasoning, Skipped
from ponder.shelf.ingest import Document, Ingest, skipped
from ponder.train.ecrs import Ecr, ecr_of
from ponder.train.lessons import Lesson
from ponder.train.pairs import Pair
from ponder.train.usefulness import Measured, Usefulness

_OPEN = 32


@dataclass(frozen=True, slots=True)
class Sources:
    """Who writes and who measures.

    Attributes:
        teachers: Sets of models whose reasoners write.
        models: Their embedder measures.
        cache: Has reasonings and vectors, and gets those that are missing.
        reason_tokens: Longest reasoning; None takes the teachers' own.
        measures: Whether usefulness is measured.
    """

    teachers: Sequence[Models]
    models: Models
    cache: BlobCache
    reason_tokens: int | None
    measures: bool


class Gathering:
    """The ECRs of one data set.

    Args:
        sources: Who wrote, and with which models it is measured.
        dataset: What they are about.
        pairs: Mined from it.
        renderer: Counts the student's tokens.
        look_only: Nothing is written or measured.
    """

    def __init__(
        self, sources: Sources, dataset: Dataset, pairs: Sequence[Pair], renderer: Renderer, look_only: bool
    ) -> None:
        self._sources, self._renderer, self._look_only = sources, renderer, look_only
        self._items = {item.id: item for item in dataset.items}
        self._useful = Usefulness(dataset, pairs, sources.models, sources.cache)
        self._ingest = Ingest(sources.models, sources.cache)
        self._open: OrderedDict[str, Document] = OrderedDict()
        self._bad: set[str] = set()
        self._reasonings: dict[tuple[str, str], Reasoning] = {}
        self._own: list[Skipped] = []

    @property
    def skipped(self) -> list[Skipped]:
        """What could not be opened."""
        return [*self._own, *self._useful.skipped]

    def lessons(self, written: Iterable[Ecr], advance: Any) -> Iterator[Lesson]:
        """All ECRs about documents of this data set, with their lengths."""
        for ecr in written:
            document = self._document(ecr.id)
            if document is None:
                continue
            if ecr.digest and ecr.digest != document.digest:
                self._own.append(Skipped(f"ECR of {ecr.id}", "the document has changed since it was written"))
                continue
            yield self._lesson(document, ecr)
        wanted = [name for name in self._items if self._useful.measurable(name)]
        total = len(wanted) * len(self._sources.teachers)
        for number, teacher in enumerate(self._sources.teachers):
            ingest = Ingest(teacher, self._sources.cache, reason_tokens=self._sources.reason_tokens)
            for place, name in enumerate(wanted, 1):
                if (document := self._document(name)) is not None:
                    yield from self._taught(ingest, document)
                advance(number * len(wanted) + place, total)

    def measuring(self, total: int, advance: Any) -> Any:
        """A function that measures a lesson, and tells how many of `total` that makes."""
        done = 0

        def measure(lesson: Lesson) -> Measured:
            nonlocal done
            done += 1
            advance(done, total)
            document = self._document(lesson.item.id)
            if self._look_only or not self._sources.measures or document is None:
                return Measured()
            return self._useful.of(document, self._reasonings[lesson.item.id, lesson.ecr.text])

        return measure

    def _taught(self, ingest: Ingest, document: Document) -> Iterator[Lesson]:
        try:
            reasoning = ingest.kept(document) if self._look_only else ingest.reason(document)
        except ModelInvalid:
            raise
        except (InputInvalid, InputNotFound) as error:
            self._own.append(skipped(document.item, error))
            return
        if reasoning is None:
            self._own.append(Skipped(f"document {document.item.id}", "not reasoned about yet"))
            return
        ecr = ecr_of(document.item.id, "document", document.digest, reasoning)
        self._reasonings[document.item.id, ecr.text] = reasoning
        yield self._lesson(document, ecr)

    def _lesson(self, document: Document, ecr: Ecr) -> Lesson:
        if (document.item.id, ecr.text) not in self._reasonings:
            parts = reasoned_parts(document.content, ecr.text)
            self._reasonings[document.item.id, ecr.text] = Reasoning(ecr.text, parts)
        told = Ecr(ecr.id, ecr.text, ecr.trace, ecr.truncated, ecr.role, document.digest, ecr.model)
        return Lesson(document.item, told, len(self._renderer.words(ecr.text)))

    def _document(self, name: str) -> Document | None:
        """A document that can be opened; decoded content is large, so that few are kept."""
        if name in self._bad or name not in self._items:
            return None
        if name not in self._open:
            try:
                document = self._ingest.document(self._items[name])
                _ = document.content
            except (InputInvalid, InputNotFound) as error:
                self._own.append(skipped(self._items[name], error))
                self._bad.add(name)
                return None
            self._open[name] = document
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)
        return self._open[name]


def answer_of(
    loaded: Loaded, renderer: Renderer, ecr: Ecr, ids: Sequence[int], traces: bool
) -> tuple[int, ...]:
    """Tokens that the student is to write: its trace in marks, if it thinks, the text, and the end.

    Args:
        loaded: The model.
        renderer: Its own.
        ecr: What to write.
        ids: The prompt; a template may leave the student within a trace.
        traces: Whether the trace is learned.
    """
    from ponder.models.local.writing_pen import Marks

    marks = Marks(loaded.tokenizer, loaded.ends)
    begun = marks.section(tuple(ids)) == "trace"
    thought: tuple[int, ...] = ()
    if traces and ecr.trace:
        thought = ((), marks.open)[not begun] + renderer.words(ecr.trace) + marks.close
    elif begun:
        thought = marks.close
    return (*thought, *renderer.words(ecr.text), loaded.tokenizer.eos_token_id)
