"""The clip of a long video that shows what is told: QVHighlight, Charades-STA, MomentSeeker.

A candidate is the folder of a clip's frames, and its name that folder's path. The official loader takes the
folders in whatever order the disk has them in; here they are in natural order, so that every machine has the
same pool. Where no folder is called "positive…" it keeps the answer of the row before, and where two are,
takes the one that is listed last: here such a query says so and its task is incomplete.

Source: https://github.com/TIGER-AI-Lab/VLM2Vec at 6e1e1d42, ``src/data/eval_dataset/``
    ``moment_retrieval_datasets.py`` and ``momentseeker_dataset.py``, as the notes of their behaviour describe
    them.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from ponder.evaluate.mmeb.image import PICTURE
from ponder.evaluate.mmeb.parsed import Info, Parsed, Query, Side
from ponder.evaluate.mmeb.pool import Pool
from ponder.evaluate.mmeb.source import Source
from ponder.evaluate.mmeb.tables import Row
from ponder.evaluate.mmeb.video_classes import CLIP, filmed
from ponder.media.frames import natural

_QUERY = "query"
"""Folder of the long video's frames, beside those of its clips."""


def moments(source: Source) -> Parsed:
    """Text and long video to one of its clips."""
    pool, queries = Pool(), []
    for row in source.rows("query", "video_path"):
        video = PurePosixPath(row["video_path"] or "").stem
        side, problem = filmed(source, f"{video}/{_QUERY}", row["query"] or "")
        at = source.path(video)
        clips = [each for each in sorted(source.folders(at), key=natural) if each != _QUERY]
        for each in clips:
            _add(pool, source, f"{at}/{each}")
        right = [each for each in clips if each.startswith("positive")]
        if not problem and len(right) != 1:
            problem = f"{len(right)} clips of {at} are called positive, not 1"
        names, labels = (tuple(f"{at}/{each}" for each in some) for some in (clips, right))
        queries.append(Query(side, Info(names, labels, single=len(labels) == 1), problem=problem))
    return Parsed(queries, pool.candidates)


def momentseeker(source: Source) -> Parsed:
    """Text, text and picture, or text and clip to clips, several of which may be right; all frames are
    shown.
    """
    pool, queries = Pool(), []
    for row in source.rows("query", "positive_frames", "negative_frames", "input_frames"):
        right = _folders(source, row["positive_frames"])
        names = (*right, *_folders(source, row["negative_frames"]))
        for name in names:
            _add(pool, source, name)
        side, problem = _asked(source, row)
        queries.append(Query(side, Info(names, right), problem=problem))
    return Parsed(queries, pool.candidates)


def _add(pool: Pool, source: Source, folder: str) -> None:
    if folder in pool:
        return
    instruction = source.task.target_instruction
    frames = source.frames(folder, source.task.num_frames)
    side = Side(f"{CLIP} {instruction}", frames, "video", instruction)
    pool.add(folder, side, "" if frames else source.no_frames(folder))


def _folders(source: Source, clips: list[dict[str, Any]] | None) -> tuple[str, ...]:
    return tuple(_frames_of(source, each["output_path"]) for each in clips or ())


def _frames_of(source: Source, clip: str) -> str:
    """Folder of a clip's frames: ``a/b.mp4`` has them in ``a_b``."""
    return source.path(f"video_frames/{clip.replace('/', '_').split('.mp4')[0]}")


def _asked(source: Source, row: Row) -> tuple[Side, str]:
    task, shown, said = source.task, row["input_frames"] or "", row["query"] or ""
    if shown.endswith(".mp4"):
        instruction = task.extra["video_instruction"]
        folder = _frames_of(source, shown)
        frames = source.frames(folder, task.num_frames)
        side = Side(f"{CLIP} {instruction} {said}", frames, "video", instruction)
        return side, "" if frames else source.no_frames(folder)
    if shown.endswith(".jpg"):
        instruction = task.extra["image_instruction"]
        path = source.path(f"query_{shown}")
        side = Side(f"{PICTURE} {instruction} {said}", (path,), "image", instruction)
        return side, source.absent(path)
    side = Side(f"{task.query_instruction} {said}", instruction=task.query_instruction)
    return side, f"input_frames is neither .mp4 nor .jpg: {shown!r}" if shown else ""
