"""Which judge is trained: a cross-encoder or a chat model, what it is asked and what it is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ponder.errors import BadArguments
from ponder.models.local.engine import LocalEngine
from ponder.models.local.loading import without_weights
from ponder.models.local.settings import LocalSettings
from ponder.models.sentence import having, named
from ponder.presets.chat import ChatModels, question_of, showing_of
from ponder.presets.spec import CrossEncoderSpec, EngineJudgeSpec
from ponder.protocols import Models
from ponder.rerank.cross_encoder import CrossEncoderJudge
from ponder.rerank.showing import Showing
from ponder.train.base import Base, resolved
from ponder.train.chat_base import settings_of
from ponder.train.reranker_settings import RerankerSettings
from ponder.train.scorers import Asking, ChatScorer, CrossScorer, Scorer
from ponder.train.student import Adapter, Student, Tuning, check_adapter, digest_of

_ENGINE = "trained-judge"


@dataclass(frozen=True, slots=True)
class JudgeBase:
    """A judge before it is trained.

    Attributes:
        stage: Whose judge it is: "ecr" or "query-aware".
        spec: How a preset describes it, but for the model.
        chat: The chat model, of a judge that is one.
    """

    stage: str
    spec: CrossEncoderSpec | EngineJudgeSpec
    chat: LocalSettings | None = None

    @property
    def name(self) -> str:
        """Of the model."""
        return self.model.model

    @property
    def model(self) -> Base:
        """For an estimate."""
        if isinstance(self.spec, CrossEncoderSpec):
            return Base(self.spec.model, self.spec.revision)
        assert self.chat is not None, "made by judge_base"
        return Base(self.chat.model, self.chat.revision)

    @property
    def digest(self) -> str:
        """What tells one base from another."""
        return named(self.model.model, self.model.revision) if self.chat is None else digest_of(self.chat)

    @property
    def showing(self) -> Showing:
        """What it is shown."""
        return showing_of(self.spec)

    @property
    def asks(self) -> str:
        """What it is asked, in a fingerprint's words."""
        asked = "" if isinstance(self.spec, CrossEncoderSpec) else f"{self._question().fingerprint}/"
        return asked + self.showing.fingerprint

    def lora(self, settings: RerankerSettings) -> bool:
        """Whether an adapter is trained."""
        return settings.tuning == "lora" or (settings.tuning == "auto" and self.chat is not None)

    def check(self, settings: RerankerSettings, adapter: Adapter) -> None:
        """See that what is asked for can be done.

        Raises:
            BadArguments: It cannot.
        """
        if self.chat is not None:
            check_adapter(self.chat, adapter, lora=self.lora(settings))
        elif adapter == "kept" and self.lora(settings):
            raise BadArguments("a cross-encoder's adapter is merged", "--adapter kept", "leave it out")

    def scorer(self, settings: RerankerSettings, *, half: bool) -> Scorer:
        """The judge, to be trained; loads at first use."""
        s = settings
        tuning = Tuning(self.lora(s), s.rank, s.alpha, s.seed, half, s.checkpointing)
        if isinstance(self.spec, CrossEncoderSpec):
            return CrossScorer(
                self._cross("bfloat16" if half and tuning.lora else "float32"), self.showing, tuning
            )
        assert self.chat is not None, "made by judge_base"
        student = Student(self.chat, tuning)
        return ChatScorer(student, student.engine, self._question(), self.showing)

    def counter(self) -> Scorer:
        """The judge, to count tokens only; of a chat model no weights are loaded."""
        if isinstance(self.spec, CrossEncoderSpec):
            return CrossScorer(self._cross("float32"), self.showing, Tuning(False))
        assert self.chat is not None, "made by judge_base"
        engine = LocalEngine(self.chat)
        engine.loaded = without_weights(self.chat)
        return ChatScorer(None, engine, self._question(), self.showing)

    def vocabulary(self) -> int:
        """Logits that are computed for a pair."""
        return 1 if self.chat is None else len(without_weights(self.chat).tokenizer)

    def preset(self, settings: RerankerSettings, adapter: Adapter) -> tuple[dict[str, Any], dict[str, Any]]:
        """Judges and engines of a preset that has the trained judge beside it, in the folder "model"."""
        told = self.spec.model_dump(mode="json", exclude_defaults=True)
        if isinstance(self.spec, CrossEncoderSpec):
            told.pop("revision", None)
            return {self.stage: {**told, "kind": "cross-encoder", "model": "./model"}}, {}
        assert self.chat is not None, "made by judge_base"
        # It was trained to judge without a thought before.
        told.pop("musing", None)
        student = Student(self.chat, Tuning(self.lora(settings)))
        engines = {_ENGINE: student.trained_settings(adapter)}
        return {self.stage: {**told, "kind": "engine", "engine": _ENGINE}}, engines

    def _cross(self, dtype: str) -> CrossEncoderJudge:
        import torch

        assert isinstance(self.spec, CrossEncoderSpec), "asked of cross-encoders only"
        device = "" if torch.cuda.is_available() else "cpu"
        spec = self.spec
        return CrossEncoderJudge(
            self.stage,
            spec.model,
            self.showing,
            revision=spec.revision,
            device=device,
            dtype=dtype,
            trust=spec.remote_code,
        )

    def _question(self) -> Asking:
        assert isinstance(self.spec, EngineJudgeSpec), "asked of chat models only"
        question: Any = question_of(self.spec)
        asking: Asking = question
        return asking


def judge_base(models: Models, stage: str, name: str | None) -> JudgeBase:
    """The judge of a stage, or another model in its place.

    Args:
        models: Their judge's question, and what it is shown, are taken.
        stage: "ecr" or "query-aware".
        name: A cross-encoder, an encoder, or a chat model, as for `ponder.train.base.resolved`.

    Raises:
        BadArguments: The models' judge cannot be trained, and no model was named.
    """
    spec = models.preset.judges.get(stage) if isinstance(models, ChatModels) else None
    if name is None and not isinstance(spec, CrossEncoderSpec | EngineJudgeSpec):
        raise BadArguments(
            f"the {stage} judge of {models.name} cannot be trained", "--models", "name a model with --base"
        )
    shows: dict[str, Any] = {"shows": "reasoning" if stage == "ecr" else "media"}
    if spec is not None:
        shows = spec.model_dump(include={"shows", "pictures", "words", "frames", "weight"})
    if name is not None:
        model, revision = resolved(name)
        if _crosses(model, revision):
            made = CrossEncoderSpec(kind="cross-encoder", model=model, revision=revision, **shows)
            return JudgeBase(stage, made)
    if name is None and isinstance(spec, CrossEncoderSpec):
        return JudgeBase(stage, spec)
    asks = spec if isinstance(spec, EngineJudgeSpec) else EngineJudgeSpec(engine="", **shows)
    if asks.question not in ("yes-no", "p-true"):
        raise BadArguments(
            f"{asks.question} is no question with two answers", f"the {stage} judge", "take yes-no or p-true"
        )
    chat = settings_of(models, asks.engine, name, "judges")
    return JudgeBase(stage, asks, replace(chat))


def _crosses(model: str, revision: str) -> bool:
    """Whether a model is a cross-encoder, or an encoder that becomes one with a new head."""
    from transformers import AutoConfig

    with having(model, "a judge"):
        config = AutoConfig.from_pretrained(model, **({"revision": revision} if revision else {}))
    speaks = ("CausalLM", "ConditionalGeneration", "LMHeadModel", "ImageTextToText")
    return not any(mark in each for each in config.architectures or () for mark in speaks)
