"""Greedy answers to many prompts at a time, within a budget of tokens for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ponder.models.engine import Effort, Written
from ponder.models.local.loading import Loaded
from ponder.models.local.rendering import Rendered
from ponder.models.local.writing_batch import Batch
from ponder.models.local.writing_pen import Marks, Pen
from ponder.models.local.writing_reading import Job, Tensors, positions_of
from ponder.models.local.writing_tree import Stretch, chains, identities
from ponder.records import Usage


@dataclass(frozen=True, slots=True)
class Task:
    """What to write to.

    Attributes:
        rendered: A prompt that fits the context together with what may be written.
        opening: The words that it ends with, as in `Prompt`.
    """

    rendered: Rendered
    opening: str = ""


def write(
    loaded: Loaded,
    tasks: Sequence[Task],
    effort: Effort,
    tensors: Tensors,
    *,
    rows: int | None = None,
    memory: float | None = None,
) -> list[Written]:
    """Write greedily behind each prompt.

    In float32 the answers are those of one prompt at a time, but for rounding where two tokens are equally
    likely.

    Args:
        loaded: The model.
        tasks: In any order; prompts that begin alike have their beginning read once.
        effort: The limits of each answer.
        tensors: What the model reads of pictures; `Renderer.tensors`.
        rows: The most answers side by side; by default what the device is good for.
        memory: Bytes for what is kept of prompts and answers; by default a share of what there is.

    Returns:
        One for each task. Without tokens to write nothing is read. What a second try reads again after
        memory ran out is not counted.
    """
    if effort.total <= 0:
        return [Written(cut=task.rendered.cut, truncated=True) for task in tasks]
    marks = Marks(loaded.tokenizer, loaded.ends)
    known: dict[bytes, int] = {}
    names = [identities(task.rendered, known) for task in tasks]
    jobs: dict[int, Job] = {}
    # Nothing is shared where a layer's state cannot be taken apart.
    shared = chains(names) if loaded.plain else [[Stretch(name, 0)] for name in names]
    for number, (task, chain) in enumerate(zip(tasks, shared, strict=True)):
        ids = task.rendered.ids
        if 0 < len(ids) <= loaded.context - effort.total:
            positions = positions_of(loaded, task.rendered)
            pen = Pen(marks, effort, marks.section(ids, task.opening), undo=loaded.plain)
            jobs[number] = Job(task.rendered, chain, pen, positions, int(positions.max()))
        else:
            for each in chain:
                each.users -= 1
    Batch(loaded, list(jobs.values()), tensors, rows, memory).run()
    counted: set[Stretch] = set()
    return [
        _written(jobs[number], counted)
        if number in jobs
        else Written(cut=task.rendered.cut, error=_misfit(loaded, task, effort))
        for number, task in enumerate(tasks)
    ]


def _written(job: Job, counted: set[Stretch]) -> Written:
    if job.error:
        return Written(cut=job.rendered.cut, error=job.error)
    new = [each for each in job.chain if each not in counted]
    counted.update(new)
    text, truncated = job.pen.text, job.pen.truncated
    return Written(
        text=text,
        trace=job.pen.trace,
        usage=Usage(read=sum(len(each.tokens) for each in new), written=job.pen.spent),
        truncated=truncated,
        cut=job.rendered.cut,
        error="" if text or truncated else "the model ended without a text",
    )


def _misfit(loaded: Loaded, task: Task, effort: Effort) -> str:
    if not task.rendered.ids:
        return "the prompt is empty"
    over = len(task.rendered.ids) + effort.total - loaded.context
    return f"prompt and answer exceed the context of {loaded.context} tokens by {over}"
