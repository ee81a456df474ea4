"""A judge whose server is down: the search ends, or goes on without it if that was allowed, and says so."""

import json

import pytest

PRESET = """
name: down
engines:
  here: {model: MODEL, dtype: float32, device: cpu}
  far: {kind: remote, url: "http://127.0.0.1:9/v1", model: m, retries: 0, timeout: 2}
reasoner: {engine: here, words: 40}
embedder: {kind: backbone, engine: here, pooling: mean}
judges: {ecr: {engine: far, pictures: false}}
reason_tokens: 8
"""
SEARCH = ("red kite", "--stages", "retrieve,ecr", "--budget", 9000)


@pytest.fixture
def down(ponder, files, tmp_path, tiny_folder):
    """A shelf whose judge is behind a server that does not run."""
    preset = tmp_path / "down.yaml"
    preset.write_text(PRESET.replace("MODEL", json.dumps(str(tiny_folder("llama")))))
    assert ponder("index", tmp_path / "shelf", files, "--models", preset)[0] == 0
    return tmp_path / "shelf"


def test_a_search_ends_with_its_judge_unless_told_otherwise(ponder, down):
    for more in ((), ("--on-fault", "raise")):
        code, out, err = ponder("search", down, *SEARCH, *more)
        assert (code, out) == (6, "")
        assert "no connection" in err
        assert "see that the server runs" in err


def test_it_goes_on_without_it_if_that_is_allowed_and_says_so(ponder, down):
    found = ponder.json("search", down, *SEARCH, "--on-fault", "keep")
    plain = ponder.json("search", down, "red kite", "--stages", "retrieve", "--budget", 0)
    assert [hit["id"] for hit in found["hits"]] == [hit["id"] for hit in plain["hits"]]
    [failed] = found["failed"]
    assert failed["stage"] == "ecr"
    assert "no connection" in failed["why"]
    for hit in found["hits"]:
        assert [stage["score"] is None for stage in hit["stages"]] == [False, True]
        assert hit["stages"][1]["note"] == failed["why"]
    code, out, _ = ponder("search", down, *SEARCH, "--on-fault", "keep")
    assert code == 0
    assert out.startswith("ecr failed, order kept: no connection")


def test_there_are_two_ways(ponder, down):
    code, _, err = ponder("search", down, *SEARCH, "--on-fault", "ignore")
    assert code == 2
    assert "--on-fault" in err
