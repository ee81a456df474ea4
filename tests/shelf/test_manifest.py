"""What a shelf was made with is kept, and nothing else is let in."""

from __future__ import annotations

import json

import pytest

from ponder.errors import BackendFailed, InputInvalid, InputNotFound
from ponder.media.limits import Limits
from ponder.shelf import open_shelf
from ponder.shelf.manifest import Manifest
from ponder.testing import FakeModels


def test_a_manifest_comes_back_as_it_was_written(tmp_path):
    manifest = Manifest.of(FakeModels(), 17, Limits(max_frames=3))
    manifest.write(tmp_path)
    assert Manifest.read(tmp_path) == manifest
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_no_shelf(tmp_path):
    with pytest.raises(InputNotFound, match="ponder index"):
        open_shelf(tmp_path / "nothing", FakeModels(), create=False)
    assert not (tmp_path / "nothing").exists()


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputInvalid, match="other things"):
        open_shelf(tmp_path, FakeModels())
    with pytest.raises(InputInvalid, match="not a folder"):
        open_shelf(tmp_path / "letter.txt", FakeModels())
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_other_models_are_refused_with_what_differs(opened):
    opened().close()
    with pytest.raises(InputInvalid, match=r"fake-reasoner-1.* there, fake-reasoner-2.* here"):
        opened(FakeModels(version="2"))
    with pytest.raises(InputInvalid, match="--models fake"):
        opened(FakeModels(name="better", version="2"))
    with pytest.raises(InputInvalid, match="dim 256 there, 8 here"):
        opened(FakeModels(dim=8))


def test_other_settings_are_refused_with_what_differs(opened):
    with opened(reason_tokens=32, limits=Limits(max_frames=8)) as shelf:
        assert shelf.manifest.reason_tokens == 32
    with opened() as shelf:
        assert shelf.manifest.reason_tokens == 32
        assert shelf.manifest.limits.max_frames == 8
    opened(reason_tokens=32).close()
    with pytest.raises(InputInvalid, match="reason-tokens 32 there, 33 here"):
        opened(reason_tokens=33)
    with pytest.raises(InputInvalid, match="max_frames 8 there, 9 here"):
        opened(limits=Limits(max_frames=9))


def test_another_version_is_refused(opened, tmp_path):
    opened().close()
    path = tmp_path / "shelf" / "manifest.json"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps(stored | {"version": 99, "ponder": "7.0"}))
    with pytest.raises(InputInvalid, match=r"format 99 \(ponder 7\.0\).*format 1"):
        opened()


@pytest.mark.parametrize(
    "damage",
    [
        lambda stored: "",
        lambda stored: "{",
        lambda stored: "[]",
        lambda stored: "null",
        lambda stored: json.dumps({key: value for key, value in stored.items() if key != "embedder"}),
        lambda stored: json.dumps(stored | {"dim": "many"}),
        lambda stored: json.dumps(stored | {"limits": {"max_moons": 1}}),
        lambda stored: json.dumps(stored | {"limits": 3}),
    ],
)
def test_a_damaged_manifest_says_what_to_do(opened, tmp_path, damage):
    opened().close()
    path = tmp_path / "shelf" / "manifest.json"
    path.write_text(damage(json.loads(path.read_text())))
    with pytest.raises(InputInvalid, match="index again"):
        opened()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BackendFailed):
        open_shelf(tmp_path / "file" / "shelf", FakeModels())
