"""A tiny cross-encoder as sentence-transformers saves it: BERT's real architecture with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ponder.models.quiet import quiet
from ponder.testing.tiny import tokenizer_for


def make_tiny_cross_encoder(folder: Path, *, labels: int = 1, longest: int = 128, seed: int = 0) -> Path:
    """Write the model into a folder, and give it back: 2 layers, 32 wide.

    Args:
        folder: Made if it is not there.
        labels: Scores a pair; a reranker has one.
        longest: Tokens of a pair; what is longer is cut.
        seed: Of the weights.

    Example:
        >>> import tempfile
        >>> from ponder.rerank.cross_encoder import CrossEncoderJudge
        >>> from ponder.rerank.showing import ShowReasoning
        >>> with tempfile.TemporaryDirectory() as made:
        ...     judge = CrossEncoderJudge("tiny", str(make_tiny_cross_encoder(Path(made))), ShowReasoning())
        ...     judge.model.num_labels
        1
    """
    import torch
    import transformers
    from tokenizers.processors import TemplateProcessing

    t: Any = transformers
    trained = tokenizer_for("llama").backend_tokenizer
    marks = {name: trained.token_to_id(name) for name in ("<|im_start|>", "<|im_end|>")}
    trained.post_processor = TemplateProcessing(
        single="<|im_start|> $A <|im_end|>",
        pair="<|im_start|> $A <|im_end|> $B:1 <|im_end|>:1",
        special_tokens=list(marks.items()),
    )
    tokenizer = t.PreTrainedTokenizerFast(
        tokenizer_object=trained,
        cls_token="<|im_start|>",
        sep_token="<|im_end|>",
        pad_token="<|endoftext|>",
        model_max_length=longest,
    )
    config = t.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=longest,
        pad_token_id=tokenizer.pad_token_id,
        num_labels=labels,
        initializer_range=0.2,
    )
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(seed)
        model = t.BertForSequenceClassification(config)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder
