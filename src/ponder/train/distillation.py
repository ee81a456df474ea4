"""Losses that teach an embedder how a judge ranks the documents of one query.

Both take cosines and scores as matrices, a row a query and a column a document, and look at the judged
documents of a row only. A judge's scores are compared within one query, never between two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

SHARPNESS = 4.0
"""Logits between a query's best and worst judged document in the teacher's softmax: odds of e^4, 55 to 1.
A judge's unit (logit, probability, sum of log-probabilities) then does not matter."""


def kl_divergence(
    cosines: Tensor, scores: Tensor, temperature: float, *, sharpness: float = SHARPNESS
) -> Tensor:
    """KL(teacher || student), each a softmax over a query's judged documents; mean over the queries.

    The teacher's temperature is the query's own: the margin between its best and worst score, divided by
    `sharpness`. A query whose documents were all given the same score, or with fewer than two, teaches
    nothing and is left out of the mean.

    Args:
        cosines: (queries, documents), float32.
        scores: The judge's, of the same shape; NaN where it did not judge.
        temperature: The student's.
        sharpness: See `SHARPNESS`.

    Returns:
        A scalar; 0 where no query teaches anything.

    Example:
        >>> import torch
        >>> alike, nan = torch.tensor([[0.5, 0.5, 0.9]]), float("nan")
        >>> round(kl_divergence(alike, torch.tensor([[1.0, 0.0, nan]]), 0.02, sharpness=0.0).item(), 6)
        0.0
    """
    import torch

    known, rows = _judged(scores)
    if not bool(rows.any()):
        return cosines.sum() * 0.0
    cosines, scores, known = cosines[rows], scores[rows], known[rows]
    low, high = _ends(scores, known)
    teacher = ((scores - high) / (high - low) * sharpness).masked_fill(~known, -torch.inf).log_softmax(1)
    student = (cosines / temperature).masked_fill(~known, -torch.inf).log_softmax(1)
    # 0 · (-inf - -inf) outside the judged would be NaN, in the gradient too.
    apart = torch.where(known, teacher, 0.0) - torch.where(known, student, 0.0)
    return (teacher.exp() * apart).sum(1).mean()


def gap_weighted_cosent(cosines: Tensor, scores: Tensor, temperature: float) -> Tensor:
    """CoSENT over the pairs of a query's judged documents, each weighed by how far the judge puts them apart.

    log(1 + Σ w(i, j) exp((cos(j) - cos(i)) / temperature)) over all i that the judge puts above j, where
    w(i, j) is their gap over the query's widest gap; mean over the queries. A pair that the judge hardly
    tells apart hardly counts. CoSENT: Su, https://kexue.fm/archives/8847.

    Args:
        cosines: As for `kl_divergence`.
        scores: Likewise.
        temperature: Likewise.

    Returns:
        A scalar; 0 where no query teaches anything.

    Example:
        >>> import torch
        >>> cosines, scores = torch.tensor([[0.3, 0.3]]), torch.tensor([[2.0, 1.0]])
        >>> round(gap_weighted_cosent(cosines, scores, 0.02).item(), 4)  # log 2
        0.6931
    """
    import torch

    known, rows = _judged(scores)
    losses = []
    for row in rows.nonzero().flatten().tolist():
        cosine, score = cosines[row][known[row]], scores[row][known[row]]
        gaps = score[:, None] - score[None, :]
        above = gaps > 0
        logits = ((cosine[None, :] - cosine[:, None]) / temperature)[above] + (gaps[above] / gaps.max()).log()
        losses.append(torch.cat((logits.new_zeros(1), logits)).logsumexp(0))
    return torch.stack(losses).mean() if losses else cosines.sum() * 0.0


def _judged(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Which cells were judged, and which rows have scores that differ."""
    known = ~scores.isnan()
    low, high = _ends(scores, known)
    return known, (known.sum(1) > 1) & (high > low).flatten()


def _ends(scores: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    import torch

    low = scores.masked_fill(~known, torch.inf).amin(1, keepdim=True)
    high = scores.masked_fill(~known, -torch.inf).amax(1, keepdim=True)
    return low, high
