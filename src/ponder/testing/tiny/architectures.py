"""Architectures of the tiny models: the real ones of transformers, a few layers deep."""

from __future__ import annotations

from typing import Any

from ponder.testing.tiny.tokenizers import END, IMAGE, INTERN, START, VIDEO


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
        "image_token_id": IMAGE,
        "video_token_id": VIDEO,
        "vision_start_token_id": START,
        "vision_end_token_id": END,
    }
    return {name: tokenizer.convert_tokens_to_ids(mark) for name, mark in names.items()}


def _llama(tokenizer: Any, width: int) -> Any:
    t = library()

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
    t = library()

    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2], "mrope_interleaved": True}
    vision = {**_qwen3_vision(width), "deepstack_visual_indexes": [0, 1]}
    text = _text_config(tokenizer, width, rope_parameters=rope)
    return t.Qwen3VLForConditionalGeneration(
        t.Qwen3VLConfig(text_config=text, vision_config=vision, **_marks(tokenizer))
    )


def _qwen2_vl(tokenizer: Any, width: int) -> Any:
    t = library()

    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]}
    vision = {"depth": 2, "embed_dim": width, "hidden_size": width, "num_heads": 2, "patch_size": 14}
    text = _text_config(tokenizer, width, rope_parameters=rope)
    text.pop("head_dim")
    return t.Qwen2VLForConditionalGeneration(
        t.Qwen2VLConfig(text_config=text, vision_config=vision, **_marks(tokenizer))
    )


def _smolvlm(tokenizer: Any, width: int) -> Any:
    t = library()

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
    t = library()

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


def _qwen2_5_vl(tokenizer: Any, width: int) -> Any:
    t = library()

    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]}
    vision = {
        "depth": 2,
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_heads": 2,
        "patch_size": 14,
        "out_hidden_size": width,
        "window_size": 56,
        "fullatt_block_indexes": [1],
    }
    text = _text_config(tokenizer, width, rope_parameters=rope)
    text.pop("head_dim")
    return t.Qwen2_5_VLForConditionalGeneration(
        t.Qwen2_5_VLConfig(text_config=text, vision_config=vision, **_marks(tokenizer))
    )


def _internvl(tokenizer: Any, width: int) -> Any:
    t = library()

    vision = {
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": (56, 56),
        "patch_size": (14, 14),
    }
    text = {"model_type": "qwen2", **_text_config(tokenizer, width)}
    text.pop("head_dim")
    return t.InternVLForConditionalGeneration(
        t.InternVLConfig(
            text_config=text,
            vision_config=vision,
            image_token_id=tokenizer.convert_tokens_to_ids(INTERN["context_image_token"]),
            image_seq_length=4,
        )
    )


def library() -> Any:
    """transformers; its processors have no annotations."""
    import transformers

    return transformers


MAKERS = {
    "llama": _llama,
    "qwen3-vl": _qwen3_vl,
    "qwen2-vl": _qwen2_vl,
    "smolvlm": _smolvlm,
    "qwen3.5": _qwen3_5,
    "qwen2.5-vl": _qwen2_5_vl,
    "internvl": _internvl,
}
"""From a family, its tokenizer and a width to a model."""
