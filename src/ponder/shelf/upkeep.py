"""Looking after a shelf's index: how near its results are to exact ones, and putting it in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ponder.index.tuning import Tuning, tune
from ponder.shelf.shelf import Shelf
from ponder.shelf.writer import writing


def look(
    shelf: Shelf,
    *,
    queries: int = 100,
    target: float = 0.98,
    progress: Callable[[int, int], None] | None = None,
) -> Tuning:
    """Measure recall@10 on stored vectors; nothing is changed. See `ponder.index.tuning.tune`."""
    return tune(shelf.index, queries=queries, target=target, progress=progress)


def problems(tuning: Tuning) -> list[str]:
    """What is wrong with an index, in words; nothing when it is in order."""
    state, found = tuning.state, []
    if tuning.recall < tuning.target:
        found.append(f"recall@{tuning.k} is {tuning.recall:.3f}, below {tuning.target:g}")
    if state.untidy:
        found.append(
            f"untidy: {state.pieces} pieces, {state.old_versions} old versions or dead rows, "
            f"{state.unindexed} vectors outside the approximate index"
        )
    return found


def repair(
    shelf: Shelf,
    *,
    queries: int = 100,
    target: float = 0.98,
    progress: Callable[[int, int], None] | None = None,
) -> Tuning:
    """Compact; build the approximate index anew if recall is too low; keep the least effort that is enough.

    The effort goes into the manifest and holds for every search of this shelf from then on.

    Returns:
        What was measured in the end.

    Raises:
        BackendFailed: Another process is writing, or the store failed.
    """
    with writing(shelf.path):
        shelf.index.compact()
        found = look(shelf, queries=queries, target=target, progress=progress)
        if found.recall < target:
            shelf.index.reindex()
            found = look(shelf, queries=queries, target=target, progress=progress)
        if found.suggested and found.suggested != found.state.effort:
            shelf.manifest = replace(shelf.manifest, effort=found.suggested)
            shelf.manifest.write(shelf.path)
            # Opened again with the new effort.
            shelf.close()
            recall = next(each.recall for each in found.tried if each.effort == found.suggested)
            found = replace(found, state=shelf.index.state(), recall=recall)
    return found
