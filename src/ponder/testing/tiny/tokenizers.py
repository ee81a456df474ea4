"""Tokenizers of the tiny models, trained here, with their families' marks and a template in ChatML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args

Family = Literal["llama", "qwen3-vl", "qwen2-vl", "smolvlm", "qwen3.5", "qwen2.5-vl", "internvl"]

FAMILIES: tuple[Family, ...] = get_args(Family)

WORDS = ("yes", "no", "true", "false", "Wait", "<think>", "</think>")
"""Words that are one token each; so is every letter."""

IMAGE, VIDEO = "<|image_pad|>", "<|video_pad|>"
START, END = "<|vision_start|>", "<|vision_end|>"
INTERN = {
    "context_image_token": "<IMG_CONTEXT>",
    "start_image_token": "<img>",
    "end_image_token": "</img>",
    "video_token": "<video>",
}
"""InternVL's names for its marks."""

_VOCABULARY = 600

_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'text' %}{{ part['text'] }}{% else %}{{ 'PICTURE' }}{% endif %}"
    "{% endfor %}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def tokenizer_for(family: Family) -> Any:
    """Byte-level BPE as Qwen's, trained on the glosses that come with ponder."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *_marks(family)]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        _texts(),
        trainers.BpeTrainer(
            vocab_size=_VOCABULARY, special_tokens=marks, initial_alphabet=alphabet, show_progress=False
        ),
    )
    tokenizer = _fast()(
        tokenizer_object=made,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=chat_template(_shown(family)),
        extra_special_tokens=_named(family),
    )
    tokenizer.add_tokens(list(WORDS))
    return tokenizer


def chat_template(picture: str) -> str:
    """A template in ChatML, with `picture` where one is shown."""
    return _TEMPLATE.replace("PICTURE", picture)


def _named(family: Family) -> dict[str, str]:
    """The family's marks by the names under which its processor asks for them."""
    if family == "llama":
        return {}
    if family == "internvl":
        return dict(INTERN)
    if family == "smolvlm":
        return {
            "image_token": "<image>",
            "fake_image_token": "<fake_token_around_image>",
            "global_image_token": "<global-img>",
            "end_of_utterance_token": "<end_of_utterance>",
            "video_token": "<video>",
        }
    return {"image_token": IMAGE, "video_token": VIDEO, "vision_bos_token": START, "vision_eos_token": END}


def _marks(family: Family) -> list[str]:
    rows = [f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)]
    return [*_named(family).values(), *(rows if family == "smolvlm" else ())]


def _shown(family: Family) -> str:
    """What stands in a conversation where a picture is."""
    return {
        "llama": "",
        "smolvlm": "<image>",
        "internvl": INTERN["context_image_token"],
    }.get(family, f"{START}{IMAGE}{END}")


def _fast() -> Any:
    # Without annotations in transformers.
    import transformers

    return transformers.PreTrainedTokenizerFast


def _texts() -> Iterator[str]:
    from ponder.models.lite.wordnet import knowledge

    for entry in knowledge():
        yield entry.synset.gloss
