"""What a shelf was made with is kept, and nothing else is let in."""

from __future__ import annotations

import hashlib
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


def test_no_flipped_bit_makes_another_manifest(opened, tmp_path):
    opened(limits=Limits(max_frames=8)).close()
    path = tmp_path / "shelf" / "manifest.json"
    whole, told = path.read_bytes(), Manifest.read(path.parent)
    read = 0
    for place in range(len(whole)):
        for bit in range(8):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
            try:
                assert Manifest.read(path.parent) == told, (place, bit)
                read += 1
            except InputInvalid as error:
                assert "index" in error.hint
    # Where the sum's own name is hit, or a blank.
    assert read < 8 * len(whole) / 10


def test_a_change_on_purpose_is_possible_and_a_manifest_without_a_sum_is_read(opened, tmp_path):
    opened(reason_tokens=32).close()
    path = tmp_path / "shelf" / "manifest.json"
    changed = json.loads(path.read_text()) | {"reason_tokens": 33}
    path.write_text(json.dumps(changed))
    with pytest.raises(InputInvalid, match=r'not what was written.*take "sum" out of it'):
        opened()
    del changed["sum"]
    path.write_text(json.dumps(changed))
    with opened() as shelf:
        assert shelf.manifest.reason_tokens == 33


def test_what_a_later_ponder_adds_to_the_manifest_is_passed_over(opened, tmp_path):
    """Its sum is over what it added, too."""
    opened().close()
    path = tmp_path / "shelf" / "manifest.json"
    told = {name: value for name, value in json.loads(path.read_text()).items() if name != "sum"} | {"new": 1}
    total = hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=8).hexdigest()
    path.write_text(json.dumps(told | {"sum": total}))
    opened().close()


@pytest.mark.parametrize("name", ["line\nend", "tab\tstop", "escape\x1b"])
def test_a_folder_whose_name_lance_does_not_take(tmp_path, name):
    with pytest.raises(InputInvalid, match="control character in the folder's path"):
        open_shelf(tmp_path / name, FakeModels())
    assert not (tmp_path / name).exists()


def test_a_home_folder_of_nobody():
    with pytest.raises(InputNotFound, match="no such user's home folder"):
        open_shelf("~nosuchuser/shelf", FakeModels())


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
