"""Whether an engine's answers can be used: one that cannot costs a verdict, none that can is a failure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ponder.errors import BackendFailed
from ponder.models.engine import Likely


def fault(likely: Likely) -> str:
    """Why an answer is no verdict, "" if it is one.

    Example:
        >>> fault(Likely((-0.1, -2.0))), fault(Likely(error="out of memory"))
        ('', 'out of memory')
    """
    if likely.error or not likely.values:
        return likely.error or "the engine gave no answer"
    return "" if all(map(math.isfinite, likely.values)) else "the engine's log-probabilities are not finite"


def any_heard(answers: Sequence[Likely], judge: str) -> None:
    """See that a judge was told something: candidates that keep their places in silence look judged.

    Args:
        answers: What the engine answered, in order; none at all is no failure.
        judge: Its name, for the message.

    Raises:
        BackendFailed: None of the answers can be used.
    """
    faults = [fault(likely) for likely in answers]
    if faults and all(faults):
        what = f"none of its {len(faults)} questions was answered: {faults[0]}"
        raise BackendFailed(what, f"judge {judge}", "see to its model, or leave the stage out")
