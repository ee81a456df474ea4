"""The report of a loop: each round's figures with intervals, counts of decisions, examples, a curve."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from ponder.errors import MissingDependency
from ponder.evaluate.plotting import matplotlib_for
from ponder.feedback.improving import best_of
from ponder.feedback.rounds import Round
from ponder.train.pairs import DECISIONS, Pair, read_pairs

_EXAMPLES = 3
_SHOWN = ("false-negative", "hard-negative", "suspect-positive")


def write_report(out: Path, rounds: Sequence[Round], metric: str, command: Sequence[str]) -> None:
    """Write ``report.md``, ``best`` (the winning models' name), and ``curve.svg`` where it can be drawn.

    Args:
        out: The loop's folder.
        rounds: Round 0 and those that followed.
        metric: The loop's.
        command: As on the command line.
    """
    best = best_of(rounds)
    (out / "best").write_text(best.figures.models + "\n", encoding="utf-8")
    measures = list(dict.fromkeys([metric, "hit@1", "hit@10", "ndcg@10"]))
    lines = [
        "# The loop\n",
        f"```sh\n{shlex.join(command)}\n```\n",
        f"Best: round {best.number}, `--models {best.figures.models}`.\n",
        "## Figures on dev\n",
        "Differences are from round 0, paired, with 95 % intervals over the queries.\n",
        "| round | of | " + " | ".join(measures) + " | tokens | kept |",
        "|---|---|" + "---|" * (len(measures) + 2),
    ]
    for each in rounds:
        for stage, tokens in (("retrieval", 0.0), ("cascade", each.figures.tokens)):
            cells = " | ".join(_cell(each, rounds[0], stage, name) for name in measures)
            lines.append(
                f"| {each.number} | {stage} | {cells} | {tokens:.0f} | {'yes' if each.kept else 'no'} |"
            )
    lines += ["", *(f"Round {each.number}: {each.why}." for each in rounds[1:])]
    if rounds[0].figures.guards:
        lines += ["\n## Guarded data sets\n", f"{metric} of the retriever alone.\n"]
        names = list(rounds[0].figures.guards)
        lines += ["| round | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
        for each in rounds:
            told = " | ".join(f"{each.figures.guards[name]:.3f}" for name in names)
            lines.append(f"| {each.number} | {told} |")
    lines += ["\n## What was decided\n", "| round | " + " | ".join(DECISIONS) + " | tokens | seconds |"]
    lines.append("|---|" + "---|" * (len(DECISIONS) + 2))
    for each in rounds[1:]:
        counts = " | ".join(str(each.decisions.get(name, 0)) for name in DECISIONS)
        seconds = ", ".join(f"{name} {value:.0f}" for name, value in each.seconds.items())
        lines.append(f"| {each.number} | {counts} | {each.mining_tokens:,} | {seconds} |")
    for each in rounds[1:]:
        lines += [f"\n## Examples of round {each.number}\n", *_examples(out / f"round-{each.number}")]
    if _curve(out / "curve.svg", rounds, metric):
        lines.append("\n![curve](curve.svg)")
    (out / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cell(found: Round, before: Round, stage: str, metric: str) -> str:
    value = f"{found.figures.mean(stage, metric):.3f}"
    if found is before:
        return value
    gain = found.figures.over(before.figures, stage, metric)
    return f"{value} ({gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}])"


def _examples(folder: Path) -> Iterator[str]:
    """The first few of each decision that a person would want to check."""
    found: dict[str, list[Pair]] = {name: [] for name in _SHOWN}
    for pair in read_pairs(folder / "pairs" / "pairs"):
        if pair.decision in found and len(found[pair.decision]) < _EXAMPLES:
            found[pair.decision].append(pair)
    for name, pairs in found.items():
        for pair in pairs:
            yield f"- {name}: query `{pair.query_id}`, document `{pair.document_id}`: {pair.why}"


def _curve(file: Path, rounds: Sequence[Round], metric: str) -> bool:
    try:
        matplotlib = matplotlib_for(str(file))
    except MissingDependency:
        return False
    figure = matplotlib.figure.Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.subplots()
    for stage, label in (("retrieval", "retriever alone"), ("cascade", "with judges")):
        axes.plot(
            [r.number for r in rounds], [r.figures.mean(stage, metric) for r in rounds], "o-", label=label
        )
    axes.set(xlabel="round", ylabel=metric, xticks=[r.number for r in rounds])
    axes.legend()
    figure.savefig(file)
    return True
