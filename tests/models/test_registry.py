from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ponder.errors import BackendFailed, BadArguments, InputInvalid, InputNotFound, MissingDependency
from ponder.models import registry
from ponder.protocols import Models


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A third-party distribution with three presets: one that works, two that don't."""
    (tmp_path / "ponder_plugin_x.py").write_text(
        "from ponder.presets.lite import build as good\ndef bad(*, cache=None):\n    return 'no models'\n"
    )
    info = tmp_path / "ponder_plugin_x-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ponder-plugin-x\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[ponder.models]\n"
        + "".join(f"x-{name} = ponder_plugin_x:{name}\n" for name in ("good", "bad", "gone"))
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("ponder_plugin_x", None)


def test_lite_is_registered_like_a_plug_in_and_loads_without_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PONDER_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("PONDER_OFFLINE", "1")
    models = registry.load("lite")
    assert isinstance(models, Models)
    assert models.name == "lite"
    assert list(tmp_path.iterdir()) == []


def test_a_plug_ins_preset_is_found(plugin: None) -> None:
    assert {"lite", "x-bad", "x-gone", "x-good"} <= set(registry.names())
    assert isinstance(registry.load("x-good"), Models)


def test_a_plug_in_that_builds_something_else_is_named(plugin: None) -> None:
    with pytest.raises(BackendFailed, match="x-bad"):
        registry.load("x-bad")


def test_a_plug_in_that_cannot_be_imported_is_named(plugin: None) -> None:
    with pytest.raises(MissingDependency, match="x-gone"):
        registry.load("x-gone")


def test_unknown_models_list_the_known_ones() -> None:
    with pytest.raises(BadArguments, match="lite") as caught:
        registry.load("nosuch")
    assert caught.value.exit_code == 2


def test_code_by_name_is_not_a_model() -> None:
    with pytest.raises(BadArguments):
        registry.load("ponder.presets.lite:build")


def test_a_path_is_looked_for_as_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputNotFound):
        registry.load(str(tmp_path / "absent"))
    with pytest.raises(InputInvalid, match="not a model folder"):
        registry.load(str(tmp_path))


@pytest.mark.parametrize("name", ["run #2/model", "towns: second/model", "[a]", "1.5", "no", "null", "a b"])
def test_a_path_that_yaml_would_read_otherwise_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputNotFound, match=re.escape(str(tmp_path / name))):
        registry.load(f"lite,adapter={tmp_path / name}")
