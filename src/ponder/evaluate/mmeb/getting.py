"""The commands that get what a task lacks: its rows, and the archives of its media.

Source of the archives' names: the benchmark's own ``experiments/public/data/download_data.sh`` in
https://github.com/TIGER-AI-Lab/VLM2Vec.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from ponder.evaluate.mmeb.hub import download
from ponder.evaluate.mmeb.source import ARCHIVES
from ponder.evaluate.mmeb.tasks import Task

_FRAMES = "video-tasks/frames"


def rows_command(task: Task, data: Path) -> str:
    """Gets the task's rows into ``hf/`` of the data directory."""
    return download(task.repo, data)


def media_commands(task: Task, data: Path) -> list[str]:
    """Get and unpack the archive that the task's media are in, in order; none for pages, which lie in their
    rows.

    An archive that lies there already is only unpacked.

    Example:
        >>> from ponder.evaluate.mmeb.tasks import task_named
        >>> media_commands(task_named("MomentSeeker"), Path("d"))[-1]
        'tar -xzf d/data_basedir/video-tasks/frames/video_mret.tar.gz -C d/data_basedir/video-tasks/frames'
    """
    if task.modality == "visdoc":
        return []
    base = data / "data_basedir"
    archive = _archive(task)
    folder = base / Path(archive).parent
    at = shlex.quote(str(folder))
    commands = []
    if not any(folder.glob(f"{Path(archive).name}*")):
        what = f"hf download {ARCHIVES} --repo-type dataset --include '{archive}*'"
        commands.append(f"{what} --local-dir {shlex.quote(str(base))}")
    file = f"{at}/{Path(archive).name}"
    if task.modality == "image":
        # Linked rather than moved: folders that are there already take what they lack.
        join = [f"cp -Rlf {at}/MMEB/. {at}/", f"rm -r {at}/MMEB"]
        return [*commands, f"tar -xzf {file} -C {at}", *join]
    group = Path(archive).name.partition(".")[0]
    if group in ("video_cls", "video_ret"):
        # These two hold no folder of their own.
        return [*commands, f"mkdir -p {at}/{group}", f"tar -xzf {file} -C {at}/{group}"]
    if group == "video_qa":
        return [*commands, f"cat {file}-0* | tar -xz -C {at}"]
    return [*commands, f"tar -xzf {file} -C {at}"]


def _archive(task: Task) -> str:
    if task.modality == "image":
        return "image-tasks/mmeb_v1.tar.gz"
    group = task.media_root.removeprefix(f"{_FRAMES}/").partition("/")[0]
    return f"{_FRAMES}/{group}.tar.gz"
