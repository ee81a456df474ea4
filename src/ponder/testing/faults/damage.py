"""What disks, copies and people do to bytes."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Literal, get_args

How = Literal["flip", "burst", "truncate", "splice", "zero", "insert", "repeat", "empty"]


def damaged(data: bytes, chance: Random, *, donor: bytes = b"", how: How | None = None) -> bytes:
    """The bytes with one kind of damage; other bytes than were given.

    Args:
        data: At least one byte.
        chance: Decides what is hit, and how unless told.
        donor: What a splice takes its second half from; `data` itself unless told.
        how: "flip" one to eight single bits; "burst" random bytes over a stretch; "truncate"; "splice" with
            `donor`; "zero" a block, as a lost sector is; "insert" bytes; "repeat" a stretch; "empty".

    Example:
        >>> damaged(b"all is well", Random(1), how="truncate")
        b'a'
        >>> damaged(b"all is well", Random(1)) == damaged(b"all is well", Random(1))
        True
    """
    ways: list[How] = [each for each in get_args(How) if each != "empty" or chance.random() < 0.2]
    way = chance.choice(ways) if how is None else how
    made = _made(bytearray(data), chance, donor or data, way)
    if made == data:
        made = bytes([data[0] ^ 1]) + data[1:]
    return made


def damage_file(path: Path, chance: Random, *, how: How | None = None) -> None:
    """Damage a file in place; its time of change stays, as when a disk does it."""
    import os

    status = path.stat()
    path.write_bytes(damaged(path.read_bytes() or b"\0", chance, how=how))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _made(data: bytearray, chance: Random, donor: bytes, how: How) -> bytes:
    size = len(data)
    start = chance.randrange(size)
    length = min(size - start, chance.choice([1, 4, 64, 512]))
    if how == "flip":
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(size)] ^= 1 << chance.randrange(8)
    elif how == "burst":
        data[start : start + length] = chance.randbytes(length)
    elif how == "truncate":
        del data[start:]
    elif how == "splice":
        data[start:] = donor[chance.randrange(len(donor)) :]
    elif how == "zero":
        data[start : start + length] = bytes(length)
    elif how == "insert":
        data[start:start] = chance.randbytes(length)
    elif how == "repeat":
        data[start:start] = data[start : start + length] * chance.randint(1, 50)
    else:
        data.clear()
    return bytes(data)
