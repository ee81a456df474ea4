"""Search, items, jobs and media over HTTP."""

import base64
import io
import json
import time

import httpx2
import pytest
from PIL import Image

from ponder.shelf import open_shelf
from ponder.testing import FakeModels
from ponder.testing.faults.samples import sample_media


def search(client, **asked):
    return client.post("/v1/search", json=asked)


def events(response):
    found = []
    for block in response.text.strip().split("\n\n"):
        name, data = block.split("\n", 1)
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_a_search_is_what_the_command_prints_and_within_its_budget(client):
    found = search(client, text="red kite", k=3, budget=64).json()
    assert found["hits"][0]["uri"].endswith("kite.txt")
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3]
    assert found["usage"]["read"] + found["usage"]["written"] <= 64
    assert set(found["usage"]["by_stage"]) <= {"retrieve", "ecr", "query-aware"}
    explained = search(client, text="red kite", budget=64, explain=True).json()
    assert explained["explanation"]["stages"]


def test_a_stream_shows_each_stage_and_ends_with_the_same_answer(client):
    plain = search(client, text="red kite", budget=64).json()
    stages = events(search(client, text="red kite", budget=64, stream=True))
    assert [name for name, _ in stages] == ["stage", "stage", "stage", "done"]
    assert [fields["stage"] for _, fields in stages[:3]] == ["retrieve", "ecr", "query-aware"]
    spent = [sum(fields["usage"][kind] for kind in ("read", "written")) for _, fields in stages]
    assert spent == sorted(spent) and spent[0] == 0
    assert stages[-1][1]["hits"] == plain["hits"]
    assert events(search(client, text=" ", stream=True))[0][0] == "error"


def test_a_filter_and_stages_hold_and_wrong_ones_are_named(client):
    found = search(client, text="red", filter="kind = 'image'").json()
    assert {hit["kind"] for hit in found["hits"]} == {"image"}
    assert search(client, text="red", stages="retrieve:2").json()["usage"]["by_stage"].keys() == {"retrieve"}
    for wrong in (
        {"filter": "kind ="},
        {"stages": "retrieve,nobody"},
        {"text": ""},
        {"k": 0},
        {"budget": -1},
    ):
        response = search(client, **{"text": "red", **wrong})
        assert response.status_code in (400, 422), wrong
        assert response.json()["message"]


def test_a_body_that_is_no_json_is_said_to_be_none(client):
    typed = {"content-type": "application/json"}
    cut = client.post("/v1/search", content=b'{"text": ', headers=typed)
    assert (cut.status_code, "the body is not JSON" in cut.json()["message"]) == (422, True)
    untyped = client.post("/v1/search", content=b'{"text": "red"}')
    assert (untyped.status_code, "content-type: application/json" in untyped.json()["message"]) == (422, True)


def encoded(path):
    return f"data:;base64,{base64.b64encode(path.read_bytes()).decode()}"


def test_a_clip_and_a_documents_page_are_searched_for(client, tmp_path):
    samples = sample_media(tmp_path / "made")
    clip, pdf = (next(path for path in samples if path.suffix == suffix) for suffix in (".mp4", ".pdf"))
    assert search(client, video=encoded(clip), budget=32).json()["hits"]
    assert search(client, document=encoded(pdf), text="red", page=1).json()["hits"]
    picture = next(path for path in samples if path.suffix == ".png")
    for wrong in (
        {"document": encoded(pdf), "page": 10_000},
        {"document": encoded(clip)},
        {"video": encoded(pdf)},
        {"image": encoded(picture), "video": encoded(clip)},
        {"video": "https://example.org/a.mp4"},
        {"document": "/etc/passwd"},
    ):
        response = search(client, **wrong)
        assert response.status_code in (400, 422), wrong.keys()
        assert "/tmp" not in response.text


def test_recommend_leaves_the_examples_out(client):
    ids = {hit["uri"].rsplit("/", 1)[-1]: hit["id"] for hit in search(client, text="red").json()["hits"]}
    asked = {"like": [ids["kite.txt"]], "dislike": [ids["oak.txt"]], "budget": 64}
    found = client.post("/v1/recommend", json=asked).json()
    assert not {ids["kite.txt"], ids["oak.txt"]} & {hit["id"] for hit in found["hits"]}
    assert client.post("/v1/recommend", json={"like": ["nobody"]}).status_code == 404


def test_pictures_are_made_anew_and_only_of_items(client):
    [hit] = [hit for hit in search(client, text="red", k=10).json()["hits"] if hit["kind"] == "image"]
    response = client.get(hit["media"], params={"size": 32})
    picture = Image.open(io.BytesIO(response.content))
    assert (picture.format, max(picture.size)) == ("JPEG", 32)
    assert client.get("/v1/items/nobody/media").status_code == 404
    assert client.get(f"/v1/items/{hit['id']}/clip").status_code == 404


def test_items_are_listed_read_added_and_removed(own_server, tmp_path):
    with own_server() as address, httpx2.Client(base_url=address, timeout=60) as client:
        listed = client.get("/v1/items", params={"limit": 2}).json()
        assert (listed["total"], len(listed["items"])) == (5, 2)
        one = client.get(f"/v1/items/{listed['items'][0]['id']}").json()
        assert one["reasoning"]
        assert client.delete(f"/v1/items/{one['id']}").json() == {"removed": 1}
        assert client.delete(f"/v1/items/{one['id']}").status_code == 404
        assert client.get("/v1/items").json()["total"] == 4
        (tmp_path / "files" / "new.txt").write_text("a violet umbrella")
        job = client.post("/v1/items", json={"paths": [str(tmp_path / "files")]}).json()
        assert finished(client, job["id"])["report"]["added"] == 2
        assert search(client, text="violet umbrella").json()["hits"][0]["uri"].endswith("new.txt")


def finished(client, id_):
    deadline = time.monotonic() + 30
    while (job := client.get(f"/v1/jobs/{id_}").json())["state"] in ("waiting", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return job


def test_uploads_are_indexed_and_what_is_no_file_of_ours_is_refused(own_server):
    with own_server() as address, httpx2.Client(base_url=address, timeout=60) as client:
        files = [("files", ("../../../umbrella.txt", b"a violet umbrella", "text/plain"))]
        job = client.post("/v1/items/upload", files=files).json()
        assert finished(client, job["id"])["report"]["added"] == 1
        assert search(client, text="violet umbrella").json()["hits"][0]["uri"].endswith("/umbrella.txt")
        broken = [("files", ("cat.png", b"no picture", "image/png"))]
        job = finished(client, client.post("/v1/items/upload", files=broken).json()["id"])
        assert job["state"] == "failed" or job["report"]["skipped"]
        refused = client.post("/v1/items/upload", files=[("files", ("run.exe", b"MZ", "x/y"))])
        assert refused.status_code == 422


def test_searches_are_answered_while_files_are_indexed_and_indexing_is_cancelled(own_server, tmp_path):
    with own_server(FakeModels(delay=0.05)) as address, httpx2.Client(base_url=address, timeout=60) as client:
        for number in range(60):
            (tmp_path / "files" / f"{number}.txt").write_text(f"word{number}")
        job = client.post("/v1/items", json={"paths": [str(tmp_path / "files")]}).json()["id"]
        deadline = time.monotonic() + 30
        while client.get(f"/v1/jobs/{job}").json()["done"] < 2:
            assert time.monotonic() < deadline
        assert search(client, text="red kite", budget=0).json()["hits"]
        assert client.get(f"/v1/jobs/{job}").json()["state"] == "running"
        client.delete(f"/v1/jobs/{job}")
        ended = finished(client, job)
        assert ended["state"] == "cancelled" and 2 <= ended["done"] < 60
    # What was stored before the cancel is whole, and adding again completes it.
    with open_shelf(tmp_path / "shelf", FakeModels()) as shelf:
        assert 5 <= len(shelf) < 65
        shelf.add(tmp_path / "files")
        assert len(shelf) == 65


def test_operation(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json()["status"] == "ok"
    search(client, text="red", budget=64)
    text = client.get("/metrics").text
    assert 'ponder_requests_total{route="/v1/search",status="200"}' in text
    assert "ponder_tokens_total" in text and "red" not in text
    described = client.get("/openapi.json").json()
    assert {"/v1/search", "/v1/embeddings", "/v2/rerank", "/v1/items"} <= set(described["paths"])


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/nowhere"])
def test_nothing_else_is_there(client, path):
    assert client.get(path).status_code == 404
