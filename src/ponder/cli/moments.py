"""``ponder evaluate-moments``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ponder.cli import options
from ponder.cli.console import progress, quiet_stdout
from ponder.cli.lines import print_lines


def evaluate_moments(
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", show_default=False)],
    models: options.Models = "lite",
    budget: options.Budgets = options.BUDGETS,
    stages: options.Stages = None,
    reasoning: Annotated[
        Literal["on", "off", "shuffled"], typer.Option(help="As for `ponder evaluate`.")
    ] = "on",
    reason_tokens: options.ReasonTokens = None,
    as_json: options.Json = False,
) -> None:
    """Measure how well moments are found.

    hit@1 over the segments of each query's clip, at each token budget; `no_media` is what guessing would get.
    """
    from ponder.evaluate.corpus import build_corpus
    from ponder.evaluate.moments import load_moments, run_moments
    from ponder.evaluate.settings import Settings
    from ponder.index.cache import user_cache
    from ponder.models.registry import load

    settings = Settings(
        budgets=options.parse_budgets(budget),
        cascade=options.cascade_of(stages),
        reasoning=reasoning,
        reason_tokens=reason_tokens,
    )
    moments = load_moments(file)
    with quiet_stdout(as_json), user_cache() as cache:
        chosen = load(models, cache=cache)
        settings.cascade.check(chosen)
        with progress("segments") as advance:
            corpus = build_corpus(moments.items, chosen, cache, settings, advance)
        with progress("queries") as advance:
            print_lines(run_moments(moments, corpus, settings, advance), "hit@1", as_json)
