"""Under fire: 100 kills, 1,000 hostile files, damage on disk, and what opening files apart costs.

`ours` is the number of wrong results among searches of shelves that were damaged on disk, `peer` the same
without the checksums of files, which is Lance as it comes. What has to hold is in `checks`.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

from faults_kills import kills
from harness import finish, options

from ponder.index import Cache
from ponder.media import Limits, isolate, items_of, open_content, scan
from ponder.shelf import open_shelf
from ponder.shelf.checking import check_shelf
from ponder.testing import FakeModels
from ponder.testing.faults import damage_file, hostile_files, sample_media

GIB = 1024**3

SEARCHING = """
import sys
from ponder.errors import PonderError
from ponder.index import Cache
from ponder.shelf import open_shelf
from ponder.testing import FakeModels
with Cache(sys.argv[1]) as cache:
    for place in sys.argv[2:]:
        try:
            with open_shelf(place, FakeModels(), create=False, cache=cache) as shelf:
                found = [shelf.search(f"word{n} word{n + 1}", k=5).hits for n in range(0, 200, 8)]
                print([[(h.item.id, h.score, h.reason) for h in hits] for hits in found], flush=True)
        except BaseException as error:
            said = "refused:" if isinstance(error, PonderError) else "failed:"
            print(said, type(error).__name__, flush=True)
"""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--damages", type=int, default=60)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ponder-faults-") as name:
        base = Path(name)
        overhead = opening(base / "opening")
        files = hostile(base / "hostile", arguments.files)
        damage = damages(base / "damage", arguments.damages)
        killed = kills(base / "kills", arguments.kills)
    finish(
        arguments,
        "faults",
        ours=damage["with sums"]["wrong"],
        peer=damage["without sums"]["wrong"],
        peer_name="the same shelves without the checksums of files",
        unit=f"wrong results of {arguments.damages} damaged shelves",
        checks={
            f"{arguments.kills} kills: nothing lost, nothing wrong": not killed["problems"],
            f"{arguments.files} hostile files: each is a hit or listed": not files["lost"],
            "memory stays within 2 GiB of the base": files["memory_over_base_gib"] < 2,
            "no damaged shelf gives a wrong result": damage["with sums"]["wrong"] == 0,
            "every damage that is refused is found by doctor --deep": damage["unfound"] == 0,
        },
        details={"opening": overhead, "hostile": files, "damage": damage, "kills": killed},
        packages=["lancedb", "pillow", "av", "pypdfium2"],
        limit_share=files["memory_over_base_gib"] / 2,
    )


def opening(folder: Path) -> dict[str, Any]:
    """Milliseconds to open an item in this process and apart, by kind, medians over three rounds."""
    sample_media(folder)
    collection = Path(sys.modules["ponder"].__file__ or "").parent / "demo" / "collection"
    items = [
        item for source in scan([collection], limits=Limits()).sources for item in items_of(source, Limits())
    ]
    found: dict[str, Any] = {}
    for mode in ("off", "on"):
        isolate(mode)  # type: ignore[arg-type]
        began = time.perf_counter()
        open_content(items[0], Limits())
        first = time.perf_counter() - began
        times: dict[str, list[float]] = {}
        for _ in range(3):
            for item in items:
                began = time.perf_counter()
                open_content(item, Limits())
                times.setdefault(item.kind, []).append(1e3 * (time.perf_counter() - began))
        found[mode] = {kind: round(statistics.median(each), 2) for kind, each in sorted(times.items())}
        found[mode]["first, with its process"] = round(1e3 * first, 1)
    isolate("off")
    return found


def hostile(base: Path, count: int) -> dict[str, Any]:
    """Index hostile files with the fakes, opened apart."""
    paths = hostile_files(base / "files", count, sample_media(base / "samples"), seed=1)
    isolate("on", seconds=20)
    # The base: the same work on a good file, which loads what is needed.
    (base / "good").mkdir()
    (base / "good" / "kite.txt").write_text("a red kite")
    with Cache(base / "g.sqlite") as cache, open_shelf(base / "first", FakeModels(), cache=cache) as shelf:
        shelf.add(base / "good")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    with Cache(base / "c.sqlite") as cache, open_shelf(base / "shelf", FakeModels(), cache=cache) as shelf:
        report = shelf.add(base / "files", workers=2)
        seconds = time.perf_counter() - began
        rows = [source.source["path"] for source in shelf.index.sources()]
    isolate("off")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # The largest was alone: what needs more than a small decoder's memory waits for the others to end.
    decoder = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    listed = {skip.uri.partition("#page=")[0] for skip in report.skipped}
    reasons: dict[str, int] = {}
    for skip in report.skipped:
        kind = skip.error.partition(":")[0][:60]
        reasons[kind] = reasons.get(kind, 0) + 1
    return {
        "files": count,
        "hits": len({*rows}),
        "listed": len(listed),
        "lost": [path.name for path in paths if str(path) not in listed | {*rows}],
        "seconds": round(seconds, 1),
        "memory_over_base_gib": round((own + decoder) * 1024 / GIB, 3),
        "largest_decoder_gib": round(decoder * 1024 / GIB, 3),
        "died_or_late": {key: n for key, n in reasons.items() if "decoder" in key or "longer" in key},
        "reasons": len(reasons),
    }


def damages(base: Path, count: int) -> dict[str, Any]:
    """Damage one file of a shelf's index at a time, and search."""
    (base / "files").mkdir(parents=True)
    chance = Random(6)
    for number in range(200):
        (base / "files" / f"{number:03}.txt").write_text(
            " ".join(f"word{chance.randrange(200)}" for _ in range(40))
        )
    with Cache(base / "c.sqlite") as cache, open_shelf(base / "shelf", FakeModels(), cache=cache) as shelf:
        shelf.add(base / "files", commit_every=50)
        (base / "files" / "003.txt").unlink()
        shelf.add(base / "files")
    files = sorted(path for path in (base / "shelf" / "index" / "rows.lance").rglob("*") if path.is_file())
    copies = [base / f"copy-{number}" for number in range(count)]
    for number, copy in enumerate(copies):
        shutil.copytree(base / "shelf", copy)
        damage_file(copy / files[number % len(files)].relative_to(base / "shelf"), chance)
    found: dict[str, Any] = {}
    checked = [check_shelf(copy) for copy in copies]
    for name in ("with sums", "without sums"):
        if name == "without sums":
            for copy in copies:
                (copy / "index" / "sums.txt").unlink()
        said = searched(base / "c.sqlite", [base / "shelf", *copies])
        truth, answers = said[0], said[1:]
        assert truth.startswith("[["), truth
        found[name] = {
            "right": sum(each == truth for each in answers),
            "refused": sum(each.startswith("refused") for each in answers),
            "crashed": sum(each.startswith("failed") for each in answers),
            "wrong": sum(each.startswith("[[") and each != truth for each in answers),
        }
        if name == "with sums":
            refused = [each.startswith("refused") for each in answers]
            found["unfound"] = sum(no and not each.damages for no, each in zip(refused, checked, strict=True))
    return found


def searched(cache: Path, places: list[Path]) -> list[str]:
    """What searches of shelves print, a line each; a process that dies of one is begun again after it."""
    found: list[str] = []
    while len(found) < len(places):
        left = [str(place) for place in places[len(found) :]]
        done = subprocess.run(
            [sys.executable, "-c", SEARCHING, str(cache), *left],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        found += done.stdout.splitlines()
        if len(found) < len(places):
            found.append(f"failed: exit code {done.returncode}")
    return found


if __name__ == "__main__":
    main()
