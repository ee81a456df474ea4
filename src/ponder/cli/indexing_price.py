"""``ponder index --dry-run``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ponder.cli.console import print_json, quiet_stdout, show, table

if TYPE_CHECKING:
    from ponder.shelf.shard import Shard
    from ponder.spread.maker import Spread
    from ponder.spread.pricing import IndexingPrice


def price(
    shelf: Path,
    paths: Sequence[Path],
    models: str | None,
    reason_tokens: int | None,
    spread: Spread | None,
    shard: Shard | None,
    *,
    follow_links: bool,
    as_json: bool,
) -> None:
    """Print what indexing would take; neither the shelf nor a cache is written to.

    Args:
        shelf: Where it would go; it need not be there.
        paths: What would be indexed.
        models: A preset's name; the shelf's own, or the default of a new one.
        reason_tokens: As for indexing.
        spread: Who would do it.
        shard: Which part of the files; None for all.
        follow_links: As for indexing.
        as_json: Whether to print JSON.
    """
    from ponder.index.cache import Overlay
    from ponder.media.limits import Limits
    from ponder.models.registry import load
    from ponder.shelf.catalog import Catalog
    from ponder.shelf.ingest import MediaOpener
    from ponder.shelf.manifest import Manifest
    from ponder.shelf.opening import DEFAULT_MODELS, open_shelf
    from ponder.shelf.plan import make_plan
    from ponder.spread.pricing import price_indexing

    there = Manifest.read(shelf.expanduser().absolute())
    with quiet_stdout(as_json):
        if there is None:
            limits = Limits()
            opener, known = MediaOpener(limits), Catalog(())
            plan = make_plan(paths, known, opener, limits, follow_links=follow_links, shard=shard)
            chosen = load(models or DEFAULT_MODELS, cache=Overlay(None))
        else:
            with open_shelf(shelf, models, create=False, reason_tokens=reason_tokens) as opened:
                plan = opened.plan(*paths, follow_links=follow_links, shard=shard)
                limits, reason_tokens, chosen = there.limits, there.reason_tokens, opened.models
        items = [task.item for task in plan.tasks]
        found = price_indexing(items, chosen, MediaOpener(limits), reason_tokens, _workers(spread))
        if as_json:
            print_json({**found.fields(), "unchanged": plan.unchanged, "skipped": len(plan.skipped)})
    if not as_json:
        _show(found)


def _workers(spread: Spread | None) -> int:
    if spread is None:
        return 1
    if spread.needs.workers:
        return spread.needs.workers
    if not spread.address and "RAY_ADDRESS" not in os.environ:
        return os.cpu_count() or 1
    from ponder.spread.cluster import connected
    from ponder.spread.needs import room

    with connected(spread.address) as ray:
        return max(1, room(ray.cluster_resources(), spread.needs))


def _show(found: IndexingPrice) -> None:
    rows = table("kind", "items", "tried", "s each", "tokens each", "bytes each")
    for kind, each in found.kinds.items():
        seconds = "?" if each.seconds is None else f"{each.seconds:.3f}"
        rows.add_row(
            kind, f"{each.items:,}", str(each.tried), seconds, f"{each.tokens:.0f}", f"{each.bytes:,.0f}"
        )
    show(rows)
    fields = found.fields()
    show(
        f"{found.items:,} items in {found.shards:,} shards, {found.tokens:,} tokens, "
        f"{found.worker_hours:.2f} h of work: {found.hours:.2f} h on {found.workers} workers of "
        f"{found.megabytes:.0f} MB; the index takes {fields['index_megabytes']:,} MB"
    )
