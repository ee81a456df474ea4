"""The embedder's loss: masked one-way InfoNCE over a batch, with GradCache, distillation and Matryoshka.

The library's `CachedMultipleNegativesRankingLoss` takes the same number of negatives for each query and lets
every other document of the batch stand against it. Here a batch says by a mask which document may: never a
positive, a known false negative or a duplicate of either. The gradient cache itself is the library's
(`CachedLossMixin`; Gao et al., arXiv:2101.06983).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ponder.errors import BadArguments
from ponder.train.distillation import gap_weighted_cosent, kl_divergence

if TYPE_CHECKING:
    from torch import Tensor

TEMPERATURE = 0.02
"""TTE's (arXiv:2510.05014, appendix)."""


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """What is what in a batch whose distinct queries and documents were embedded once each.

    Attributes:
        queries: (queries) int64: the rows of the batch's vectors that are queries.
        documents: (documents) int64: likewise.
        pairs: (pairs, 2) int64: a query and its positive, as places in `queries` and `documents`.
        against: (queries, documents) bool: may stand in the query's denominator as a negative.
        scores: (queries, documents) float32: the judge's, NaN where there is none.
    """

    queries: Tensor
    documents: Tensor
    pairs: Tensor
    against: Tensor
    scores: Tensor

    def fields(self) -> dict[str, Tensor]:
        """As a dict, which the trainer knows how to put on a device."""
        return {name: getattr(self, name) for name in self.__slots__}


def info_nce(cosines: Tensor, pairs: Tensor, against: Tensor, temperature: float) -> Tensor:
    """One-way InfoNCE, query to target: the mean over pairs of -log of the positive's share.

    A pair's denominator is its positive and the documents that `against` lets stand. What is masked is left
    out of the sum, not given a small logit. A pair against nobody has loss 0.

    Args:
        cosines: (queries, documents), float32.
        pairs: As in `Targets`.
        against: As in `Targets`.
        temperature: Cosines are divided by it.

    Example:
        >>> import torch
        >>> cosines = torch.tensor([[0.4, 0.4, 0.9]])
        >>> loss = info_nce(cosines, torch.tensor([[0, 0]]), torch.tensor([[False, True, False]]), 0.02)
        >>> round(loss.item(), 4)  # log 2: the third document is masked
        0.6931
    """
    import torch

    logits = (cosines / temperature)[pairs[:, 0]]
    mine = torch.zeros_like(logits, dtype=torch.bool)
    mine[torch.arange(len(pairs), device=pairs.device), pairs[:, 1]] = True
    stand = against[pairs[:, 0]] | mine
    return (logits.masked_fill(~stand, -torch.inf).logsumexp(1) - logits[mine]).mean()


def make_loss(
    model: Any,
    *,
    temperature: float = TEMPERATURE,
    kl: float = 0.0,
    cosent: float = 0.0,
    dims: Sequence[int] = (),
    mini_tokens: int | None = 2048,
    mini_batch: int = 32,
    cached: bool = True,
) -> Any:
    """The loss as a module of sentence-transformers: called with lists of features and with `Targets.fields`.

    The loss is InfoNCE + kl · KL + cosent · CoSENT, averaged over the vectors' full length and each of
    `dims` (Matryoshka, arXiv:2205.13147): what `MatryoshkaLoss` computes, but that it sums.

    Args:
        model: The `SentenceTransformer`.
        temperature: Of InfoNCE and of the distilled student.
        kl: Weight of `kl_divergence`.
        cosent: Weight of `gap_weighted_cosent`.
        dims: Shorter lengths to train as well.
        mini_tokens: Most tokens that are embedded with a graph at a time: what bounds the memory.
        mini_batch: The same in inputs, where `mini_tokens` is None.
        cached: False embeds the whole batch with one graph.

    Raises:
        BadArguments: One of `dims` is not within the model's.
    """
    import torch
    from sentence_transformers.base import losses

    width = int(model.get_embedding_dimension())
    if wrong := [dim for dim in dims if not 0 < dim < width]:
        raise BadArguments(f"{wrong[0]} of {width} dimensions", "--dims", f"give lengths below {width}")
    lengths = (width, *dims)

    # The library annotates labels as one tensor; it hands them on as they are.
    mixin: Any = losses.CachedLossMixin

    class Contrastive(mixin, torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model
            self.mini_batch_size, self.mini_batch_num_tokens = mini_batch, mini_tokens
            self.uses_gradient_cache = cached

        def forward(self, features: Sequence[dict[str, Any]], labels: dict[str, Tensor]) -> Tensor:
            if cached:
                through_cache: Any = self.forward_cached
                found: Tensor = through_cache(features, labels)
                return found
            return self.calculate_loss(
                [[self.model(each)["sentence_embedding"]] for each in features], labels
            )

        def calculate_loss(
            self, reps: list[list[Tensor]], labels: dict[str, Tensor], *, with_backward: bool = False
        ) -> Tensor:
            # Vectors of a model in bfloat16 differ in their third digit: logits of cosine / .02 need more.
            vectors = torch.cat([torch.cat(some) for some in reps]).float()
            loss = torch.stack([self._at(vectors[:, :dim], Targets(**labels)) for dim in lengths]).mean()
            if with_backward:
                loss.backward()  # type: ignore[no-untyped-call]
                loss = loss.detach()
            return loss

        def _at(self, vectors: Tensor, targets: Targets) -> Tensor:
            vectors = torch.nn.functional.normalize(vectors, dim=1)
            cosines = vectors[targets.queries] @ vectors[targets.documents].T
            loss = info_nce(cosines, targets.pairs, targets.against, temperature)
            if kl:
                loss = loss + kl * kl_divergence(cosines, targets.scores, temperature)
            if cosent:
                loss = loss + cosent * gap_weighted_cosent(cosines, targets.scores, temperature)
            return loss

    return Contrastive()
