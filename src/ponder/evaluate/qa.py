"""Multiple choice about a picture, page or clip (contract: ``ponder evaluate-qa``)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from ponder.cascade import Ledger
from ponder.errors import InputInvalid
from ponder.evaluate.bootstrap import intervals
from ponder.evaluate.corpus import Corpus
from ponder.evaluate.report import DIGITS, LineRun, rounded, tokens_of, tokens_per_query
from ponder.evaluate.rows import Line, media_path, missing, read_lines, unique_id
from ponder.evaluate.settings import Settings
from ponder.media.content import open_content, open_query
from ponder.media.limits import Limits
from ponder.protocols import Chooser
from ponder.records import Content, Item, Query, Reasoning, Skipped, Usage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Advance = Callable[[int, int], None]

_BLANK = Content("text", hashlib.sha256(b"").hexdigest())
"""What a chooser is shown in place of the media."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one item.

    Attributes:
        id: The row's.
        item: Id of the item.
        text: The question.
        candidates: The answers to choose from.
        answer: Number of the right one, from 0.
    """

    id: str
    item: str
    text: str
    candidates: tuple[str, ...]
    answer: int


@dataclass(frozen=True, slots=True)
class Quiz:
    """A file of questions; an item that several are about is there once."""

    items: tuple[Item, ...]
    questions: tuple[Question, ...]
    skipped: tuple[Skipped, ...]
    file: Path


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was chosen, None where two candidates are equally good, and what that cost."""

    question: Question
    chosen: int | None
    usage: Usage

    @property
    def right(self) -> float:
        return float(self.chosen == self.question.answer)


def load_quiz(path: Path) -> Quiz:
    """Read {"_id", "image" | "video" | "page", "question", "candidates", "answer_index"} lines.

    Args:
        path: The file; its folder is what media are relative to. A page is "FILE:N", or "pdf" with "page"
            as in a corpus.

    Raises:
        InputNotFound: There is no such file.
        InputInvalid: A row cannot be used, or there is none that can be run.
    """
    items: dict[str, Item] = {}
    questions: list[Question] = []
    skipped: list[Skipped] = []
    seen: set[str] = set()
    for line in read_lines(path):
        name = unique_id(line, seen)
        item = _item(path.parent, line)
        candidates = line.strings("candidates")
        question = Question(
            name,
            item.id,
            line.text("question", required=True),
            candidates,
            line.integer("answer_index", low=0, high=len(candidates)),
        )
        if item.path and (lost := missing(Path(item.path))):
            skipped.append(lost)
            continue
        items[item.id] = item
        questions.append(question)
    if not questions:
        raise InputInvalid("no question can be run", str(path), "check the lines and the media")
    return Quiz(tuple(items.values()), tuple(questions), tuple(skipped), path)


def run_quiz(
    quiz: Quiz, corpus: Corpus, settings: Settings, advance: Advance | None = None
) -> Iterator[LineRun]:
    """Answer each question at each budget, with and without its media.

    At budget 0 the answer is the candidate whose text, together with the question, is nearest to the
    item's stored vectors. Above, the models' `Chooser`, if they have one, adds its weighted scores. The
    baseline without media puts the question's own vector in place of the item's, and shows the chooser
    nothing. Two best candidates with equal scores are a miss.

    Args:
        quiz: The questions.
        corpus: Their items, indexed.
        settings: Budgets.
        advance: Called with (questions done, questions in all budgets).

    Yields:
        For each budget the contract's line (``budget``, ``accuracy``, ``ci95``, ``no_media``,
        ``tokens_per_query``, and more) and each question's figures.
    """
    items = {item.id: item for item in quiz.items}
    present = {row.item.id for row in corpus.index.get(list(items))}
    questions = [question for question in quiz.questions if question.item in present]
    if not questions:
        error = corpus.skipped[0].error if corpus.skipped else ""
        raise InputInvalid("no item can be opened", "", error)
    chooser: Chooser | None = getattr(corpus.original, "chooser", None)
    done = 0
    for budget in settings.budgets:
        seeing: list[_Answer] = []
        blind: list[_Answer] = []
        for question in questions:
            row = corpus.index.get([question.item])[0]
            content = _BLANK
            if budget and chooser:
                content = open_content(items[question.item], Limits(), text_layer=settings.text_layer)
            prior = _prior(corpus, question, row.embedded.vectors)
            seeing.append(_answer(question, prior, chooser, content, row.reasoning, budget))
            alone = _prior(corpus, question, _vectors(corpus, [question.text]))
            blind.append(_answer(question, alone, chooser, _BLANK, Reasoning(), budget))
            done += 1
            if advance:
                advance(done, len(settings.budgets) * len(questions))
        yield _report(seeing, blind, budget, corpus, (*quiz.skipped, *corpus.skipped))


def _answer(
    question: Question,
    prior: NDArray[np.float32],
    chooser: Chooser | None,
    content: Content,
    reasoning: Reasoning,
    budget: int,
) -> _Answer:
    ledger = Ledger(budget)
    scores = prior
    if chooser and budget:
        grant = ledger.reserve("choose", budget)
        choice = chooser.choose(content, reasoning, question.text, question.candidates, limit=grant.tokens)
        if ledger.settle(grant, choice.usage) and len(choice.scores) == len(question.candidates):
            scores = prior + chooser.weight * _as_array(choice.scores)
    best = [number for number, score in enumerate(scores) if score == max(scores)]
    return _Answer(question, best[0] if len(best) == 1 else None, ledger.usage)


def _prior(corpus: Corpus, question: Question, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Likeness of each candidate to the nearest of `vectors`, float32 of shape (candidates,)."""
    texts = [f"{question.text} {candidate}" for candidate in question.candidates]
    best: NDArray[np.float32] = (_vectors(corpus, texts) @ vectors.T).max(axis=1)
    return best


def _vectors(corpus: Corpus, texts: Sequence[str]) -> NDArray[np.float32]:
    contents = [open_query(Query(text=text), Limits()) for text in texts]
    return corpus.models.embedder.embed_queries(contents, [None] * len(contents))


def _as_array(scores: Sequence[float]) -> NDArray[np.float32]:
    import numpy as np

    return np.asarray(scores, dtype=np.float32)


def _report(
    seeing: Sequence[_Answer],
    blind: Sequence[_Answer],
    budget: int,
    corpus: Corpus,
    skipped: Sequence[Skipped],
) -> LineRun:
    columns = {
        "accuracy": [answer.right for answer in seeing],
        "no_media": [answer.right for answer in blind],
    }
    bounds = intervals(columns)
    fields = {
        "budget": budget,
        "accuracy": round(fmean(columns["accuracy"]), DIGITS),
        "ci95": rounded(bounds["accuracy"]),
        "no_media": round(fmean(columns["no_media"]), DIGITS),
        "tokens_per_query": tokens_per_query([answer.usage for answer in seeing]),
        "models": corpus.models.name,
        "questions": len(seeing),
        "no_media_ci95": rounded(bounds["no_media"]),
        "skipped": [{"uri": each.uri, "error": each.error} for each in skipped],
    }
    rows = (
        {
            "_id": answer.question.id,
            "metrics": {"accuracy": answer.right, "no_media": alone.right},
            "tokens": tokens_of(answer.usage),
            "chosen": answer.chosen,
        }
        for answer, alone in zip(seeing, blind, strict=True)
    )
    return LineRun(fields, tuple(rows))


def _item(folder: Path, line: Line) -> Item:
    given = [name for name in ("image", "video", "pdf") if line.text(name)]
    page = None
    if not given and isinstance(line.values.get("page"), str):
        value, _, digits = line.text("page").rpartition(":")
        if not value or not (digits.isascii() and digits.isdigit()) or int(digits) < 1:
            raise InputInvalid('"page" is not FILE:N', line.where, "N counts from 1")
        given, page = ["page"], int(digits)
    if len(given) != 1:
        raise InputInvalid("not exactly one of image, video and page", line.where, "give one of them")
    if given[0] == "pdf":
        value, page = line.text("pdf"), line.integer("page", low=1)
    elif given[0] != "page":
        value = line.text(given[0])
    path = media_path(folder, value, line.where)
    uri = f"{path}#page={page}" if page else str(path)
    kind = "page" if page else "video" if given[0] == "video" else "image"
    return Item(id=uri, kind=kind, uri=uri, path=str(path), page=page)  # type: ignore[arg-type]
