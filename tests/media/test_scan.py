from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from ponder.errors import InputInvalid, InputNotFound
from ponder.media import Limits, Source, items_of, scan


def names(sources: tuple[Source, ...], root: Path) -> list[str]:
    return [str(Path(s.path).relative_to(root)) for s in sources]


def touch(path: Path, data: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_finds_every_kind_in_order_and_counts_the_rest(tmp_path: Path, limits: Limits) -> None:
    for name in ["b.JPG", "a/z.pdf", "a.mp4", "c/d/e.md", "c/readme.docx", ".hidden.png", ".git/x.png"]:
        touch(tmp_path / name)
    found = scan([tmp_path], limits=limits)
    assert names(found.sources, tmp_path) == ["a.mp4", "a/z.pdf", "b.JPG", "c/d/e.md"]
    assert [s.kind for s in found.sources] == ["video", "page", "image", "text"]
    assert found.ignored == 1
    assert found.skipped == ()
    assert all(Path(s.path).is_absolute() and s.size == 1 and s.mtime_ns > 0 for s in found.sources)


def test_overlapping_paths_and_order_of_paths_make_no_difference(tmp_path: Path, limits: Limits) -> None:
    one, two = touch(tmp_path / "a/one.png"), touch(tmp_path / "b/two.png")
    whole = scan([tmp_path], limits=limits)
    assert scan([two, tmp_path / "a", tmp_path, one], limits=limits).sources == whole.sources


def test_relative_paths_become_absolute(
    tmp_path: Path, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "a" / "one.png")
    monkeypatch.chdir(tmp_path)
    assert [s.path for s in scan(["b/../a"], limits=limits).sources] == [str(tmp_path / "a" / "one.png")]


def test_a_file_may_be_given(tmp_path: Path, limits: Limits) -> None:
    path = touch(tmp_path / ".hidden.png")
    assert [s.path for s in scan([path], limits=limits).sources] == [str(path)]


def test_link_that_leads_out_is_listed_unless_followed(tmp_path: Path, limits: Limits) -> None:
    outside = touch(tmp_path / "outside" / "secret.png").parent
    inside = touch(tmp_path / "inside" / "a.png").parent
    (inside / "file.png").symlink_to(outside / "secret.png")
    (inside / "folder").symlink_to(outside)
    found = scan([inside], limits=limits)
    assert names(found.sources, inside) == ["a.png"]
    assert [s.uri for s in found.skipped] == [str(inside / "file.png"), str(inside / "folder")]
    assert all("leads out" in s.error for s in found.skipped)
    followed = scan([inside], limits=limits, follow_links=True)
    # One file behind two links is one file.
    assert names(followed.sources, inside) == ["a.png", "file.png"]
    assert followed.skipped == ()


def test_prefix_of_a_folder_name_is_not_inside_it(tmp_path: Path, limits: Limits) -> None:
    touch(tmp_path / "pics" / "a.png")
    (tmp_path / "pics" / "b.png").symlink_to(touch(tmp_path / "pics-private" / "b.png"))
    found = scan([tmp_path / "pics"], limits=limits)
    assert names(found.sources, tmp_path) == ["pics/a.png"]
    assert len(found.skipped) == 1


def test_link_inside_names_the_plain_path(tmp_path: Path, limits: Limits) -> None:
    touch(tmp_path / "z" / "real.png")
    (tmp_path / "a.png").symlink_to(tmp_path / "z" / "real.png")
    (tmp_path / "b").symlink_to(tmp_path / "z")
    found = scan([tmp_path], limits=limits)
    assert names(found.sources, tmp_path) == ["z/real.png"]
    assert found.skipped == ()


def test_loops_and_broken_links_are_listed(tmp_path: Path, limits: Limits) -> None:
    touch(tmp_path / "a" / "b" / "one.png")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path / "a")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    for follow in (False, True):
        found = scan([tmp_path], limits=limits, follow_links=follow)
        assert names(found.sources, tmp_path) == ["a/b/one.png"]
        errors = {Path(s.uri).name: s.error for s in found.skipped}
        assert "loop" in errors["up"]
        assert "loop" in errors["self"]
        assert "broken" in errors["gone.png"]


def test_loop_through_the_outside_ends(tmp_path: Path, limits: Limits) -> None:
    touch(tmp_path / "in" / "one.png")
    touch(tmp_path / "out" / "two.png")
    (tmp_path / "in" / "out").symlink_to(tmp_path / "out")
    (tmp_path / "out" / "in").symlink_to(tmp_path / "in")
    found = scan([tmp_path / "in"], limits=limits, follow_links=True)
    assert names(found.sources, tmp_path) == ["in/one.png", "in/out/two.png"]


def test_given_link_is_followed(tmp_path: Path, limits: Limits) -> None:
    touch(tmp_path / "real" / "one.png")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = scan([tmp_path / "link"], limits=limits)
    assert names(found.sources, tmp_path) == ["link/one.png"]


def test_empty_oversize_and_special_files_are_listed(tmp_path: Path) -> None:
    touch(tmp_path / "empty.png", b"")
    touch(tmp_path / "big.png", b"x" * 101)
    touch(tmp_path / "fine.png", b"x" * 100)
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(tmp_path)  # The name of a socket is short.
        server.bind("s.txt")
        os.chdir(here)
        found = scan([tmp_path], limits=Limits(max_bytes={"image": 100}))
    assert names(found.sources, tmp_path) == ["fine.png"]
    errors = {Path(s.uri).name: s.error for s in found.skipped}
    assert set(errors) == {"empty.png", "big.png", "pipe.mp4", "s.txt"}
    assert "empty" in errors["empty.png"]
    assert "101" in errors["big.png"]
    assert "regular" in errors["pipe.mp4"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file_and_folder_are_listed(tmp_path: Path, limits: Limits) -> None:
    touch(tmp_path / "a.png").chmod(0)
    touch(tmp_path / "b" / "c.png").parent.chmod(0)
    found = scan([tmp_path], limits=limits)
    (tmp_path / "b").chmod(0o700)
    assert [Path(s.uri).name for s in found.skipped] == ["a.png", "b"]


def test_name_that_is_not_utf8_is_listed_printably(tmp_path: Path, limits: Limits) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.png"
    try:
        Path(os.fsdecode(path)).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system wants UTF-8")
    (skipped,) = scan([tmp_path], limits=limits).skipped
    skipped.uri.encode("utf-8")
    assert "UTF-8" in skipped.error


def test_missing_path(tmp_path: Path, limits: Limits) -> None:
    with pytest.raises(InputNotFound, match="nowhere"):
        scan([tmp_path, tmp_path / "nowhere"], limits=limits)


def test_nothing_of_ours_names_the_types(tmp_path: Path, limits: Limits) -> None:
    touch(tmp_path / "a.docx")
    for path in [tmp_path, tmp_path / "a.docx"]:
        with pytest.raises(InputInvalid, match=r"pdf.*mp4"):
            scan([path], limits=limits)


def test_given_file_of_another_type_beside_others_is_listed(tmp_path: Path, limits: Limits) -> None:
    found = scan([touch(tmp_path / "a.docx"), touch(tmp_path / "a.png")], limits=limits)
    assert names(found.sources, tmp_path) == ["a.png"]
    assert [s.uri for s in found.skipped] == [str(tmp_path / "a.docx")]


def test_deep_folders(limits: Limits) -> None:
    # Not under tmp_path: pytest's own clean-up recurses, and so would a later session's after a kill.
    deep = top = Path(tempfile.mkdtemp(prefix="ponder-deep-"))
    try:
        while len(deep.parts) < 1100:  # Deeper than Python recurses, not deeper than Linux opens.
            deep = deep / "d"
            deep.mkdir()
        touch(deep / "a.png")
        assert len(scan([top], limits=limits).sources) == 1
    finally:
        subprocess.run(["rm", "-rf", str(top)], check=True)


def test_items_of_single_files(tmp_path: Path, limits: Limits) -> None:
    for name in ["a.png", "b.png"]:
        touch(tmp_path / name, b"same")
    (a,), (b,) = (items_of(s, limits) for s in scan([tmp_path], limits=limits).sources)
    assert a.uri == a.path == str(tmp_path / "a.png")
    # Identical files at two places are two items.
    assert a.id != b.id
    assert len(a.id) == 16 and int(a.id, 16) >= 0


def test_gone_between_scan_and_items(tmp_path: Path, limits: Limits) -> None:
    path = touch(tmp_path / "a.png")
    (source,) = scan([path], limits=limits).sources
    path.unlink()
    with pytest.raises(InputNotFound):
        items_of(source, limits)
