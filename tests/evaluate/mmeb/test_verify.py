"""What of the benchmark is here, what is not, and how to get it."""

import dataclasses
import shutil

import pytest
from benchmark_data import change, tiny

from ponder.errors import InputNotFound
from ponder.evaluate.mmeb.getting import media_commands
from ponder.evaluate.mmeb.tasks import task_named, tasks
from ponder.evaluate.mmeb.verify import verify, verify_task


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "nothing"))
    return tiny(tmp_path / "data")


def look(data, name, **options):
    return verify_task(data, task_named(name), **options)


def of_three(name):
    """The task, as if its published scores were over three queries."""
    return dataclasses.replace(task_named(name), num_queries=3)


@pytest.mark.parametrize("name", ["WebQA", "MSVD", "QVHighlight", "NExTQA", "ViDoRe_arxivqa"])
def test_a_whole_task_is_ready(data, name):
    for deep in (False, True):
        state = verify_task(data, of_three(name), deep=deep)
        assert (state.state, state.problems, state.commands, state.missing) == ("ready", (), (), 0)
    assert state.queries == 3 and state.media >= 3
    assert state.bytes > 1000


def test_another_number_of_queries_than_was_published(data):
    state = look(data, "MSVD")
    assert state.state == "differs"
    assert state.problems == ("3 queries, and the published scores are over 670",)


def test_missing_media_are_counted_and_the_first_are_named(data):
    videos = data / "data_basedir/video-tasks/frames/video_ret/MSVD"
    shutil.rmtree(videos / "0")
    shutil.rmtree(videos / "2")
    state = verify_task(data, of_three("MSVD"))
    assert (state.state, state.missing, state.media) == ("incomplete", 2, 10)
    assert state.problems[:2] == tuple(
        f"no frames in data_basedir/video-tasks/frames/video_ret/MSVD/{number}" for number in (0, 2)
    )
    assert any("video_ret.tar.gz" in command for command in state.commands)


def test_what_is_cut_off_is_found_by_its_ends_and_what_is_spoilt_inside_by_decoding(data):
    folder = data / "data_basedir/image-tasks/WebQA"
    whole = (folder / "0.jpg").read_bytes()
    (folder / "0.jpg").write_bytes(whole[:-20])
    (folder / "1.jpg").write_bytes(b"")
    (folder / "2.jpg").write_bytes(b"<html>404</html>")
    state = verify_task(data, of_three("WebQA"))
    assert (state.state, state.unreadable) == ("incomplete", 3)
    said = dict(each.split(": ", 1) for each in state.problems)
    at = "data_basedir/image-tasks/WebQA"
    assert said[f"{at}/0.jpg"].startswith("cut off")
    assert said[f"{at}/1.jpg"] == "the file is empty"
    assert said[f"{at}/2.jpg"].startswith("not a readable picture")


def test_a_spoilt_page_is_found_by_decoding(data):
    def spoilt(rows):
        page = rows[1]["image"]["bytes"]
        broken = page[:60] + bytes(len(page) - 72) + page[-12:]
        return [rows[0], rows[1] | {"image": {"bytes": broken, "path": None}}, *rows[2:]]

    change(data / "hf/vidore/arxivqa_test_subsampled_beir/corpus/test-00000-of-00001.parquet", spoilt)
    assert verify_task(data, of_three("ViDoRe_arxivqa")).state == "ready"
    state = verify_task(data, of_three("ViDoRe_arxivqa"), deep=True)
    assert (state.state, state.unreadable) == ("incomplete", 1)
    assert state.problems[0].startswith("page 1: ")


def test_rows_that_are_missing_or_cannot_be_read(data):
    shutil.rmtree(data / "hf/VLM2Vec/MSVD")
    (data / "hf/VLM2Vec/VATEX/data/test-00000-of-00001.parquet").write_bytes(b"PAR1")
    absent, broken = look(data, "MSVD"), look(data, "VATEX")
    assert (absent.state, absent.queries) == ("missing", None)
    assert absent.commands == (
        f"hf download VLM2Vec/MSVD --repo-type dataset --local-dir {data}/hf/VLM2Vec/MSVD",
    )
    assert broken.state == "invalid" and "VATEX" in broken.problems[0]


def test_a_task_of_which_nothing_is_here_needs_media_too(data):
    commands = look(data, "K700").commands
    assert [each.split()[0] for each in commands] == ["hf", "hf", "mkdir", "tar"]


def test_a_revision_that_is_not_the_one_of_main(data):
    cache = data / "datasets--VLM2Vec--MSVD"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "main").write_text("new")
    (cache / "snapshots").mkdir()
    shutil.move(data / "hf/VLM2Vec/MSVD", cache / "snapshots" / "old")
    state = verify_task(data, of_three("MSVD"))
    assert (state.state, state.revision) == ("differs", "old")
    assert state.problems == ("revision old, and the cache knows of new",)


def test_earlier_faulty_pages_are_named_and_never_read(data):
    source = data / "hf/vidore/arxivqa_test_subsampled_beir"
    shutil.copytree(source, data / "hf/VLM2Vec/ViDoSeek-page")
    assert look(data, "ViDoSeek-page").state == "missing"
    shutil.copytree(source, data / "hf/VLM2Vec/ViDoSeek-page-fixed")
    assert "earlier, faulty pages" in look(data, "ViDoSeek-page").notes[-1]


def test_an_archive_that_is_here_is_only_unpacked(tmp_path):
    task = task_named("MVBench")
    assert media_commands(task, tmp_path)[0].startswith("hf download")
    folder = tmp_path / "data_basedir/video-tasks/frames"
    folder.mkdir(parents=True)
    (folder / "video_qa.tar.gz-00").touch()
    assert [each.split()[0] for each in media_commands(task, tmp_path)] == ["cat"]


def test_only_pages_need_no_archive(tmp_path):
    for each in tasks():
        assert bool(media_commands(each, tmp_path)) == (each.modality != "visdoc")


def test_progress_counts_tasks_and_a_directory_has_to_be_there(data, tmp_path):
    seen = []
    every = [task_named("MSVD"), task_named("K700")]
    assert len(list(verify(data, every, advance=lambda *at: seen.append(at)))) == 2
    assert seen == [(1, 2), (2, 2)]
    with pytest.raises(InputNotFound):
        list(verify(tmp_path / "none", every))
