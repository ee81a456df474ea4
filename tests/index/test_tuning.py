"""Recall of approximate indexes against exact search, and the effort that is enough."""

from __future__ import annotations

import uuid
from contextlib import closing

import numpy as np
import pytest
from index_rows import make_row, random_rows

from ponder.index.stored import EXACT
from ponder.index.stores import open_store
from ponder.index.tuning import tune


@pytest.fixture
def clustered():
    """Items of 24 dimensions in 40 heaps, which an index may part."""
    random = np.random.default_rng(5)
    heaps = random.normal(size=(40, 24))
    return [
        make_row(f"{n:04}", [(heaps[n % 40] + 0.7 * random.normal(size=24)).tolist()]) for n in range(1200)
    ]


def test_an_exact_index_has_nothing_to_tune(tmp_path):
    index = open_store("lance", tmp_path, 8)
    assert (tune(index).queries, tune(index).recall) == (0, 1.0)
    index.add(random_rows(30))
    seen = []
    tuning = tune(index, queries=12, progress=lambda *counts: seen.append(counts))
    assert (tuning.queries, tuning.recall, tuning.tried, tuning.suggested) == (12, 1.0, (), 0)
    assert seen[-1] == (12, 12)


@pytest.mark.parametrize("kind", ["lance", "postgresql"])
def test_the_suggested_effort_is_the_least_that_is_enough(kind, request, tmp_path, clustered):
    where = "lance"
    if kind == "postgresql":
        where = f"{request.getfixturevalue('postgres_url')}#t{uuid.uuid4().hex}"
    with closing(open_store(where, tmp_path, 24, exact_rows=1000)) as index:
        index.add(clustered)
        index.compact()
        tuning = tune(index, queries=30, target=0.9)
        assert [each.effort for each in tuning.tried] == sorted({each.effort for each in tuning.tried})
        enough = [each.effort for each in tuning.tried if each.recall >= 0.9]
        assert tuning.suggested == enough[0]
        # By hand: of the ten best, how many each effort finds; the queries are the same again.
        again = tune(index, queries=30, target=0.9)
        assert [each.recall for each in again.tried] == [each.recall for each in tuning.tried]
        row = index.get(["0007"])[0]
        best = {match.id for match in index.search(row.embedded.vectors[0], 11, effort=EXACT)}
        most = index.search(row.embedded.vectors[0], 11, effort=tuning.tried[-1].effort)
        assert len(best & {match.id for match in most}) >= 9


def test_an_index_with_a_narrow_effort_finds_less(request, postgres_url):
    # Wide vectors without structure are the hardest case for a graph.
    random = np.random.default_rng(1)
    rows = [make_row(f"{n}", [random.normal(size=96).tolist()]) for n in range(3000)]
    with closing(open_store(f"{postgres_url}#t{uuid.uuid4().hex}", None, 96, exact_rows=2000)) as index:
        index.add(rows)
        tuning = tune(index, queries=25, target=1.1)
        assert tuning.tried[0].recall < tuning.tried[-1].recall
        assert tuning.suggested == tuning.tried[-1].effort
