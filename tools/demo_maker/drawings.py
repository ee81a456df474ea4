"""The handbook's figures, drawn in vectors from their formulas."""

from __future__ import annotations

from collections.abc import Callable
from math import atan, cos, degrees, pi, radians, sin, tan

from reportlab.graphics.shapes import Circle, Drawing, Line, Polygon, Rect, String
from reportlab.lib import colors
from reportlab.lib.colors import HexColor

INK = HexColor("#22303c")
LATITUDE = 50.0


def hour_angle(hours_from_noon: float, latitude: float = LATITUDE) -> float:
    """Angle between the noon line and an hour line of a horizontal sundial, in degrees."""
    if abs(hours_from_noon) == 6:
        return 90.0 if hours_from_noon > 0 else -90.0
    return degrees(atan(sin(radians(latitude)) * tan(radians(15 * hours_from_noon))))


def sundial() -> Drawing:
    """A horizontal dial: hour lines from 6 to 18 o'clock, and the gnomon's footprint."""
    drawing = Drawing(420, 240)
    x, y, radius = 210.0, 25.0, 185.0
    drawing.add(Rect(5, 5, 410, 230, strokeColor=INK, fillColor=HexColor("#f4efe2"), strokeWidth=2))
    for hour in range(6, 19):
        angle = pi / 2 - radians(hour_angle(hour - 12))
        end_x, end_y = x + radius * cos(angle), y + radius * sin(angle)
        drawing.add(Line(x, y, end_x, end_y, strokeColor=INK, strokeWidth=2 if hour == 12 else 0.8))
        drawing.add(
            String(
                x + (radius + 10) * cos(angle),
                y + (radius + 10) * sin(angle) - 4,
                str(hour),
                textAnchor="middle",
                fontName="Helvetica",
                fontSize=10,
                fillColor=INK,
            )
        )
    drawing.add(Polygon([x - 4, y, x + 4, y, x, y + 130], fillColor=HexColor("#b8860b"), strokeColor=INK))
    drawing.add(Circle(x, y, 5, fillColor=INK))
    return drawing


def resistor() -> Drawing:
    """A resistor of 4700 ohms, 5 %: yellow, violet, red, gold."""
    drawing = Drawing(300, 70)
    drawing.add(Line(10, 35, 290, 35, strokeColor=HexColor("#888888"), strokeWidth=4))
    drawing.add(Rect(75, 12, 150, 46, rx=12, ry=12, fillColor=HexColor("#e8d5b0"), strokeColor=INK))
    for x, colour in zip((95, 123, 151, 200), ("#f2d600", "#7f3fbf", "#d62718", "#c9a227"), strict=True):
        drawing.add(Rect(x, 12, 12, 46, fillColor=HexColor(colour), strokeColor=None))
    return drawing


def set_square() -> Drawing:
    """A set square on a ruler with a mark every ten points."""
    drawing = Drawing(420, 240)
    drawing.add(Rect(20, 20, 380, 45, fillColor=HexColor("#d8b26a"), strokeColor=INK, strokeWidth=1.5))
    for step in range(1, 38):
        x = 20 + 10 * step
        drawing.add(Line(x, 65, x, 47 if step % 5 == 0 else 56, strokeColor=INK, strokeWidth=0.8))
    drawing.add(Polygon([80, 68, 340, 68, 80, 218], fillColor=HexColor("#a9cbd8"), strokeColor=INK))
    drawing.add(Polygon([115, 90, 240, 90, 115, 162], fillColor=colors.white, strokeColor=INK))
    return drawing


FIGURES: dict[str, Callable[[], Drawing]] = {
    "resistor": resistor,
    "set_square": set_square,
    "sundial": sundial,
}
