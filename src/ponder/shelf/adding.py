"""Indexing files into a shelf: plan, remove what has gone, store what is new."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING

from ponder.errors import BackendFailed, BadArguments
from ponder.index.codecs import Undecodable
from ponder.media.scan import plain
from ponder.records import Skipped
from ponder.shelf.catalog import NAME as CATALOG
from ponder.shelf.catalog import Catalog, Entry, bookkeeping
from ponder.shelf.ingest import Ingest, MediaOpener
from ponder.shelf.lost import IndexLost, brings_back
from ponder.shelf.making import SPOOL, Here, MakesRows, Spreads
from ponder.shelf.plan import Plan, Task, make_plan
from ponder.shelf.refused import Blamed, Refusal
from ponder.shelf.report import AddReport, Progress
from ponder.shelf.shard import Shard
from ponder.shelf.writer import ITEMS_AT_ONCE, Writer

if TYPE_CHECKING:
    from ponder.shelf.shelf import Shelf


def add_paths(
    shelf: Shelf,
    paths: Sequence[str | os.PathLike[str]],
    *,
    follow_links: bool,
    workers: int,
    commit_every: int,
    progress: Progress | None,
    spread: Spreads | None = None,
    shard: Shard | None = None,
) -> AddReport:
    """What `Shelf.add` does under the write lock."""
    began = time.perf_counter()
    # Built before anything is looked at: other models than the shelf's are refused at once.
    models = shelf.models
    opener = MediaOpener(shelf.manifest.limits)
    ingest = Ingest(models, shelf.cache, reason_tokens=shelf.manifest.reason_tokens, opener=opener)
    maker: MakesRows = Here(ingest, workers) if spread is None else spread(ingest, shelf.path / SPOOL)
    plan, known = plan_paths(shelf, paths, follow_links=follow_links, shard=shard)
    if plan.tasks and not known.by_path:
        # Nothing was stored, or else all that was is stored again now.
        shelf.begin()
    removed = shelf.index.remove(plan.gone) if plan.gone else 0
    for start in range(0, len(plan.touched), ITEMS_AT_ONCE):
        _stamp(shelf, plan.touched[start : start + ITEMS_AT_ONCE])
    added, updated, skipped, refusals = _store(shelf, plan, maker, commit_every, progress)
    if plan.gone or plan.touched or plan.tasks:
        known = stored_catalog(shelf)
    known.refused = {refusal.id: refusal for refusal in (*plan.refused, *refusals)}
    if known.stamp:
        # Without one nothing was read, as of an index that has gone: the old one still says what was in it.
        known.write(shelf.path / CATALOG)
    return AddReport(
        added=added,
        updated=updated,
        unchanged=plan.unchanged,
        removed=removed,
        skipped=(*plan.skipped, *skipped),
        tokens=maker.usage,
        seconds=time.perf_counter() - began,
        ignored=plan.ignored,
    )


def plan_paths(
    shelf: Shelf,
    paths: Sequence[str | os.PathLike[str]],
    *,
    follow_links: bool,
    shard: Shard | None = None,
) -> tuple[Plan, Catalog]:
    """What indexing `paths` would do, and what is known of the shelf's files."""
    if not paths:
        raise BadArguments("no path to index", "PATH", "name a file or a folder")
    known = _known(shelf, [plain(path) for path in paths], shard)
    limits = shelf.manifest.limits
    opener = MediaOpener(limits)
    return make_plan(paths, known, opener, limits, follow_links=follow_links, shard=shard), known


def stored_catalog(shelf: Shelf) -> Catalog:
    """What the index says of files, without what is known of refused ones.

    Raises:
        BackendFailed: It cannot be read.
    """
    # Opened first: where there is no table, that makes one. The stamp before the sources: what another
    # writer commits between the two is then not taken for known.
    index = shelf.index
    stamp = shelf.stamp
    try:
        entries = list(map(Entry.stored, index.sources()))
    except Undecodable as error:
        raise BackendFailed(
            f"what is stored of some file is damaged: {error}",
            str(shelf.path),
            f"ponder doctor {quote(str(shelf.path))} --deep names it",
        ) from error
    return Catalog((entry for entry in entries if entry is not None), stamp=stamp)


def _known(shelf: Shelf, roots: Sequence[str], shard: Shard | None) -> Catalog:
    try:
        return Catalog.read(shelf.path / CATALOG, shelf.stamp) or stored_catalog(shelf)
    except IndexLost:
        if not brings_back(shelf.path, roots, shard):
            raise
        return Catalog(())


def _stamp(shelf: Shelf, tasks: Sequence[Task]) -> None:
    rows = {row.item.id: row for row in shelf.index.get([task.item.id for task in tasks])}
    shelf.index.add(
        [
            replace(rows[task.item.id], source=bookkeeping(task.file, task.of))
            for task in tasks
            if task.item.id in rows
        ]
    )


def _store(
    shelf: Shelf, plan: Plan, maker: MakesRows, commit_every: int, progress: Progress | None
) -> tuple[int, int, list[Skipped], list[Refusal]]:
    added = updated = done = 0
    skipped: list[tuple[int, Skipped]] = []
    refusals: list[Refusal] = []
    total = len(plan.tasks)
    if not total:
        return added, updated, [], refusals
    made = maker.make([task.item for task in plan.tasks])
    with Writer(shelf.index, commit_every) as writer, closing(made):
        for some in made:
            for place, row in some.rows:
                task = plan.tasks[place]
                if isinstance(row, Skipped):
                    skipped.append((place, Skipped(row.uri, row.error)))
                    if isinstance(row, Blamed):
                        refusals.append(Refusal.of(task.item.id, task.file, row))
                else:
                    writer.put(replace(row, source=bookkeeping(task.file, task.of)), whole=some.whole)
                    added += task.old is None
                    updated += task.old is not None
                done += 1
                if progress is not None:
                    progress(done, total, len(plan.skipped) + len(skipped))
            if some.whole:
                writer.flush()
    skipped.sort(key=lambda each: each[0])
    return added, updated, [each for _, each in skipped], refusals
