"""Judges that compare candidates: what they cost is known before, and an engine that fails is said to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ponder.errors import BackendFailed
from ponder.models.local.engine import LocalEngine
from ponder.rerank.listwise import ListwiseJudge, windows
from ponder.rerank.p_true import PTrue
from ponder.rerank.pointwise import PointwiseJudge
from ponder.rerank.showing import Shown, ShowReasoning
from ponder.rerank.tournament import TournamentJudge
from ponder.testing import FakeEngine
from ponder.testing.examples import candidates_of, rows_of, text_content

RED = Image.new("RGB", (8, 8), (200, 20, 20))
PLENTY = 10**9
TEXTS = st.lists(st.text(max_size=30) | st.sampled_from(["a cello", "[B] soup", "poison"]), max_size=14)


class Given:
    """Shows each candidate's text as it is, and a picture with every second one."""

    reads, fingerprint = "ecr", "given"

    def __init__(self, texts, *, pictures=True):
        self.texts, self.pictures = texts, pictures

    def query(self, content):
        return Shown(text=content.text)

    def candidate(self, candidate):
        number = int(candidate.row.item.id)
        text = self.texts[number]
        return Shown((RED,) if number % 2 and self.pictures else (), text, "" if text.strip() else "nothing")


def judges(texts):
    """A judge of either kind, over windows and steps of any size."""
    size, step = st.integers(-1, 30), st.integers(-3, 40)
    listwise = st.builds(
        lambda window, step: ListwiseJudge("l", engine(), Given(texts), window=window, step=step), size, step
    )
    return listwise | st.builds(lambda group: TournamentJudge("t", engine(), Given(texts), group=group), size)


def engine():
    return FakeEngine(failing="poison")


def asked(texts):
    return text_content("a cello [A] one sits"), candidates_of(rows_of([text_content("x") for _ in texts]))


@given(st.data())
def test_no_more_is_spent_than_was_priced(data):
    texts = data.draw(TEXTS)
    judge = data.draw(judges(texts))
    query, found = asked(texts)
    price = judge.price(query, found)
    try:
        judgement = judge.rerank(query, found, limit=PLENTY)
    except BackendFailed as failure:
        assert "poison" in texts
        assert "none of its" in str(failure)
        return
    assert 0 <= judgement.usage.spent <= price
    assert judge.rerank(query, found, limit=price) == judgement


@given(st.integers(0, 60), st.integers(2, 26), st.data())
def test_windows_pass_over_nobody(count, window, data):
    step = data.draw(st.integers(1, window))
    starts = windows(count, window, step)
    covered = {place for start in starts for place in range(start, min(count, start + window))}
    assert covered == (set(range(count)) if count > 1 else set())


JUDGES = [
    lambda asked: ListwiseJudge("ecr", asked, ShowReasoning(), window=3),
    lambda asked: TournamentJudge("ecr", asked, ShowReasoning(), group=2),
    lambda asked: PointwiseJudge("ecr", asked, PTrue(), ShowReasoning()),
]


@pytest.mark.parametrize("make", JUDGES)
@pytest.mark.parametrize(
    ("broken", "says"), [(FakeEngine(nan=1), "not finite"), (FakeEngine(failing="soup"), "made to fail")]
)
def test_an_engine_that_answers_nothing_has_failed(make, broken, says):
    found = candidates_of(rows_of([text_content(text) for text in ("a soup", "soup of leek", "carrot soup")]))
    with pytest.raises(BackendFailed, match=rf"none of its \d questions was answered: .*{says}.*judge ecr"):
        make(broken).rerank(text_content("soup"), found, limit=PLENTY)


def test_a_step_is_at_most_a_window():
    wide, whole = (ListwiseJudge("l", FakeEngine(), Given([]), window=4, step=step) for step in (40, 4))
    assert wide.fingerprint == whole.fingerprint


@pytest.mark.parametrize("family", ["llama", "smolvlm"])
def test_a_real_tokenizer_keeps_the_price(tiny_folder, family):
    # Where two texts meet it cuts otherwise than it cuts each alone.
    local, sees = LocalEngine(str(tiny_folder(family))), family != "llama"
    texts = [" the", "ness]", "\n\n", "…", "大提琴", "e\u0301", "] [", "a cello " * 9, "…\n", "'s", "9"] * 2
    query, found = asked(texts)
    for judge in (
        ListwiseJudge("l", local, Given(texts, pictures=sees), window=5),
        TournamentJudge("t", local, Given(texts, pictures=sees), group=3),
    ):
        judgement = judge.rerank(query, found, limit=PLENTY)
        assert sum(verdict.score is not None for verdict in judgement.verdicts) == 20
        assert 0 < judgement.usage.spent <= judge.price(query, found)
