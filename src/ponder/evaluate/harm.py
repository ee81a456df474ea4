"""What counts as harm: a figure that falls by more than noise lets it."""

from __future__ import annotations


def allowed(queries: int) -> float:
    """How much a higher budget may lose: half a point, or one query.

    Example:
        >>> allowed(100), allowed(1000)
        (0.01, 0.005)
    """
    return max(0.005, 1 / queries)


def harmless(before: float, after: float, queries: int) -> bool:
    """Whether `after` is not below `before` by more than is allowed; figures have six digits.

    Example:
        >>> harmless(0.62, 0.61, 100), harmless(0.62, 0.60, 100)
        (True, False)
    """
    return after - before >= -allowed(queries) - 1e-6
