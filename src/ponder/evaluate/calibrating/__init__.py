"""Calibrating judges on data with judgements: weights that do no harm, and chances."""

from ponder.evaluate.calibrating.blocks import Judged
from ponder.evaluate.calibrating.fit import LeftOut, calibrate, leave_one_out, tried_on

__all__ = ["Judged", "LeftOut", "calibrate", "leave_one_out", "tried_on"]
