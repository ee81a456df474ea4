"""A decoder in a process apart gives what one in this process gives, and costs one file when it fails."""

from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from ponder.errors import BadArguments, InputInvalid, InputNotFound
from ponder.media import Limits, isolate, items_of, open_content, scan
from ponder.media.isolated import decoders, is_apart
from ponder.media.wire import Garbled, receive, send
from ponder.records import Item

COLLECTION = resources.files("ponder") / "demo" / "collection"


@pytest.fixture(autouse=True)
def _as_before():
    yield
    isolate("off")


def sample():
    """Two items of each kind."""
    of_kind = {}
    for source in scan([str(COLLECTION)], limits=Limits()).sources:
        if len(of_kind.get(source.kind, [])) < 2:
            of_kind.setdefault(source.kind, []).extend(items_of(source, Limits()))
    return [item for items in of_kind.values() for item in items[:2]]


def picture(path, side=64):
    """A picture without detail: little to store, and much to decode when it is large."""
    rows = zlib.compress(b"\0" * (side + 1) * side, 1)

    def chunk(kind, data=b""):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND"))
    return Item("one", "image", uri=str(path), path=str(path))


def test_it_gives_what_this_process_gives():
    isolate("off")
    items = sample()
    here = [open_content(item, Limits()) for item in items]
    isolate("on")
    assert sample() == items
    apart = [open_content(item, Limits()) for item in items]
    assert {item.kind for item in items} == {"image", "page", "video", "text"}
    for one, other in zip(here, apart, strict=True):
        assert [image.tobytes() for image in one.images] == [image.tobytes() for image in other.images]
        assert replace(one, images=()) == replace(other, images=())


def test_errors_come_through_with_their_kind_and_place(tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    said = []
    for mode in ("off", "on"):
        isolate(mode)
        with pytest.raises(InputInvalid) as caught:
            open_content(Item("b", "image", path=str(broken)), Limits())
        said.append(str(caught.value))
        with pytest.raises(InputNotFound):
            open_content(Item("n", "image", path=str(tmp_path / "none.png")), Limits())
    assert said[0] == said[1]


def test_one_that_was_killed_meanwhile_is_begun_anew(tmp_path):
    item = picture(tmp_path / "one.png")
    isolate("on")
    open_content(item, Limits())
    [first] = decoders()
    os.kill(first, signal.SIGKILL)
    assert open_content(item, Limits()).images[0].size == (64, 64)
    assert decoders() != (first,)


def test_a_file_that_takes_too_much_memory_is_refused_and_the_next_is_not(tmp_path):
    isolate("on", memory=600 * 1024**2)
    with pytest.raises(InputInvalid, match=r"memory|died"):
        open_content(picture(tmp_path / "large.png", 9400), Limits(max_side=9400))
    assert open_content(picture(tmp_path / "small.png"), Limits()).images[0].size == (64, 64)


def test_what_does_not_fit_into_a_small_decoder_is_opened_in_one_alone(tmp_path):
    import PIL.Image

    large = tmp_path / "large.png"
    PIL.Image.new("RGB", (9000, 9000), "red").save(large, compress_level=1)
    isolate("on")
    assert open_content(Item("l", "image", path=str(large)), Limits()).images[0].size == (1024, 1024)
    # It has ended: a small one begins with the next file.
    assert decoders() == ()
    assert open_content(picture(tmp_path / "small.png"), Limits()).images[0].size == (64, 64)
    assert len(decoders()) == 1


def test_a_file_that_takes_too_long_is_refused_and_the_next_is_not(tmp_path):
    large, small = picture(tmp_path / "large.png", 9000), picture(tmp_path / "small.png")
    isolate("on", seconds={"image": 0.001})
    with pytest.raises(InputInvalid, match=r"longer than 0\.001 s"):
        open_content(large, Limits())
    isolate("on")
    assert open_content(small, Limits()).images


def test_auto_opens_pictures_apart_once_a_decoder_has_died(tmp_path):
    isolate("auto", memory=600 * 1024**2)
    assert [is_apart(kind) for kind in ("image", "text", "page", "video")] == [False, False, True, True]
    page = Item("p", "page", path=str(COLLECTION / "handbook.pdf"), page=1)
    with pytest.raises(InputInvalid, match=r"memory|died|nonsense"):
        open_content(page, Limits(page_dpi=4000, max_page_side=30_000))
    assert is_apart("image")


def test_threads_have_a_decoder_each(tmp_path):
    items = [picture(tmp_path / f"{side}.png", side) for side in range(10, 26)]
    isolate("on")
    sizes = {}

    def work(mine):
        for item in mine:
            sizes[item.path] = open_content(item, Limits()).images[0].size

    threads = [threading.Thread(target=work, args=(items[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == {item.path: (int(Path(item.path).stem),) * 2 for item in items}
    assert 1 <= len(decoders()) <= 4


def test_there_are_three_ways():
    with pytest.raises(BadArguments):
        isolate("perhaps")


@pytest.mark.parametrize(
    "damage", [b"", b"PDe", b"XXXX\0\0\0\0", b"PDec\xff\xff\xff\xff", b"PDec\x02\0\0\0[]"]
)
def test_what_is_no_message_is_not_believed(damage):
    with pytest.raises(Garbled):
        receive(io.BytesIO(damage))


def test_sizes_are_checked_before_pixels_are_read():
    pipe = io.BytesIO()
    send(pipe, {"sizes": []})
    told = pipe.getvalue().replace(b"[]", b"[[99999, 99999]]")
    told = told[:4] + struct.pack("<I", len(told) - 8) + told[8:]
    with pytest.raises(Garbled, match="more pixels"):
        receive(io.BytesIO(told))


def test_a_decoder_ends_when_its_parent_was_killed(tmp_path):
    picture(tmp_path / "one.png")
    program = (
        "import os, signal, sys\n"
        "from ponder.media import Limits, isolate, open_content\n"
        "from ponder.media.isolated import decoders\n"
        "from ponder.records import Item\n"
        "isolate('on')\n"
        "open_content(Item('a', 'image', path=sys.argv[1]), Limits())\n"
        "print(*decoders(), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "one.png")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    [decoder] = done.stdout.split()
    for _ in range(200):
        state = Path(f"/proc/{decoder}/stat")
        # A zombie is one that nobody has waited for: it has ended.
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("the decoder lives on")
