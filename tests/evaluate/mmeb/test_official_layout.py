"""Thirty tasks of the shared fixture, against what the official loaders made of them."""

import pytest
from benchmark_data import lines, parsed, shared

NAMES = (
    "ImageNet-1K N24News OK-VQA MSCOCO_i2t VisDial WebQA NIGHTS CIRR MSCOCO RefCOCO-Matching UCF101 "
    "Breakfast SmthSmthV2 MSR-VTT MSVD DiDeMo YouCook2 VATEX MomentSeeker MVBench Video-MME NExTQA "
    "EgoSchema ActivityNetQA ViDoRe_arxivqa ViDoRe_esg_reports_v2_multilingual ViDoRe_esg_reports_v2 "
    "ViDoSeek-doc VisRAG_ChartQA QVHighlight"
)


def official(task):
    """What was parsed, in the fields of the expected files."""
    queries = [
        {
            "query_text": each.side.text,
            "query_media": list(each.side.media) or None,
            "info": {**each.details, **each.info.fields},
        }
        for each in task.queries
    ]
    candidates = [
        {"cand_name": each.name, "cand_text": each.side.text, "cand_media": list(each.side.media) or None}
        for each in task.candidates
    ]
    return queries, candidates


@pytest.mark.parametrize("name", NAMES.split())
def test_queries_and_pool_are_the_official_ones(name):
    layout = shared("official_layout")
    queries, candidates = official(parsed(layout, name))
    expected = lines(layout / "expected_parse" / f"{name}.queries.jsonl")
    pool = lines(layout / "expected_parse" / f"{name}.candidates.jsonl")
    if name == "QVHighlight":
        # Officially in whatever order the disk lists them in.
        for each in (*queries, *expected):
            each["info"]["cand_names"].sort()
        candidates, pool = (sorted(some, key=lambda each: each["cand_name"]) for some in (candidates, pool))
    assert queries == expected
    assert candidates == pool


def test_types_of_names_are_the_official_ones():
    layout = shared("official_layout")
    for name, kind in (("ViDoSeek-doc", int), ("VisRAG_ChartQA", str)):
        task = parsed(layout, name)
        assert {type(each.name) for each in task.candidates} == {kind}
        assert {type(label) for each in task.queries for label in each.info.label_names} == {kind}


def test_what_is_odd_in_the_data_is_noted_and_is_no_problem():
    layout = shared("official_layout")
    told = {name: parsed(layout, name) for name in NAMES.split()}
    assert {name: task.incomplete for name, task in told.items() if task.incomplete} == {}
    assert {name: list(task.notes) for name, task in told.items() if task.notes} == {
        "MVBench": [5],
        "NExTQA": [1],
    }
