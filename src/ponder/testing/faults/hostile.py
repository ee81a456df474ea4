"""Media files that are broken or meant to harm: mutations of real ones, and bombs."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

from ponder.testing.faults.damage import damaged

Bomb = Callable[[Random], bytes]


def hostile_files(folder: Path, count: int, sources: Sequence[Path], *, seed: int = 0) -> list[Path]:
    """Write hostile files, each under a name of its own with the suffix of what it claims to be.

    Three in four are damaged in one to four ways, one in six states sizes that it does not have, the rest are
    bombs: small files that become large, or deep, when they are opened.

    Args:
        folder: Where to; it is made if need be.
        count: How many.
        sources: Real files of the formats to mutate.
        seed: Decides everything.

    Returns:
        Their paths, in order.

    Example:
        >>> import tempfile
        >>> base = Path(tempfile.mkdtemp())
        >>> _ = (base / "a.txt").write_text("some words")
        >>> [path.suffix for path in hostile_files(base / "bad", 2, [base / "a.txt"], seed=3)]
        ['.txt', '.txt']
    """
    folder.mkdir(parents=True, exist_ok=True)
    chance = Random(seed)
    originals = [(path.suffix.lower(), path.read_bytes()) for path in sources]
    bombs = sorted(BOMBS)
    paths = []
    for number in range(count):
        suffix, data = chance.choice(originals)
        donor = chance.choice(originals)[1]
        dice = chance.random()
        if dice < 0.09:
            name = bombs[number % len(bombs)]
            suffix, data = f".{name.rpartition('.')[2]}", BOMBS[name](chance)
        elif dice < 0.25:
            data = overstated(suffix, data, chance)
        else:
            for _ in range(chance.randint(1, 4)):
                data = damaged(data or b"\0", chance, donor=donor)
        path = folder / f"{number:05}{suffix}"
        path.write_bytes(data)
        paths.append(path)
    return paths


def overstated(suffix: str, data: bytes, chance: Random) -> bytes:
    r"""The file with sizes in its head that are not its own; damaged at random where its format is not known.

    Example:
        >>> overstated(".gif", b"GIF89a" + bytes(20), Random(0))[6:10]
        b'\xff\xff\xff\xff'
    """
    made = bytearray(data)
    side = chance.choice([0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF])
    if suffix == ".png" and len(made) > 33:
        made[16:24] = struct.pack(">II", side, chance.choice([side, 1, 50_000]))
        made[29:33] = struct.pack(">I", zlib.crc32(made[12:29]))
    elif suffix == ".gif" and len(made) > 10:
        made[6:10] = b"\xff\xff\xff\xff"
    elif suffix in (".jpg", ".jpeg") and (start := max(made.find(b"\xff\xc0"), made.find(b"\xff\xc2"))) > 0:
        made[start + 5 : start + 9] = struct.pack(">HH", side & 0xFFFF, chance.choice([0xFFFF, 1, 9000]))
    elif suffix in (".mp4", ".webm", ".webp"):
        marks = [
            b"moov",
            b"mdat",
            b"stsz",
            b"stts",
            b"mvhd",
            b"tkhd",
            b"avc1",
            b"VP8",
            b"RIFF",
            b"\x1a\x45\xdf\xa3",
        ]
        found = [place for mark in marks if (place := made.find(mark)) >= 0] or [0]
        for _ in range(chance.randint(1, 3)):
            place = max(0, chance.choice(found) + chance.choice([-4, 4, 8, 12, 16, 20, 24]))
            made[place : place + 4] = struct.pack(">I", side)
    elif suffix == ".pdf":
        for mark in (b"/Count ", b"/Length ", b"/MediaBox [ ", b"/Size ", b"/Width ", b"/Height "):
            if mark in made and chance.random() < 0.5:
                made = made.replace(mark, mark + b"9999999", 1)
    made_bytes = bytes(made)
    return damaged(data, chance) if made_bytes == data else made_bytes


def _png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    rows = zlib.compressobj(9)
    pixels = b"".join(rows.compress(bytes(width + 1)) for _ in range(height)) + rows.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def _pdf(*objects: str | bytes) -> bytes:
    made, places = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(made))
        body = each.encode("latin-1") if isinstance(each, str) else each
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(made))
    return made + head + table + tail


def _stream(content: bytes, more: str = "") -> bytes:
    packed = zlib.compress(content, 9)
    head = f"<<{more}/Filter/FlateDecode/Length {len(packed)}>>stream\n".encode()
    return head + packed + b"\nendstream"


_CATALOG, _PAGES = "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>"


def _page(box: str = "0 0 300 300", resources: str = "") -> str:
    return f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 4 0 R/Resources<<{resources}>>>>"


def _laughs(chance: Random) -> bytes:
    """Forms that draw ten forms each, nine levels deep: a thousand million drawings in two kilobytes."""
    levels = 9
    forms = [
        _stream(
            b" /F Do" * 10,
            f"/Type/XObject/Subtype/Form/BBox[0 0 300 300]/Resources<</XObject<</F {number + 1} 0 R>>>>",
        )
        for number in range(5, 5 + levels)
    ]
    last = _stream(b"0 0 300 300 re f", "/Type/XObject/Subtype/Form/BBox[0 0 300 300]")
    page = _page(resources="/XObject<</F 5 0 R>>")
    return _pdf(_CATALOG, _PAGES, page, _stream(b"/F Do"), *forms, last)


BOMBS: Mapping[str, Bomb] = {
    "declared.png": lambda chance: _png(30_000, 3_000),
    "within limits.png": lambda chance: _png(9_000, 9_000),
    "text.png": lambda chance: _png(8, 8, (b"zTXt", b"k\0\0" + zlib.compress(bytes(50_000_000), 9))),
    "content.pdf": lambda chance: _pdf(_CATALOG, _PAGES, _page(), _stream(b"0 0 m " * 10_000_000)),
    "laughs.pdf": _laughs,
    "circle.pdf": lambda chance: _pdf(_CATALOG, "<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2147483647>>"),
    "plane.pdf": lambda chance: _pdf(_CATALOG, _PAGES, _page("0 0 1e30 1e-30"), _stream(b"0 0 m")),
    "nested.html": lambda chance: b"<div>" * 100_000 + b"deep" + b"</div>" * 100_000,
    "entities.html": lambda chance: b"<!DOCTYPE a [<!ENTITY a 'aaaa'>]>" + b"&a;" * 100_000,
    "quoted.md": lambda chance: b">" * 50_000 + b" deep",
    "brackets.md": lambda chance: b"[" * 50_000 + b"x" + b"](y)" * 50_000,
    "zeros.txt": lambda chance: bytes(1_000_000),
    "noise.txt": lambda chance: chance.randbytes(100_000),
    "one word.txt": lambda chance: b"a" * 3_000_000,
    "lines.txt": lambda chance: b"\n" * 2_000_000 + b"x",
}
"""By name, the suffix being what the file claims to be."""
