"""Lines of writing in the order in which a person reads them: the recursive X-Y cut.

(Nagy, Seth, Viswanathan: A prototype document image analysis system for technical journals, 1992.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

# Lines of prose are so many times as long as they are high, some twenty characters; a table's cells aren't.
_PROSE = 8.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of writing.

    Attributes:
        text: What is written.
        confidence: Between 0 and 1.
        box: left, upper, right, lower in pixels.
    """

    text: str
    confidence: float
    box: tuple[float, float, float, float]


def in_reading_order(lines: Sequence[Line]) -> list[Line]:
    """Sort lines: columns from left to right, each from top to bottom, headings that span columns first.

    Example:
        >>> left, right = Line("a", 1, (0, 0, 90, 10)), Line("c", 1, (110, 0, 200, 10))
        >>> below_left, below_right = Line("b", 1, (0, 12, 90, 22)), Line("d", 1, (110, 12, 200, 22))
        >>> "".join(line.text for line in in_reading_order([left, right, below_left, below_right]))
        'abcd'
    """
    if len(lines) < 2:
        return list(lines)
    height = median(line.box[3] - line.box[1] for line in lines)
    return _cut(sorted(lines, key=lambda line: (line.box[1], line.box[0])), height)


def _cut(lines: list[Line], height: float) -> list[Line]:
    columns = _columns(lines, height)
    if len(columns) > 1:
        return [line for column in columns for line in _cut(column, height)]
    parts: list[list[Line]] = [[]]
    rows = _groups(lines, 1, 0.0)
    for row in rows:
        # What spans the columns (a heading, a footer) ends the part above it and begins the next.
        before = len(_columns(parts[-1], height))
        if parts[-1] and (
            len(_columns([*parts[-1], *row], height)) < before or _spans(parts[-1], row, lines)
        ):
            parts.append([])
        parts[-1] = [*parts[-1], *row]
    if len(parts) > 1 and any(len(_columns(part, height)) > 1 for part in parts):
        return [line for part in parts for line in _cut(part, height)]
    return [line for row in rows for line in sorted(row, key=lambda line: line.box[0])]


def _spans(part: list[Line], row: list[Line], lines: list[Line]) -> bool:
    """The part so far is one line across all of `lines`, and the row is not."""
    full = 0.6 * _width(lines)
    return len(part) == 1 and _width(part) > full and all(_width([line]) <= full for line in row)


def _columns(lines: list[Line], height: float) -> list[list[Line]]:
    """Columns of prose; one when there are none. A table's columns don't count: it is read by rows."""
    groups = _groups(lines, 0, height)
    prose = all(len(group) > 1 and median(map(_length, group)) >= _PROSE * height for group in groups)
    return groups if len(groups) > 1 and prose else [lines]


def _length(line: Line) -> float:
    return line.box[2] - line.box[0]


def _width(lines: list[Line]) -> float:
    return max(line.box[2] for line in lines) - min(line.box[0] for line in lines)


def _groups(lines: Sequence[Line], axis: int, gap: float) -> list[list[Line]]:
    """Lines in groups whose extents along an axis (0 across, 1 down) are more than `gap` apart."""
    groups: list[list[Line]] = []
    reach = float("-inf")
    for line in sorted(lines, key=lambda line: line.box[axis]):
        # Boxes of neighbouring lines overlap a little; their middles' thirds don't.
        slack = 0.0 if axis == 0 else 0.3 * (line.box[3] - line.box[1])
        if line.box[axis] + slack > reach + gap or not groups:
            groups.append([])
        groups[-1].append(line)
        reach = max(reach, line.box[axis + 2] - slack)
    return groups
