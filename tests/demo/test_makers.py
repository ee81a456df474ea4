"""The collection's makers: what they draw follows its formula, the same plan gives the same bytes."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "src" / "ponder" / "demo" / "collection" / "pictures"


@pytest.fixture(scope="module")
def maker() -> Iterator[ModuleType]:
    """`maker.clips`, `maker.handbook`, ...: the modules of tools/demo_maker, which is not installed."""
    folder = str(ROOT / "tools")
    sys.path.insert(0, folder)
    modules = ModuleType("maker")
    names = ("drawings", "stage", "clips", "handbook", "pictures")
    for name in names:
        setattr(modules, name, importlib.import_module(f"demo_maker.{name}"))
    modules.script = importlib.import_module("make_collection")
    yield modules
    sys.path.remove(folder)


def test_the_handbook_comes_out_the_same_to_the_byte(maker: ModuleType, tmp_path: Path) -> None:
    first, second = tmp_path / "first.pdf", tmp_path / "second.pdf"
    maker.handbook.build(first)
    maker.handbook.build(second)
    assert first.read_bytes() == second.read_bytes()


def test_a_page_with_too_much_on_it_is_refused(maker: ModuleType) -> None:
    from reportlab.pdfgen.canvas import Canvas

    with pytest.raises(ValueError, match="page 3 of the handbook is too long"):
        maker.handbook.lay_out(Canvas("unused.pdf"), [{"p": "word " * 200}] * 9, 3)


@given(hours=st.floats(0, 6), latitude=st.floats(5, 85))
def test_hour_lines_are_symmetric_and_squarely_end_at_six(
    maker: ModuleType, hours: float, latitude: float
) -> None:
    angle = maker.drawings.hour_angle(hours, latitude)
    assert angle == pytest.approx(-maker.drawings.hour_angle(-hours, latitude))
    assert 0 <= angle <= 90
    assert maker.drawings.hour_angle(6, latitude) == 90


def test_a_clip_is_painted_the_same_twice_and_lasts_as_planned(maker: ModuleType) -> None:
    clip = maker.clips.plan()["c05"]
    first, second = ([frame.tobytes() for frame in maker.clips.frames(clip, PICTURES)] for _ in range(2))
    assert first == second
    assert len(first) == sum(round(shot.seconds * maker.clips.FPS) for shot in clip.shots)


def test_every_backdrop_and_actor_of_the_plan_exists(maker: ModuleType) -> None:
    for clip in maker.clips.plan().values():
        for shot in clip.shots:
            assert shot.backdrop in maker.stage.BACKDROPS
            for actor in shot.actors:
                assert len(list(PICTURES.glob(f"{actor.picture}.*"))) == 1


def test_an_actor_is_on_stage_between_its_keys_only(maker: ModuleType) -> None:
    actor = maker.clips.Actor("p001", ((1, 0, 10, 20, 0), (3, 100, 10, 40, 90)))
    assert actor.at(0.9) is None
    assert actor.at(2) == (50, 10, 30, 45)
    assert actor.at(3.1) is None


def test_a_cutout_loses_the_white_around_but_not_within(maker: ModuleType, tmp_path: Path) -> None:
    picture = Image.new("RGB", (60, 40), "white")
    ImageDraw.Draw(picture).rectangle((10, 5, 39, 34), outline="black", width=3)
    picture.save(tmp_path / "frame.png")
    figure = maker.stage.cutout(tmp_path / "frame.png")
    assert figure.size == (30, 30)
    assert figure.getpixel((15, 15)) == (255, 255, 255, 255)
    assert (np.asarray(figure)[..., 3] == 255).all()


def test_a_picture_of_another_licence_is_refused(maker: ModuleType, tmp_path: Path) -> None:
    stamps = tmp_path / "stamps"
    (stamps / "images").mkdir(parents=True)
    (stamps / "images" / "stamp-1.png").write_bytes(b"picture")
    (stamps / "redistributable.txt").write_text("stamp-1\n")
    (stamps / "sources.tsv").write_text(
        "id\tsource-file\tlicence\tevidence\nstamp-1\tx.png\tGPL-2 (collection)\tnone\n"
    )
    with pytest.raises(ValueError, match="stamp-1 is GPL-2"):
        maker.pictures.copy(stamps, tmp_path / "pictures", tmp_path / "pictures.tsv")


def test_check_notices_what_was_tampered_with(maker: ModuleType, tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    shutil.copytree(PICTURES.parent.parent, demo)
    clips = demo / "collection" / "clips"
    shutil.copyfile(clips / "c07.mp4", clips / "c03.mp4")
    shutil.copyfile(demo / "queries" / "q01.jpg", demo / "queries" / "q02.jpg")
    (demo / "collection" / "pictures" / "p001.jpg").rename(demo / "collection" / "pictures" / "p132.jpg")
    wrong = maker.script.check(demo)
    assert len(wrong) == 3
    assert wrong[0].startswith("clips/c03.mp4 differs")
    assert wrong[1].startswith("queries/q02.jpg differs")
    assert "pictures/p001.jpg" in wrong[2] and "pictures/p132.jpg" in wrong[2]
