"""Text to video, over one pool of all videos: MSR-VTT, MSVD, DiDeMo, YouCook2, VATEX.

Each row is a query and its right video; rows of one video share a candidate. The official loaders stop at a
video with fewer than eight frames; here its query says so and the task is incomplete, since frames got lost.

Source: https://github.com/TIGER-AI-Lab/VLM2Vec at 6e1e1d42, ``src/data/eval_dataset/msrvtt_dataset.py`` and
    its like, as the notes of their behaviour describe them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from ponder.evaluate.mmeb.parsed import Info, Parsed, Query, Side
from ponder.evaluate.mmeb.pool import Pool
from ponder.evaluate.mmeb.source import Source
from ponder.evaluate.mmeb.tables import Row
from ponder.evaluate.mmeb.video_classes import CLIP


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where a data set has its videos and captions.

    Attributes:
        video: Column of the video.
        caption: Column of the caption; where it holds a list, the first is the query.
        name: From the column to the video's name, which is its folder's too.
        clip: Column of the clip's path, where there is one.
    """

    video: str
    caption: str
    name: Callable[[str], str] = str
    clip: str = ""


_COLUMNS = {
    "msrvtt": _Columns("video_id", "caption", clip="video"),
    "msvd": _Columns("video_id", "caption", clip="video"),
    "didemo": _Columns("video", "caption", lambda path: PurePosixPath(path).stem, clip="video"),
    "youcook2": _Columns("id", "sentence", clip="video_path"),
    "vatex": _Columns("videoID", "enCap"),
}


def text_to_videos(source: Source) -> Parsed:
    """Read one of the five."""
    task, columns = source.task, _COLUMNS[source.task.parser]
    pool, queries = Pool(), []
    more = [columns.clip] if columns.clip not in ("", columns.video) else []
    for row in source.rows(columns.video, columns.caption, optional=more):
        name = columns.name(str(row[columns.video]))
        if name not in pool:
            at = source.path(name)
            clip = str(row[columns.clip] or "") if columns.clip else ""
            frames = source.frames(at, task.num_frames, clip)
            side = Side(f"{CLIP} {task.target_instruction}", frames, "video", task.target_instruction)
            pool.add(name, side, _short(source, at, len(frames)))
        said = _first(row, columns.caption)
        asked = Side(f"{task.query_instruction} {said}", instruction=task.query_instruction)
        problem = "" if said else "the row has no caption"
        queries.append(Query(asked, Info((name,), (name,), single=True), problem=problem))
    return Parsed(queries, pool.candidates)


def _first(row: Row, column: str) -> str:
    told = row[column]
    return str((told[0] if told else "") if isinstance(told, list) else told or "")


def _short(source: Source, folder: str, there: int) -> str:
    wanted = source.task.num_frames or 0
    if not there:
        return source.no_frames(folder)
    return f"{there} frames in {folder}, not {wanted}" if there < wanted else ""
