"""Where the tests find the shared fixture, and what they do with a copy of the tiny benchmark."""

import functools
import json
import os
import shutil
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ponder.evaluate.mmeb.loading import load
from ponder.evaluate.mmeb.tasks import task_named
from ponder.testing.mmeb import make_layout

ROOT = Path(__file__).resolve().parents[3]


def shared(part):
    """A part of the shared fixture; the test is skipped where there is none."""
    places = [each / "shared" / "data" / "mmeb_fixture" for each in ROOT.parents]
    if os.environ.get("PONDER_MMEB_FIXTURE"):
        places = [Path(os.environ["PONDER_MMEB_FIXTURE"])]
    for place in places:
        if (place / part).exists():
            return place / part
    return pytest.skip("no shared fixture: set PONDER_MMEB_FIXTURE")


@functools.cache
def _drawn():
    """The tiny benchmark, drawn once for all tests of a process."""
    folder = tempfile.TemporaryDirectory()
    make_layout(folder.name)
    return folder


def tiny(folder):
    """A copy of the tiny benchmark; its folder."""
    return Path(shutil.copytree(_drawn().name, folder, dirs_exist_ok=True))


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def parsed(data, name, **options):
    return load(Path(data), task_named(name), **{"write": False, **options}).parsed


def change(path, edit):
    """Rewrite a Parquet file's rows."""
    rows = pq.read_table(path).to_pylist()
    pq.write_table(pa.Table.from_pylist(edit(rows)), path)
