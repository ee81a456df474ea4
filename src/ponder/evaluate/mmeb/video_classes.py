"""Classification of clips: five tasks with a shared pool of labels or a list of their own.

Source: https://github.com/TIGER-AI-Lab/VLM2Vec at 6e1e1d42, ``src/data/eval_dataset/``
``video_classification_dataset.py`` and ``ssv2_dataset.py``, as the notes of their behaviour describe them.
"""

from __future__ import annotations

from ponder.evaluate.mmeb.parsed import Info, Parsed, Query, Side
from ponder.evaluate.mmeb.pool import Pool
from ponder.evaluate.mmeb.source import Source
from ponder.evaluate.mmeb.tasks import labels_of

CLIP = "<|video_pad|>"


def by_label(source: Source) -> Parsed:
    """Clip to label; the pool has the queries' labels as they come, then all others of the data set."""
    pool, queries = Pool(), []
    for row in source.rows("video_id", "pos_text"):
        side, problem = filmed(source, str(row["video_id"]))
        names = (row["pos_text"],) if row["pos_text"] is not None else ()
        pool.add_texts(names)
        queries.append(Query(side, Info(names, names, single=bool(names)), problem=problem))
    pool.add_texts(labels_of(source.task))
    return Parsed(queries, pool.candidates)


def by_description(source: Source) -> Parsed:
    """Clip to one of the row's own descriptions; the right one has to be among them."""
    pool, queries = Pool(), []
    for row in source.rows("video_id", "pos_text", "neg_text"):
        side, problem = filmed(source, str(row["video_id"]))
        names = tuple(row["neg_text"] or ())
        labels = (row["pos_text"],) if row["pos_text"] is not None else ()
        pool.add_texts(names)
        queries.append(Query(side, Info(names, labels, single=bool(labels)), problem=problem))
    return Parsed(queries, pool.candidates)


def filmed(source: Source, folder: str, said: str | None = None) -> tuple[Side, str]:
    """A query that shows a clip, and what is wrong with it.

    Args:
        source: Where it is from.
        folder: Of its frames, below the task's media.
        said: What is asked behind the instruction; None asks no more.
    """
    instruction = source.task.query_instruction
    text = f"{CLIP} {instruction}" if said is None else f"{CLIP} {instruction} {said}"
    at = source.path(folder)
    frames = source.frames(at, source.task.num_frames)
    return Side(text, frames, "video", instruction), "" if frames else source.no_frames(at)
