from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from ponder.models.lite.reading_order import Line, in_reading_order


def line(text: str, x: float, y: float, width: float = 180) -> Line:
    return Line(text, 1.0, (x, y, x + width, y + 10))


def order(lines: list[Line]) -> str:
    random.Random(3).shuffle(lines)
    return " ".join(one.text for one in in_reading_order(lines))


def test_columns_between_a_heading_and_a_footer() -> None:
    lines = [line("head", 0, 0, 400), line("foot", 0, 90, 400)]
    lines += [line(f"a{i}", 0, 15 + 12 * i) for i in range(5)]
    lines += [line(f"b{i}", 220, 15 + 12 * i) for i in range(5)]
    assert order(lines) == "head a0 a1 a2 a3 a4 b0 b1 b2 b3 b4 foot"


def test_a_table_is_read_by_rows() -> None:
    lines = [line(f"{name}{i}", 100 * j, 12 * i, 40) for i in range(3) for j, name in enumerate("xyz")]
    assert order(lines) == "x0 y0 z0 x1 y1 z1 x2 y2 z2"


def test_pieces_of_one_line_go_from_left_to_right() -> None:
    assert order([line("one", 0, 2, 30), line("two", 40, 0, 30), line("three", 80, 3, 30)]) == "one two three"


@given(st.lists(st.tuples(*[st.integers(0, 300)] * 2, st.integers(5, 250)), max_size=25))
def test_no_line_is_lost_or_repeated(places: list[tuple[int, int, int]]) -> None:
    lines = [line(str(i), x, y, width) for i, (x, y, width) in enumerate(places)]
    assert sorted(one.text for one in in_reading_order(lines)) == sorted(one.text for one in lines)
