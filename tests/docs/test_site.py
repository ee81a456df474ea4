"""The site builds without a warning, its page of commands is what the commands say, its notebook runs."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_page_of_commands_is_current():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import cli_reference
    finally:
        sys.path.pop(0)
    assert (ROOT / "docs" / "cli.md").read_text("utf-8") == cli_reference.page(), (
        "run tools/cli_reference.py: a command's help has changed"
    )


# What the site's own libraries warn of is not ours to mend; what mkdocs warns of is an error (strict).
@pytest.mark.filterwarnings("ignore")
def test_the_site_builds_with_every_page_in_its_place(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    monkeypatch.chdir(ROOT)
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path / "site"))
    build(config)
    assert "open_shelf" in (tmp_path / "site" / "reference" / "index.html").read_text("utf-8")
    listed = json.dumps(config["nav"])
    missing = [each.name for each in (ROOT / "docs").glob("*.md") if each.name not in listed]
    assert not missing, f"not in mkdocs.yml's nav: {missing}"


def test_the_notebook_runs_from_top_to_bottom(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))
    notebook = json.loads((ROOT / "docs" / "start.ipynb").read_text("utf-8"))
    space: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), space)
            assert cell["outputs"] == []
    assert "tides" in capsys.readouterr().out
