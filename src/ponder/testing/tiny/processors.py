"""Processors of the tiny models: the real ones, without what wants torchvision where there is another way."""

from __future__ import annotations

from typing import Any

from ponder.testing.tiny.architectures import library
from ponder.testing.tiny.tokenizers import Family


def processor_for(family: Family, tokenizer: Any) -> Any:
    """The family's own processor, for pictures of a few patches.

    Raises:
        ImportError: It wants torchvision.
    """
    t = library()
    template = tokenizer.chat_template
    if family == "smolvlm":
        pictures = t.models.smolvlm.image_processing_pil_smolvlm.SmolVLMImageProcessorPil(
            size={"longest_edge": 128}, max_image_size={"longest_edge": 64}
        )
        video = t.models.smolvlm.video_processing_smolvlm.SmolVLMVideoProcessor()
        return t.SmolVLMProcessor(pictures, tokenizer, video, image_seq_len=4, chat_template=template)
    if family == "internvl":
        # No tiles: one thumbnail of 4 tokens a picture.
        pictures = t.models.got_ocr2.image_processing_pil_got_ocr2.GotOcr2ImageProcessorPil(
            size={"height": 56, "width": 56}, crop_to_patches=False
        )
        video = t.models.internvl.video_processing_internvl.InternVLVideoProcessor(
            size={"height": 56, "width": 56}
        )
        return t.InternVLProcessor(pictures, tokenizer, video, image_seq_length=4, chat_template=template)
    patch = 14 if family in ("qwen2-vl", "qwen2.5-vl") else 16
    pictures = t.models.qwen2_vl.image_processing_pil_qwen2_vl.Qwen2VLImageProcessorPil(
        patch_size=patch, size={"shortest_edge": 4 * patch * patch, "longest_edge": 400 * patch * patch}
    )
    if family == "qwen2-vl":
        video = t.models.qwen2_vl.video_processing_qwen2_vl.Qwen2VLVideoProcessor()
        return t.Qwen2VLProcessor(pictures, tokenizer, video, chat_template=template)
    if family == "qwen2.5-vl":
        video = t.models.qwen2_vl.video_processing_qwen2_vl.Qwen2VLVideoProcessor()
        return t.Qwen2_5_VLProcessor(pictures, tokenizer, video, chat_template=template)
    video = t.models.qwen3_vl.video_processing_qwen3_vl.Qwen3VLVideoProcessor()
    return t.Qwen3VLProcessor(pictures, tokenizer, video, chat_template=template)
