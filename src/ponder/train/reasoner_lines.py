"""Prompts and answers of a reasoner's training: what the student is asked, in the tokens that it reads."""

from __future__ import annotations

from collections.abc import Sequence

from ponder.models.local.engine import LocalEngine
from ponder.presets.spec import ReasonerSpec
from ponder.reason.chat import ChatReasoner, Wording
from ponder.shelf.ingest import Ingest
from ponder.train.chat_base import reasoner_spec
from ponder.train.gathering import answer_of
from ponder.train.lessons import Lesson
from ponder.train.reasoner_data import ReasonerJob, ReasonerReady
from ponder.train.stacks import Line
from ponder.train.student import Student


def chat_reasoner(job: ReasonerJob, engine: LocalEngine) -> ChatReasoner:
    """The reasoner that the student is to be: the models' own, with another engine."""
    spec = reasoner_spec(job.models) or ReasonerSpec(engine="")
    told = {key: value for key, value in spec.wording.model_dump().items() if value}
    return ChatReasoner(
        engine,
        wording=Wording(**told),
        trace=spec.trace,
        least=spec.least,
        words=spec.words,
        frames=spec.frames,
    )


class Lines:
    """Prompts and answers of a training, made when they are needed: pictures are large.

    Args:
        job: The training.
        ready: Its lessons.
        student: Renders; None renders without weights, for an estimate.
    """

    def __init__(self, job: ReasonerJob, ready: ReasonerReady, student: Student | None) -> None:
        self._job, self._ready = job, ready
        self.engine = student.engine if student else LocalEngine(job.base)
        if student is None:
            self.engine.loaded = ready.loaded
        self._reasoner = chat_reasoner(job, self.engine)
        self._ingest = Ingest(job.models, job.cache)

    @property
    def count(self) -> int:
        """Of lessons, or of preferences."""
        return len(self._ready.preferences or self._ready.kept)

    def of(self, place: int) -> list[Line]:
        """The line of a lesson, or the two of a preference, the chosen one first.

        Raises:
            InputNotFound, InputInvalid: The document was changed or removed since it was looked at.
        """
        if self._ready.preferences:
            two = self._ready.preferences[place]
            return self._lines([two.chosen, two.rejected])
        return self._lines([self._ready.kept[place]])

    def _lines(self, lessons: Sequence[Lesson]) -> list[Line]:
        content = self._ingest.document(lessons[0].item).content
        prompt = self._reasoner.prompt(content, "document")
        loaded, renderer = self.engine.loaded, self.engine.renderer
        ids = self.engine.fitted(prompt, 1).ids
        answers = [answer_of(loaded, renderer, each.ecr, ids, traces=self._job.traces) for each in lessons]
        rendered = self.engine.fitted(prompt, max(map(len, answers)))
        self.engine.forget()
        return [Line(rendered, answer) for answer in answers]
