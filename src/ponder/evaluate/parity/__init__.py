"""Whether two engines agree, and if not, why: same inputs, two sets of models."""

from ponder.evaluate.parity.compare import compare
from ponder.evaluate.parity.found import Parity, Tolerance
from ponder.evaluate.parity.inputs import read_inputs

__all__ = ["Parity", "Tolerance", "compare", "read_inputs"]
