"""The short report beside a curve: figures, what was won and lost, and the command that makes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ponder.evaluate.bootstrap import Difference
from ponder.evaluate.scaling.curve import Curve, Point
from ponder.evaluate.scaling.moves import Move

_SHOWN = 12
"""Queries that are named of each kind: more are in curve.json."""


def markdown(curve: Curve, command: Sequence[str], *, pictured: bool) -> str:
    """The report.

    Args:
        curve: What it is about.
        command: What made it.
        pictured: Whether ``curve.svg`` stands beside it.
    """
    return "\n".join(_lines(curve, command, pictured)) + "\n"


def _lines(curve: Curve, command: Sequence[str], pictured: bool) -> Iterator[str]:
    yield f"# {curve.dataset} {curve.split}: {curve.metric} against tokens"
    yield ""
    yield f"{curve.queries} queries, models `{curve.models}`. Intervals are 95 %, by paired bootstrap."
    if pictured:
        yield ""
        yield "![accuracy against tokens](curve.svg)"
    yield ""
    heads = f"way|budget|{curve.metric}|95 %|to budget 0|no harm|read|written|cached|most".split("|")
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for series in curve.series:
        for point in series.points:
            yield _row(series.way.name, point)
    yield ""
    yield _verdict(curve)
    for gained in curve.thinking:
        yield ""
        yield (
            f"Thinking about the query, {gained.way.name} @ {gained.budget:,}: {_difference(gained.gain)} "
            "over not thinking."
        )
    for refused in curve.refused:
        yield ""
        yield f"**Not run**: {refused.way.name} @ {refused.budget:,}: {refused.error}"
    for series in curve.series:
        last = series.points[-1]
        if series.way.reasoning == "on" and not series.way.think:
            yield from _moved(f"Gained by {series.way.name} @ {last.budget}", last.gained)
            yield from _moved(f"Lost by {series.way.name} @ {last.budget}", last.lost)
    yield ""
    yield "```sh"
    yield " ".join(command)
    yield "```"


def _row(name: str, point: Point) -> str:
    tokens = point.tokens
    cells = (
        name,
        f"{point.budget:,}",
        _short(point.value),
        f"{_short(point.ci95[0])}–{_short(point.ci95[1])}",
        _difference(point.against_zero),
        "" if point.against_before is None else "yes" if point.no_harm else "**no**",
        *(f"{tokens[kind]:,.0f}" for kind in ("read", "written", "cached", "max")),
    )
    return f"| {' | '.join(cells)} |"


def _verdict(curve: Curve) -> str:
    reached = curve.tokens_to_best
    if reached is None:
        return ""
    best, uniform, adaptive = reached["best"], reached["uniform"], reached["adaptive"]
    assert best is not None and uniform is not None
    if adaptive is None:
        return f"Uniform's best, {_short(best)} at {uniform:,.0f} tokens a query, is not reached by adaptive."
    share = adaptive / uniform if uniform else 1.0
    return (
        f"Adaptive reaches uniform's best, {_short(best)}, with {adaptive:,.0f} tokens a query for "
        f"{uniform:,.0f}: {share:.0%}."
    )


def _moved(title: str, moves: Sequence[Move]) -> Iterator[str]:
    if not moves:
        return
    yield ""
    yield f"## {title}: {len(moves)}"
    yield ""
    for move in moves[:_SHOWN]:
        yield f"- {move.text} ({move.id}; {move.stage or 'order alone'}: {move.before:g} → {move.after:g})"
    if len(moves) > _SHOWN:
        yield f"- and {len(moves) - _SHOWN} more, in curve.json"


def _difference(found: Difference | None) -> str:
    if found is None:
        return ""
    return f"{found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")
