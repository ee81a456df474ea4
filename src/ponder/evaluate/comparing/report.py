"""The comparison in Markdown: figures, what was won and lost, and the worst regressions with pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ponder.evaluate.bootstrap import Difference
from ponder.evaluate.comparing.paired import Compared, Comparison, Move
from ponder.evaluate.comparing.shown import Shown
from ponder.evaluate.page import plain, table_lines

PICTURES = "pictures"
"""The folder beside the report."""

_DOCUMENTS = 3
"""Documents shown of each ranking."""


def markdown(found: Comparison, show: Callable[[Compared], Shown], worst: int) -> str:
    """The report.

    Args:
        found: The comparison.
        show: Where a part's words and pictures come from.
        worst: How many of the worst regressions are shown of each part.
    """
    return "\n".join(_lines(found, show, worst)) + "\n"


def _lines(found: Comparison, show: Callable[[Compared], Shown], worst: int) -> Iterator[str]:
    yield f"# {plain(found.before)} → {plain(found.after)}"
    yield ""
    yield "Differences are second less first, paired by query; intervals are 95 %, by bootstrap."
    for name, lost in ((found.before, found.only_before), (found.after, found.only_after)):
        if lost:
            yield ""
            yield f"Only in {plain(name)}, and not compared: {', '.join(map(plain, lost))}."
    if len(found.parts) > 1:
        yield ""
        yield f"Mean over {len(found.parts)} tasks: {told(found.overall)}."
        yield ""
        yield from _tasks(found.parts)
    for part in found.parts:
        yield from _part(part, show(part), worst)


def _tasks(parts: Sequence[Compared]) -> list[str]:
    rows = []
    for part in parts:
        figure = next(each for each in part.figures if each.metric == part.metric)
        cells = [part.part.name, part.metric, f"{figure.before:.3f}", f"{figure.after:.3f}"]
        rows.append([*cells, told(figure.difference), str(len(part.won)), str(len(part.lost))])
    return table_lines(["task", "metric", "first", "second", "difference", "won", "lost"], rows)


def _part(part: Compared, shown: Shown, worst: int) -> Iterator[str]:
    yield ""
    yield f"## {plain(part.part.name) or 'The queries'}"
    yield ""
    same = part.queries - len(part.won) - len(part.lost)
    yield (
        f"{part.queries} queries; by {part.metric} {len(part.won)} won, {len(part.lost)} lost, "
        f"{same} the same."
    )
    if part.only_before or part.only_after:
        yield ""
        yield f"Not compared: {part.only_before} only in the first run, {part.only_after} only in the second."
    yield ""
    rows = [
        [each.metric, f"{each.before:.3f}", f"{each.after:.3f}", told(each.difference)]
        for each in part.figures
    ]
    yield from table_lines(["metric", "first", "second", "difference"], rows)
    if part.lost and worst:
        yield ""
        yield f"### The worst {min(worst, len(part.lost))} of {len(part.lost)} lost"
        for move in part.lost[:worst]:
            yield from _regression(move, shown)
    if part.won and worst:
        yield ""
        yield f"### The best {min(worst, len(part.won))} of {len(part.won)} won"
        yield ""
        for move in part.won[:worst]:
            words, _ = shown.query(move.id)
            yield f"- {_code(move.id)} {plain(words)} ({move.gain:+.3f})"


def _regression(move: Move, shown: Shown) -> Iterator[str]:
    words, picture = shown.query(move.id)
    yield ""
    yield f"#### {_code(move.id)} {plain(words)}"
    if picture:
        yield ""
        yield _image(picture, "the query")
    yield ""
    right = shown.relevant.get(move.id, ())
    rows = [["wanted", *_cells(right, shown, ())]]
    rows.append(["first run", *_cells(move.before.ranking, shown, right)])
    rows.append(["second run", *_cells(move.after.ranking, shown, right)])
    heads = [f"{move.gain:+.3f}", *(str(place) for place in range(1, _DOCUMENTS + 1))]
    yield from table_lines(heads, rows)


def _cells(names: Sequence[str], shown: Shown, right: Sequence[str]) -> list[str]:
    cells = []
    for name in names[:_DOCUMENTS]:
        words, picture = shown.document(name)
        mark = "✓ " if name in right else ""
        image = f"{_image(picture, name)} " if picture else ""
        same = " ".join(words.split()) == name
        cells.append(f"{mark}{image}{_code(name)}{'' if same else ' ' + plain(words)}".strip())
    return cells + [""] * (_DOCUMENTS - len(cells))


def _image(file: str, about: str) -> str:
    return f"![{plain(about)}]({PICTURES}/{file})"


def _code(text: str) -> str:
    return f"`{' '.join(text.split()).replace('`', chr(39))}`"


def told(found: Difference) -> str:
    """A difference with its interval.

    Example:
        >>> told(Difference(0.05, 0.01, 0.09, 0.01))
        '+0.050 [+0.010, +0.090]'
    """
    return f"{found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
