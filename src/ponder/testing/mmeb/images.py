"""The tiny benchmark's picture tasks: one for each way in which the official loaders read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ponder.testing.mmeb.things import draw, name_of

Rows = Sequence[Mapping[str, Any]]

_MARK = "<|image_1|>\n"


def tables(media: Path, queries: int) -> dict[str, Rows]:
    """Draw the pictures and make the rows, by task."""
    for at in range(queries):
        for task in ("ImageNet-1K", "OK-VQA", "MSCOCO_i2t", "WebQA", "VisDial", "NIGHTS", "RefCOCO-Matching"):
            draw(media / task / f"{at}.jpg", at)
    return {
        "ImageNet-1K": _to_texts(queries, "ImageNet-1K", "Name the shape", "", "a {}"),
        "OK-VQA": _to_texts(queries, "OK-VQA", "Answer this of the picture:", "What is it?", "It is a {}."),
        "MSCOCO_i2t": _to_texts(queries, "MSCOCO_i2t", "Find the words for it.", "", "Someone drew a {}"),
        "WebQA": _to_pictures(queries, "WebQA", "Which picture tells it:", "How does a {} look?", True),
        "VisDial": _to_pictures(queries, "VisDial", "Find what was talked about:", "\nQ:what\nA:{}", False),
        "NIGHTS": _by_picture(queries, "NIGHTS", "Find one like it.", captions=False),
        "RefCOCO-Matching": _by_picture(queries, "RefCOCO-Matching", "Find what is meant:", captions=True),
    }


def _others(at: int, queries: int) -> list[int]:
    """The right one first, as in the data."""
    return [(at + further) % queries for further in range(queries)]


def _to_texts(queries: int, task: str, instruction: str, asked: str, answer: str) -> Rows:
    return [
        {
            "qry_inst": _MARK + instruction,
            "qry_text": asked,
            "qry_img_path": f"{task}/{at}.jpg",
            "tgt_inst": "",
            "tgt_text": [answer.format(name_of(each)) for each in _others(at, queries)],
            "tgt_img_path": [""],
        }
        for at in range(queries)
    ]


def _to_pictures(queries: int, task: str, instruction: str, asked: str, captions: bool) -> Rows:
    """Each query's list has its own caption for a picture: only the first that is met is ever shown."""
    return [
        {
            "qry_inst": instruction,
            "qry_text": asked.format(name_of(at)),
            "qry_img_path": "",
            "tgt_inst": _MARK + "Look at this:",
            "tgt_text": [
                f"{name_of(each)}, in list {at}" if captions else "" for each in _others(at, queries)
            ],
            "tgt_img_path": [f"{task}/{each}.jpg" for each in _others(at, queries)],
        }
        for at in range(queries)
    ]


def _by_picture(queries: int, task: str, instruction: str, *, captions: bool) -> Rows:
    """With captions, a picture is three candidates: one for each caption."""
    rows = []
    for at in range(queries):
        others = _others(at, queries)
        paths = [f"{task}/{each}.jpg" for each in others]
        said = [""] * len(paths)
        if captions:
            paths = [f"{task}/{at}.jpg"] * 3
            said = [f'"{where} of the {name_of(at)}"' for where in ("middle", "left", "right")]
        rows.append(
            {
                "qry_inst": _MARK + instruction,
                "qry_text": f'"the {name_of(at)}"' if captions else "",
                "qry_img_path": f"{task}/{at}.jpg",
                "tgt_inst": _MARK + "See it.",
                "tgt_text": said,
                "tgt_img_path": paths,
            }
        )
    return rows
