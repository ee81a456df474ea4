"""Clips that came whole: told by `verify`, cut by a run as the official loaders cut them."""

import shutil

import numpy as np
import pytest
from benchmark_data import parsed, tiny
from PIL import Image

from ponder.cli.main import run
from ponder.evaluate.mmeb.cutting import SAVED, cut_clips, uncut_clip
from ponder.evaluate.mmeb.tasks import task_named
from ponder.evaluate.mmeb.verify import verify_task

FRAMES, CLIPS = "data_basedir/video-tasks/frames", "data_basedir/video-tasks/videos"

SHOWN = (0, 9, 18, 27, 36, 45, 54, 63)
"""Of 64 kept frames, the eight that are shown."""


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "nothing"))
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))
    return tiny(tmp_path / "data")


def film(path, count):
    """A clip whose frames get brighter."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(count):
            frame = np.full((48, 64, 3), 40 + number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


@pytest.mark.parametrize(
    ("task", "folder", "clips"),
    [
        ("Breakfast", "video_cls/Breakfast", "{}.mp4"),
        ("MSVD", "video_ret/MSVD", "{}.avi"),
        ("DiDeMo", "video_ret/DiDeMo", "all/clip{}.mp4"),
        ("ActivityNetQA", "video_qa/ActivityNetQA", "v_{}.mkv"),
    ],
)
def test_a_run_cuts_clips_evenly_into_the_official_place(data, task, folder, clips):
    shutil.rmtree(data / FRAMES / folder)
    for number in range(3):
        film(data / CLIPS / folder / clips.format(number), 90)
    state = verify_task(data, task_named(task))
    assert (state.state, state.missing, state.uncut, state.commands) == ("incomplete", 3, 3, ())
    assert "`ponder mmeb run` cuts it first" in state.problems[0]
    assert any(each.side.media for each in parsed(data, task).queries) is False
    assert not (data / FRAMES / folder).exists()  # looking cuts nothing
    whole = parsed(data, task, write=True)
    assert not whole.incomplete
    sides = [each.side for each in (*whole.queries, *whole.candidates) if each.side.kind == "video"]
    for side in sides:
        frames = [data / each for each in side.media]
        assert [each.name for each in frames] == [f"frame_{1 + n:04d}.jpg" for n in SHOWN]
        assert len(list(frames[0].parent.iterdir())) == SAVED
        light = [np.asarray(Image.open(each)).mean() for each in frames]
        wanted = [40 + n * 90 // 64 for n in SHOWN]
        assert np.allclose(light, wanted, atol=3)
    assert len(sides) == 3
    assert verify_task(data, task_named(task)).uncut == 0
    assert not [each for each in (data / FRAMES / folder).iterdir() if each.name.startswith(".")]


def test_mvbench_folders_are_named_like_the_clips(data):
    folder = next((data / FRAMES / "video_qa/MVBench").glob("*/*.mp4"))
    shutil.rmtree(folder)
    film(data / CLIPS / folder.relative_to(data / FRAMES), 5)
    assert not parsed(data, "MVBench", write=True).incomplete
    assert len(list(folder.iterdir())) == 5


def test_a_clip_that_cannot_be_cut_is_said_and_the_others_are(data):
    shutil.rmtree(data / FRAMES / "video_ret/MSVD")
    for number in range(3):
        film(data / CLIPS / f"video_ret/MSVD/{number}.mp4", 12)
    (data / CLIPS / "video_ret/MSVD/1.mp4").write_bytes(b"no clip")
    problems = parsed(data, "MSVD", write=True).problems
    assert list(problems) == [1]
    assert "MSVD/1.mp4 is there: not a readable clip" in problems[1]


def test_an_empty_folder_of_frames_is_filled_and_a_full_one_left_alone(data):
    film(data / CLIPS / "video_ret/MSVD/0.mp4", 12)
    film(data / CLIPS / "video_ret/MSVD/1.mp4", 12)
    empty = data / FRAMES / "video_ret/MSVD/0"
    for each in empty.iterdir():
        each.unlink()
    (empty / "notes.txt").write_text("kept")
    before = sorted((data / FRAMES / "video_ret/MSVD/1").iterdir())
    assert not parsed(data, "MSVD", write=True).incomplete
    assert len(list(empty.glob("*.jpg"))) == 12 and (empty / "notes.txt").exists()
    assert sorted((data / FRAMES / "video_ret/MSVD/1").iterdir()) == before


def test_a_place_that_cannot_be_written_is_a_problem_and_no_end(tmp_path):
    film(tmp_path / CLIPS / "a/0.mp4", 4)
    (tmp_path / FRAMES).mkdir(parents=True)
    (tmp_path / FRAMES / "a").write_text("no folder")
    refused = cut_clips(tmp_path, {f"{FRAMES}/a/0": f"{CLIPS}/a/0.mp4"})
    assert "cannot be written" in refused[f"{FRAMES}/a/0"]


def test_rows_cannot_lead_out_of_the_data(tmp_path):
    film(tmp_path / "secret.mp4", 4)
    folder = f"{FRAMES}/video_ret/DiDeMo/clip"
    assert uncut_clip(tmp_path, folder, "../../../../../secret.mp4") == ""
    assert uncut_clip(tmp_path, folder, str(tmp_path / "secret.mp4")) == ""


def test_a_dry_run_cuts_nothing_and_says_so(data, tmp_path, capsys):
    shutil.rmtree(data / FRAMES / "video_ret/MSVD")
    for number in range(3):
        film(data / CLIPS / f"video_ret/MSVD/{number}.mp4", 12)
    told = ["mmeb", "run", str(data), "--models", "fake", "--tasks", "MSVD", "--out", str(tmp_path / "out")]
    assert run([*told, "--dry-run"]) == 7
    assert "3 clips are cut into frames first" in capsys.readouterr().err
    assert not (data / FRAMES / "video_ret/MSVD").exists()
    assert run(told) == 0
