"""Rows of a data set's files, only the columns that are wanted and a batch at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ponder.errors import InputInvalid, first_line

Row = dict[str, Any]

_POINTER = b"version https://git-lfs"

_BATCH = 64
"""Rows of a Parquet file that are in memory at once: those of image tasks hold a thousand candidates each."""


def rows(files: Sequence[Path], columns: Sequence[str], optional: Sequence[str] = ()) -> Iterator[Row]:
    """Read rows in the files' order.

    Args:
        files: Parquet, JSON (a list of objects), JSON lines or CSV.
        columns: What every row must have.
        optional: What is read where it is there, and None where it is not.

    Raises:
        InputInvalid: A file cannot be read, or lacks a column; the error names both.
    """
    for file in files:
        if file.suffix == ".parquet":
            yield from _parquet(file, columns, optional)
            continue
        for number, row in enumerate(_text(file), 1):
            _check(row, columns, f"{file}, row {number}")
            yield {name: row.get(name) for name in (*columns, *optional)}


def count(files: Sequence[Path]) -> int:
    """How many rows there are; of Parquet files only the footers are read.

    Raises:
        InputInvalid: A file cannot be read.
    """
    total = 0
    for file in files:
        if file.suffix == ".parquet":
            with _opened(file) as parquet:
                total += parquet.metadata.num_rows
        else:
            total += sum(1 for _ in _text(file))
    return total


def _opened(file: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file, error) from None


def _parquet(file: Path, columns: Sequence[str], optional: Sequence[str]) -> Iterator[Row]:
    import pyarrow as pa

    with _opened(file) as parquet:
        there = parquet.schema_arrow.names
        _check(there, columns, str(file))
        absent = [name for name in optional if name not in there]
        taken = [*columns, *(name for name in optional if name in there)]
        try:
            for batch in parquet.iter_batches(batch_size=_BATCH, columns=taken):
                for row in batch.to_pylist():
                    yield {**row, **dict.fromkeys(absent)}
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(file, error) from None


def _text(file: Path) -> Iterator[Row]:
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            if file.suffix == ".csv":
                yield from csv.DictReader(opened, strict=True)
                return
            if file.suffix == ".json" and opened.read(1) == "[":
                opened.seek(0)
                found = json.load(opened)
            else:
                opened.seek(0)
                found = (json.loads(line) for line in opened if line.strip())
            for row in found:
                if not isinstance(row, dict):
                    raise InputInvalid("a row that is no object", str(file), "fetch it anew")
                yield row
    except (OSError, ValueError, csv.Error) as error:
        raise _unreadable(file, error) from None


def _check(there: Sequence[str] | Row, columns: Sequence[str], where: str) -> None:
    lacking = [name for name in columns if name not in there]
    if lacking:
        raise InputInvalid(
            f"no column {' or '.join(map(repr, lacking))}",
            where,
            f"expected {', '.join(columns)}; it has {', '.join(there) or 'none'}",
        )


def _unreadable(file: Path, error: Exception) -> InputInvalid:
    with suppress(OSError), file.open("rb") as opened:
        if opened.read(len(_POINTER)) == _POINTER:
            return InputInvalid(
                "a pointer of Git LFS and not the file", str(file), "run `git lfs pull` there"
            )
    return InputInvalid(f"cannot be read: {first_line(error)}", str(file), "fetch it anew: it may be cut off")
