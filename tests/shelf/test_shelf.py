"""A shelf from outside: adding, changing, removing, searching."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import textwrap

import pytest

from ponder.errors import BackendFailed, BadArguments, InputInvalid, InputNotFound
from ponder.protocols import Searchable
from ponder.records import Query
from ponder.shelf import open_shelf
from ponder.shelf.checking import check_shelf
from ponder.testing import FakeModels


def counts(report):
    return (report.added, report.updated, report.unchanged, report.removed)


def names(ranking):
    return [hit.item.uri.rsplit("/", 1)[-1] for hit in ranking]


def test_files_are_found_by_what_they_say(opened, folder):
    with opened() as shelf:
        assert isinstance(shelf, Searchable)
        report = shelf.add(folder)
        assert counts(report) == (3, 0, 0, 0)
        assert report.skipped == ()
        assert report.tokens.read > 0
        assert report.tokens.cached == 0
        ranking = shelf.search("the blue whale", k=2)
        assert names(ranking)[0] == "whale.md"
        assert len(ranking) == 2
        assert ranking.usage.spent == 0
        assert shelf.search(Query(text="tea"), budget=200, stages="retrieve,ecr").usage.spent <= 200


def test_a_shelf_is_there_when_it_is_opened_again(opened, folder, tmp_path):
    with opened() as shelf:
        shelf.add(folder)
    with open_shelf(tmp_path / "shelf", FakeModels(forbidden=True), create=False) as shelf:
        assert len(shelf) == 3
        info = shelf.info()
        assert (info.items, info.by_kind, info.models) == (3, {"text": 3}, "fake")
        assert info.parts > 3
        assert info.bytes > 1000


def test_adding_again_does_nothing_and_needs_no_model(opened, folder):
    with opened() as shelf:
        shelf.add(folder)
        version = shelf.index.version
    with opened(FakeModels(forbidden=True)) as shelf:
        report = shelf.add(folder)
        assert counts(report) == (0, 0, 3, 0)
        assert report.tokens.spent == 0
        assert shelf.index.version == version


def test_adding_again_does_not_even_import_the_store(opened, folder, tmp_path):
    with opened() as shelf:
        shelf.add(folder)
    script = """
        import sys
        from ponder.shelf import open_shelf
        from ponder.testing import FakeModels
        shelf = open_shelf(sys.argv[1], FakeModels(forbidden=True))
        print(shelf.add(sys.argv[2]).unchanged, sorted({"lancedb", "pyarrow", "torch"} & set(sys.modules)))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "shelf"), str(folder)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PONDER_CACHE": str(tmp_path / "other")},
    )
    assert done.stdout.strip() == "3 []"


def test_the_copy_of_the_sources_is_not_trusted_when_the_index_has_changed(opened, folder):
    with opened() as shelf:
        shelf.add(folder)
        removed = shelf.get([shelf.search("whale", k=1).hits[0].item.id])[0].item.id
        assert shelf.remove([removed]) == 1
        assert counts(shelf.add(folder)) == (1, 0, 2, 0)


def test_changes_are_followed(opened, folder):
    with opened() as shelf:
        shelf.add(folder)
        (folder / "kite.txt").write_text("an aeroplane in the clouds, nothing else")
        (folder / "whale.md").unlink()
        (folder / "new.txt").write_text("a violin")
        assert counts(shelf.add(folder)) == (1, 1, 1, 1)
        assert names(shelf.search("aeroplane", k=1)) == ["kite.txt"]
        assert names(shelf.search("violin", k=1)) == ["new.txt"]
        assert len(shelf) == 3


def test_another_time_but_the_same_content_is_unchanged(opened, folder):
    with opened() as shelf:
        shelf.add(folder)
        os.utime(folder / "kite.txt", (1, 1))
    with opened(FakeModels(forbidden=True)) as shelf:
        assert counts(shelf.add(folder)) == (0, 0, 3, 0)
        version = shelf.index.version
        # The time is known now: nothing is compared or written any more.
        assert counts(shelf.add(folder)) == (0, 0, 3, 0)
        assert shelf.index.version == version


def test_another_content_of_the_same_size_is_an_update(opened, folder):
    with opened() as shelf:
        shelf.add(folder)
        (folder / "kite.txt").write_text("a red kiwi over the hills")
        os.utime(folder / "kite.txt", (1, 1))
        assert counts(shelf.add(folder)) == (0, 1, 2, 0)


def test_only_what_lies_under_the_given_paths_is_removed(opened, folder):
    with opened() as shelf:
        shelf.add(folder)
        (folder / "kite.txt").unlink()
        (folder / "deep" / "tea.txt").unlink()
        (folder / "deep" / "coffee.txt").write_text("black coffee")
        assert counts(shelf.add(folder / "deep")) == (1, 0, 0, 1)
        assert len(shelf) == 3
        assert counts(shelf.add(folder)) == (0, 0, 2, 1)


def test_a_folder_that_has_become_empty_empties_the_shelf(opened, folder):
    with opened() as shelf:
        shelf.add(folder)
        for path in ("kite.txt", "whale.md", "deep/tea.txt"):
            (folder / path).unlink()
        assert counts(shelf.add(folder)) == (0, 0, 0, 3)
        with pytest.raises(InputInvalid):
            shelf.add(folder)


def test_what_cannot_be_read_is_listed_and_what_was_stored_of_it_stays(opened, folder):
    with opened() as shelf:
        shelf.add(folder)
        (folder / "kite.txt").write_text("")
        (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing more")
        (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing more")
        report = shelf.add(folder)
        assert counts(report) == (0, 0, 2, 0)
        assert {skip.uri.rsplit("/", 1)[-1] for skip in report.skipped} == {
            "kite.txt",
            "broken.png",
            "broken.pdf",
        }
        assert all(skip.error for skip in report.skipped)
        assert len(shelf) == 3


def test_a_known_text_needs_no_model_and_counts_as_cached(opened, folder, tmp_path, cache):
    with opened() as shelf:
        first = shelf.add(folder)
    models = FakeModels(forbidden=True)
    with open_shelf(tmp_path / "second", models, cache=cache) as other:
        report = other.add(folder)
        assert counts(report) == (3, 0, 0, 0)
        assert report.tokens.spent == 0
        assert report.tokens.cached == first.tokens.written


def test_identical_files_at_two_paths_are_two_items(opened, folder):
    (folder / "again.txt").write_text("a red kite over the hills")
    with opened() as shelf:
        assert shelf.add(folder).added == 4
        assert set(names(shelf.search("red kite", k=2))) == {"kite.txt", "again.txt"}


def test_workers_change_nothing(opened, folder, tmp_path, cache):
    for number in range(20):
        (folder / f"{number}.txt").write_text(f"text number {number}")
    (folder / "broken.png").write_bytes(b"nothing")
    with opened() as shelf, open_shelf(tmp_path / "second", FakeModels()) as other:
        one, many = shelf.add(folder), other.add(folder, workers=3)
        assert counts(one) == counts(many) == (23, 0, 0, 0)
        assert [skip.uri for skip in one.skipped] == [skip.uri for skip in many.skipped]
        asked = [(hit.item, hit.score) for hit in shelf.search("text 7", k=30)]
        assert asked == [(hit.item, hit.score) for hit in other.search("text 7", k=30)]


def test_removing(opened, folder):
    with opened() as shelf:
        shelf.add(folder)
        assert shelf.remove(where="path LIKE '%/deep/%'") == 1
        assert shelf.remove(["nowhere"]) == 0
        with pytest.raises(InputInvalid):
            shelf.remove([row.id for row in shelf.index.sources()], where="nothing = 1")
        with pytest.raises(BadArguments):
            shelf.remove()
        assert len(shelf) == 2


def test_filters_reach_the_search(opened, folder):
    with opened() as shelf:
        shelf.add(folder)
        assert names(shelf.search("tea", where="uri LIKE '%.md'")) == ["whale.md"]
        with pytest.raises(InputInvalid, match="nothing"):
            shelf.search("tea", where="nothing = 1")


def test_progress_is_told(opened, folder):
    told = []
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing more")
    with opened() as shelf:
        shelf.add(folder, progress=lambda *each: told.append(each))
    assert told == [(1, 3, 1), (2, 3, 1), (3, 3, 1)]


def test_the_plan_changes_nothing(opened, folder):
    with opened() as shelf:
        plan = shelf.plan(folder)
        assert len(plan.tasks) == 3
        assert len(shelf) == 0


def test_paths_that_are_not_there(opened, folder, tmp_path):
    with opened() as shelf:
        with pytest.raises(InputNotFound):
            shelf.add(folder, tmp_path / "nowhere")
        with pytest.raises(BadArguments):
            shelf.add()
        assert len(shelf) == 0


class Interrupting:
    """Stops the work as Ctrl-C does, after some items."""

    def __init__(self, after):
        self.after = after

    def __call__(self, done, total, skipped):
        if done == self.after:
            raise KeyboardInterrupt


def test_ctrl_c_keeps_what_was_done(opened, folder):
    for number in range(50):
        (folder / f"{number}.txt").write_text(f"text number {number}")
    with opened() as shelf:
        with pytest.raises(KeyboardInterrupt):
            shelf.add(folder, progress=Interrupting(40))
        assert len(shelf) == 40
        assert counts(shelf.add(folder)) == (13, 0, 40, 0)


def pdf(path, texts):
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(path), invariant=True)
    for text in texts:
        canvas.drawString(100, 700, text)
        canvas.showPage()
    canvas.save()


def test_a_pdf_is_its_pages_and_is_completed(opened, folder):
    words = ["apples and pears in baskets", "boats upon the river", "clocks that strike at noon"]
    pdf(folder / "book.pdf", words)
    with opened() as shelf:
        with pytest.raises(KeyboardInterrupt):
            shelf.add(folder / "book.pdf", progress=Interrupting(2))
        assert shelf.info().by_kind == {"page": 2}
        assert counts(shelf.add(folder / "book.pdf")) == (1, 0, 2, 0)
        assert names(shelf.search("clocks that strike", k=1)) == ["book.pdf#page=3"]
        pdf(folder / "book.pdf", words[:1])
        report = shelf.add(folder / "book.pdf")
        assert report.removed == 2
        assert shelf.info().by_kind == {"page": 1}


def test_a_second_writer_is_refused_and_readers_are_not(opened, folder):
    seen = []
    with opened() as shelf, opened() as other:

        def meanwhile(done, total, skipped):
            with pytest.raises(BackendFailed, match="another process is writing"):
                other.add(folder)
            with pytest.raises(BackendFailed, match="another process is writing"):
                other.remove(["x"])
            seen.append(len(other.search("whale")))

        for number in range(40):
            (folder / f"{number}.txt").write_text(f"text number {number}")
        shelf.add(folder, progress=meanwhile)
        assert seen[0] == 0
        assert seen[-1] == 10
        assert len(other) == 43
        assert other.add(folder).unchanged == 43


def limit_file_size():
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))


def test_a_full_disk_stops_the_work_and_loses_nothing(opened, folder, tmp_path):
    with opened() as shelf:
        shelf.add(folder)
    for number in range(100):
        (folder / f"{number}.txt").write_text(f"text number {number} " * 100)
    # A limit on the size of files makes writes fail as a full disk does: cache, index or catalog.
    script = """
        import signal, sys
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        from ponder.errors import BackendFailed
        from ponder.shelf import open_shelf
        from ponder.testing import FakeModels
        try:
            open_shelf(sys.argv[1], FakeModels()).add(sys.argv[2])
        except BackendFailed as error:
            print("refused:", error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "shelf"), str(folder)],
        capture_output=True,
        text=True,
        preexec_fn=limit_file_size,
        check=False,
        env=os.environ | {"PONDER_CACHE": str(tmp_path / "other")},
    )
    assert "refused:" in done.stdout, done.stderr
    assert "space" in done.stdout
    with opened() as shelf:
        before = len(shelf)
        assert before >= 3
        assert counts(shelf.add(folder)) == (103 - before, 0, before, 0)
        assert names(shelf.search("blue whale sings", k=1)) == ["whale.md"]


def test_many_are_searched_within_one_budget(opened, folder):
    asked = ["kite", Query(text="whale")]
    with opened() as shelf:
        shelf.add(folder)
        found = shelf.search_batch(asked, budget=30, k=2)
        assert [ranking.query.text for ranking in found] == ["kite", "whale"]
        assert 0 < sum(ranking.usage.spent for ranking in found) <= 60
        plain = [shelf.search(query, k=2) for query in asked]
        assert [each.hits for each in shelf.search_batch(asked, k=2)] == [each.hits for each in plain]


def test_what_another_writer_does_meanwhile_is_not_taken_for_known(opened, folder):
    """PostgreSQL has any number of writers: here one between the index's answer and the catalog."""
    (folder / "new.txt").write_text("a violin")
    with opened() as shelf:
        shelf.add(folder / "kite.txt")
        ask = shelf.index.sources

        def sources():
            found = ask()
            if len(found) == 4:
                shelf.index.remove([found[0].id])
            return found

        shelf.index.sources = sources
        shelf.add(folder)
    with opened() as shelf:
        assert len(shelf) == 3
        assert counts(shelf.add(folder)) == (1, 0, 3, 0)


def test_a_vector_that_may_be_stored_is_no_damage(opened, folder, tmp_path):
    models = FakeModels()
    fair = models.embedder.embed_documents

    def embed(contents, reasonings):
        made = fair(contents, reasonings)
        for each in made:
            each.vectors[:] *= 0.995
        return made

    models.embedder.embed_documents = embed
    with opened(models) as shelf:
        assert shelf.add(folder).added == 3
    assert check_shelf(tmp_path / "shelf").damages == ()
