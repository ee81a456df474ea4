"""Filters that would take the process with them are refused, and no other does."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from filter_shapes import BASES, LAYERS, grown, passes, texts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ponder.errors import InputInvalid
from ponder.index.filters import ItemFilter

FINE = [
    "kind = 'page' AND page BETWEEN 1 AND 9 AND NOT (path LIKE '%/2024/%' OR text IS NULL)",
    "(((((((page = 1)))))))",
    "lower(json_get_string(metadata, 'author')) = 'ann (1) [b] {c'",
    "`kind` = 'a' OR \"kind\" = 'it''s; -- $ /* || '",
    "page IN (1, 2, -3) AND page IN (1 + 1, 2 + 2)",
    " OR ".join(f"page = {n} AND lower(kind) = 'a'" for n in range(600)),
    "NOT (" + " AND ".join(f"(page = {n} OR kind = 'a')" for n in range(600)) + ")",
    "id NOT IN (" + ", ".join(f"'/pictures/{n}.png'" for n in range(100_000)) + ")",
    "text = '" + "(" * 250 + "'",
]


@pytest.mark.parametrize("where", FINE, ids=range(len(FINE)))
def test_what_people_write_passes(where):
    assert ItemFilter().check(where) == f"({where})"


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("kind = 'text'" + " AND kind = 'text'" * 50_000, "5,000 words"),
        ("page > " + "1 + " * 21 + "1", "20 words"),
        ("page" + " IS NULL" * 15, "20 words"),
        ("true" + " + or" * 2000, "20 words"),
        ("true" + " LIKE or" * 2000, "20 words"),
        ("page" + " BETWEEN 1 AND 2" * 1000, "20 words"),
        ("INTERVAL " * 1000 + "'1 day' IS NULL", "20 words"),
        ("abs(page = 1" + " OR page = 1" * 1000 + ") = 1", "20 words"),
        ("((abs((page = 1" + " OR page = 1" * 1000 + "))) = 1)", "20 words"),
        ("concat(" + "text, " * 50 + "'a') = 'a'", "20 words"),
        ("(" * 9 + "true" + ")" * 9, "deeper than 8"),
        ("ARRAY[" * 9 + "1" + "]" * 9 + " IS NULL", "deeper than 8"),
        ("POSITION(" * 16 + "1 + " + ")" * 16, "deeper than 8"),
        (
            "json_extract(metadata, '$?(" + "(" * 4000 + "1" + ")" * 4001 + "') = '1'",
            "more than 250 brackets",
        ),
        ("text = '" + "a" * 10_000 + "'", "10,000 characters"),
        (" " * 4_000_000 + "true", "4,000,000 characters"),
        (" OR ".join(["kind || 'a' = 'a'"] * 21), r"20 \|\|"),
    ],
    ids=lambda value: value[:12],
)
def test_a_filter_that_is_too_large_is_told_the_limit(where, why):
    with pytest.raises(InputInvalid, match=f"the filter is too large: .*{why}") as caught:
        ItemFilter().check(where)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "call",
    [
        "array_repeat(1, 1000000000000) IS NULL",
        "LIST_RESIZE([1], 1000000000000) IS NULL",
        "repeat (uri, 2000000000) = 'a'",
        "lpad(uri, 2000000000) = 'a' OR rpad(uri, 3) = 'a'",
        "replace(text, 'a', 'bbb') = 'a'",
        "regexp_replace(text, 'a', 'bbb') = 'a'",
        "range(1, 1000000000) IS NULL",
        "arrow_cast(NULL, 'FixedSizeBinary(2000000000)') IS NULL",
    ],
)
def test_functions_whose_value_may_be_of_any_size_are_refused(call):
    with pytest.raises(InputInvalid, match="may be of any size"):
        ItemFilter().check(call)


@pytest.mark.parametrize(
    "where",
    [
        "a] = [b",
        "(page = 1]",
        "((page = 1)",
        "kind = $$'$$ OR 1 = 1 OR kind = $$'$$",
        "\"repeat\"('a', 9) = 'a'",
    ],
)
def test_what_would_hide_something_from_the_check_is_refused(where):
    with pytest.raises(InputInvalid, match="not one whole condition"):
        ItemFilter().check(where)


@contextmanager
def asked():
    """Asks a process of its own for what a filter keeps, in two indexes; "" once it has ended."""
    script = Path(__file__).with_name("filter_shapes.py")
    with subprocess.Popen(
        [sys.executable, script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:

        def ask(where):
            assert process.stdin is not None
            assert process.stdout is not None
            print(json.dumps(where), file=process.stdin, flush=True)
            return process.stdout.readline()

        yield ask
        process.stdin.close()


def test_the_worst_of_each_shape_ends_no_process():
    with asked() as ask:
        for where in texts():
            assert passes(where)
            assert ask(where), where[:200]
        for layer in LAYERS:
            for base in BASES[:2]:
                where = grown(base, layer)
                assert ask(where), (base, layer)


@pytest.fixture(scope="module")
def ask():
    with asked() as give:
        yield give


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(base=st.sampled_from(BASES), layers=st.lists(st.sampled_from(LAYERS), min_size=2, max_size=5))
def test_no_filter_that_passes_ends_the_process(ask, base, layers):
    where = grown(base, *layers)
    assert passes(where)
    assert ask(where), where[:200]
