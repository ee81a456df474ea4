"""A model's folder is known by the content of all its files."""

import os
import shutil

import pytest

from ponder.models.folder import folder_digest

LARGE = 2**20 + 7


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def model(tmp_path):
    made = tmp_path / "model"
    (made / "head").mkdir(parents=True)
    (made / "config.json").write_text("{}")
    (made / "head" / "model.safetensors").write_bytes(bytes(LARGE))
    return made


@pytest.mark.parametrize("size", [16, LARGE], ids=["small", "large"])
def test_other_weights_of_the_same_size_and_time_are_another_model(model, cache, size):
    weights = model / "head" / "model.safetensors"
    weights.write_bytes(bytes(size))
    before, times = folder_digest(model), weights.stat()
    trained = bytearray(size)
    trained[size // 2] = 1
    weights.write_bytes(trained)
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert folder_digest(model) != before
    weights.write_bytes(bytes(size))
    assert folder_digest(model) == before


def test_the_hash_of_a_large_file_is_remembered(model, cache):
    before = folder_digest(model)
    [note] = (cache / "digests").iterdir()
    true = note.read_text()
    note.write_text("00" * 32)
    assert folder_digest(model) != before
    note.write_text(true)
    assert folder_digest(model) == before


@pytest.mark.parametrize("kept", ["", "not a hash", "ab"])
def test_a_broken_note_is_not_believed(model, cache, kept):
    before = folder_digest(model)
    [note] = (cache / "digests").iterdir()
    note.write_text(kept)
    assert folder_digest(model) == before


def test_without_a_cache_it_is_the_same(model, cache, tmp_path):
    before = folder_digest(model)
    note = next((cache / "digests").iterdir())
    note.unlink()
    (cache / "digests").rmdir()
    (cache / "digests").write_text("a file where a folder should be")
    assert folder_digest(model) == before


def test_names_and_places_count(model, cache):
    before = folder_digest(model)
    (model / "config.json").rename(model / "other.json")
    assert folder_digest(model) != before


def test_a_retrained_model_has_another_fingerprint(tiny_folder, tmp_path, cache):
    from safetensors.numpy import load_file, save_file

    from ponder.models.local.engine import LocalEngine

    mine = tmp_path / "mine"
    shutil.copytree(tiny_folder("llama"), mine)
    before = LocalEngine(str(mine)).fingerprint
    weights = mine / "model.safetensors"
    tensors = load_file(weights)
    name = next(iter(tensors))
    trained = (tensors[name] + 0.01).astype(tensors[name].dtype)
    save_file({**tensors, name: trained}, weights, {"format": "pt"})
    assert LocalEngine(str(mine)).fingerprint != before
