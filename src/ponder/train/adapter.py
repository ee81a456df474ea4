"""Fitting `lite`'s adapter: a linear map from looks to meaning, by contrast between labelled pictures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ponder.embed.lite import DIM, meaning_of
from ponder.errors import BadArguments
from ponder.train.pictures import Pictures

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class AdapterSettings:
    """How an adapter is fitted. Defaults were chosen by five-fold cross-validation on stamps' train.

    Attributes:
        steps: Of AdamW; a step takes 20 ms.
        rate: Learning rate.
        decay: Weight decay: what is not learned from many pictures is soon forgotten. hit@10 is as good from
            3 to 12; with .1 the map learns 400 pictures by heart, and nothing (.27 for .51).
        temperature: Of InfoNCE, as TTE's (arXiv:2510.05014).
        batch: Most queries of a step, drawn anew for each.
        negatives: Most mined negatives of a query.
        strangers: Also take mined negatives that answer no query of the training set. A picture that is only
            ever a negative learns to answer nothing, also what it will be asked for one day: with them hit@10
            on stamps' dev was .463, without .574 (docs/log.md).
        classes: Weight of what the classifier and WordNet know (`classes_of`): with 475 queries hit@1 .241
            for .210, hit@10 .525 for .504.
        dropout: Share of a look's features that a step does not see (Srivastava et al., JMLR 2014): hit@1
            .237 for .235 and hit@10 .539 for .528.
        akin: Share of the loss that goes to softened labels: a picture is right for a query in so far as what
            is asked of it is like that query, so that "A flower." does not push every other flower away. Of
            several shares one map each is fitted, and their mean is the adapter (model soups,
            arXiv:2203.05482): hit@10 .543 for .536 of 0 and .528 of .3.
        warmth_akin: Of these likenesses, cosines of the sentence encoder.
        distil: Weight of the KL divergence from the judge's ranking of a query's documents.
        warmth: Of the judge's scores, in their standard deviations.
        promote: False negatives are positives.
        suspects: Train on suspect positives too; see `ponder.train.examples.examples_of`.
        seed: Of the batches.
    """

    steps: int = 200
    rate: float = 0.02
    decay: float = 6.0
    temperature: float = 0.02
    batch: int = 512
    negatives: int = 8
    strangers: bool = False
    classes: float = 1.0
    dropout: float = 0.3
    akin: tuple[float, ...] = (0.0, 0.3)
    warmth_akin: float = 0.1
    distil: float = 0.0
    warmth: float = 0.5
    promote: bool = False
    suspects: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        low = {"steps": 1, "batch": 2, "negatives": 0, "classes": 0, "distil": 0, "decay": 0}
        for name, least in low.items():
            if getattr(self, name) < least:
                raise BadArguments(f"{getattr(self, name)}", f"--{name}", f"at least {least}")
        if not self.akin or not all(0 <= share <= 1 for share in self.akin):
            raise BadArguments(f"{self.akin}", "--akin", "shares, each from 0 to 1, as in 0,0.3")
        if not 0 <= self.dropout < 1:
            raise BadArguments(f"{self.dropout}", "--dropout", "a share: from 0 to below 1")
        for name in ("rate", "temperature", "warmth", "warmth_akin"):
            if not getattr(self, name) > 0:
                raise BadArguments(f"{getattr(self, name)}", f"--{name.replace('_', '-')}", "more than 0")

    def fields(self) -> dict[str, Any]:
        """For a manifest."""
        return asdict(self) | {"akin": list(self.akin)}


def fit_adapter(
    pictures: Pictures,
    classes: tuple[NDArray[np.float32], NDArray[np.float32]] | None,
    settings: AdapterSettings,
    advance: Any = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit the map so that a query is nearer to its pictures than to others.

    One-way InfoNCE over the batch's positives and mined negatives. A picture that a query spares, or that has
    the same content as one of its positives, does not enter its denominator; of several positives the
    likelihood is the sum. Scores are those of the embedder with the adapter, whole rows: words, looks and the
    cap on the meaning's length included. The map begins at 0, which is `lite` as it was.

    Args:
        pictures: What to learn from.
        classes: Of `classes_of`; None where they are to weigh nothing.
        settings: How.
        advance: Called with (steps done, steps).

    Returns:
        float32 (1280, 384) and float32 (1280,): the map, and the mean that is taken off looks first.
    """
    import numpy as np
    import torch

    data = _Data(pictures, settings)
    mean = torch.from_numpy(pictures.looks.mean(axis=0))
    known = None
    if classes is not None and settings.classes:
        imagined, told = (torch.from_numpy(each) for each in classes)
        # What was imagined stands around a mean of its own: it is to say how classes differ, not pictures.
        known = imagined - mean, told
    grids = []
    for number, share in enumerate(settings.akin):
        drawing = torch.Generator().manual_seed(settings.seed)
        grid = torch.zeros(pictures.looks.shape[1], pictures.meanings.shape[1], requires_grad=True)
        optimiser = torch.optim.AdamW([grid], lr=settings.rate, weight_decay=settings.decay)
        for step in range(settings.steps):
            drawn = torch.randperm(len(pictures.names), generator=drawing)[: settings.batch].sort().values
            loss = data.loss(drawn.tolist(), grid, mean, akin=share, drawing=drawing)
            if known is not None:
                scores = known[1] @ (known[0] @ grid).T / (data.scale * settings.temperature)
                right = torch.arange(len(known[1]))
                loss = loss + settings.classes * torch.nn.functional.cross_entropy(scores, right)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if advance:
                advance(number * settings.steps + step + 1, len(settings.akin) * settings.steps)
        grids.append(grid.detach().numpy())
    return np.mean(grids, axis=0, dtype=np.float32), mean.numpy()


class _Data:
    """The training set as tensors.

    Args:
        pictures: It.
        settings: Of the training.
    """

    def __init__(self, pictures: Pictures, settings: AdapterSettings) -> None:
        import numpy as np
        import torch

        self._pictures, self._settings = pictures, settings
        one = np.zeros(DIM, np.float32)
        one[0] = 1.0
        self.scale = float(meaning_of(one)[0])
        """From a row's block of meaning to the meaning itself."""
        asked = pictures.queries[:, : pictures.meanings.shape[1]]
        plain = pictures.queries @ pictures.vectors.T
        self._asked = torch.from_numpy(np.ascontiguousarray(asked))
        self._rest = torch.from_numpy(plain - asked @ pictures.meanings.T / self.scale)
        self._meanings = torch.from_numpy(pictures.meanings)
        self._looks = torch.from_numpy(pictures.looks)
        shape = (len(pictures.names), len(pictures.documents))
        self._positive, self._barred = torch.zeros(shape), torch.zeros(shape)
        copies: dict[str, list[int]] = {}
        for place, digest in enumerate(pictures.digests):
            copies.setdefault(digest, []).append(place)
        for query, places in enumerate(pictures.positives):
            self._barred[query, sorted(pictures.spared[query])] = 1.0
            for place in places:
                self._barred[query, copies[pictures.digests[place]]] = 1.0
            self._positive[query, list(places)] = 1.0
            self._barred[query, list(places)] = 0.0
        if any(settings.akin):
            self._akin = torch.from_numpy(likeness(pictures))

    def loss(
        self,
        queries: list[int],
        grid: torch.Tensor,
        mean: torch.Tensor,
        *,
        akin: float = 0.0,
        drawing: torch.Generator | None = None,
    ) -> torch.Tensor:
        """InfoNCE, and the divergence from the judge, of these queries.

        Args:
            queries: Their places.
            grid: The map.
            mean: Of looks.
            akin: Share of softened labels.
            drawing: Draws the features that are not seen; None to see all.
        """
        import torch

        p = self._pictures
        shown = sorted({place for q in queries for place in (*p.positives[q], *p.negatives[q])})
        looks, unseen = self._looks[shown] - mean, self._settings.dropout
        if drawing is not None and unseen:
            looks = looks * (torch.rand(looks.shape, generator=drawing) >= unseen) / (1 - unseen)
        learned = self._meanings[shown] + looks @ grid
        learned = learned / torch.clamp(learned.norm(dim=1, keepdim=True), min=1.0)
        scores = self._rest[queries][:, shown] + self._asked[queries] @ learned.T / self.scale
        logits = scores / self._settings.temperature
        positive = self._positive[queries][:, shown]
        barred = self._barred[queries][:, shown] > 0
        open_ = logits.masked_fill(barred, float("-inf"))
        of_positives = logits.masked_fill(positive == 0, float("-inf"))
        loss = (torch.logsumexp(open_, 1) - torch.logsumexp(of_positives, 1)).mean()
        if akin:
            alike = self._akin[queries][:, shown].masked_fill(barred, float("nan"))
            loss = (1 - akin) * loss + akin * self._from_akin(logits, alike)
        if self._settings.distil:
            loss = loss + self._settings.distil * self._from_judge(queries, shown, logits)
        return loss

    def _from_akin(self, logits: torch.Tensor, akin: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy of our softmax with that of the likenesses, over pictures that have one."""
        import torch

        told = ~akin.isnan().all(1)
        if not told.any():
            return logits.sum() * 0
        akin, unknown = akin[told], akin[told].isnan()
        wanted = torch.softmax((akin / self._settings.warmth_akin).masked_fill(unknown, float("-inf")), 1)
        ours = torch.log_softmax(logits[told].masked_fill(unknown, float("-inf")), 1)
        return -(wanted * ours.masked_fill(unknown, 0.0)).sum(1).mean()

    def _from_judge(self, queries: list[int], shown: list[int], logits: torch.Tensor) -> torch.Tensor:
        """Mean KL divergence of our softmax from the judge's, over what it scored of a query's documents."""
        import torch

        column = {place: number for number, place in enumerate(shown)}
        parts = []
        for row, query in enumerate(queries):
            known = {column[p]: s for p, s in self._pictures.scores[query].items() if p in column}
            said = torch.tensor(list(known.values()))
            if len(known) < 2 or not said.std() > 0:
                continue
            wanted = torch.log_softmax(said / (said.std() * self._settings.warmth), 0)
            ours = torch.log_softmax(logits[row, list(known)], 0)
            parts.append((wanted.exp() * (wanted - ours)).sum())
        return torch.stack(parts).sum() / len(queries) if parts else logits.sum() * 0


def likeness(pictures: Pictures) -> NDArray[np.float32]:
    """How like each query is to what is asked of each picture: cosines to the mean of its queries' meanings.

    Args:
        pictures: What to learn from.

    Returns:
        float32 (q, n); NaN for pictures that answer no query, and for queries without words.
    """
    import numpy as np

    asked = pictures.queries[:, : pictures.meanings.shape[1]]
    norms = np.linalg.norm(asked, axis=1, keepdims=True)
    asked = asked / np.maximum(norms, 1e-9)
    of_pictures = np.zeros_like(pictures.meanings)
    for row, places in zip(asked, pictures.positives, strict=True):
        of_pictures[list(places)] += row
    lengths = np.linalg.norm(of_pictures, axis=1)
    found = asked @ (of_pictures / np.maximum(lengths, 1e-9)[:, None]).T
    found[:, lengths == 0] = np.nan
    found[norms[:, 0] == 0] = np.nan
    return np.asarray(found, np.float32)
