"""The picture of a curve: accuracy against the tokens that a query spends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ponder.evaluate.plotting import matplotlib_for
from ponder.evaluate.scaling.curve import Curve, Series

# Okabe and Ito's palette: told apart by the colour-blind, and in grey by the markers.
_LOOKS = {
    "on-adaptive": ("#0072B2", "o", "reasoning, adaptive"),
    "on-uniform": ("#D55E00", "s", "reasoning, uniform"),
    "on-common": ("#E69F00", "P", "reasoning, one budget for all queries"),
    "on-uniform-think": ("#009E73", "^", "and the query thought about"),
    "on-adaptive-think": ("#009E73", "v", "adaptive, and the query thought about"),
    "off-uniform": ("#666666", "D", "no reasoning"),
    "shuffled-uniform": ("#AAAAAA", "x", "another's reasoning"),
}
_LINEAR = 30
"""Tokens up to which the axis is linear, so that 0 has a place on it."""


def draw(curve: Curve, folder: Path) -> list[Path]:
    """Write ``curve.svg`` and ``curve.png``.

    Args:
        curve: What to draw.
        folder: Where to.

    Raises:
        MissingDependency: matplotlib is not there.
    """
    mpl = matplotlib_for("curve.svg")
    # Text stays text in the SVG: it can be searched, and read aloud.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ponder", "font.size": 10}):
        figure = mpl.figure.Figure(figsize=(8, 6), layout="constrained")
        main, bars = figure.subplots(2, 1, height_ratios=[3, 1])
        for series in curve.series:
            _line(main, series)
        main.set_title(
            f"{curve.dataset} {curve.split}: {curve.metric} of {curve.queries} queries", loc="left"
        )
        main.set_ylabel(curve.metric)
        main.set_xlabel("tokens read and written a query, mean")
        main.set_xscale("symlog", linthresh=_LINEAR)
        main.set_xlim(left=-2)
        ticks = [0, 10, 30, 100, 300, 1000, 3000]
        main.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        main.set_xticks([], minor=True)
        main.legend(frameon=False, fontsize=9)
        _bars(bars, curve)
        for axes in (main, bars):
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(axis="y", color="#dddddd", linewidth=0.6)
            axes.set_axisbelow(True)
        paths = [folder / "curve.svg", folder / "curve.png"]
        figure.savefig(paths[0], metadata={"Date": None})
        figure.savefig(paths[1], dpi=150)
    return paths


def _line(axes: Any, series: Series) -> None:
    colour, marker, label = _LOOKS.get(series.way.name, ("#CC79A7", ".", series.way.name))
    points = sorted(series.points, key=lambda point: point.spent)
    spent = [point.spent for point in points]
    axes.plot(spent, [point.value for point in points], color=colour, marker=marker, label=label)
    lows, highs = [point.ci95[0] for point in points], [point.ci95[1] for point in points]
    if series.way.reasoning == "on" and not series.way.think:
        axes.fill_between(spent, lows, highs, color=colour, alpha=0.12, linewidth=0)


def _bars(axes: Any, curve: Curve) -> None:
    """What is read and written at each budget, a pair of bars for each allocator."""
    shown = [series for series in curve.series if series.way.reasoning == "on" and not series.way.think]
    width = 0.8 / max(1, len(shown))
    for number, series in enumerate(shown):
        colour = _LOOKS.get(series.way.name, ("#CC79A7", "", ""))[0]
        places = [place + (number - (len(shown) - 1) / 2) * width for place in range(len(series.points))]
        read = [point.tokens["read"] for point in series.points]
        written = [point.tokens["written"] for point in series.points]
        axes.bar(places, read, width * 0.9, color=colour)
        axes.bar(places, written, width * 0.9, bottom=read, color=colour, alpha=0.4, hatch="//")
    if shown:
        axes.set_xticks(
            range(len(shown[0].points)), [f"budget {point.budget:,}" for point in shown[0].points]
        )
    axes.set_ylabel("tokens")
    axes.set_title("read, and hatched: written", loc="left", fontsize=9)
