"""Losses of rerankers: over labels, pointwise or listwise, and over a larger judge's scores.

ListNet and LambdaLoss are sentence-transformers'. They are called with scores that are there already, so that
one forward pass serves several losses, and an MLLM's yes and no as well as a cross-encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ponder.train.distillation import kl_divergence

if TYPE_CHECKING:
    from torch import Tensor

LabelLoss = Literal["pointwise", "listwise", "lambda", "none"]
Distill = Literal["none", "margin", "kl"]


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """What is known of the documents of some queries, flat, query after query.

    Attributes:
        sizes: Documents of each query.
        gains: (documents) int64: grades; 0 for what is irrelevant.
        scores: (documents) float32: the larger judge's, NaN where there is none.
    """

    sizes: tuple[int, ...]
    gains: Tensor
    scores: Tensor

    @property
    def places(self) -> list[list[int]]:
        """Of each query's documents."""
        found, start = [], 0
        for size in self.sizes:
            found.append(list(range(start, start + size)))
            start += size
        return found


def pointwise(logits: Tensor, lists: Lists) -> Tensor:
    """Cross-entropy of yes and no, mean over all pairs.

    Example:
        >>> import torch
        >>> lists = Lists((2,), torch.tensor([1, 0]), torch.full((2,), torch.nan))
        >>> round(pointwise(torch.zeros(2), lists).item(), 4)  # log 2
        0.6931
    """
    import torch

    wanted = (lists.gains > 0).to(logits)
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted)


def listwise(logits: Tensor, lists: Lists) -> Tensor:
    """Cross-entropy of a softmax over each query's documents, mean over the queries (ListNet).

    The target is shared out among the positives by their gains; negatives have none of it. With one positive
    this is -log of its share.

    Example:
        >>> import torch
        >>> lists = Lists((2,), torch.tensor([1, 0]), torch.full((2,), torch.nan))
        >>> round(listwise(torch.zeros(2), lists).item(), 4)  # log 2
        0.6931
    """
    from sentence_transformers.cross_encoder.losses import ListNetLoss

    # The library takes a softmax of the labels: of a logarithm it leaves shares.
    labels = lists.gains.clamp(min=0).float().log()
    return _by_list(ListNetLoss(_given(logits)), lists, labels)


def lambda_loss(logits: Tensor, lists: Lists) -> Tensor:
    """NDCG-Loss2++ of the LambdaLoss framework (Wang et al., CIKM 2018), mean over the queries."""
    from sentence_transformers.cross_encoder.losses import LambdaLoss

    return _by_list(LambdaLoss(_given(logits)), lists, lists.gains.clamp(min=0).float())


def margin_mse(logits: Tensor, lists: Lists) -> Tensor:
    """Mean square of (own margin - judge's margin) over the scored positives and negatives of each query.

    Margins have the judge's unit: take it of a judge whose scores are logits (Hofstätter et al.,
    arXiv:2010.02666). 0 where no query has a scored positive and a scored negative.
    """
    import torch

    scored = ~lists.scores.isnan()
    high: list[int] = []
    low: list[int] = []
    for places in lists.places:
        known = [place for place in places if bool(scored[place])]
        wanted = [place for place in known if int(lists.gains[place]) > 0]
        rest = [place for place in known if int(lists.gains[place]) <= 0]
        high += [place for place in wanted for _ in rest]
        low += rest * len(wanted)
    if not high:
        return logits.sum() * 0.0
    margins = lists.scores[high] - lists.scores[low]
    return torch.nn.functional.mse_loss(logits[high] - logits[low], margins.to(logits))


def kl(logits: Tensor, lists: Lists) -> Tensor:
    """KL(judge || own) over each query's scored documents; see `ponder.train.distillation.kl_divergence`."""
    import torch

    widest = max(lists.sizes)
    own = logits.new_zeros((len(lists.sizes), widest))
    scores = torch.full_like(own, torch.nan)
    for row, places in enumerate(lists.places):
        own[row, : len(places)] = logits[places]
        scores[row, : len(places)] = lists.scores[places].to(scores)
    return kl_divergence(own, scores, 1.0)


def ranking_loss(
    logits: Tensor, lists: Lists, *, labels: LabelLoss, distill: Distill, weight: float
) -> Tensor:
    """The loss over labels, if any, and `weight` times that over the judge's scores, if any.

    Args:
        logits: (documents) float32.
        lists: What is known of them.
        labels: Which loss over labels.
        distill: Which loss over scores.
        weight: Of the latter.
    """
    over_labels = {"pointwise": pointwise, "listwise": listwise, "lambda": lambda_loss}
    over_scores = {"margin": margin_mse, "kl": kl}
    loss = logits.sum() * 0.0
    if labels != "none":
        loss = loss + over_labels[labels](logits, lists)
    if distill != "none":
        loss = loss + weight * over_scores[distill](logits, lists)
    return loss


def _by_list(loss: Any, lists: Lists, labels: Tensor) -> Tensor:
    places = lists.places
    found: Tensor = loss([[0] * len(places), places], [labels[some] for some in places])
    return found


def _given(logits: Tensor) -> Any:
    """What a loss of the library takes for its model: "documents" are places of scores."""
    import torch

    class Given:
        num_labels = 1
        device = logits.device

        def preprocess(self, pairs: Sequence[tuple[int, int]], **kwargs: Any) -> dict[str, Tensor]:
            return {"places": torch.tensor([place for _, place in pairs])}

        def __call__(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
            return {"scores": logits[features["places"]]}

    return Given()
