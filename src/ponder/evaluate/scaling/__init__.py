"""Scaling curves: accuracy against tokens, allocator beside allocator, with and without reasoning."""

from ponder.evaluate.scaling.curve import Curve, Point, Series
from ponder.evaluate.scaling.kept import Runs, Way
from ponder.evaluate.scaling.ladder import Ladder

__all__ = ["Curve", "Ladder", "Point", "Runs", "Series", "Way"]
