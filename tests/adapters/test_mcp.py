"""A real client: its process starts ``ponder mcp``, and talks to it over stdin and stdout."""

import asyncio
import base64
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mcp import Client, ClientSession, StdioServerParameters, stdio_client
from PIL import Image

import ponder
from ponder.adapters.mcp import CHARACTERS, FRAMES, make_server
from ponder.media.items import item_id

COLLECTION = Path(ponder.__file__).parent / "demo" / "collection"


def talk(shelf, *conversation, arguments=()):
    """What the server answers to each ``(tool, arguments)``, after the handshake and the list of tools."""

    async def talking():
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "ponder", "mcp", str(shelf.path), *arguments],
            env={**os.environ, "PYTHONPATH": str(Path(ponder.__file__).parents[1])},
        )
        async with stdio_client(server) as streams, ClientSession(*streams) as session:
            told = await session.initialize()
            tools = (await session.list_tools()).tools
            return told, tools, [await session.call_tool(name, given) for name, given in conversation]

    return asyncio.run(talking())


def call(shelf, name, **given):
    """One tool's answer from a server in this process: (content, structured); what it raises is raised."""
    answer = asyncio.run(make_server(shelf).call_tool(name, given))
    return answer.content, answer.structured_content


def encoded(colour):
    file = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_a_client_searches_and_reads(shelf, files, id_of):
    told, tools, answers = talk(
        shelf,
        ("search", {"text": "blue whale", "k": 2, "budget": 100}),
        ("search", {"image": encoded((140, 20, 160)), "k": 1, "filter": "kind = 'image'"}),
        ("read", {"id": id_of("whale.txt")}),
        ("read", {"id": id_of("plum.png")}),
        ("read", {"id": "nosuch"}),
        ("search", {"text": "x", "filter": "kind ="}),
        ("search", {"text": "red kite", "budget": 10**9, "k": 1}),
        arguments=("--most-budget", "300"),
    )
    assert told.server_info.name == "ponder"
    assert [tool.name for tool in tools] == ["search", "read"]
    assert {"text", "k", "budget", "filter", "image"} == set(tools[0].input_schema["properties"])
    words, picture, text, seen, lost, broken, dear = answers

    found = words.structured_content
    assert json.loads(words.content[0].text) == found
    assert [hit["rank"] for hit in found["hits"]] == [1, 2]
    assert found["hits"][0]["id"] == id_of("whale.txt")
    assert found["hits"][0]["text"] == "the blue whale sings under water"
    assert found["budget"] == 100
    assert 0 < found["tokens"]["read"] + found["tokens"]["written"] <= 100

    assert [hit["id"] for hit in picture.structured_content["hits"]] == [id_of("plum.png")]

    about, body = (json.loads(text.content[0].text), text.content[1].text)
    assert (about["kind"], about["id"]) == ("text", id_of("whale.txt"))
    assert "whale" in about["reasoning"]
    assert body == "the blue whale sings under water"

    shown = seen.content[-1]
    assert (shown.type, shown.mime_type) == ("image", "image/jpeg")
    opened = Image.open(io.BytesIO(base64.b64decode(shown.data)))
    assert opened.size == (64, 64)
    assert all(abs(a - b) < 12 for a, b in zip(opened.getpixel((5, 5)), (140, 20, 160), strict=True))

    assert lost.is_error and "no such item (nosuch)" in lost.content[0].text
    assert broken.is_error and "filter" in broken.content[0].text
    assert dear.structured_content["budget"] == 300


def test_a_long_text_is_read_piece_by_piece(shelf, files):
    text = " ".join(f"word{n}" for n in range(6000))
    (files / "long.txt").write_text(text, "utf-8")
    shelf.add(files)
    name = item_id(str(files / "long.txt"))
    got, start = "", 0
    while start is not None:
        (about, piece), _ = call(shelf, "read", id=name, start=start)
        assert len(piece.text) <= CHARACTERS
        got, start = got + piece.text, json.loads(about.text)["next"]
    assert got == text


def test_an_item_may_stand_for_a_picture(shelf, files, id_of):
    for image in (
        id_of("meadow.png"),
        str(files / "meadow.png"),
        f"data:image/png;base64,{encoded((20, 160, 20))}",
    ):
        _, found = call(shelf, "search", image=image, k=1, filter="kind = 'image'")
        assert [hit["id"] for hit in found["hits"]] == [id_of("meadow.png")]


def test_pages_and_clips_are_shown_and_asked_for(shelf):
    shelf.add(COLLECTION / "clips" / "c02.mp4", COLLECTION / "handbook.pdf")
    clip, page = str(COLLECTION / "clips" / "c02.mp4"), str(COLLECTION / "handbook.pdf")
    content, _ = call(shelf, "read", id=item_id(clip))
    assert [each.type for each in content] == ["text", *["image"] * FRAMES]
    content, _ = call(shelf, "read", id=item_id(f"{page}#page=2"))
    assert [each.type for each in content] == ["text", "text", "image"]
    assert json.loads(content[0].text)["page"] == 2
    for name in (item_id(clip), item_id(f"{page}#page=2")):
        _, found = call(shelf, "search", image=name, k=1)
        assert [hit["id"] for hit in found["hits"]] == [name]


def test_pictures_may_be_left_out(shelf, id_of):
    content, _ = call(shelf, "read", id=id_of("plum.png"), pictures=False)
    assert [each.type for each in content] == ["text"]


@pytest.mark.parametrize("swapped", ["file", "link"])
def test_only_what_was_indexed_is_served(shelf, files, tmp_path, id_of, swapped):
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret", "utf-8")
    (files / "tea.txt").unlink()
    if swapped == "link":
        (files / "tea.txt").symlink_to(secret)
    else:
        (files / "tea.txt").write_text("the secret", "utf-8")
    with pytest.raises(Exception, match="changed since it was indexed") as told:
        call(shelf, "read", id=id_of("tea.txt"))
    assert "the secret" not in str(told.value)


@pytest.mark.parametrize(
    "image",
    [
        "/etc/passwd",
        "../files/../secret.png",
        "secret.png",
        "~/secret.png",
        "file:///etc/passwd",
        "http://localhost/a.png",
        "data:text/plain,hello",
        "data:image/png;base64,####",
        "aGVsbG8=",
        "\0",
    ],
)
def test_no_other_file_is_opened(shelf, tmp_path, monkeypatch, image):
    Image.new("RGB", (32, 32), "red").save(tmp_path / "secret.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(Exception, match=r"no picture of the collection|not base64|not a readable picture"):
        call(shelf, "search", image=image)


@pytest.mark.parametrize("given", [{"k": 0}, {"k": 10**6}, {"budget": -1}, {"k": "many"}, {}, {"text": " "}])
def test_bad_arguments_are_told(shelf, given):
    with pytest.raises(Exception, match=r"validation error|empty query"):
        call(shelf, "search", **given)


def test_many_calls_at_once_each_get_their_own_answer(shelf, id_of):
    asked = {"red kite": "kite.txt", "blue whale": "whale.txt", "green tea pot": "tea.txt"}

    async def asking():
        async with Client(make_server(shelf)) as client:
            calls = [client.call_tool("search", {"text": text, "k": 1}) for text in [*asked] * 4]
            return await asyncio.gather(*calls)

    found = [answer.structured_content["hits"][0]["id"] for answer in asyncio.run(asking())]
    assert found == [id_of(name) for name in asked.values()] * 4


def test_it_ends_when_the_client_goes_and_when_it_is_interrupted(shelf):
    program = [sys.executable, "-m", "ponder", "mcp", str(shelf.path)]
    hello = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    for interrupt in (False, True):
        with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            server.stdin.write(json.dumps(hello) + "\n")
            server.stdin.flush()
            assert json.loads(server.stdout.readline())["id"] == 1
            if interrupt:
                server.send_signal(signal.SIGINT)
            else:
                server.stdin.close()
            assert server.wait(timeout=60) == (-signal.SIGINT if interrupt else 0)


def test_without_a_shelf_it_ends_at_once(tmp_path, capsys):
    from ponder.cli.main import run

    assert run(["mcp", str(tmp_path / "nosuch")]) == 4
    assert "there is no shelf" in capsys.readouterr().err
