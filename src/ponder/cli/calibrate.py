"""``ponder calibrate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponder.cli import options
from ponder.cli.console import print_json, progress, quiet_stdout, show, table
from ponder.cli.partly import finish
from ponder.errors import BadArguments

if TYPE_CHECKING:
    from ponder.evaluate.beir import Dataset
    from ponder.evaluate.calibrating import Judged, LeftOut
    from ponder.rerank.calibration import Calibration


def calibrate(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="BEIR folders with media.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="The file; by default NAME.calibration.json beside --models NAME.yaml."),
    ] = None,
    split: Annotated[str, typer.Option(help="Which qrels/SPLIT.tsv.")] = "dev",
    models: options.Models = "lite",
    stages: options.Stages = None,
    metric: Annotated[
        str, typer.Option(help="The main measure; or one a DIR, as in hit@1,ndcg@5.")
    ] = "hit@1",
    leave_one_out: Annotated[
        bool, typer.Option("--leave-one-out", help="Also try each DIR under what the others give.")
    ] = False,
    budget: Annotated[
        str, typer.Option("--budget", metavar="N,N,…", help="For --leave-one-out.")
    ] = "256,1024",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many queries a DIR, drawn by --seed.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the sample.")] = 0,
    as_json: options.Json = False,
) -> None:
    """Measure how far each judge is to be trusted, and write that down for every search.

    Each judge sees whole blocks of candidates, without a limit of tokens. Its weight is fitted by
    cross-validation; a judge that is not certain to help on a kind of candidate is not asked about it.
    """
    from ponder.evaluate.beir import load_beir
    from ponder.evaluate.calibrating import calibrate as measure
    from ponder.evaluate.calibrating import leave_one_out as try_left_out
    from ponder.evaluate.scaling.pricing import sample
    from ponder.index.cache import user_cache
    from ponder.models.registry import load

    target = _target(out, models)
    if leave_one_out and len(folders) < 2:
        raise BadArguments("nothing is left when one is left out", "--leave-one-out", "give two DIRs or more")
    datasets = [sample(load_beir(folder, split=split), limit, seed) for folder in folders]
    measures = _measures(metric, datasets)
    with quiet_stdout(as_json), user_cache() as cache:
        chosen = load(models, cache=cache)
        cascade = options.cascade_of(stages)
        cascade.check(chosen)
        sets = [_judged(dataset, chosen, cascade, cache) for dataset in datasets]
        with progress("queries") as advance:
            found = measure(sets, measures, advance=advance)
        found.made.update(_made(datasets, models))
        found.save(target)
        tried = list(try_left_out(sets, measures, options.parse_budgets(budget))) if leave_one_out else []
        if as_json:
            print_json({**found.fields(), "left_out": [each.fields() for each in tried]})
    if not as_json:
        _show(found, tried)
        show(f"written to {target}")
    finish([{"uri": each.uri, "error": each.error} for judged in sets for each in judged.skipped])


def _target(out: Path | None, models: str) -> Path:
    from ponder.presets.reading import calibration_beside

    plain, *_ = models.split(",")
    if out is None and not plain.endswith((".yaml", ".yml")):
        raise BadArguments("where to?", "--out", "name a file, to be used as --models NAME,calibration=FILE")
    target = out or calibration_beside(Path(plain).expanduser())
    if not target.absolute().parent.is_dir():
        raise BadArguments("no such folder", f"--out {target}", "make it first")
    return target


def _measures(metric: str, datasets: list[Dataset]) -> dict[str, str]:
    from ponder.evaluate.metrics import METRICS

    told = [name.strip() for name in metric.split(",")]
    if unknown := [name for name in told if name not in METRICS]:
        raise BadArguments(f"unknown measure {unknown[0]!r}", "--metric", f"known: {', '.join(METRICS)}")
    if len(told) not in (1, len(datasets)):
        raise BadArguments(
            f"{len(told)} measures for {len(datasets)} DIRs", "--metric", "give one, or one a DIR"
        )
    names = [dataset.name for dataset in datasets]
    if len(set(names)) < len(names):
        raise BadArguments("two DIRs have the same name", ", ".join(names), "give each once")
    return dict(zip(names, told * len(names) if len(told) == 1 else told, strict=False))


def _judged(dataset: Dataset, models: Any, cascade: Any, cache: Any) -> Judged:
    from ponder.evaluate.calibrating import Judged
    from ponder.evaluate.corpus import build_corpus
    from ponder.evaluate.settings import Settings

    with progress(f"documents of {dataset.name}") as advance:
        corpus = build_corpus(dataset.items, models, cache, Settings(), advance)
    return Judged.of(dataset, corpus, cascade)


def _made(datasets: list[Dataset], models: str) -> dict[str, Any]:
    from importlib.metadata import version

    return {
        "command": ["ponder", *sys.argv[1:]],
        "models": models,
        "ponder": version("ponder"),
        "sets": {each.name: {"split": each.split, "queries": len(each.queries)} for each in datasets},
    }


def _show(found: Calibration, tried: list[LeftOut]) -> None:
    rows = table("stage", "kind", "weight", "tokens", "chances", "why")
    for fit in found.fits:
        curve = "none" if fit.curve is None else type(fit.curve).__name__
        rows.add_row(fit.stage, fit.kind, f"{fit.weight:.3g}", f"{fit.tokens:.0f}", curve, fit.why)
    show(rows)
    if not tried:
        return
    left = table("left out", "measure", "budget", "plain", "with", "gain, 95 %", "harm", "weights")
    for each in tried:
        gain = f"{each.gain.mean:+.3f} [{each.gain.low:+.3f}, {each.gain.high:+.3f}]"
        weights = "; ".join(f"{name} {weight}" for name, weight in each.weights.items())
        harm = "none" if each.harmless else "yes"
        figures = (f"{each.plain:.3f}", f"{each.value:.3f}")
        left.add_row(each.name, each.measure, str(each.budget), *figures, gain, harm, weights)
    show(left)
