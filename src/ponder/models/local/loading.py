"""From a name to a model that runs: every way in which that fails has a message of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ponder.errors import MissingDependency, ModelInvalid, PonderError, first_line, not_installed
from ponder.models.local.adapting import adapted
from ponder.models.local.settings import TRUST, LocalSettings
from ponder.models.quiet import quiet

SLOT = "<|ponder:text|>"
"""Stands in a rendered conversation where words of the user's go; no model ever reads it."""

_CONTEXT = 8192


@dataclass(slots=True, eq=False)
class Loaded:
    """A model, ready to run.

    Attributes:
        settings: As it was asked for.
        model: The whole model, with its head.
        tokenizer: Its tokenizer, which knows `SLOT`.
        processor: Turns pictures into tensors and placeholders; None for a model that sees none.
        slot: Id of `SLOT`.
        context: Tokens that it reads and writes at most.
        ends: Ids that end an answer.
        plain: Whether every layer attends to all that came before, so that prompts can share a row.
    """

    settings: LocalSettings
    model: Any
    tokenizer: Any
    processor: Any
    slot: int
    context: int
    ends: frozenset[int]
    plain: bool

    @property
    def device(self) -> Any:
        """Where it runs."""
        return self.model.device

    @property
    def inner(self) -> Any:
        """The model below its head: from tokens and pictures to hidden states."""
        return self.model.model

    @property
    def text_config(self) -> Any:
        """Of the part that reads tokens."""
        return self.model.config.get_text_config()

    def logits(self, hidden: Any) -> Any:
        """Logits (n, vocabulary), float32, of hidden states (n, width)."""
        return self.model.get_output_embeddings()(hidden).float()


def load(settings: LocalSettings) -> Loaded:
    """Load weights, tokenizer and processor.

    Raises:
        MissingDependency: The model is neither a folder nor to be had from the hub; a package is missing.
        ModelInvalid: Unknown architecture, code of its own that is not trusted, a missing processor or
            template, or an adapter of another model.
    """
    loaded = without_weights(settings)
    loaded.model = adapted(_weights(settings, loaded.processor is not None), settings)
    loaded.model.train(False)
    loaded.ends = _ends(loaded.model, loaded.tokenizer)
    return loaded


def without_weights(settings: LocalSettings) -> Loaded:
    """All of a model but its weights: enough to render prompts and to count their tokens.

    Raises:
        MissingDependency, ModelInvalid: As `load`.
    """
    config = _config(settings)
    processor = _processor(settings) if _sees(config, settings) else None
    tokenizer = processor.tokenizer if processor is not None else _tokenizer(settings)
    # A processor's template is the one that knows where pictures go.
    if not (getattr(processor, "chat_template", None) or tokenizer.chat_template):
        raise ModelInvalid(
            "no chat template", settings.model, "add chat_template.jinja to the model's folder"
        )
    # Not special: an image token that a user writes must stay words, and so must this.
    tokenizer.add_tokens([_slot()], special_tokens=True)
    text = config.get_text_config()
    return Loaded(
        settings,
        None,
        tokenizer,
        processor,
        tokenizer.convert_tokens_to_ids(SLOT),
        settings.context or int(getattr(text, "max_position_embeddings", 0) or _CONTEXT),
        frozenset({tokenizer.eos_token_id} - {None}),
        _plain(text),
    )


def reader_of(settings: LocalSettings) -> Any:
    """The model's processor, or its tokenizer where it sees no pictures, as they are in its folder.

    Raises:
        MissingDependency, ModelInvalid: As `load`.
    """
    return _processor(settings) if sees_pictures(settings) else _tokenizer(settings)


def sees_pictures(settings: LocalSettings) -> bool:
    """Whether a model sees pictures, from its configuration alone.

    Raises:
        MissingDependency, ModelInvalid: As `load`.
    """
    return _sees(_config(settings), settings)


def place(settings: LocalSettings) -> tuple[str, Any]:
    """Device and dtype that "auto" stands for here."""
    import torch

    device = settings.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    name = settings.dtype
    if name == "auto":
        name = "float32" if device == "cpu" else "bfloat16"
    return device, getattr(torch, name)


def _slot() -> Any:
    from transformers import AddedToken

    return AddedToken(SLOT, special=True, normalized=False)


def _options(settings: LocalSettings) -> dict[str, Any]:
    if settings.remote_code not in ("", TRUST):
        raise ModelInvalid(
            f"remote_code says {settings.remote_code!r}",
            settings.model,
            f"write {TRUST!r}, or leave it empty",
        )
    options: dict[str, Any] = {"trust_remote_code": settings.remote_code == TRUST}
    if Path(settings.model).expanduser().is_dir():
        options["local_files_only"] = True
    elif settings.revision:
        options["revision"] = settings.revision
    return options


def _where(settings: LocalSettings) -> str:
    path = Path(settings.model).expanduser()
    return str(path) if path.is_dir() else settings.model


def _config(settings: LocalSettings) -> Any:
    from transformers import AutoConfig

    options = _options(settings)
    try:
        with quiet():
            return AutoConfig.from_pretrained(_where(settings), **options)
    except OSError as error:
        raise _not_there(settings, error) from error
    except ValueError as error:
        if "trust_remote_code" in str(error):
            how = f"set remote_code to {TRUST!r} if you have read that code"
            raise ModelInvalid("the model brings code of its own", settings.model, how) from error
        raise ModelInvalid(
            f"unknown architecture: {first_line(error)}", settings.model, "a newer transformers may know it"
        ) from error


def _sees(config: Any, settings: LocalSettings) -> bool:
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
    )

    kind = config.model_type
    if kind in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        return True
    if kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES or settings.remote_code:
        return False
    raise ModelInvalid(
        f"{kind!r} is no chat model", settings.model, "take a language model, or one that sees"
    )


def _processor(settings: LocalSettings) -> Any:
    from transformers import AutoProcessor

    loader: Any = AutoProcessor
    try:
        with quiet():
            processor = loader.from_pretrained(_where(settings), **_options(settings))
    except ImportError as error:
        raise not_installed(error, settings.model) from error
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise _no_processor(settings, error) from error
    if getattr(processor, "image_processor", None) is None:
        raise _no_processor(settings, ValueError("it has no image processor"))
    return processor


def _no_processor(settings: LocalSettings, error: Exception) -> PonderError:
    how = "add preprocessor_config.json and processor_config.json of the original model to its folder"
    return ModelInvalid(f"no processor for pictures: {first_line(error)}", settings.model, how)


def _tokenizer(settings: LocalSettings) -> Any:
    from transformers import AutoTokenizer

    try:
        with quiet():
            return AutoTokenizer.from_pretrained(_where(settings), **_options(settings))
    except (OSError, ValueError) as error:
        raise ModelInvalid(
            f"no tokenizer: {first_line(error)}", settings.model, "add tokenizer.json to the model's folder"
        ) from error


def _weights(settings: LocalSettings, sees: bool) -> Any:
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

    device, dtype = place(settings)
    made = AutoModelForImageTextToText if sees else AutoModelForCausalLM
    try:
        with quiet():
            model: Any = made.from_pretrained(_where(settings), dtype=dtype, **_options(settings))
            return model.to(device)
    except OSError as error:
        raise _not_there(settings, error) from error


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    ends = {tokenizer.eos_token_id}
    given = getattr(model.generation_config, "eos_token_id", None)
    ends |= set(given) if isinstance(given, list | tuple) else {given}
    return frozenset(end for end in ends if end is not None)


def _plain(text: Any) -> bool:
    """Whether no layer keeps a running state or a window instead of all keys and values."""
    layers = getattr(text, "layer_types", None)
    if layers:
        return set(layers) == {"full_attention"}
    return not getattr(text, "sliding_window", None) or not getattr(text, "use_sliding_window", True)


def _not_there(settings: LocalSettings, error: Exception) -> PonderError:
    if Path(settings.model).expanduser().is_dir():
        return ModelInvalid(first_line(error), settings.model, "the folder lacks a model's files")
    how = "give the folder of a downloaded copy, or check the name and the connection"
    return MissingDependency(f"the model cannot be had: {first_line(error)}", settings.model, how)
