"""Licences that are allowed, a bill that names all there is, a wheel that can be built again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_no_package_or_weight_is_under_a_licence_that_is_unknown_or_denied():
    from licences import ALLOWED, EXCEPTIONS, allowed, verdict, weights
    from packages import packages

    found = [verdict(each) for each in packages()]
    assert len(found) > 50
    assert [each for each in (*found, *weights()) if each.problem] == []
    # An exception that nothing needs any more goes.
    assert set(EXCEPTIONS) <= {each.name for each in found if not allowed(each.licence, ALLOWED)}


@pytest.mark.parametrize(
    ("licence", "groups", "problem"),
    [
        ("MIT", {"ponder"}, ""),
        ("MIT OR GPL-3.0-or-later", {"ponder"}, ""),
        ("MIT AND GPL-3.0-or-later", {"ponder"}, "not on the list"),
        ("LGPL-3.0-or-later", {"dev"}, ""),
        ("LGPL-3.0-or-later", {"dev", "serve"}, "not on the list"),
        ("AGPL-3.0-or-later", {"dev"}, "not on the list"),
        ("(MIT", {"ponder"}, "not on the list"),
        ("", {"ponder"}, "unknown"),
    ],
)
def test_a_licence_that_is_unknown_or_denied_is_a_problem(licence, groups, problem):
    from licences import verdict
    from packages import Package

    assert verdict(Package("some", "1.0", licence, frozenset(groups), True)).problem == problem


def test_the_page_of_licences_has_all_packages():
    from packages import packages

    page = (ROOT / "docs" / "licences.md").read_text()
    assert [each.name for each in packages() if f"\n| {each.name} |" not in page] == [], "make licences"


def test_the_bill_names_every_pin_and_is_the_same_each_time(tmp_path):
    from packages import constraints

    from ponder.models.pins import pins

    made = []
    for number in range(2):
        subprocess.run(
            [sys.executable, str(ROOT / "tools" / "sbom.py"), str(tmp_path / f"{number}.json")],
            check=True,
            env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000", "PYTHONHASHSEED": str(number)},
        )
        made.append((tmp_path / f"{number}.json").read_bytes())
    assert made[0] == made[1]
    bill = json.loads(made[0])
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    versions = {each["name"]: each["version"] for each in bill["components"] if each["type"] == "library"}
    assert versions == constraints()
    references = [each["bom-ref"] for each in bill["components"]]
    assert len(set(references)) == len(references)
    assert bill["dependencies"][0]["dependsOn"] == references
    hashes = {each["name"]: each["hashes"][0]["content"] for each in bill["components"] if "hashes" in each}
    assert hashes == {pin.name: pin.sha256 for pin in pins().values() if pin.sha256}


def test_two_builds_of_the_wheel_are_equal(tmp_path):
    pytest.importorskip("hatchling")
    built = []
    for number in range(2):
        # Elsewhere, and at another time.
        tree = tmp_path / f"tree-{number}"
        tree.mkdir()
        for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE", ".gitignore"):
            shutil.copy(ROOT / name, tree)
        shutil.copytree(ROOT / "src", tree / "src", ignore=shutil.ignore_patterns("__pycache__"))
        for path in tree.rglob("*.py"):
            os.utime(path, (1_600_000_000 + number * 10_000_000,) * 2)
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / str(number))],
            cwd=tree,
            check=True,
            capture_output=True,
            env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000", "PYTHONHASHSEED": str(number)},
        )
        [wheel] = (tmp_path / str(number)).iterdir()
        built.append(wheel.read_bytes())
    assert len(built[0]) > 100_000
    assert built[0] == built[1]


def test_an_audit_that_cannot_be_made_says_so_in_one_line():
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "audit.py")],
        capture_output=True,
        text=True,
        check=False,
        # Nothing can be reached through a proxy that is not there.
        env=os.environ | {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"},
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("audit: skipped: ")
    assert len(done.stdout.splitlines()) == 1
