"""Tiny copies of the real chat models: their architecture, tokenizer and processor, with random weights.

They answer nonsense, but at the real shapes: what a model of 2 billion parameters would trip over, they
trip over too. A folder that is made here loads as a downloaded one does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from ponder.errors import BadArguments, MissingDependency, first_line

Family = Literal["llama", "qwen3-vl", "qwen2-vl", "smolvlm", "qwen3.5"]

FAMILIES: tuple[Family, ...] = get_args(Family)

WORDS = ("yes", "no", "true", "false", "Wait", "<think>", "</think>")
"""Words that are one token each; so is every letter."""

_IMAGE, _VIDEO = "<|image_pad|>", "<|video_pad|>"
_START, _END = "<|vision_start|>", "<|vision_end|>"
_VOCABULARY = 600

_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'text' %}{{ part['text'] }}{% else %}{{ 'PICTURE' }}{% endif %}"
    "{% endfor %}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def make_tiny(family: Family, folder: Path, *, seed: int = 0, scale: int = 1) -> Path:
    """Write a tiny model of a family into a folder, and give the folder back.

    Args:
        family: One of `FAMILIES`.
        folder: Made if it is not there.
        seed: Of the weights.
        scale: Widens it: 1 is some 0.2 million parameters.

    Raises:
        BadArguments: No such family.
        MissingDependency: transformers cannot make the family's processor here (see docs/models.md).
    """
    import torch

    from ponder.models.quiet import quiet

    if family not in FAMILIES:
        raise BadArguments(f"no tiny model of {family!r}", "family", f"take one of {', '.join(FAMILIES)}")
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizer_for(family)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _MAKERS[family](tokenizer, 32 * scale)
    # Real models have an opinion; with the usual 0.02 all logits would be alike to four digits.
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(5.0)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    with quiet():
        model.save_pretrained(folder)
    if family == "llama":
        tokenizer.save_pretrained(folder)
    else:
        try:
            _processor(family, tokenizer).save_pretrained(folder)
        except ImportError as error:
            how = "make setup installs it for tests"
            raise MissingDependency(first_line(error), family, how) from error
    return folder


def tokenizer_for(family: Family) -> Any:
    """Byte-level BPE as Qwen's, trained on the glosses that come with ponder."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    if family == "smolvlm":
        marks += ["<image>", "<video>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"]
        marks += [f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)]
    elif family != "llama":
        marks += [_IMAGE, _VIDEO, _START, _END]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        _texts(),
        trainers.BpeTrainer(
            vocab_size=_VOCABULARY, special_tokens=marks, initial_alphabet=alphabet, show_progress=False
        ),
    )
    picture = {"smolvlm": "<image>", "llama": ""}.get(family, f"{_START}{_IMAGE}{_END}")
    more: dict[str, Any] = {}
    if family == "smolvlm":
        more = {
            "extra_special_tokens": {
                "image_token": "<image>",
                "fake_image_token": "<fake_token_around_image>",
                "global_image_token": "<global-img>",
                "end_of_utterance_token": "<end_of_utterance>",
                "video_token": "<video>",
            }
        }
    elif family != "llama":
        more = {
            "extra_special_tokens": {
                "image_token": _IMAGE,
                "video_token": _VIDEO,
                "vision_bos_token": _START,
                "vision_eos_token": _END,
            }
        }
    tokenizer = _transformers().PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=chat_template(picture),
        **more,
    )
    tokenizer.add_tokens(list(WORDS))
    return tokenizer


def chat_template(picture: str) -> str:
    """A template in ChatML, with `picture` where one is shown."""
    return _TEMPLATE.replace("PICTURE", picture)


def _texts() -> Iterator[str]:
    from ponder.models.lite.wordnet import knowledge

    for entry in knowledge():
        yield entry.synset.gloss


def _text_config(tokenizer: Any, width: int, **more: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer) + 8,
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": width // 4,
        "max_position_embeddings": 4096,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        **more,
    }


def _marks(tokenizer: Any) -> dict[str, int]:
    names = {
        "image_token_id": _IMAGE,
        "video_token_id": _VIDEO,
        "vision_start_token_id": _START,
        "vision_end_token_id": _END,
    }
    return {name: tokenizer.convert_tokens_to_ids(mark) for name, mark in names.items()}


def _llama(tokenizer: Any, width: int) -> Any:
    t = _transformers()

    return t.LlamaForCausalLM(t.LlamaConfig(**_text_config(tokenizer, width)))


def _qwen3_vision(width: int) -> dict[str, Any]:
    return {
        "depth": 2,
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_heads": 2,
        "patch_size": 16,
        "out_hidden_size": width,
        "num_position_embeddings": 64,
    }


def _qwen3_vl(tokenizer: Any, width: int) -> Any:
    t = _transformers()

    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2], "mrope_interleaved": True}
    vision = {**_qwen3_vision(width), "deepstack_visual_indexes": [0, 1]}
    text = _text_config(tokenizer, width, rope_parameters=rope)
    return t.Qwen3VLForConditionalGeneration(
        t.Qwen3VLConfig(text_config=text, vision_config=vision, **_marks(tokenizer))
    )


def _qwen2_vl(tokenizer: Any, width: int) -> Any:
    t = _transformers()

    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]}
    vision = {"depth": 2, "embed_dim": width, "hidden_size": width, "num_heads": 2, "patch_size": 14}
    text = _text_config(tokenizer, width, rope_parameters=rope)
    text.pop("head_dim")
    return t.Qwen2VLForConditionalGeneration(
        t.Qwen2VLConfig(text_config=text, vision_config=vision, **_marks(tokenizer))
    )


def _smolvlm(tokenizer: Any, width: int) -> Any:
    t = _transformers()

    vision = {
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 64,
        "patch_size": 16,
    }
    text = {"model_type": "llama", **_text_config(tokenizer, width)}
    return t.SmolVLMForConditionalGeneration(
        t.SmolVLMConfig(
            text_config=text,
            vision_config=vision,
            scale_factor=2,
            image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def _qwen3_5(tokenizer: Any, width: int) -> Any:
    t = _transformers()

    rope = {
        "rope_type": "default",
        "rope_theta": 1e4,
        "partial_rotary_factor": 0.5,
        "mrope_section": [1, 1, 0],
        "mrope_interleaved": True,
    }
    text = _text_config(
        tokenizer,
        width,
        rope_parameters=rope,
        layer_types=["linear_attention", "full_attention", "linear_attention"],
        linear_key_head_dim=8,
        linear_value_head_dim=8,
        linear_num_key_heads=2,
        linear_num_value_heads=4,
    )
    return t.Qwen3_5ForConditionalGeneration(
        t.Qwen3_5Config(text_config=text, vision_config=_qwen3_vision(width), **_marks(tokenizer))
    )


def _transformers() -> Any:
    # Its processors have no annotations.
    import transformers

    return transformers


_MAKERS = {
    "llama": _llama,
    "qwen3-vl": _qwen3_vl,
    "qwen2-vl": _qwen2_vl,
    "smolvlm": _smolvlm,
    "qwen3.5": _qwen3_5,
}


def _processor(family: Family, tokenizer: Any) -> Any:
    t = _transformers()
    template = tokenizer.chat_template
    if family == "smolvlm":
        pictures = t.models.smolvlm.image_processing_pil_smolvlm.SmolVLMImageProcessorPil(
            size={"longest_edge": 128}, max_image_size={"longest_edge": 64}
        )
        video = t.models.smolvlm.video_processing_smolvlm.SmolVLMVideoProcessor()
        return t.SmolVLMProcessor(pictures, tokenizer, video, image_seq_len=4, chat_template=template)
    patch = 14 if family == "qwen2-vl" else 16
    pictures = t.models.qwen2_vl.image_processing_pil_qwen2_vl.Qwen2VLImageProcessorPil(
        patch_size=patch, size={"shortest_edge": 4 * patch * patch, "longest_edge": 400 * patch * patch}
    )
    if family == "qwen2-vl":
        video = t.models.qwen2_vl.video_processing_qwen2_vl.Qwen2VLVideoProcessor()
        return t.Qwen2VLProcessor(pictures, tokenizer, video, chat_template=template)
    video = t.models.qwen3_vl.video_processing_qwen3_vl.Qwen3VLVideoProcessor()
    return t.Qwen3VLProcessor(pictures, tokenizer, video, chat_template=template)
