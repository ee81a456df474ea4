"""The documents' code blocks, run as a reader would: commands on the fakes, JSON by its shape."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import ponder
from ponder.cli.main import INTERRUPTED, run
from ponder.cli.partly import PARTLY
from ponder.errors import PonderError
from ponder.testing.mmeb import make_layout

ROOT = Path(__file__).parents[2]
COLLECTION = Path(ponder.__file__).parent / "demo" / "collection"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)
# Verbs that make something new, and so choose the models.
CHOOSERS = (
    "index",
    "scale",
    "calibrate",
    "evaluate",
    "evaluate-qa",
    "evaluate-moments",
    "train",
    "reason",
    "mine",
)


@dataclass(frozen=True)
class Block:
    language: str
    file: str
    text: str


def blocks(document: str) -> list[Block]:
    text = (ROOT / document).read_text("utf-8")
    return [Block(*(part or "" for part in found)) for found in BLOCK.findall(text)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with the files that the documents speak of, as the working folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PONDER_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)
    media = tmp_path / "pets" / "media"
    for place, name in [
        ("Pictures", "pictures/p079.jpg"),
        ("Pictures", "pictures/p098.png"),
        ("Pictures", "pictures/p042.jpg"),
        ("Pictures", "clips/c02.mp4"),
        ("Papers", "handbook.pdf"),
        ("Papers", "notes/tides.txt"),
    ]:
        (tmp_path / place).mkdir(exist_ok=True)
        shutil.copy(COLLECTION / name, tmp_path / place)
    media.mkdir(parents=True)
    shutil.copy(COLLECTION / "pictures" / "p001.jpg", media / "parrot.jpg")
    shutil.copy(COLLECTION / "handbook.pdf", media / "care.pdf")
    shutil.copy(COLLECTION / "clips" / "c02.mp4", media / "clip.mp4")
    make_layout(tmp_path / "MMEB")
    return tmp_path


def arguments(command: str) -> list[str]:
    """The words of ``$ ponder …`` as a shell gives them, with the fakes for models."""
    program, *words = shlex.split(command.removeprefix("$ "))
    assert program == "ponder"
    words = [str(Path(word).expanduser()) if word.startswith("~") else word for word in words]
    if "--models" in words:
        return [re.sub("^lite(?=,|$)", "fake", word) for word in words]
    return [*words, "--models", "fake"] if words[0] in CHOOSERS else words


def assert_same_shape(shown: Any, real: Any, where: str) -> None:
    """Everything shown is there, and of the same kind; lists are compared by their first entries."""
    if isinstance(shown, dict):
        assert isinstance(real, dict), where
        assert shown.keys() <= real.keys(), where
        for key, value in shown.items():
            assert_same_shape(value, real[key], f"{where}.{key}")
    elif isinstance(shown, list):
        assert isinstance(real, list), where
        if shown and real:
            assert_same_shape(shown[0], real[0], f"{where}[0]")
    elif isinstance(shown, str):
        assert isinstance(real, str), where
    else:
        assert isinstance(real, int | float), where


@pytest.mark.parametrize(
    "document",
    [
        "docs/index.md",
        "docs/guide.md",
        "docs/training.md",
        "docs/feedback.md",
        "docs/mmeb.md",
        "docs/adapters.md",
        "docs/scale.md",
    ],
)
def test_the_guide_runs(
    document: str, home: Path, capsys: pytest.CaptureFixture[str], tiny_folder: Callable[[str], Path]
) -> None:
    out = ""
    for block in blocks(document):
        if block.file:
            (home / block.file).parent.mkdir(parents=True, exist_ok=True)
            (home / block.file).write_text(block.text, "utf-8")
        elif block.language == "console":
            for command in block.text.splitlines():
                capsys.readouterr()
                # Any model of words shows that a training's commands are right; a tiny one does it soon.
                code = run(arguments(re.sub(r"--base \w+", f"--base {tiny_folder('llama')}", command)))
                out, err = capsys.readouterr()
                # The tiny layout is not the whole benchmark, and `verify` says so.
                right = PARTLY if " verify " in command else 0
                assert code == right, f"{command}: {err}"
        elif block.language == "json":
            assert_same_shape(json.loads(block.text), json.loads(out), block.text[:40])
        elif block.language == "python":
            exec(block.text.replace('"lite"', '"fake"'), {})
        # What takes a GPU or a model hub; the guide has none of it.
        elif block.language != "sh" or document == "docs/guide.md":
            raise AssertionError(f"a block of {block.language} that nothing runs")


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_python_blocks_run(document: str, home: Path) -> None:
    # The shelf that the documents open: made with the fakes, which it then remembers.
    run(["index", "shelf", str(home / "Papers"), "--models", "fake"])
    found = [block for block in blocks(document) if block.language == "python"]
    assert found
    for block in found:
        exec(block.text, {"__name__": document})


def test_the_guides_exit_codes_are_the_commands() -> None:
    text = (ROOT / "docs/guide.md").read_text("utf-8")
    told = {int(code) for code in re.findall(r"^\| (\d+) \| ", text, re.M)}
    raised = {kind.exit_code for kind in PonderError.__subclasses__()}
    assert told == {0, PARTLY, INTERRUPTED} | raised


def test_the_guides_variables_are_the_ones_that_are_read() -> None:
    text = (ROOT / "docs/guide.md").read_text("utf-8")
    told = set(re.findall(r"^\| `(PONDER_\w+)` \|", text, re.M))
    sources = (path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    named = re.compile(r'(?:environ[^"\n]*|_VARIABLE = |envvar=)"(PONDER_\w+)"')
    read = {name for source in sources for name in named.findall(source)}
    assert told == read


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/guide.md",
        "docs/training.md",
        "docs/feedback.md",
        "docs/adapters.md",
        "docs/scale.md",
    ],
)
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / document).parent.joinpath(target).exists(), target


def test_the_architecture_names_files_that_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    names = set(re.findall(r"`([\w/.]+\.(?:py|yaml|toml|md))`", text)) - {"benchmarks.md"}
    there = {path.name for path in ROOT.joinpath("src").rglob("*.*")} | {path.name for path in ROOT.iterdir()}
    for name in names:
        full = [ROOT / name, ROOT / "src/ponder" / name]
        assert any(path.exists() for path in full) if "/" in name else name in there, name
