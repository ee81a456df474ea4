"""What a preset's file may say: which models, what they are told, how much they see."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class LocalSpec(_Part):
    """A chat model that runs here; fields as in `ponder.models.local.settings.LocalSettings`."""

    kind: Literal["local"] = "local"
    model: str
    revision: str = ""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: str = "auto"
    adapter: str = ""
    remote_code: str = ""
    max_pixels: int = Field(default=1280 * 28 * 28, gt=0)
    frames: int = Field(default=8, gt=0)
    context: int = Field(default=0, ge=0)
    row: int = Field(default=1024, gt=0)


class RemoteSpec(_Part):
    """A chat model behind HTTP; fields as in `ponder.models.remote.settings.RemoteSettings`."""

    kind: Literal["remote"]
    url: str
    model: str
    key_env: str = "OPENAI_API_KEY"
    able: tuple[Literal["write", "answer", "likelihood", "pictures"], ...] = ("write", "answer", "pictures")
    verdicts: Literal["auto", "decisions", "systemone", "logprobs", "generated"] = "auto"
    concurrency: int = Field(default=8, gt=0)
    timeout: float = Field(default=120.0, gt=0)
    retries: int = Field(default=5, ge=0)


EngineSpec = Annotated[LocalSpec | RemoteSpec, Field(discriminator="kind")]


class WordingSpec(_Part):
    """What the reasoner is asked; what is left out has the default."""

    system: str = ""
    query: str = ""
    ask: dict[Literal["image", "page", "video", "text", "query"], str] = {}


class ReasonerSpec(_Part):
    """`ponder.reason.chat.ChatReasoner`."""

    engine: str
    wording: WordingSpec = WordingSpec()
    trace: float = Field(default=0.0, ge=0, lt=1)
    least: int = Field(default=0, ge=0)
    words: int = Field(default=800, gt=0)
    frames: int = Field(default=8, gt=0)


class FormatSpec(_Part):
    """`ponder.embed.conditioned.Format`."""

    document: str = "Represent the item for retrieval."
    query: str = "Find what the query asks for."
    joined: str = "{text}\n{reasoning}"
    words: int = Field(default=400, gt=0)
    frames: int = Field(default=8, gt=0)


class SentenceSpec(_Part):
    """`ponder.embed.sentence.SentenceEmbedder`."""

    kind: Literal["sentence"]
    model: str
    revision: str = ""
    format: FormatSpec = FormatSpec()
    prompts: dict[Literal["document", "query"], str] = {}
    dim: int = Field(default=0, ge=0)
    device: str = ""
    dtype: str = ""
    batch: int = Field(default=16, gt=0)
    remote_code: str = ""
    instructed: bool = False


class BackboneSpec(_Part):
    """`ponder.embed.backbone.BackboneEmbedder`."""

    kind: Literal["backbone"]
    engine: str
    pooling: Literal["last", "mean", "attention", "q-former", "self-attention"] = "last"
    weights: str = ""
    mark: str = ""
    format: FormatSpec = FormatSpec()


class RemoteEmbedderSpec(_Part):
    """`ponder.embed.remote.RemoteEmbedder`."""

    kind: Literal["remote"]
    url: str
    model: str
    dim: int = Field(gt=0)
    key_env: str = "OPENAI_API_KEY"
    pictures: bool = False
    concurrency: int = Field(default=8, gt=0)
    timeout: float = Field(default=120.0, gt=0)
    retries: int = Field(default=5, ge=0)
    batch: int = Field(default=32, gt=0)
    format: FormatSpec = FormatSpec()


EmbedderSpec = Annotated[SentenceSpec | BackboneSpec | RemoteEmbedderSpec, Field(discriminator="kind")]


class MusingSpec(_Part):
    """`ponder.rerank.musing.Musing`: reasoning with the query in view, before the question."""

    engine: str
    trace: int = Field(default=0, ge=0)
    answer: int = Field(default=64, gt=0)
    keep: Literal["text", "trace"] = "text"


class _Shows(_Part):
    """What any judge is shown, and how much its word counts."""

    shows: Literal["reasoning", "media", "both"] = "reasoning"
    pictures: bool = True
    words: int = Field(default=160, gt=0)
    frames: int = Field(default=8, gt=0)
    weight: float = Field(default=1.0, ge=0)


class EngineJudgeSpec(_Shows):
    """A judge that asks an engine a question."""

    kind: Literal["engine"] = "engine"
    engine: str
    question: Literal["yes-no", "p-true", "query-likelihood", "listwise", "tournament"] = "yes-no"
    instruction: str = ""
    answers: tuple[str, str] | None = None
    musing: MusingSpec | None = None


class CrossEncoderSpec(_Shows):
    """`ponder.rerank.cross_encoder.CrossEncoderJudge`."""

    kind: Literal["cross-encoder"]
    model: str
    revision: str = ""
    device: str = ""
    dtype: str = ""
    batch: int = Field(default=16, gt=0)
    remote_code: str = ""


class RemoteJudgeSpec(_Shows):
    """`ponder.rerank.remote.RemoteReranker`."""

    kind: Literal["remote"]
    url: str
    model: str
    route: Literal["rerank", "score"] = "rerank"
    key_env: str = "OPENAI_API_KEY"
    timeout: float = Field(default=120.0, gt=0)
    retries: int = Field(default=5, ge=0)


JudgeSpec = Annotated[EngineJudgeSpec | CrossEncoderSpec | RemoteJudgeSpec, Field(discriminator="kind")]


class Preset(_Part):
    """A set of models that work together.

    Attributes:
        name: As in ``--models``.
        about: One line.
        memory: What it needs, for people.
        billions: Parameters of engines, by their names, and of the embedder, if it is none of them, by
            ``embedder``: for reckoning what work will cost.
        engines: Chat models by a name of the file's own.
        parts_of: Another set, as in ``--models``: what is not said here (reasoner, embedder, judges) is that
            set's.
        reasoner: Writes the ECRs; None with `parts_of` only.
        embedder: Embeds item and ECR; None with `parts_of` only.
        calibration: A file of ``ponder calibrate``; "" for ``NAME.calibration.json`` beside a preset's file,
            if there is one, and "none" for none.
        reason_tokens: Default length of a document's ECR.
        reason_batch: Documents that are reasoned about together.
    """

    name: str
    about: str = ""
    memory: str = ""
    billions: dict[str, Annotated[float, Field(gt=0)]] = {}
    engines: dict[str, EngineSpec] = {}
    parts_of: str = ""
    reasoner: ReasonerSpec | None = None
    embedder: EmbedderSpec | None = None
    judges: dict[str, JudgeSpec] = {}
    calibration: str = ""
    reason_tokens: int = Field(default=192, gt=0)
    reason_batch: int = Field(default=32, gt=0)

    @field_validator("engines", mode="before")
    @classmethod
    def _here_unless_told(cls, engines: Any) -> Any:
        return _of_kind(engines, "local")

    @field_validator("judges", mode="before")
    @classmethod
    def _over_an_engine_unless_told(cls, judges: Any) -> Any:
        return _of_kind(judges, "engine")


def _of_kind(parts: Any, kind: str) -> Any:
    """Parts that do not say which kind they are, are of this one."""
    if not isinstance(parts, dict):
        return parts
    return {k: {"kind": kind, **v} if isinstance(v, dict) else v for k, v in parts.items()}
