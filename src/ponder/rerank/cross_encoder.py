"""Any cross-encoder of sentence-transformers as a judge: words, or pictures too where the model sees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any

from ponder.errors import InputInvalid
from ponder.models.sentence import having, named, told
from ponder.protocols import Reads
from ponder.records import Candidate, Content, Judgement, Usage, Verdict
from ponder.rerank.showing import Showing, Shown, unjudged

_VERSION = "cross-encoder-1"


class CrossEncoderJudge:
    """Scores pairs of query and candidate, from the first on, as many as the limit pays for.

    Prices are exact: the lengths of what the model reads, which it cuts at its own longest.

    Args:
        name: As in ``--stages``.
        model: A folder or a name on the model hub.
        showing: What is shown of a candidate. A model that reads words only does not judge what has pictures.
        weight: Of the score in fusion.
        revision: Commit on the hub.
        device: As torch writes it; "" lets the library choose.
        dtype: "float32", "bfloat16", or "" for the model's own.
        batch: Pairs at a time.
        trust: Run code that comes with the model: see `ponder.models.local.settings.TRUST`.
    """

    def __init__(
        self,
        name: str,
        model: str,
        showing: Showing,
        *,
        weight: float = 1.0,
        revision: str = "",
        device: str = "",
        dtype: str = "",
        batch: int = 16,
        trust: str = "",
    ) -> None:
        self.name, self.weight = name, weight
        self._model, self._showing, self._batch = model, showing, batch
        self._revision, self._device, self._dtype, self._trust = revision, device, dtype, trust

    @property
    def reads(self) -> Reads:
        """As `showing` does."""
        return self._showing.reads

    @cached_property
    def fingerprint(self) -> str:
        """Model and what is shown."""
        model = named(self._model, self._revision)
        return "/".join((self.name, _VERSION, model, self._dtype or "own", self._showing.fingerprint))

    @cached_property
    def model(self) -> Any:
        """The model; loads it.

        Raises:
            MissingDependency: It cannot be had.
            InputInvalid: It is no cross-encoder with one score.
        """
        from sentence_transformers import CrossEncoder

        with having(self._model, "a cross-encoder"):
            where, options = told(self._model, self._revision, self._device, self._dtype, self._trust)
            model = CrossEncoder(where, **options)
        if model.num_labels != 1:
            what = f"it gives {model.num_labels} scores a pair, not one"
            raise InputInvalid(what, self._model, "take a reranker, not a classifier")
        return model

    def price(self, query: Content, candidates: Sequence[Candidate]) -> int:
        """See `ponder.protocols.PricesJudging`; exact."""
        asked, shown = self._shown(query, candidates)
        return 0 if asked.missing else sum(self._costs(asked, shown))

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """See `ponder.protocols.Reranker`."""
        asked, shown = self._shown(query, candidates)
        if asked.missing:
            return unjudged(candidates, asked.missing)
        costs = self._costs(asked, shown)
        count = sum(total <= limit for total in accumulate(costs))
        scores = iter(self._scores(asked, [each for each in shown[:count] if not each.missing]))
        verdicts = [
            Verdict(candidate.row.item.id, None, note=each.missing)
            if each.missing
            else _verdict(candidate, each, next(scores))
            for candidate, each in zip(candidates[:count], shown[:count], strict=True)
        ]
        return Judgement(tuple(verdicts), Usage(read=sum(costs[:count])))

    def _shown(self, query: Content, candidates: Sequence[Candidate]) -> tuple[Shown, list[Shown]]:
        asked = self._readable(self._showing.query(query))
        return asked, [self._readable(self._showing.candidate(candidate)) for candidate in candidates]

    def _readable(self, shown: Shown) -> Shown:
        if shown.pictures and not self.model.supports("image"):
            return Shown(missing="the cross-encoder reads words only")
        return shown

    def _costs(self, asked: Shown, shown: Sequence[Shown]) -> list[int]:
        """Tokens of each pair; none for what cannot be shown."""
        return [0 if each.missing else self._length(asked, each) for each in shown]

    def _length(self, asked: Shown, shown: Shown) -> int:
        read = self.model.preprocess([(given(asked), given(shown))])
        return int(read["input_ids"].shape[-1])

    def _scores(self, asked: Shown, shown: Sequence[Shown]) -> list[float]:
        pairs = [(given(asked), given(each)) for each in shown]
        found = self.model.predict(pairs, batch_size=self._batch, show_progress_bar=False)
        return [float(score) for score in found]


def given(shown: Shown) -> Any:
    """What is shown in the library's terms: text, a picture, or both; of a clip its middle."""
    if not shown.pictures:
        return shown.text
    middle = shown.pictures[len(shown.pictures) // 2]
    return {"image": middle, **({"text": shown.text} if shown.text else {})}


def _verdict(candidate: Candidate, shown: Shown, score: float) -> Verdict:
    if not math.isfinite(score):
        return Verdict(candidate.row.item.id, None, note="the cross-encoder's score is not finite")
    frames = len(shown.pictures)
    note = f"judged by one frame of {frames}: a pair has one picture a side" if frames > 1 else ""
    return Verdict(candidate.row.item.id, score, note=note)
