"""What indexing some paths would do: found by looking at names, sizes and times."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from shlex import quote

from ponder.errors import InputInvalid, InputNotFound
from ponder.media.items import items_of
from ponder.media.limits import Limits
from ponder.media.scan import Source, plain, reaches, scan
from ponder.records import Item, Skipped
from ponder.shelf.catalog import Catalog, Entry, within
from ponder.shelf.ingest import Opener
from ponder.shelf.manifest import INDEX
from ponder.shelf.refused import Refusal
from ponder.shelf.shard import Shard


@dataclass(frozen=True, slots=True)
class Task:
    """An item to make a row of.

    Attributes:
        item: The item.
        file: Its file.
        of: How many items the file holds.
        old: What is stored of the item; None when it is new.
    """

    item: Item
    file: Source
    of: int
    old: Entry | None


@dataclass(slots=True)
class Plan:
    """What there is to do.

    Attributes:
        tasks: Items that are new or whose content has changed, by path.
        touched: Items whose file has another time but the same content: only the time is stored anew.
        gone: Ids of items that are no longer there.
        unchanged: Number of items to leave alone, those touched included.
        skipped: What cannot be indexed, and why.
        refused: What was tried earlier and need not be tried again; those under the paths are in
            `skipped` too.
        ignored: How many files under the paths are of types that are not ours, whatever the shard.
    """

    tasks: list[Task] = field(default_factory=list)
    touched: list[Task] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unchanged: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    ignored: int = 0


def make_plan(
    paths: Sequence[str | os.PathLike[str]],
    catalog: Catalog,
    opener: Opener,
    limits: Limits,
    *,
    follow_links: bool = False,
    shard: Shard | None = None,
) -> Plan:
    """Compare what lies at `paths` with what is stored.

    A file of the same size and time is unchanged, if all its items are stored. Of another time but the
    same size, its content's digest decides. What is stored of a file that has gone from under the paths
    is to be removed; of a file that is there and cannot be read, or that a walk from the paths passes over
    (it was given by its own name, or uploaded), it is kept. What was refused is refused again, untried,
    while its file has the same size and time.

    With a shard all this holds for its files; the others' are neither added, compared nor removed.

    Raises:
        InputNotFound: A path does not exist.
        InputInvalid: There is nothing to index at the paths, nor was there before; or a folder is empty
            that held files, as where a disk is not mounted.
    """
    roots = [plain(path) for path in paths]

    def mine(path: str) -> bool:
        return shard is None or shard.takes(path, roots)

    before: set[str] = set()
    for root in roots:
        here = {path for path in catalog.under(root) if mine(path)}
        if here and _is_empty(root):
            raise _not_mounted(root, len(here))
        before |= here
    found = scan(paths, limits=limits, follow_links=follow_links, nothing=bool(before))
    elsewhere = [
        each
        for each in catalog.refused.values()
        if not (any(within(each.path, root) for root in roots) and mine(each.path))
    ]
    # What is no file here may be one, or a folder full of them, on the machine whose shard it is in.
    skipped = [skip for skip in found.skipped if mine(skip.uri) or not os.path.isfile(skip.uri)]  # noqa: PTH113
    plan = Plan(skipped=skipped, refused=elsewhere, ignored=found.ignored)
    for file in found.sources:
        if mine(file.path):
            _add_file(plan, file, catalog, opener, limits)
    kept = {file.path for file in found.sources}
    unread = [skip.uri for skip in found.skipped]
    for path in sorted(before - kept):
        passed_over = not any(reaches(root, path) for root in roots) or any(
            # Uploads are kept with a shelf. Its index is no document, though earlier ponders took it for one.
            within(path, shelf) and not within(path, f"{shelf}{os.sep}{INDEX}")
            for shelf in found.shelves
        )
        if not (any(within(path, uri) for uri in unread) or (passed_over and os.path.lexists(path))):
            plan.gone += catalog.by_path[path]
    return plan


def _is_empty(root: str) -> bool:
    """Whether `root` is a folder with nothing in it, not even a folder or a hidden file."""
    try:
        with os.scandir(root) as entries:
            return next(entries, None) is None
    except OSError:
        return False


def _not_mounted(root: str, files: int) -> InputInvalid:
    inside = (root.rstrip(os.sep) + os.sep).replace("'", "''")
    condition = f"starts_with(path, '{inside}')"
    return InputInvalid(
        f"the folder is empty now, {files} files of it are stored",
        root,
        f"mount its disk, or take them out: ponder remove SHELF --filter {quote(condition)}",
    )


def _add_file(plan: Plan, file: Source, catalog: Catalog, opener: Opener, limits: Limits) -> None:
    stored = catalog.of(file)
    if stored and all(entry.is_of(file) and entry.of == len(stored) for entry in stored.values()):
        plan.unchanged += len(stored)
        return
    try:
        items = items_of(file, limits)
    except (InputInvalid, InputNotFound) as error:
        plan.skipped.append(Skipped(file.path, f"{error.what}: {error.hint}"))
        plan.unchanged += len(stored)
        return
    plan.gone += sorted(set(stored) - {item.id for item in items})
    for item in items:
        refusal = catalog.refused.get(item.id)
        if refusal is not None and refusal.holds_for(file):
            plan.skipped.append(refusal.skipped)
            plan.refused.append(refusal)
            continue
        task = Task(item, file, len(items), stored.get(item.id))
        if task.old is None:
            plan.tasks.append(task)
        elif task.old.is_of(file) and task.old.of == len(items):
            plan.unchanged += 1
        elif task.old.size == file.size and _same(task, opener):
            plan.touched.append(task)
            plan.unchanged += 1
        else:
            plan.tasks.append(task)


def _same(task: Task, opener: Opener) -> bool:
    try:
        return task.old is not None and opener.digest(task.item) == task.old.digest
    except (InputInvalid, InputNotFound, OSError):
        return False
