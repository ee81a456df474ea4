"""A tiny EmbeddingGemma 2 as a sentence-transformers folder: its real parts, with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ponder.models.quiet import quiet
from ponder.testing.tiny import chat_template, tokenizer_for

DIM = 24
_WIDTH = 32
_MARKS = {"image_token": "<|image|>", "boi_token": "<|image>", "eoi_token": "<image|>"}


def make_tiny_embedder(folder: Path, *, seed: int = 0) -> Path:
    """Write the model into a folder, and give it back: words and pictures, mean pooling, 24 dimensions.

    Args:
        folder: Made if it is not there.
        seed: Of the weights.

    Raises:
        ImportError: Its processor for clips wants torchvision (`make setup` installs it for tests).
    """
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    t: Any = transformers
    trained = tokenizer_for("llama")
    tokenizer = t.PreTrainedTokenizerFast(
        tokenizer_object=trained.backend_tokenizer,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=chat_template(_MARKS["image_token"]),
        extra_special_tokens=_MARKS,
    )
    gemma = t.models.gemma4
    processor = t.EmbeddingGemma2Processor(
        gemma.feature_extraction_gemma4.Gemma4AudioFeatureExtractor(),
        gemma.image_processing_pil_gemma4.Gemma4ImageProcessorPil(max_soft_tokens=70),
        tokenizer,
        gemma.video_processing_gemma4.Gemma4VideoProcessor(),
        image_seq_length=70,
        chat_template=tokenizer.chat_template,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = t.EmbeddingGemma2Model(_config(t, tokenizer))
    inside = folder / "backbone"
    with quiet():
        model.save_pretrained(inside)
        processor.save_pretrained(inside)
        reads = Transformer(str(inside))
        made = SentenceTransformer(modules=[reads, Pooling(DIM, "mean"), Normalize()], device="cpu")
        made.save(str(folder / "model"), create_model_card=False)
    return folder / "model"


def _config(t: Any, tokenizer: Any) -> Any:
    text = {
        "vocab_size": len(tokenizer) + 8,
        "hidden_size": _WIDTH,
        "intermediate_size": 2 * _WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "global_head_dim": 8,
        "num_global_key_value_heads": 2,
        "hidden_size_per_layer_input": 8,
        "embedding_dim": DIM,
        "sliding_window": 16,
        "max_position_embeddings": 2048,
        "layer_types": ["sliding_attention", "full_attention"],
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.bos_token_id,
    }
    vision = {
        "model_type": "gemma4_vision",
        "hidden_size": _WIDTH,
        "intermediate_size": 2 * _WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "position_embedding_size": 256,
    }
    ids = {
        f"{name}_id": tokenizer.convert_tokens_to_ids(mark)
        for name, mark in {**_MARKS, "video_token": "<|video|>"}.items()
    }
    return t.EmbeddingGemma2Config(text_config=text, vision_config=vision, audio_config=None, **ids)
