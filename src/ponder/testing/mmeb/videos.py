"""The tiny benchmark's clips: classified, retrieved, asked about, and searched for moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ponder.testing.mmeb.things import draw, film, name_of

Rows = Sequence[Mapping[str, Any]]

SUB_TASKS = (
    "episodic_reasoning",
    "action_sequence",
    "action_prediction",
    "action_antonym",
    "fine_grained_action",
    "unexpected_action",
    "object_existence",
    "object_interaction",
    "object_shuffle",
    "moving_direction",
    "action_localization",
    "scene_transition",
    "action_count",
    "moving_count",
    "moving_attribute",
    "state_change",
    "fine_grained_pose",
    "character_order",
    "egocentric_navigation",
    "counterfactual_inference",
)
"""Of MVBench."""


def tables(frames: Path, queries: int) -> dict[str, tuple[str, Rows]]:
    """Draw the clips and make the rows: by task, the file's path in its repository and what it holds."""
    every = range(queries)
    names = [name_of(at) for at in every]
    for at in every:
        for where in ("video_cls/Breakfast", "video_cls/SSv2", "video_ret/MSR-VTT", "video_ret/MSVD"):
            film(frames / where / str(at), at)
        for where in ("video_ret/DiDeMo", "video_ret/YouCook2", "video_ret/VATEX"):
            film(frames / where / f"clip{at}", at)
        for where in ("Video-MME", "NExTQA", "EgoSchema"):
            film(frames / "video_qa" / where / str(at), at)
        film(frames / "video_qa" / "ActivityNetQA" / f"v_{at}", at, frames=5)
        _moments(frames / "video_mret", at)
    said = [f"a {name} goes from left to right" for name in names]
    lettered = [[f"{letter}. A {name}." for letter, name in zip("ABC", names, strict=False)] for _ in every]
    labels = ("pancake", "cereal", "tea")
    parquet = "data/test-00000-of-00001.parquet"
    found: dict[str, tuple[str, Rows]] = {
        "Breakfast": (parquet, [{"video_id": str(at), "pos_text": labels[at % 3]} for at in every]),
        "SmthSmthV2": (
            "ssv2_test.jsonl",
            [{"video_id": at, "pos_text": said[at], "neg_text": sorted(said)} for at in every],
        ),
        "MSR-VTT": ("msrvtt_test_1k.json", [{"video_id": str(at), "caption": said[at]} for at in every]),
        "MSVD": (parquet, [{"video_id": str(at), "caption": [said[at], "not used"]} for at in every]),
        "DiDeMo": ("test.csv", [{"video": f"all/clip{at}.mp4", "caption": said[at]} for at in every]),
        "YouCook2": (
            "data/val-00000-of-00001.parquet",
            [{"id": f"clip{at}", "sentence": said[at]} for at in every],
        ),
        "VATEX": (parquet, [{"videoID": f"clip{at}", "enCap": [said[at], "not used"]} for at in every]),
        "QVHighlight": (parquet, [{"query": said[at], "video_path": f"v/{at}.mp4"} for at in every]),
        "MomentSeeker": (parquet, [_sought(at, said[at]) for at in every]),
        "Video-MME": (
            parquet,
            [
                {
                    "videoID": str(at),
                    "question": "What is it?",
                    "options": lettered[at],
                    "answer": "ABC"[at % 3],
                }
                | {"question_id": f"n{at}", "domain": "Shapes", "sub_category": "Colours"}
                for at in every
            ],
        ),
        "NExTQA": (
            "MC/test-00000-of-00001.parquet",
            [
                {"video": at, "question": "what is it", "answer": at % 3, "qid": at, "type": "DO"}
                | {f"a{place}": name_of(place) for place in range(5)}
                for at in every
            ],
        ),
        "EgoSchema": (
            "Subset/test-00000-of-00001.parquet",
            [
                {
                    "video_idx": str(at),
                    "question": "What is it?",
                    "option": lettered[at],
                    "answer": str(at % 3),
                }
                | {"question_idx": str(at)}
                for at in every
            ],
        ),
        "ActivityNetQA": (
            parquet,
            [
                {"video_name": str(at), "question": f"is it a {name_of(0)}", "question_id": f"n{at}"}
                | {"answer": "no" if at else "yes"}
                for at in every
            ],
        ),
    }
    return found


def mvbench(frames: Path) -> dict[str, Rows]:
    """One row for each sub-task."""
    found: dict[str, Rows] = {}
    for at, part in enumerate(SUB_TASKS):
        film(frames / "video_qa" / "MVBench" / part / f"{at}.mp4", at, frames=1)
        answers = [name_of(at), name_of(at + 1), name_of(at + 2)]
        found[part] = [
            {"video": f"{at}.mp4", "question": "What is it?", "candidates": answers, "answer": answers[0]}
        ]
    return found


def _moments(frames: Path, at: int) -> None:
    """A long video, one clip of it that is meant and two that are not; and the same for MomentSeeker."""
    film(frames / "QVHighlight" / str(at) / "query", at)
    film(frames / "QVHighlight" / str(at) / "positive_clip", at, frames=2)
    for other in (2, 10):
        film(frames / "QVHighlight" / str(at) / f"negative_clip_{other}", at + other, frames=2)
    seeker = frames / "MomentSeeker"
    film(seeker / "video_frames" / f"m{at}_right", at, frames=2)
    film(seeker / "video_frames" / f"m{at}_wrong", at + 1, frames=2)
    if at % 3 == 1:
        draw(seeker / f"query_m{at}.jpg", at)
    elif at % 3 == 2:
        film(seeker / "video_frames" / f"m{at}_shown", at, frames=10)


def _sought(at: int, said: str) -> dict[str, Any]:
    """Asked by words alone, by a picture, by a clip: in turns."""
    return {
        "query": said,
        "positive_frames": [{"output_path": f"m{at}/right.mp4"}],
        "negative_frames": [{"output_path": f"m{at}/wrong.mp4"}],
        "input_frames": ("", f"m{at}.jpg", f"m{at}/shown.mp4")[at % 3],
    }
