"""A task from a data directory: its rows read by the loader of its family, and looked through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ponder.evaluate.mmeb import image, moments, pages, video_classes, video_qa, video_retrieval
from ponder.evaluate.mmeb.cutting import cut_clips
from ponder.evaluate.mmeb.parsed import Parsed
from ponder.evaluate.mmeb.pool import checked
from ponder.evaluate.mmeb.source import Source
from ponder.evaluate.mmeb.tasks import Task
from ponder.evaluate.mmeb.written_pages import write_pages

LOADERS: Mapping[str, Callable[[Source], Parsed]] = {
    "image_cls": image.to_texts,
    "image_qa": image.to_texts,
    "image_i2t": image.to_texts,
    "image_t2i": image.text_to_pictures,
    "image_i2i_vg": image.picture_to_pictures,
    "video_classification": video_classes.by_label,
    "ssv2": video_classes.by_description,
    "msrvtt": video_retrieval.text_to_videos,
    "msvd": video_retrieval.text_to_videos,
    "didemo": video_retrieval.text_to_videos,
    "youcook2": video_retrieval.text_to_videos,
    "vatex": video_retrieval.text_to_videos,
    "mvbench": video_qa.mvbench,
    "videomme": video_qa.videomme,
    "nextqa": video_qa.nextqa,
    "egoschema": video_qa.egoschema,
    "activitynetqa": video_qa.activitynetqa,
    "moment_retrieval": moments.moments,
    "momentseeker": moments.momentseeker,
    "vidore": pages.text_to_pages,
    "visrag": pages.text_to_pages,
}
"""By the parser's name, as the official configuration has it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A task that was read.

    Attributes:
        task: Which.
        parsed: As the official loaders form it.
        root: What media paths are relative to.
        revision: Of the data's repository; "" where nothing tells.
        uncut: Clips that are there and not cut into frames.
    """

    task: Task
    parsed: Parsed
    root: Path
    revision: str
    uncut: int = 0


def load(
    data: Path,
    task: Task,
    *,
    write: bool = True,
    cut: bool = True,
    advance: Callable[[int, int], None] | None = None,
) -> Loaded:
    """Read a task.

    Args:
        data: The data directory.
        task: Which.
        write: Put page pictures into files, so that they can be opened; False leaves them in their tables,
            and their paths lead nowhere. Clips are not cut either.
        cut: Cut clips that came whole into frames, in the data directory.
        advance: Called with (pages written or clips cut, all of them).

    Raises:
        InputNotFound: There is no such directory.
        MissingDependency: The task's rows are not here; the error says where they were looked for, and how to
            get them. Missing media are problems of the queries instead.
        InputInvalid: A file cannot be read, or lacks a column.
    """
    source = Source.open(data, task)
    parsed = checked(LOADERS[task.parser](source), local=task.local)
    if write and cut and source.uncut:
        # Read again, as the official loader does: names and order come from what is on the disk.
        source = Source.open(data, task, cut_clips(data, source.uncut, advance))
        parsed = checked(LOADERS[task.parser](source), local=task.local)
    root = write_pages(source, advance) if write and task.modality == "visdoc" else data
    return Loaded(task, parsed, root, source.repo.revision, len(source.uncut))
