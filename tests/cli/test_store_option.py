"""``ponder index --store``: the other verbs follow the manifest."""

from __future__ import annotations

import json


def test_index_search_info_and_remove_in_another_store(ponder, postgres_url, tmp_path):
    (tmp_path / "files").mkdir()
    for name, text in {"kite": "a red kite over the hills", "tea": "green tea in a pot"}.items():
        (tmp_path / "files" / f"{name}.txt").write_text(text)
    shelf = tmp_path / "shelf"
    arguments = ("index", shelf, tmp_path / "files", "--models", "fake", "--store", postgres_url)
    assert ponder.json(*arguments)["added"] == 2
    assert ponder.json(*arguments)["unchanged"] == 2
    assert not (shelf / "index").exists()
    assert ponder.json("info", shelf)["store"].startswith(postgres_url + "#ponder_")
    hits = ponder.json("search", shelf, "red kite")["hits"]
    assert hits[0]["uri"].endswith("kite.txt")
    assert ponder.json("doctor", "index", shelf)["state"]["method"] == "exact"
    deep = ponder.json("doctor", shelf, "--deep")["deep"]
    assert (deep["rows"], deep["rows_without_checksum"], deep["damages"]) == (2, 0, 0)
    assert ponder.json("remove", shelf, "--filter", "uri LIKE '%tea%'")["removed"] == 1
    assert ponder.json("info", shelf)["items"] == 1


def test_a_password_in_the_address_is_a_bad_argument(ponder, tmp_path):
    (tmp_path / "a.txt").write_text("words")
    code, _, err = ponder(
        "index", tmp_path / "shelf", tmp_path / "a.txt", "--store", "postgresql://ann:hush@h/d"
    )
    assert code == 2
    assert "PGPASSWORD" in err
    assert "hush" not in err
    assert not (tmp_path / "shelf").exists()


def test_another_store_than_the_manifests_is_refused(ponder, shelf, tmp_path):
    before = json.loads((shelf / "manifest.json").read_text())
    (tmp_path / "a.txt").write_text("words")
    code, _, err = ponder("index", shelf, tmp_path / "a.txt", "--store", "s3://bucket/prefix")
    assert code == 5
    assert "store lance there" in err
    assert json.loads((shelf / "manifest.json").read_text()) == before
