"""What ``evaluate-moments`` and ``evaluate-qa`` share: from a file of queries to a line a budget."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ponder.cli.console import print_json, progress, quiet_stdout, show, table
from ponder.cli.partly import finish

if TYPE_CHECKING:
    from ponder.evaluate.corpus import Corpus
    from ponder.evaluate.report import LineRun
    from ponder.evaluate.run_folder import RunFolder
    from ponder.evaluate.settings import Settings
    from ponder.records import Item


class QueryFile(Protocol):
    """Queries of a file and the items that they are about."""

    @property
    def items(self) -> tuple[Item, ...]:
        """To be indexed."""
        ...

    @property
    def file(self) -> Path:
        """What was read."""
        ...


Queries = TypeVar("Queries", bound=QueryFile)
Run = Callable[[Queries, "Corpus", "Settings", Callable[[int, int], None]], "Iterator[LineRun]"]


def measure(
    queries: Queries,
    run: Run[Queries],
    settings: Settings,
    *,
    models: str,
    metric: str,
    counted: tuple[str, str],
    run_dir: Path | None,
    as_json: bool,
) -> None:
    """Index the items, run the queries at each budget, and print a line a budget.

    Args:
        queries: What was read of the file.
        run: `run_moments` or `run_quiz`.
        settings: Budgets, stages, reasoning.
        models: A preset's name.
        metric: Name of the figure that counts.
        counted: What items and queries are called while they are counted.
        run_dir: Where to keep a manifest and each query's figures, if anywhere.
        as_json: Print JSON lines in place of a table.

    Raises:
        typer.Exit: With code 7, when something was skipped.
    """
    from ponder.evaluate.corpus import build_corpus
    from ponder.evaluate.run_folder import RunFolder
    from ponder.index.cache import user_cache
    from ponder.models.registry import load

    with quiet_stdout(as_json), user_cache() as cache:
        chosen = load(models, cache=cache)
        settings.cascade.check(chosen)
        keep = RunFolder(run_dir) if run_dir else None
        with progress(counted[0]) as advance:
            corpus = build_corpus(queries.items, chosen, cache, settings, advance)
        if keep:
            name, command = queries.file.stem, ["ponder", *sys.argv[1:]]
            keep.begin(name, [queries.file], corpus, settings, command)
        with progress(counted[1]) as advance:
            _print(_kept(run(queries, corpus, settings, advance), keep), metric, as_json)


def _kept(runs: Iterable[LineRun], keep: RunFolder | None) -> Iterator[dict[str, Any]]:
    for run in runs:
        if keep:
            keep.add(run.fields["budget"], run.fields, run.queries)
        yield run.fields


def _print(lines: Iterable[dict[str, Any]], metric: str, as_json: bool) -> None:
    """Each line as soon as it is there, or a table at the end; then what was skipped."""
    rows = table("budget", metric, "95 %", "no media", "tokens")
    skipped: list[dict[str, str]] = []
    for line in lines:
        skipped = line["skipped"]
        if as_json:
            print_json(line)
        low, high = line["ci95"]
        tokens = line["tokens_per_query"]
        rows.add_row(
            str(line["budget"]),
            f"{line[metric]:.3f}",
            f"{low:.3f}-{high:.3f}",
            f"{line['no_media']:.3f}",
            f"{tokens['read'] + tokens['written']:.0f}",
        )
    if not as_json:
        show(rows)
    finish(skipped)
