"""A preset as a file: which models, what they are told, how much they see."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ponder.errors import BadArguments, InputInvalid, InputNotFound

FILES = Path(__file__).parent / "files"


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
    context: int = Field(default=8192, gt=0)


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


class JudgeSpec(_Part):
    """A judge over an engine."""

    engine: str
    question: Literal["yes-no", "p-true", "query-likelihood", "listwise", "tournament"] = "yes-no"
    shows: Literal["reasoning", "media", "both"] = "reasoning"
    pictures: bool = True
    weight: float = Field(default=1.0, ge=0)
    instruction: str = ""
    answers: tuple[str, str] | None = None
    words: int = Field(default=160, gt=0)
    frames: int = Field(default=8, gt=0)
    musing: MusingSpec | None = None


class Preset(_Part):
    """A set of models that work together.

    Attributes:
        name: As in ``--models``.
        about: One line.
        memory: What it needs, for people.
        engines: Chat models by a name of the file's own.
        reason_tokens: Default length of a document's ECR.
        reason_batch: Documents that are reasoned about together.
    """

    name: str
    about: str = ""
    memory: str = ""
    engines: dict[str, EngineSpec] = {}
    reasoner: ReasonerSpec
    embedder: EmbedderSpec
    judges: dict[str, JudgeSpec] = {}
    reason_tokens: int = Field(default=192, gt=0)
    reason_batch: int = Field(default=32, gt=0)

    @field_validator("engines", mode="before")
    @classmethod
    def _here_unless_told(cls, engines: Any) -> Any:
        """An engine without a kind runs here."""
        if not isinstance(engines, dict):
            return engines
        return {k: {"kind": "local", **v} if isinstance(v, dict) else v for k, v in engines.items()}


def packaged() -> list[str]:
    """Names of the presets that come with ponder as files, sorted.

    Example:
        >>> "qwen3-vl-2b" in packaged()
        True
    """
    return sorted(path.stem for path in FILES.glob("*.yaml"))


def read(name: str, *, where: Path | None = None) -> Preset:
    """Read a preset: a packaged one's name, or the path of a file; overrides may follow.

    Args:
        name: ``NAME`` or ``FILE.yaml``, then any number of ``,PART.FIELD=VALUE`` (values as in YAML). A file
            may say ``base: NAME`` and then only what differs.
        where: Folder that a relative path starts from.

    Raises:
        InputNotFound: No such preset or file.
        InputInvalid: The file says something that a preset has not; names the field.
        BadArguments: An override that cannot be read.

    Example:
        >>> read("qwen3-vl-2b,reason_tokens=64").reason_tokens
        64
    """
    plain, *overrides = name.split(",")
    table = _table(plain, where)
    for override in overrides:
        place, equals, value = override.partition("=")
        if not equals or not place:
            raise BadArguments(f"cannot read {override!r}", "--models", "write PART.FIELD=VALUE")
        _put(table, place.strip().split("."), yaml.safe_load(value), override)
    table["name"] = name
    try:
        preset = Preset.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputInvalid(f"{place}: {first['msg']}", plain, "see docs/models.md") from error
    _check(preset, plain)
    return preset


def _table(name: str, where: Path | None) -> dict[str, Any]:
    path = FILES / f"{name}.yaml"
    if name.endswith((".yaml", ".yml")):
        path = Path(where or ".", name).expanduser()
    if not path.is_file():
        raise InputNotFound("no such preset", name, f"there are {', '.join(packaged())}, and files.yaml")
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputInvalid(f"no YAML: {str(error).splitlines()[0]}", str(path), "mend the file") from error
    if not isinstance(table, dict):
        raise InputInvalid("not a preset", str(path), "see docs/models.md")
    base = table.pop("base", None)
    return table if base is None else _merged(_table(str(base), path.parent), table)


def _merged(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    found = dict(base)
    for key, value in more.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        # Another kind has other fields: nothing of the base's is left then.
        same = both and value.get("kind", found[key].get("kind")) == found[key].get("kind")
        found[key] = _merged(found[key], value) if same else value
    return found


def _put(table: dict[str, Any], place: list[str], value: Any, told: str) -> None:
    for part in place[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise BadArguments(f"{part!r} in {told!r} has no fields", "--models", "see docs/models.md")
    table[place[-1]] = value


def _check(preset: Preset, where: str) -> None:
    """Every engine that a part names is there."""
    named = {"reasoner": preset.reasoner.engine}
    if isinstance(preset.embedder, BackboneSpec):
        named["embedder"] = preset.embedder.engine
    for name, judge in preset.judges.items():
        named[f"judges.{name}"] = judge.engine
        if judge.musing:
            named[f"judges.{name}.musing"] = judge.musing.engine
    for place, engine in named.items():
        if engine not in preset.engines:
            there = ", ".join(preset.engines) or "none"
            raise InputInvalid(f"{place}.engine: no engine {engine!r}", where, f"there are {there}")
    if isinstance(preset.embedder, BackboneSpec) and not isinstance(
        preset.engines[preset.embedder.engine], LocalSpec
    ):
        raise InputInvalid("embedder.engine: a backbone runs here", where, "name an engine of kind local")
