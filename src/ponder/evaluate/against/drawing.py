"""The picture: accuracy against tokens, bytes and multiply-adds, side by side on one scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ponder.errors import InputInvalid
from ponder.evaluate.plotting import matplotlib_for

Row = Mapping[str, Any]
"""A point as `ponder.evaluate.against.point.Point.row` writes it."""


@dataclass(frozen=True, slots=True)
class _Style:
    """Of one group: colours by Okabe and Ito (2008), told apart by shape and line too."""

    label: str
    colour: str
    marker: str
    line: str = "-"
    named: Literal["", "below", "above"] = ""


@dataclass(frozen=True, slots=True)
class _Panel:
    """One column of the picture."""

    title: str
    x_label: str
    log: bool
    x: Callable[[Row], float | None]
    styles: Mapping[tuple[str, str], _Style]


def _tokens(row: Row) -> float | None:
    return float(row["tokens"])


def _bytes(row: Row) -> float | None:
    return float(row["bytes_item"])


def _query(row: Row) -> float | None:
    return None if row["macs_query"] is None else row["macs_query"] / 1e9


def _item(row: Row) -> float | None:
    return None if row["macs_item"] is None else row["macs_item"] / 1e9


_PANELS = (
    _Panel(
        "tokens", "tokens a query", False, _tokens, {("tokens", "tokens"): _Style("budget", "#D55E00", "o")}
    ),
    _Panel(
        "embedding size",
        "bytes an item (log)",
        True,
        _bytes,
        {
            ("dims", "random"): _Style("random directions", "#999999", "v", ":"),
            ("dims", "leading"): _Style("leading dimensions", "#0072B2", "s"),
            ("dims", "principal"): _Style("principal directions", "#56B4E9", "^", "--"),
            ("dims", "blocks"): _Style("blocks together", "#000000", "D", "", "below"),
            ("dims", "blocks alone"): _Style("a block alone", "#CC79A7", "P", "", "below"),
            ("dims", "with tokens"): _Style("64 principal, with tokens", "#D55E00", "*", ""),
            ("dims", "int8"): _Style("int8", "#009E73", "X", "", "below"),
        },
    ),
    _Panel(
        "judge size",
        "billion multiply-adds a query (log)",
        True,
        _query,
        {
            ("tokens", "tokens"): _Style("tokens, whole judge", "#D55E00", "o"),
            ("model", "judge"): _Style("judge of another size", "#E69F00", "D", "--", "below"),
        },
    ),
    _Panel(
        "encoder size",
        "billion multiply-adds an item",
        False,
        _item,
        {
            ("model", "vision"): _Style("picture encoder", "#0072B2", "s", "-", "below"),
            ("model", "text"): _Style("text encoder", "#009E73", "^", "-.", "above"),
            ("model", "models"): _Style("other models", "#CC79A7", "P", "", "below"),
        },
    ),
)

_SETTINGS = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "svg.hashsalt": "ponder",
}


_CAPTION = (
    "Bars: 95 % intervals of each value (differences are paired, and surer: against.md). "
    "Dotted: the default at budget 0."
)


def draw(rows: Sequence[Row], out: Path) -> tuple[Path, Path]:
    """Draw points into ``against.svg`` and ``against.png``: a row a data set, a column an axis.

    Bars are 95 % intervals; the line across is the default at budget 0. The same points give the same SVG.

    Args:
        rows: Points as rows, of one metric; what no panel shows is left out.
        out: A folder; made if need be.

    Raises:
        InputInvalid: No points, or of several metrics.
        MissingDependency: matplotlib is not installed.
    """
    metrics = {row["metric"] for row in rows}
    if len(metrics) != 1:
        raise InputInvalid(f"points of {len(metrics)} metrics", "against", "draw those of one")
    mpl = matplotlib_for("against.svg")
    sets = list(dict.fromkeys(row["dataset"] for row in rows))
    out.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(_SETTINGS):
        figure = mpl.figure.Figure(figsize=(14.5, 3.9 * len(sets) + 0.9), layout="constrained")
        grid = figure.subplots(len(sets), len(_PANELS), sharey="row", squeeze=False)
        for name, axes in zip(sets, grid, strict=True):
            own = [row for row in rows if row["dataset"] == name]
            for panel, axis in zip(_PANELS, axes, strict=True):
                _panel(axis, panel, own)
            queries = own[0]["queries"]
            axes[0].set_ylabel(f"{name}: {own[0]['metric']} ({queries} queries)")
        for panel, axis in zip(_PANELS, grid[0], strict=True):
            axis.set_title(panel.title, fontweight="bold")
        for panel, axis in zip(_PANELS, grid[-1], strict=True):
            axis.set_xlabel(panel.x_label)
        _legends(figure, grid)
        figure.suptitle(_CAPTION, fontsize=8.5, color="#444444")
        paths = (out / "against.svg", out / "against.png")
        figure.savefig(paths[0], metadata={"Date": None})
        figure.savefig(paths[1], dpi=150)
    return paths


def _panel(axis: Any, panel: _Panel, rows: Sequence[Row]) -> None:
    if panel.log:
        axis.set_xscale("log")
    lowest = min(row["ci95"][0] for row in rows)
    height = max(row["ci95"][1] for row in rows) - lowest
    for number, ((kind, group), style) in enumerate(panel.styles.items()):
        found = [row for row in rows if (row["axis"], row["group"]) == (kind, group)]
        pairs = [(x, row) for row in found if (x := panel.x(row)) is not None]
        placed = sorted(pairs, key=lambda pair: pair[0])
        if not placed:
            continue
        # A hair apart, so that bars of equal sizes don't hide each other.
        xs = [x * 10 ** (_APART * (number - len(panel.styles) / 2)) if panel.log else x for x, _ in placed]
        # A percentile interval may miss the mean by rounding; a bar has no negative length.
        below = [max(0.0, row["value"] - row["ci95"][0]) for _, row in placed]
        above = [max(0.0, row["ci95"][1] - row["value"]) for _, row in placed]
        axis.errorbar(
            xs,
            [row["value"] for _, row in placed],
            yerr=[below, above],
            label=style.label,
            color=style.colour,
            marker=style.marker,
            linestyle=style.line or "none",
            **_BARS,
        )
        for x, (_, row) in zip(xs, placed, strict=True):
            if style.named:
                room = style.named == "above" or row["ci95"][0] >= lowest + 0.2 * height
                _name(axis, x, row, style.colour, style.named if room else "beside")
    _limits(axis, panel, rows)
    default = next((row for row in rows if row["axis"] == "tokens" and row["tokens"] == 0), None)
    if default is not None:
        axis.axhline(default["value"], color="#000000", linewidth=0.8, linestyle=(0, (1, 2)), zorder=1)


_APART = 0.008
"""Of a decade."""

_BARS = {"markersize": 5, "linewidth": 1.4, "elinewidth": 0.7, "capsize": 1.5, "zorder": 3}


def _limits(axis: Any, panel: _Panel, rows: Sequence[Row]) -> None:
    """As wide as the points: a logarithmic axis of its own accord begins a decade too early."""
    xs = [x for row in rows if (row["axis"], row["group"]) in panel.styles and (x := panel.x(row))]
    if panel.log and xs:
        axis.set_xlim(min(xs) / 1.35, max(xs) * 1.35)


def _name(axis: Any, x: float, row: Row, colour: str, side: str) -> None:
    """Upright at the bar's end: names are longer than points are apart. Beside it where there's no room."""
    place, shift, across, up, turn = {
        "below": (row["ci95"][0], (0, -3), "center", "top", 90),
        "above": (row["ci95"][1], (0, 3), "center", "bottom", 90),
        "beside": (row["value"], (6, 0), "left", "center", 0),
    }[side]
    axis.annotate(
        row["label"],
        (x, place),
        xytext=shift,
        textcoords="offset points",
        fontsize=6.5,
        color=colour,
        rotation=turn,
        ha=across,
        va=up,
    )


def _legends(figure: Any, grid: Any) -> None:
    """One below each column: over the points it would hide some."""
    for column in range(len(_PANELS)):
        handles: dict[str, Any] = {}
        for axes in grid:
            found, labels = axes[column].get_legend_handles_labels()
            handles |= dict(zip(labels, found, strict=True))
        if handles:
            grid[-1][column].legend(
                handles.values(), handles.keys(), loc="upper center", bbox_to_anchor=(0.5, -0.2), ncol=2,
                frameon=False, fontsize=7.5,
            )  # fmt: skip
