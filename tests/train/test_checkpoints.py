"""A training's folder: whole checkpoints or none, and no going on with something else."""

import errno
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponder.errors import BackendFailed, InputInvalid
from ponder.train.checkpoints import TrainingFolder

TOLD = {"settings": {"epochs": 2, "rate": 0.1}, "training set": "abc"}


def writes(text):
    def write(folder):
        (folder / "weights").write_text(text)
        (folder / "optimizer").write_text(text)

    return write


def full_disk(folder):
    (folder / "weights").write_text("half of it")
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path):
    folder = TrainingFolder(tmp_path)
    folder.save(5, writes("five"))
    with pytest.raises(BackendFailed, match=r"No space left.*step 5 is kept"):
        folder.save(10, full_disk)
    assert folder.steps() == [5]
    assert (folder.checkpoint(5) / "optimizer").read_text() == "five"
    assert [each.name for each in folder.checkpoint(5).parent.iterdir()] == ["step-00000005"]
    folder.save(10, writes("ten"))
    assert folder.steps() == [10]


def test_a_full_disk_leaves_the_result_as_it_was(tmp_path):
    folder = TrainingFolder(tmp_path)
    folder.replace(folder.model, writes("first"))
    with pytest.raises(BackendFailed, match="none is kept"):
        folder.replace(folder.model, full_disk)
    assert (folder.model / "weights").read_text() == "first"


def test_what_a_kill_left_half_written_is_no_checkpoint(tmp_path):
    folder = TrainingFolder(tmp_path)
    folder.save(5, writes("five"))
    half = folder.checkpoint(10).with_name(".step-00000010.partial")
    half.mkdir()
    (half / "weights").write_text("half")
    assert folder.steps() == [5]
    folder.save(10, writes("ten"))
    assert {each.name for each in (folder.checkpoint(10)).iterdir()} == {"weights", "optimizer"}


def test_the_best_checkpoint_stays_beside_the_last(tmp_path):
    folder = TrainingFolder(tmp_path)
    for step, best in ((1, 1), (2, 1), (3, 3), (4, 3)):
        folder.save(step, writes(str(step)), keep=[best])
    assert folder.steps() == [3, 4]


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({**TOLD, "training set": "xyz"}, 'training set was "abc", is "xyz"'),
        ({**TOLD, "settings": {"epochs": 3, "rate": 0.1}}, "settings.epochs was 2, is 3"),
        ({**TOLD, "pairs": ["p"]}, "pairs was not there"),
    ],
)
def test_going_on_with_something_else_is_refused_with_what_differs(tmp_path, now, said):
    TrainingFolder(tmp_path).open(TOLD)
    TrainingFolder(tmp_path).open(TOLD)
    with pytest.raises(InputInvalid, match=said):
        TrainingFolder(tmp_path).open(now)


def test_fresh_forgets_what_is_there(tmp_path):
    folder = TrainingFolder(tmp_path)
    folder.open(TOLD)
    folder.log({"step": 1})
    folder.save(1, writes("one"))
    folder.open({**TOLD, "training set": "xyz"}, fresh=True)
    assert (folder.steps(), folder.logged()) == ([], [])


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(InputInvalid, match="not empty, and no training"):
        TrainingFolder(tmp_path).open(TOLD, fresh=True)
    (tmp_path / "manifest.json").write_text('{"format": "another program\'s"}')
    with pytest.raises(InputInvalid, match="no training"):
        TrainingFolder(tmp_path).open(TOLD, fresh=True)
    assert (tmp_path / "letters.txt").read_text() == "dear"


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(0, 9), st.integers(0, 20))
def test_the_log_is_as_far_as_the_training(tmp_path_factory, steps, back, cut):
    folder = TrainingFolder(tmp_path_factory.mktemp("log"))
    for step in steps:
        folder.log({"step": step})
    line = json.dumps({"step": 99, "loss": 1.5})
    with (folder.path / "log.jsonl").open("a") as file:
        file.write(line[:cut])  # a kill in the midst of a line
    folder.forget_after(back)
    assert [line["step"] for line in folder.logged()] == [step for step in steps if step <= back]


KINDS = [TOLD, {"part": "adapter"}, {"part": "pairs"}, {"what": "head"}, {"what": "reranker"}]


@pytest.mark.parametrize(("there", "now"), [(a, b) for a in KINDS for b in KINDS if a is not b])
def test_what_is_of_another_kind_is_not_forgotten(tmp_path, there, now):
    folder = TrainingFolder(tmp_path)
    folder.open(there)
    folder.replace(folder.model, writes("dear"))
    with pytest.raises(InputInvalid, match="of another kind"):
        folder.open(now, fresh=True)
    assert (folder.model / "weights").read_text() == "dear"


def test_fresh_forgets_links_to_another_disk_and_leaves_what_is_there(tmp_path):
    far = tmp_path / "far"
    far.mkdir()
    folder = TrainingFolder(tmp_path / "out")
    folder.open(TOLD)
    folder.replace(far / "model", writes("one"))
    folder.model.symlink_to(far / "model")
    assert folder.done
    folder.open({**TOLD, "training set": "xyz"}, fresh=True)
    assert not folder.done
    assert (far / "model" / "weights").read_text() == "one"


def test_what_cannot_be_forgotten_is_not_taken_for_new(tmp_path, monkeypatch):
    folder = TrainingFolder(tmp_path)
    folder.open(TOLD)
    folder.replace(folder.model, writes("old"))

    def refuse(path, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("shutil.rmtree", refuse)
    with pytest.raises(BackendFailed, match=r"cannot be removed: Permission denied"):
        folder.open({**TOLD, "training set": "xyz"}, fresh=True)
    with pytest.raises(InputInvalid, match="training set"):
        folder.open({**TOLD, "training set": "xyz"})


def test_a_disk_that_is_full_at_the_first_write_leaves_a_folder_that_can_be_begun_in(tmp_path, monkeypatch):
    folder = TrainingFolder(tmp_path / "out")
    with monkeypatch.context() as patch:

        def full(descriptor):
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr("os.fsync", full)
        with pytest.raises(BackendFailed, match="No space left"):
            folder.open(TOLD)
    assert list((tmp_path / "out").iterdir()) == []
    # And so does a kill between writing and renaming.
    (tmp_path / "out" / ".manifest.json.partial").write_text("{")
    folder.open(TOLD)
    folder.open(TOLD)


def test_a_file_is_no_folder_to_train_in(tmp_path):
    (tmp_path / "notes.txt").write_text("dear")
    for fresh in (False, True):
        with pytest.raises(InputInvalid, match="not a folder"):
            TrainingFolder(tmp_path / "notes.txt").open(TOLD, fresh=fresh)
    assert (tmp_path / "notes.txt").read_text() == "dear"


@pytest.mark.parametrize(("kind", "word"), [("pairs", "mining"), ("loop", "loop"), ("adapter", "training")])
def test_what_is_not_there_is_called_by_its_name(tmp_path, kind, word):
    (tmp_path / "notes.txt").write_text("dear")
    with pytest.raises(InputInvalid, match=f"not empty, and no {word}"):
        TrainingFolder(tmp_path).open({"part": kind})
