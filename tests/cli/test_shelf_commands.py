import shutil

import pytest


def test_index_search_info_remove(ponder, files, tmp_path):
    shelf = tmp_path / "shelf"
    first = ponder.json("index", shelf, files, "--models", "fake")
    assert (first["added"], first["unchanged"], first["skipped"]) == (2, 0, [])
    again = ponder.json("index", shelf, files)
    assert (again["added"], again["unchanged"]) == (0, 2)
    found = ponder.json("search", shelf, "red kite")
    assert [hit["uri"] for hit in found["hits"]] == [str(files / "kite.txt"), str(files / "whale.md")]
    assert ponder.json("info", shelf)["items"] == 2
    assert ponder.json("remove", shelf, found["hits"][0]["id"]) == {"removed": 1}
    assert ponder.json("info", shelf)["items"] == 1


def test_files_of_other_types_are_counted(ponder, files, tmp_path):
    (files / "letter.docx").write_bytes(b"PK")
    (files / ".hidden.docx").write_bytes(b"PK")
    made = ponder.json("index", tmp_path / "shelf", files, "--models", "fake")
    assert (made["added"], made["ignored"], made["skipped"]) == (2, 1, [])
    _, out, _ = ponder("index", tmp_path / "shelf", files)
    assert "2 unchanged, 0 removed, 0 skipped, 1 of other types in" in out
    (files / "letter.docx").unlink()
    _, out, _ = ponder("index", tmp_path / "shelf", files)
    assert "0 skipped in" in out


def test_a_folder_of_files_is_no_shelf(ponder, files, tmp_path):
    _, _, said = ponder("search", files, "kite")
    assert f"there is no shelf ({files})" in said and f"ponder index SHELF {files}" in said
    _, _, said = ponder("search", tmp_path / "none", "kite")
    assert f"ponder index {tmp_path / 'none'} PATH" in said


def test_hits_ranks_scores_and_budget(ponder, shelf):
    for budget in (0, 1, 17, 256):
        found = ponder.json("search", shelf, "a red kite under water", "--budget", budget, "-k", 5)
        assert [hit["rank"] for hit in found["hits"]] == [1, 2]
        scores = [hit["score"] for hit in found["hits"]]
        assert scores == sorted(scores, reverse=True)
        usage = found["usage"]
        assert usage["read"] + usage["written"] <= found["budget"] == budget
        for kind in ("read", "written", "cached"):
            assert usage[kind] == sum(stage[kind] for stage in usage["by_stage"].values())


def test_filters_and_stages(ponder, shelf, files):
    found = ponder.json(
        "search", shelf, "red kite", "--filter", "path LIKE '%whale%'", "--stages", "retrieve"
    )
    assert [hit["uri"] for hit in found["hits"]] == [str(files / "whale.md")]
    assert [stage["name"] for stage in found["hits"][0]["stages"]] == ["retrieve"]
    assert ponder.json("remove", shelf, "--filter", "path LIKE '%whale%'") == {"removed": 1}


def test_a_picture_is_a_query(ponder, shelf, tmp_path):
    from PIL import Image

    Image.new("RGB", (16, 16), "red").save(tmp_path / "red.png")
    found = ponder.json("search", shelf, "--image", tmp_path / "red.png")
    assert len(found["hits"]) == 2


def test_what_is_skipped_is_named_and_ends_with_7(ponder, files, tmp_path):
    (files / "broken.png").write_bytes(b"no picture")
    code, out, err = ponder("index", tmp_path / "shelf", files, "--models", "fake")
    assert code == 7
    assert "2 added" in out
    assert f"skipped: {files / 'broken.png'}" in err
    report = ponder.json("index", tmp_path / "shelf", files, code=7)
    assert [each["uri"] for each in report["skipped"]] == [str(files / "broken.png")]


def test_people_see_hits_reasoning_and_ledger(ponder, shelf, files):
    code, out, _ = ponder("search", shelf, "red kite")
    assert code == 0
    assert str(files / "kite.txt") in out
    assert "why: red kite" in out
    assert "of 256" in out
    code, out, _ = ponder("info", shelf)
    assert "fake-embedder" in out


def test_nothing_found(ponder, shelf):
    code, out, _ = ponder("search", shelf, "red kite", "--filter", "kind = 'video'")
    assert code == 0
    assert "nothing found: no item passes the filter kind = 'video'" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["search", "SHELF"], 2, "error: empty query (TEXT): "),
        (["search", "SHELF", "  "], 2, "error: empty query (TEXT): "),
        (["search", "SHELF", "x", "--budget", "-1"], 2, "--budget"),
        (["search", "SHELF", "x", "--budget", "many"], 2, "--budget"),
        (["search", "SHELF", "x", "-k", "0"], 2, "-k"),
        (["search", "SHELF", "x", "-k", "1000000000000"], 2, "-k"),
        (["recommend", "SHELF", "--like", "x", "-k", "1000000000000"], 2, "-k"),
        (["search", "SHELF", "x", "--stages", "retrieve:1000000000000"], 2, "results above 100,000,000"),
        (["search", "SHELF", "x", "--stages", "retrieve,nosuch"], 2, "error: unknown stage 'nosuch'"),
        (["search", "SHELF", "x", "--stages", "retreive"], 2, "error: unknown stage 'retreive'"),
        (["search", "SHELF", "x", "--filter", "nosuch ="], 5, "error: "),
        (["search", "SHELF", "--page", "doc.pdf"], 2, "error: not a page: 'doc.pdf' (--page): write FILE:N"),
        (["search", "SHELF", "--image", "a", "--video", "b"], 2, "error: more than one medium"),
        (["search", "SHELF", "--image", "NONE/a.png"], 4, "a.png"),
        (["search", "NONE", "x"], 4, "error: there is no shelf"),
        (["info", "NONE"], 4, "error: there is no shelf"),
        (["remove", "NONE", "x"], 4, "error: there is no shelf"),
        (["remove", "SHELF"], 2, "error: neither ids nor --filter"),
        (
            ["remove", "SHELF", "x", "--filter", "kind = 'text'"],
            2,
            "error: neither ids nor --filter, or both",
        ),
        (["remove", "SHELF", "nosuch"], 4, "error: no such item (nosuch)"),
        (["index", "SHELF"], 2, "PATH"),
        (["index", "SHELF", "NONE"], 4, "error: no such file or folder"),
        (["index", "NEW", "FILES", "--models", "nosuch"], 2, "error: unknown models 'nosuch'"),
        (["index", "FILES", "FILES", "--models", "fake"], 5, "error: the folder holds other things"),
        (["index", "SHELF", "FILES", "--reason-tokens", "3"], 5, "error: "),
        (["index", "NEW", "EMPTY", "--models", "fake"], 5, "error: "),
        (["nosuch"], 2, "error: No such command 'nosuch' (ponder): see `ponder --help`"),
    ],
)
def test_errors(ponder, shelf, files, tmp_path, arguments, code, message):
    (tmp_path / "empty").mkdir()
    places = {
        "SHELF": shelf,
        "FILES": files,
        "NONE": tmp_path / "none",
        "NEW": tmp_path / "new",
        "EMPTY": tmp_path / "empty",
        "NONE/a.png": tmp_path / "none" / "a.png",
    }
    got, out, err = ponder(*(places.get(each, each) for each in arguments))
    assert (got, out) == (code, ""), err
    assert err.startswith("error: ")
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_path_that_is_not_there_leaves_no_shelf(ponder, tmp_path):
    assert ponder("index", tmp_path / "new", tmp_path / "none", "--models", "fake")[0] == 4
    assert not (tmp_path / "new").exists()


def test_a_shelf_of_another_version(ponder, shelf):
    manifest = shelf / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"version": 1', '"version": 99'), "utf-8")
    code, _, err = ponder("search", shelf, "kite")
    assert code == 5
    assert "format 99" in err


def test_an_index_that_has_gone(ponder, shelf, files, tmp_path):
    shutil.rmtree(shelf / "index")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "tea.txt").write_text("green tea", "utf-8")
    for command in (
        ["info", shelf],
        ["search", shelf, "kite"],
        ["remove", shelf, "x"],
        ["index", shelf, tmp_path / "other"],
        ["index", shelf, tmp_path / "other", "--dry-run"],
        ["doctor", "index", shelf],
        ["merge", tmp_path / "new", shelf],
    ):
        code, _, err = ponder(*command)
        assert code == 6, command
        assert "error: the index has gone, which held 2 items" in err
        assert f"ponder index {shelf} {files}" in err
    for command in (["doctor", shelf], ["doctor", shelf, "--deep"]):
        code, _, err = ponder(*command)
        assert code == 5
        assert "the index has gone, which held 2 items" in err
    assert ponder.json("index", shelf, files)["added"] == 2
    assert ponder.json("info", shelf)["items"] == 2


def test_a_home_folder_of_nobody(ponder, shelf, files):
    for command in (
        ["index", shelf, "~nosuchuser/files"],
        ["index", "~nosuchuser/shelf", files, "--dry-run"],
        ["index", "~nosuchuser/shelf", files, "--models", "fake"],
        ["info", "~nosuchuser/shelf"],
        ["doctor", "~nosuchuser/shelf", "--deep"],
        ["merge", "~nosuchuser/shelf", shelf],
    ):
        code, _, err = ponder(*command)
        assert code == (5 if command[0] == "doctor" else 4), command
        assert "no such user's home folder (~nosuchuser/" in err
