"""Nothing that is stored is lost by a mining: by --fresh, by an interruption, by how its folder is called."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from mined_towns import HOW, indexed, write_towns

from ponder.errors import InputInvalid
from ponder.evaluate.beir import Dataset
from ponder.evaluate.corpus import Corpus
from ponder.feedback.corrections import correct, corrections_of
from ponder.feedback.mining import BLOCK, mine
from ponder.feedback.pricing import price_mining
from ponder.index.cache import Cache
from ponder.testing import FakeModels, FakeReasoner
from ponder.train.pairs import made_of, read_pairs, schema


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Corpus]:
    folder = tmp_path_factory.mktemp("kept")
    dataset = write_towns(folder / "towns", BLOCK + 4)
    return dataset, indexed(dataset, folder)


class Stop(Exception):
    """An interruption."""


def stop(done: int, of: int) -> None:
    raise Stop


def _files(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


@pytest.mark.parametrize(
    "manifest", [None, "{}", json.dumps({"format": "ponder-training-1", "settings": {"seed": 0}})]
)
def test_fresh_leaves_what_is_of_something_else(
    towns: tuple[Dataset, Corpus], tmp_path: Path, manifest: str | None
) -> None:
    out = tmp_path / "other"
    for name in ("pairs/part-00000.parquet", "model/adapter.safetensors", "checkpoints/step-1/weights"):
        (out / name).parent.mkdir(parents=True)
        (out / name).write_bytes(b"mine")
    if manifest is not None:
        (out / "manifest.json").write_text(manifest)
    before = _files(out)
    with pytest.raises(InputInvalid, match=r"another kind|no mining"):
        mine(*towns, HOW, out, fresh=True)
    assert _files(out) == before


def test_fresh_leaves_a_file_that_holds_no_pairs(towns: tuple[Dataset, Corpus], tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), tmp_path / "mine.parquet")
    before = _files(tmp_path)
    with pytest.raises(InputInvalid, match="not a file of pairs"):
        mine(*towns, HOW, tmp_path / "mine.parquet", fresh=True)
    assert _files(tmp_path) == before


@pytest.mark.parametrize("same", [True, False])
def test_a_file_that_was_begun_anew_and_interrupted_goes_on(
    towns: tuple[Dataset, Corpus], tmp_path: Path, same: bool
) -> None:
    dataset, corpus = towns
    out = tmp_path / "pairs.parquet"
    # Pairs of before, under the manifest of now: only how they are called again tells them apart.
    old = mine(dataset, corpus, HOW, out)
    now = HOW if same else replace(HOW, negatives=1)
    with pytest.raises(Stop):
        mine(dataset, corpus, now, out, stop, fresh=True)
    assert sum(1 for _ in read_pairs(out)) == sum(old.decisions.values())
    part = out.with_name("pairs.parquet.parts") / "pairs" / "part-00000.parquet"
    assert made_of(part)["settings"]["negatives"] == now.negatives
    told: list[int] = []
    mine(dataset, corpus, now, out, lambda done, of: told.append(done))
    assert told == [BLOCK, BLOCK + 4]
    assert not part.exists()
    assert made_of(out)["settings"]["negatives"] == now.negatives
    # And is whole then: the next call has nothing to do.
    told.clear()
    mine(dataset, corpus, now, out, lambda done, of: told.append(done))
    assert told == []


@pytest.mark.parametrize("named", ["pairs", "mined", "pairs/pairs", "mined.parquet"])
@pytest.mark.parametrize("by", ["out", "result"])
def test_corrections_hold_when_it_is_mined_again_whatever_the_folder_is_called(
    towns: tuple[Dataset, Corpus], tmp_path: Path, named: str, by: str
) -> None:
    dataset, corpus = towns
    out = tmp_path / named
    found = mine(dataset, corpus, HOW, out)
    pair = next(each for each in read_pairs(found.path) if each.decision == "hard-negative")
    key = (pair.query_id, pair.document_id)
    assert correct(out if by == "out" else found.path, {key: "positive"}) == 1
    assert corrections_of(out) == corrections_of(found.path) == {key: "positive"}
    again = mine(dataset, corpus, HOW, out, fresh=True)
    decided = {(each.query_id, each.document_id): each for each in read_pairs(again.path)}
    assert (decided[key].decision, decided[key].decided_by) == ("positive", "review")


def test_pairs_of_before_figures_were_kept_are_read(towns: tuple[Dataset, Corpus], tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    out = tmp_path / "pairs.parquet"
    mine(*towns, HOW, out)
    now = list(read_pairs(out))
    assert any(pair.figure is not None for pair in now)
    old = pq.read_table(out).drop_columns("figure")
    assert [*old.column_names, "figure"] == schema().names
    pq.write_table(old, out)
    assert list(read_pairs(out)) == [replace(pair, figure=None) for pair in now]


def test_a_mining_does_not_go_on_with_another_reasoner(towns: tuple[Dataset, Corpus], tmp_path: Path) -> None:
    dataset, corpus = towns
    with pytest.raises(Stop):
        mine(dataset, corpus, HOW, tmp_path / "out", stop)
    models = FakeModels()
    models.reasoner = FakeReasoner(fingerprint="another")
    with pytest.raises(InputInvalid, match=r'reasoner was ".*", is "another"'):
        mine(dataset, replace(corpus, original=models), HOW, tmp_path / "out")


def test_corrections_given_from_within_the_folder_of_parts_hold(
    towns: tuple[Dataset, Corpus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, corpus = towns
    found = mine(dataset, corpus, HOW, tmp_path / "mined")
    pair = next(each for each in read_pairs(found.path) if each.decision == "hard-negative")
    key = (pair.query_id, pair.document_id)
    monkeypatch.chdir(found.path)
    assert correct(Path(), {key: "positive"}) == 1
    assert corrections_of(tmp_path / "mined") == {key: "positive"}
    (found.path / "notes.txt").write_text("mine")
    mine(dataset, corpus, HOW, tmp_path / "mined", fresh=True)
    assert (found.path / "notes.txt").read_text() == "mine"
    assert {each.decision for each in read_pairs(found.path) if (each.query_id, each.document_id) == key} == {
        "positive"
    }


def test_a_file_that_was_begun_anew_is_priced_by_what_is_left(
    towns: tuple[Dataset, Corpus], tmp_path: Path
) -> None:
    dataset, corpus = towns
    out = tmp_path / "pairs.parquet"
    mine(dataset, corpus, HOW, out)
    with Cache(tmp_path / "cache.sqlite") as cache:
        assert price_mining(dataset, HOW, out, corpus.original, cache).left == 0
        with pytest.raises(Stop):
            mine(dataset, corpus, HOW, out, stop, fresh=True)
        assert price_mining(dataset, HOW, out, corpus.original, cache).left == 4
