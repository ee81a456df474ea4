"""docs/benchmarks.md: the quality table, its caveats, and how to make it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from quality_figures import Figure, Run, figures
from quality_sections import Section

from ponder.evaluate.harm import allowed

Done = Mapping[Section, Mapping[str, Run]]

HEAD = """# Benchmarks

What reasoning and its tokens buy with the `lite` models, on the *dev* splits. This page is made by
`benchmarks/quality.py`; the figures are also in `benchmarks/results/quality.jsonl`, one a line.
"""

READING = """
## How to read it

- **off**: the same index, parts and weights, but documents carry no added knowledge (their likeliest class
  names, text and colours only). **shuffled**: each document carries another's reasoning, which shows whether
  it is the content of the reasoning that helps. **on**: as ponder indexes. **@ N**: at most N tokens read
  and written for a query; at 0 stored vectors are compared and nothing else runs.
- **95 %**: a percentile bootstrap over queries (10,000 resamples). **Difference** is to the row that is
  named, query by query on the same resamples, which is far tighter than comparing two intervals.
- **No harm**: a higher budget is not below the one before by more than .005 or one query, whichever is more.
- **Tokens**: read + written a query, the mean, and the most that any query spent; **a document**: written
  once, when it is indexed. Stored reasoning that is compared through its vector costs a query nothing.
- nDCG uses the grades with linear gain. The whole corpus is the pool. Ties are broken by id.

## What to keep in mind

- Prompts, weights and fusion were chosen on these dev splits (and on train splits where there are some):
  expect somewhat less on data of your own. The held-back data are not ours to look at.
- The classes of the perception model are ImageNet's. Photos fall into them, stamps often do not.
- Some sets are small; where an interval spans 0, nothing is shown either way.
"""

COLUMNS = (
    "run",
    "measure",
    "95 %",
    "difference",
    "no harm",
    "tokens a query (most)",
    "a document",
    "without",
)


def page(done: Done, bars: Sequence[tuple[str, float, float, bool]], data: Path) -> str:
    """The whole page.

    Args:
        done: The runs that have ended, by section and mode.
        bars: What was asked for: (what, figure, bar, met).
        data: As given, for the commands.
    """
    parts = [HEAD, *_origin(done), "## Quality\n", "\n".join(table(done)), ""]
    notes = [f"- {section.title}: {section.note}" for section in done if section.note]
    parts += ["\n".join(notes), ""]
    if bars:
        rows = [
            f"| {what} | {value:.3f} | {bar} | {'yes' if met else '**no**'} |"
            for what, value, bar, met in bars
        ]
        parts += ["\n".join(("## What was asked\n", "| | figure | bar | met |", "|---|---|---|---|", *rows))]
    parts += [READING, _again(done, data)]
    return "\n".join(parts).rstrip() + "\n"


def table(done: Done) -> list[str]:
    """The lines of the table, a bold row before each section."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for section, runs in done.items():
        found = figures(runs)
        some = next(iter(runs.values()))
        documents = f"{some.documents:,} documents, " if some.documents else ""
        about = f"{documents}{found[0].queries} queries; {section.metric}"
        lines.append(f"| **{section.title}** ({about})" + " |" * len(COLUMNS))
        lines += [_row(figure) for figure in found]
    return lines


def short(value: float) -> str:
    """A figure with three digits and no zero before the point.

    Example:
        >>> short(0.4), short(-0.0312), short(1.0)
        ('.400', '-.031', '1.000')
    """
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 0.9995 else f"{value:.3f}"


def _row(figure: Figure) -> str:
    bounds = f"{short(figure.ci95[0])}–{short(figure.ci95[1])}" if figure.ci95 else ""
    gain = ""
    if figure.gain is not None:
        sign = "+" if figure.gain >= 0 else ""
        gain = f"{sign}{short(figure.gain)}"
        if figure.paired is not None:
            gain += f" [{short(figure.paired.low)}, {short(figure.paired.high)}]"
        gain += f" vs {figure.against}"
    verdict = ""
    if figure.harmless is not None:
        verdict = "yes" if figure.harmless else f"**no** (more than {short(allowed(figure.queries))})"
    name = figure.name if figure.ci95 else f"{figure.name} ({figure.queries})"
    cells = (
        name,
        short(figure.value),
        bounds,
        gain,
        verdict,
        "" if figure.tokens is None else f"{figure.tokens:,.0f} ({figure.most:,})",
        "" if figure.document is None else f"{figure.document:.0f}",
        "" if figure.without is None else short(figure.without),
    )
    return "| " + " | ".join(cells) + " |"


def _origin(done: Done) -> list[str]:
    runs = [run.done for of in done.values() for run in of.values()]
    commits = sorted({run["commit"] for run in runs})
    machines = sorted({f"{run['machine']['cpu']}, {run['machine']['cores']} cores" for run in runs})
    first, last = min(run["date"] for run in runs)[:10], max(run["date"] for run in runs)[:10]
    when = first if first == last else f"{first} to {last}"
    several = "" if len(commits) == 1 else " (sections made at different times; a + is uncommitted code)"
    minutes = sum(run["seconds"] for run in runs) / 60
    return [
        f"Made {when} on {'; '.join(machines)}, at commit {', '.join(commits)}{several}; "
        f"the runs took {minutes:.0f} minutes.\n"
    ]


def _again(done: Done, data: Path) -> str:
    lines = [
        "## How to make it again",
        "",
        "All of it, resumable (a run that has ended is not run again), or a section anew:",
        "",
        "```sh",
        f".venv/bin/python benchmarks/quality.py --data {data} --work build/quality --out docs/benchmarks.md",
        f".venv/bin/python benchmarks/quality.py --data {data} --only photos,documents --again",
        "```",
        "",
        "The commands behind the rows; each prints a line a budget with `--json`:",
        "",
        "```sh",
    ]
    for section, runs in done.items():
        if section.assembled:
            target = next(iter(runs.values())).done["command"][2]
            lines.append(f"python benchmarks/data/assemble.py {section.source} {data / 'stamps'} {target}")
        lines += [shlex.join(run.done["command"]) for run in runs.values()]
    return "\n".join([*lines, "```"])
