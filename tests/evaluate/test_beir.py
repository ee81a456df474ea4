import json
from pathlib import Path

import pytest

from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.beir import load_beir

TEXTS = [{"_id": "a", "text": "one"}, {"_id": "b", "text": "two"}]


def write(folder, corpus=TEXTS, queries=({"_id": "q", "text": "one?"},), qrels="q\ta\t1\n"):
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    for name, rows in (("corpus", corpus), ("queries", queries)):
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "qrels" / "dev.tsv").write_text(qrels, encoding="utf-8")
    return folder


def test_every_kind_of_row(tmp_path):
    for name in ("i.png", "v.mp4", "d.pdf"):
        (tmp_path / name).write_bytes(b"x")
    corpus = [
        {"_id": "t", "text": "body", "title": "Head", "metadata": {"answer": "never shown"}},
        {"_id": "i", "text": "", "image": "i.png"},
        {"_id": "v", "text": None, "video": "v.mp4"},
        {"_id": "p", "pdf": "d.pdf", "page": 3},
    ]
    queries = [
        {"_id": "q", "text": "what", "image": "i.png", "instruction": "find", "metadata": {"exclude": ["i"]}},
        {"_id": "not judged", "text": "x"},
        {"_id": "page", "pdf": "d.pdf", "page": 1},
    ]
    found = load_beir(write(tmp_path, corpus, queries, "query-id\tcorpus-id\tscore\nq\tt\t2\npage\tp\t1\n"))
    text, image, video, page = found.items
    assert (text.kind, text.text, text.metadata) == ("text", "Head\nbody", {})
    assert (image.kind, image.path) == ("image", str((tmp_path / "i.png").resolve()))
    assert video.kind == "video"
    assert (page.kind, page.page) == ("page", 3)
    assert page.uri.endswith("d.pdf#page=3")
    first, second = found.queries
    assert first.query.instruction == "find"
    assert first.query.image == image.path
    assert first.exclude == {"i"}
    assert first.grades == {"t": 2}
    assert second.query.page == (page.path, 1)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x.png", "a/../../x.png", "..\\x.png", "C:\\x.png", "x\0", "."]
)
def test_media_stays_inside(tmp_path, path):
    folder = write(tmp_path / "set", [{"_id": "a", "image": path}])
    with pytest.raises(InputInvalid, match="leads out of the data set") as raised:
        load_beir(folder)
    assert raised.value.where.endswith("corpus.jsonl:1")


def test_a_link_that_leads_out_is_refused(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"x")
    folder = write(tmp_path / "set", [{"_id": "a", "image": "link.png"}])
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(InputInvalid, match="leads out"):
        load_beir(folder)


def test_a_link_that_stays_inside_is_followed(tmp_path):
    folder = write(tmp_path, [{"_id": "a", "image": "link.png"}])
    (folder / "real.png").write_bytes(b"x")
    (folder / "link.png").symlink_to("real.png")
    assert load_beir(folder).items[0].path == str((folder / "real.png").resolve())


def test_missing_media_is_listed(tmp_path):
    corpus = [*TEXTS, {"_id": "c", "image": "gone.png"}]
    queries = [{"_id": "q", "text": "one?"}, {"_id": "r", "image": "lost.png"}]
    found = load_beir(write(tmp_path, corpus, queries, "q\tc\t1\nr\ta\t1\n"))
    assert [item.id for item in found.items] == ["a", "b"]
    assert [Path(lost.uri).name for lost in found.skipped] == ["gone.png", "lost.png"]
    assert found.queries[0].grades == {"c": 1}


@pytest.mark.parametrize(
    ("corpus", "line", "what"),
    [
        (["{"], 1, "not JSON"),
        ([*TEXTS, "[1]"], 3, "not a JSON object"),
        ([{"text": "x"}], 1, '"_id" is missing'),
        ([{"_id": 7, "text": "x"}], 1, '"_id" is not a string'),
        ([*TEXTS, {"_id": "a", "text": "x"}], 3, "there twice"),
        ([{"_id": "a", "text": " "}], 1, "neither text nor media"),
        ([{"_id": "a", "image": "i", "video": "v"}], 1, "both image and video"),
        ([{"_id": "a", "pdf": "d.pdf"}], 1, '"page" is not a whole number from 1'),
        ([{"_id": "a", "pdf": "d.pdf", "page": True}], 1, '"page" is not a whole number'),
        ([{"_id": "a", "text": "x", "metadata": []}, {"_id": "b", "text": 3}], 2, '"text" is not a string'),
    ],
)
def test_bad_rows_name_their_line(tmp_path, corpus, line, what):
    with pytest.raises(InputInvalid, match=what) as raised:
        load_beir(write(tmp_path, corpus))
    assert raised.value.where.endswith(f"corpus.jsonl:{line}")


@pytest.mark.parametrize(
    ("qrels", "what"),
    [
        ("q\ta\n", "not three columns"),
        ("query-id\tcorpus-id\tscore\nq\ta\tgood\n", "not a whole number"),
        ("q\ta\t1\nq\ta\t2\n", "judged twice"),
        ("other\ta\t1\n", "no query of queries.jsonl has judgements"),
    ],
)
def test_bad_qrels(tmp_path, qrels, what):
    with pytest.raises(InputInvalid, match=what):
        load_beir(write(tmp_path, qrels=qrels))


def test_an_empty_query_is_refused(tmp_path):
    with pytest.raises(InputInvalid, match="the query q is empty"):
        load_beir(write(tmp_path, queries=[{"_id": "q", "text": ""}]))


def test_missing_files(tmp_path):
    with pytest.raises(InputNotFound, match="no such folder"):
        load_beir(tmp_path / "none")
    folder = write(tmp_path / "set")
    with pytest.raises(InputNotFound, match="splits here: dev"):
        load_beir(folder, split="test")
    (folder / "corpus.jsonl").unlink()
    with pytest.raises(InputNotFound, match=r"corpus\.jsonl is missing"):
        load_beir(folder)


def test_other_queries(tmp_path):
    folder = write(tmp_path / "set")
    other = tmp_path / "other.jsonl"
    other.write_text('{"_id": "q", "text": "otherwise"}\n', encoding="utf-8")
    assert load_beir(folder, queries=other).queries[0].query.text == "otherwise"
