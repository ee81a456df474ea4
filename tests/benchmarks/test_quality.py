"""The quality table says what the runs said."""

from __future__ import annotations

import doctest
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import quality_figures
import quality_page
from quality_figures import Run, figures, harmless, result_rows
from quality_sections import SECTIONS, Section

QUERIES = 200
DONE = {
    "command": ["ponder", "evaluate", "data/photos"],
    "seconds": 90.0,
    "commit": "0123456789ab",
    "machine": {"cpu": "a cpu", "cores": 2},
    "versions": {"ponder": "0"},
    "date": "2026-11-24T00:00:00+00:00",
}


@pytest.fixture
def made(tmp_path):
    """Makes the run of a mode: budget → how many of the queries are right, the first ones."""
    section = Section("photos", "Photos", "photos")

    def make(mode, right):
        folder = tmp_path / mode
        folder.mkdir()
        lines = []
        for budget, hits in right.items():
            scores = [float(number < hits) for number in range(QUERIES)]
            rows = [{"_id": f"q{n}", "metrics": {"hit@1": score}} for n, score in enumerate(scores)]
            (folder / f"queries-{budget}.jsonl").write_text("\n".join(map(json.dumps, rows)))
            value = hits / QUERIES
            lines.append(
                {
                    **{
                        "dataset": "photos",
                        "split": "dev",
                        "models": "m",
                        "budget": budget,
                        "queries": QUERIES,
                    },
                    "metrics": {"hit@1": value, "ndcg@10": 0.5},
                    "ci95": {"hit@1": [value - 0.1, value + 0.1], "ndcg@10": [0.4, 0.6]},
                    "tokens_per_query": {"read": budget / 2, "written": 1.0, "cached": 3.0, "max": budget},
                    "tokens_per_document": {"read": 0.0, "written": 20.0},
                }
            )
        (folder / "lines.jsonl").write_text("\n".join(map(json.dumps, lines)))
        (folder / "done.json").write_text(json.dumps(DONE))
        return Run(section, mode, folder)

    return make


def test_each_row_is_compared_with_the_right_one(made):
    runs = {
        "off": made("off", {0: 50}),
        "shuffled": made("shuffled", {0: 20}),
        "on": made("on", {0: 80, 64: 79, 256: 77}),
    }
    found = {figure.name: figure for figure in figures(runs)}
    compared = {name: (figure.against, figure.harmless) for name, figure in found.items()}
    assert compared == {
        "off @ 0": ("", None),
        "shuffled @ 0": ("off @ 0", None),
        "on @ 0": ("off @ 0", None),
        "on @ 64": ("on @ 0", True),
        "on @ 256": ("on @ 64", False),
    }
    assert found["on @ 0"].gain == pytest.approx(0.15)
    assert found["on @ 0"].paired.mean == pytest.approx(0.15)
    assert 0.09 < found["on @ 0"].paired.low < 0.15 < found["on @ 0"].paired.high < 0.21
    text = quality_page.page({runs["on"].section: runs}, [], Path("data"))
    assert "| on @ 256 | .385 | .285–.485 | -.010 [" in text
    assert "**no** (more than .005)" in text
    assert "| on @ 64 | .395 |" in text


def test_queries_that_differ_are_not_paired(made):
    off, on = made("off", {0: 50}), made("on", {0: 80})
    (off.folder / "queries-0.jsonl").write_text(json.dumps({"_id": "x", "metrics": {"hit@1": 1.0}}))
    [_, figure] = figures({"off": off, "on": on})
    assert figure.gain == pytest.approx(0.15)
    assert figure.paired is None


def test_one_query_may_always_be_lost():
    assert harmless(10 / 40, 9 / 40, 40)
    assert not harmless(10 / 40, 8 / 40, 40)
    assert harmless(0.5, 0.495, 1000)
    assert not harmless(0.5, 0.494, 1000)


def test_every_figure_is_a_line(made):
    rows = result_rows(made("on", {0: 80, 64: 90}))
    assert [(row["budget"], row["metric"], row["value"]) for row in rows] == [
        (0, "hit@1", 0.4),
        (0, "ndcg@10", 0.5),
        (64, "hit@1", 0.45),
        (64, "ndcg@10", 0.5),
    ]
    wanted = {"benchmark", "dataset", "split", "reasoning", "ci95", "commit", "machine", "versions", "date"}
    assert all(wanted <= row.keys() for row in rows)


def test_commands_are_those_of_ponder(tmp_path):
    from typer.main import get_command

    from ponder.cli.main import app

    verbs = get_command(app).commands
    for section in SECTIONS:
        for mode in section.modes:
            command = section.command(mode, tmp_path, tmp_path, "fake")
            assert command[0] == "ponder"
            # Parsing alone: nothing is run.
            verbs[command[1]].make_context(command[1], command[2:], resilient_parsing=False)


@pytest.mark.parametrize("module", [quality_figures, quality_page])
def test_examples(module):
    assert doctest.testmod(module).failed == 0
