"""`ponder index --shard` and `ponder merge`."""

import json
from pathlib import Path

import pytest

GOLDEN = json.loads((Path(__file__).parent / "shapes.json").read_text("utf-8"))


@pytest.fixture
def parts(ponder, tmp_path):
    """Two shelves of a folder's parts, and the folder."""
    files = tmp_path / "files"
    files.mkdir()
    for number in range(12):
        (files / f"{number}.txt").write_text(f"text {number} of a kite", "utf-8")
    (files / "broken.png").write_bytes(b"no picture")
    places = [tmp_path / "part-1", tmp_path / "part-2"]
    for number, place in enumerate(places, start=1):
        priced = ponder.json("index", place, files, "--models", "fake", "--shard", f"{number}/2", "--dry-run")
        code, out, err = ponder("index", place, files, "--models", "fake", "--shard", f"{number}/2")
        assert code == (7 if "broken" in err else 0)
        added = int(out.partition(" ")[0])
        assert 0 < added < 12
        assert priced["items"] == added + ("broken" in err)
    return places, files


def test_parts_are_merged_into_a_new_shelf(ponder, parts, tmp_path):
    places, files = parts
    merged = ponder.json("merge", tmp_path / "all", *places)
    assert list(merged) == list(GOLDEN["merge"])
    assert (merged["added"], merged["unchanged"]) == (12, 0)
    assert [Path(each["uri"]).name for each in merged["skipped"]] == ["broken.png"]
    assert ponder.json("index", tmp_path / "all", files, code=7)["unchanged"] == 12
    assert ponder.json("info", tmp_path / "all")["items"] == 12
    code, out, _ = ponder("merge", tmp_path / "all", *places)
    assert code == 0
    assert out.startswith("0 added, 0 replaced, 12 unchanged, 0 kept, 0 removed in ")


def test_conflicts_and_moves_are_told_on_the_command_line(ponder, parts, tmp_path):
    places, files = parts
    assert ponder("merge", tmp_path / "all", *places)[0] == 0
    (files / "3.txt").write_text("another text", "utf-8")
    ponder("index", tmp_path / "all", files)
    code, out, err = ponder("merge", tmp_path / "all", *places, "--on-conflict", "error")
    assert (code, out) == (5, "")
    assert "1 files have another content" in err
    assert ponder.json("merge", tmp_path / "all", *places)["kept"] == 1
    assert ponder.json("merge", tmp_path / "all", *places, "--on-conflict", "replace")["replaced"] == 1
    moved = ponder.json("merge", tmp_path / "new", *places, "--moved", f"{files}={tmp_path / 'elsewhere'}")
    assert moved["added"] == 12
    found = ponder.json("search", tmp_path / "new", "kite", "-k", 1)["hits"][0]["uri"]
    assert Path(found).parent == tmp_path / "elsewhere"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["merge", "NEW"], 2, "SHELF"),
        (["merge", "NEW", "NONE"], 4, "error: there is no shelf"),
        (["merge", "SHELF", "SHELF"], 2, "error: a shelf cannot be merged into itself"),
        (["merge", "NEW", "SHELF", "--on-conflict", "later"], 2, "--on-conflict"),
        (["merge", "NEW", "SHELF", "--moved", "/here"], 2, "error: not two folders: '/here' (--moved)"),
        (["merge", "NEW", "SHELF", "--moved", "a=/b"], 2, "error: not an absolute path: 'a' (--moved)"),
        (["merge", "NEW", "SHELF", "--moved", "/a=b"], 2, "error: not an absolute path: 'b' (--moved)"),
        (
            ["merge", "NEW", "SHELF", "--moved", "/mnt/a=b=/data"],
            2,
            "error: more than one =: '/mnt/a=b=/data'",
        ),
        (["merge", "NEW", "SHELF", "--moved", "/a=/b", "--moved", "/a=/c"], 2, "moved twice"),
        (["merge", "NEW", "SHELF", "--store", "ftp://x"], 2, "error: no store of this kind"),
        (["index", "NEW", "FILES", "--models", "fake", "--shard", "3/2"], 2, "error: not a shard: '3/2'"),
        (["index", "NEW", "FILES", "--models", "fake", "--shard", "2"], 2, "write NUMBER/OF"),
    ],
)
def test_errors(ponder, shelf, files, tmp_path, arguments, code, message):
    places = {"SHELF": shelf, "FILES": files, "NEW": tmp_path / "new", "NONE": tmp_path / "none"}
    got, out, err = ponder(*(places.get(each, each) for each in arguments))
    assert (got, out) == (code, ""), err
    assert err.startswith("error: ")
    assert message in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "new").exists()
