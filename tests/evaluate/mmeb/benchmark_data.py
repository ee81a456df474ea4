"""Where the tests find the shared fixture, and what they do with a copy of the tiny benchmark."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ponder.evaluate.mmeb.loading import load
from ponder.evaluate.mmeb.tasks import task_named

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


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def parsed(data, name, **options):
    return load(Path(data), task_named(name), **{"write": False, **options}).parsed


def change(path, edit):
    """Rewrite a Parquet file's rows."""
    rows = pq.read_table(path).to_pylist()
    pq.write_table(pa.Table.from_pylist(edit(rows)), path)
