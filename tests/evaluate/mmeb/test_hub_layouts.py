"""Where repositories are found, of which revision they are, and which of their files are read."""

import json
import shutil

import pytest
from benchmark_data import parsed, tiny

from ponder.errors import InputInvalid, InputNotFound, MissingDependency
from ponder.evaluate.mmeb.hub import Repo, find_repo
from ponder.evaluate.mmeb.loading import load
from ponder.evaluate.mmeb.tasks import task_named

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def _no_cache_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "nothing"))


@pytest.fixture
def data(tmp_path):
    return tiny(tmp_path / "data")


def cached(data, cache, name="VLM2Vec/MSVD", revision=COMMIT):
    """Move a repository from ``hf/`` into a hub's cache."""
    folder = cache / f"datasets--{name.replace('/', '--')}"
    (folder / "snapshots").mkdir(parents=True, exist_ok=True)
    shutil.move(data / "hf" / name, folder / "snapshots" / revision)
    return folder


@pytest.mark.parametrize("place", ["VLM2Vec/MSVD", "MSVD"])
def test_a_repository_may_lie_straight_in_the_data_directory(data, place):
    (data / place).parent.mkdir(exist_ok=True)
    shutil.move(data / "hf" / "VLM2Vec" / "MSVD", data / place)
    assert len(parsed(data, "MSVD").queries) == 3


@pytest.mark.parametrize("place", ["", "hub", "hf"])
def test_a_hubs_cache_in_the_data_directory_tells_the_revision(data, place):
    cached(data, data / place)
    assert load(data, task_named("MSVD")).revision == COMMIT


def test_the_users_own_cache_comes_last(data, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "users"))
    cached(data, tmp_path / "users")
    assert load(data, task_named("MSVD")).revision == COMMIT


def test_of_two_snapshots_the_one_of_main_is_read(data):
    folder = cached(data, data)
    old, new = folder / "snapshots" / COMMIT, folder / "snapshots" / ("f" * 40)
    shutil.copytree(old, new)
    (folder / "refs").mkdir()
    for revision in (COMMIT, "f" * 40):
        (folder / "refs" / "main").write_text(revision)
        found = find_repo("VLM2Vec/MSVD", data)
        assert (found.revision, found.stale) == (revision, "")
    (folder / "refs" / "main").write_text("e" * 40)
    assert find_repo("VLM2Vec/MSVD", data).stale == "e" * 40


def test_the_hubs_client_leaves_the_revision_beside_what_it_downloads(data):
    notes = data / "hf" / "VLM2Vec" / "MSVD" / ".cache" / "huggingface" / "download" / "data"
    notes.mkdir(parents=True)
    assert find_repo("VLM2Vec/MSVD", data).revision == ""
    (notes / "test.parquet.metadata").write_text(f"{COMMIT}\netag\n1.0\n")
    assert find_repo("VLM2Vec/MSVD", data).revision == COMMIT


def test_a_clone_tells_the_revision(data):
    git = data / "hf" / "VLM2Vec" / "MSVD" / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "refs" / "heads" / "main").write_text(COMMIT + "\n")
    assert find_repo("VLM2Vec/MSVD", data).revision == COMMIT


def test_what_is_missing_is_said_with_the_places_and_the_command(data):
    shutil.rmtree(data / "hf" / "VLM2Vec" / "MSVD")
    with pytest.raises(MissingDependency) as error:
        parsed(data, "MSVD")
    assert "hf/VLM2Vec/MSVD" in error.value.where and str(data) in error.value.where
    assert error.value.hint == (
        f"hf download VLM2Vec/MSVD --repo-type dataset --local-dir {data}/hf/VLM2Vec/MSVD"
    )


def test_no_data_directory(tmp_path):
    with pytest.raises(InputNotFound, match="data_basedir"):
        parsed(tmp_path / "none", "MSVD")


@pytest.mark.parametrize(
    "told",
    [
        "configs: [{config_name: default, data_files: [{split: test, path: 'rows/*.jsonl'}]}]",
        "configs: [{config_name: default, data_files: {test: rows/these.jsonl, train: none.jsonl}}]",
        "configs: [{config_name: default, data_files: rows/these.jsonl}]",
        "configs: [{config_name: default, data_dir: rows, data_files: [{split: test, path: ['these.*']}]}]",
        "configs: [{config_name: a, data_files: '*.x'}, {config_name: b, default: true, data_files: rows/*}]",
        "configs: [{config_name: mine, data_files: 'rows/these.jsonl'}]",
    ],
)
def test_the_readme_says_which_file_is_which(data, told):
    repo = data / "hf" / "VLM2Vec" / "MSVD"
    (repo / "rows").mkdir()
    row = {"video_id": "0", "caption": ["of another file"]}
    (repo / "rows" / "these.jsonl").write_text(json.dumps(row) + "\n")
    (repo / "README.md").write_text(f"---\nlicense: mit\n{told}\n---\nRows.\n")
    assert [each.side.text.rpartition(": ")[2] for each in parsed(data, "MSVD").queries] == [
        "of another file"
    ]


@pytest.mark.parametrize(
    "name",
    ["test.jsonl", "data/test-00000-of-00001.jsonl", "msvd_test_1k.jsonl", "rows/eval/1.jsonl", "rows.jsonl"],
)
def test_without_a_readme_names_say_which_split_a_file_is_of(data, name):
    repo = data / "hf" / "VLM2Vec" / "MSVD"
    shutil.rmtree(repo)
    for path, said in ((name, "right"), ("train.jsonl", "wrong"), ("latest_validation.jsonl", "wrong")):
        (repo / path).parent.mkdir(parents=True, exist_ok=True)
        (repo / path).write_text(json.dumps({"video_id": "0", "caption": [said]}) + "\n")
    assert [each.side.text.rpartition(": ")[2] for each in parsed(data, "MSVD").queries] == ["right"]


def test_a_table_of_several_files_has_to_be_whole(data):
    folder = data / "hf" / "VLM2Vec" / "MSVD" / "data"
    whole = (folder / "test-00000-of-00001.parquet").rename(folder / "test-00000-of-00002.parquet")
    with pytest.raises(MissingDependency, match=r"part of the data is not here.*test-00001-of-00002.parquet"):
        parsed(data, "MSVD")
    shutil.copy(whole, folder / "test-00001-of-00002.parquet")
    assert len(parsed(data, "MSVD").queries) == 6


@pytest.mark.parametrize(
    ("text", "what"),
    [("---\nconfigs: [\n---\n", "no YAML"), ("---\nconfigs: [{data_files: ../../x}]\n---\n", "outside of")],
)
def test_a_readme_that_cannot_be_used(data, text, what):
    (data / "hf" / "VLM2Vec" / "MSVD" / "README.md").write_text(text)
    with pytest.raises(InputInvalid, match=what):
        parsed(data, "MSVD")


@pytest.mark.parametrize("place", ["", "MMEB-V2", "hf/TIGER-Lab/MMEB-V2"])
def test_media_may_lie_elsewhere_and_names_of_clips_follow(data, place):
    (data / place).mkdir(parents=True, exist_ok=True)
    for each in (data / "data_basedir").iterdir():
        shutil.move(each, data / place / each.name)
    (data / "data_basedir").rmdir()
    task = parsed(data, "QVHighlight")
    assert not task.incomplete
    prefix = f"{place}/" if place else ""
    assert all(each.name.startswith(f"{prefix}video-tasks/frames/") for each in task.candidates)


def test_a_configuration_is_not_taken_for_another_that_begins_like_it(tmp_path):
    for name in ("refcoco-matching", "mscoco_i2t"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "test-00000-of-00001.parquet").write_bytes(b"")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "nights_test-0001.parquet").write_bytes(b"")
    repo = Repo("owner/name", tmp_path, "")
    for wrong in ("RefCOCO", "MSCOCO", "Matching-RefCOCO"):
        with pytest.raises(MissingDependency):
            repo.files(wrong, "test")
    assert [path.parent.name for path in repo.files("MSCOCO_i2t", "test")] == ["mscoco_i2t"]
    assert [path.name for path in repo.files("NIGHTS", "test")] == ["nights_test-0001.parquet"]


def test_a_configuration_that_the_readme_does_not_name_is_not_there(data):
    folder = data / "hf" / "ziyjiang" / "MMEB_Test_Instruct"
    (folder / "MSCOCO").mkdir()
    shutil.copy(folder / "MSCOCO_i2t" / "test-00000-of-00001.parquet", folder / "MSCOCO" / "test.parquet")
    with pytest.raises(MissingDependency, match="MSCOCO"):
        parsed(data, "MSCOCO")
