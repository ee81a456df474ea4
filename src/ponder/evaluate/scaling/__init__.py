"""Scaling curves: accuracy against tokens, allocator beside allocator, with and without reasoning."""

from ponder.evaluate.scaling.curve import Curve, Point, Series
from ponder.evaluate.scaling.ladder import Ladder, Way

__all__ = ["Curve", "Ladder", "Point", "Series", "Way"]
