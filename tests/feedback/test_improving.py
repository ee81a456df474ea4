"""The loop keeps what helps, stops at what does not, harms no guarded set, and goes on where it stopped."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from test_mining import write_texts

from ponder.cascade import parse_stages
from ponder.cli.console import progress
from ponder.errors import BadArguments, InputInvalid
from ponder.evaluate.beir import Dataset, JudgedQuery, load_beir
from ponder.feedback.improving import Loop, best_of, mining
from ponder.feedback.loop_report import write_report
from ponder.feedback.mining import MiningSettings
from ponder.feedback.rounds import Figures, Round, Rule
from ponder.index.cache import Cache
from ponder.records import Query
from ponder.train.job import Progress


def _figures(values: Sequence[float], whole: Sequence[float] = (), **guards: float) -> Figures:
    column = {"ndcg@10": list(values)}
    return Figures("m", column, {"ndcg@10": list(whole or values)}, 10.0, guards)


BEFORE = _figures([0, 0, 1, 0], video=0.5)
BETTER = _figures([0, 1, 1, 0], whole=[1, 1, 1, 0], video=0.5)


@pytest.mark.parametrize(
    ("now", "kept", "why"),
    [
        (_figures([1, 0, 1, 0], video=0.5), True, "+0.250"),
        (_figures([0, 0, 1, 0], video=0.5), False, "no gain"),
        (_figures([1, 1, 1, 1], video=0.48), False, "video fell from 0.500 to 0.480"),
        (_figures([1, 1, 1, 1], video=0.491), True, "over the best so far"),
        (_figures([1, 1, 1, 1], whole=[0, 0, 0, 0], video=0.5), False, "the cascade's ndcg@10 fell"),
    ],
)
def test_a_round_is_kept_if_it_helps_and_harms_nobody(now: Figures, kept: bool, why: str) -> None:
    found, told = Rule().judge(now, BEFORE, BEFORE)
    assert found is kept
    assert why in told


def test_a_round_is_read_as_it_was_saved(tmp_path: Path) -> None:
    found = Round(2, BEFORE, {"hard-negative": 7}, 99, {"mining": 1.5}, False, "no gain")
    found.save(tmp_path)
    assert Round.read(tmp_path) == found
    assert Round.read(tmp_path / "nowhere") is None


@dataclasses.dataclass
class Pupil:
    """A trainee whose lessons bring the models that it is told, one a round."""

    brings: list[str]
    settings: object = "none"
    lessons: list[Path] = dataclasses.field(default_factory=list)

    def learn(self, dataset: Dataset, pairs: Path | None, out: Path, progress: Progress) -> str:
        assert pairs is not None
        self.lessons.append(pairs)
        return self.brings[len(self.lessons) - 1]


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    with Cache(tmp_path / "cache.sqlite") as opened:
        yield opened


def _loop(folder: Path, cache: Cache, pupil: Pupil) -> Loop:
    train, dev = (load_beir(folder, split=split) for split in ("train", "dev"))
    return Loop(
        train,
        dev,
        [train],
        "fake",
        pupil,
        mining(MiningSettings(ranks=(1, 10), budget=100, negatives=3)),
        parse_stages("retrieve:20,ecr:5"),
        50,
        Rule("hit@1"),
        cache,
    )


def test_a_round_without_gain_is_the_last_and_is_not_done_again(tmp_path: Path, cache: Cache) -> None:
    pupil = Pupil(["fake", "fake", "fake"])
    loop, out = _loop(write_texts(tmp_path / "texts"), cache, pupil), tmp_path / "out"
    told: list[int] = []
    done = loop.run(out, 3, progress, lambda found: told.append(found.number))
    assert [each.number for each in done] == told == [0, 1]
    assert not done[1].kept
    assert "no gain" in done[1].why
    assert best_of(done).number == 0
    assert done[1].decisions["hard-negative"] > 0
    assert loop.run(out, 3, progress) == done
    assert len(pupil.lessons) == 1
    write_report(out, done, "hit@1", ["ponder", "improve"])
    report = (out / "report.md").read_text()
    assert "Best: round 0" in report
    assert "hard-negative: query `" in report
    assert (out / "best").read_text() == "fake\n"


def test_two_guards_of_one_name_are_refused_since_one_would_hide_the_other(
    tmp_path: Path, cache: Cache
) -> None:
    loop = _loop(write_texts(tmp_path / "texts"), cache, Pupil([]))
    with pytest.raises(BadArguments, match="two named"):
        dataclasses.replace(loop, guards=[loop.train, loop.train])


def test_the_cascade_may_fall_below_the_best_round_but_not_below_what_was_before_the_loop() -> None:
    kept, _ = Rule().judge(_figures([1, 1, 1, 0], whole=[1, 0, 0, 0], video=0.5), BETTER, BEFORE)
    assert kept
    kept, told = Rule().judge(_figures([1, 1, 1, 0], whole=[0, 0, 0, 0], video=0.5), BETTER, BEFORE)
    assert not kept
    assert "the cascade's ndcg@10 fell from 0.250 to 0.000" in told


def test_a_dev_that_is_learned_from_is_refused_whatever_its_queries_are_called(
    tmp_path: Path, cache: Cache
) -> None:
    loop = _loop(write_texts(tmp_path / "texts"), cache, Pupil([]))
    renamed = [
        dataclasses.replace(each, query=dataclasses.replace(each.query, id=f"new-{each.query.id}"))
        for each in loop.train.queries
    ]
    with pytest.raises(InputInvalid, match="in train too, with an answer: 'new-"):
        dataclasses.replace(loop, dev=dataclasses.replace(loop.dev, queries=(*loop.dev.queries, *renamed)))


def test_a_folder_that_models_cannot_be_named_with_is_refused_before_anything_is_done(
    tmp_path: Path, cache: Cache
) -> None:
    pupil = Pupil(["fake"])
    loop = _loop(write_texts(tmp_path / "texts"), cache, pupil)
    with pytest.raises(BadArguments, match="a comma in its path"):
        loop.run(tmp_path / "one,two", 1, progress)
    assert not pupil.lessons
    assert not (tmp_path / "one,two").exists()


def test_whatever_decides_is_in_the_manifest_and_no_guard_hides_dev(tmp_path: Path, cache: Cache) -> None:
    loop = _loop(write_texts(tmp_path / "texts"), cache, Pupil([]))
    # Of the same name as train and dev, as folders beside each other may be.
    other = load_beir(write_texts(tmp_path / "elsewhere" / "texts"), split="dev")
    loop = dataclasses.replace(loop, guards=[other])
    before = loop.manifest(MiningSettings())
    assert before == loop.manifest(MiningSettings())
    assert before["fingerprints"]["embedder"]
    for split in ("train", "dev"):
        qrels = tmp_path / "texts" / "qrels" / f"{split}.tsv"
        kept = qrels.read_text()
        qrels.write_text(kept + f"{'q00' if split == 'train' else 'd00'}\tblue-kite\t1\n")
        assert loop.manifest(MiningSettings()) != before
        qrels.write_text(kept)
    assert loop.manifest(MiningSettings()) == before


@pytest.mark.parametrize(
    ("text", "document", "known"),
    [
        ("A Red  crane ", "red-crane", True),
        ("a red crane", "copy", True),
        ("a red crane", "blue-kite", False),
    ],
)
def test_a_query_is_known_by_what_it_asks_and_what_answers_it(
    tmp_path: Path, cache: Cache, text: str, document: str, known: bool
) -> None:
    """`copy` holds the words of `red-crane`, which answers "a red crane" in train."""
    loop = _loop(write_texts(tmp_path / "texts"), cache, Pupil([]))
    dev = dataclasses.replace(loop.dev, queries=(JudgedQuery(Query(text, id="mine"), {document: 1}),))
    if known:
        with pytest.raises(InputInvalid, match="'mine'"):
            dataclasses.replace(loop, dev=dev)
    else:
        assert dataclasses.replace(loop, dev=dev).dev is dev
