"""The plan of a training: every row once an epoch, one task a batch, within the budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponder.errors import BadArguments
from ponder.train.batching import Costs, Row, plan

COSTS = Costs([3] * 40, [5, 9] * 20)


@st.composite
def rows(draw):
    made = []
    for task in range(draw(st.integers(1, 3))):
        for _ in range(draw(st.integers(1, 12))):
            documents = draw(st.lists(st.integers(0, 39), min_size=1, max_size=4, unique=True))
            made.append(Row(task, draw(st.integers(0, 39)), tuple(documents)))
    return made


@given(rows(), st.integers(1, 120), st.integers(1, 6), st.integers(1, 3), st.integers(0, 3))
def test_each_epoch_has_every_row_in_one_batch_of_its_task_within_the_budget(
    made, tokens, pairs, epochs, seed
):
    batches = plan(made, COSTS, tokens=tokens, pairs=pairs, epochs=epochs, seed=seed)
    assert sorted(place for batch in batches for place in batch) == sorted(list(range(len(made))) * epochs)
    for batch in batches:
        of = [made[place] for place in batch]
        assert len({row.task for row in of}) == 1
        assert len(batch) <= pairs
        assert COSTS.of(of) <= tokens or len(batch) == 1
    assert batches == plan(made, COSTS, tokens=tokens, pairs=pairs, epochs=epochs, seed=seed)


def test_tasks_are_interleaved_and_another_seed_is_another_order():
    made = [Row(task, number, (number,)) for task in range(2) for number in range(20)]
    batches = plan(made, COSTS, tokens=1000, pairs=2, epochs=1, seed=0)
    tasks = [made[batch[0]].task for batch in batches]
    assert tasks not in ([0] * 10 + [1] * 10, [1] * 10 + [0] * 10)
    assert batches != plan(made, COSTS, tokens=1000, pairs=2, epochs=1, seed=1)


def test_processes_take_equally_many_batches():
    made = [Row(0, number, (number,)) for number in range(7)]
    assert len(plan(made, COSTS, tokens=1000, pairs=1, epochs=1, seed=0, multiple=3)) == 6
    with pytest.raises(BadArguments, match="7 batches for 8 processes"):
        plan(made, COSTS, tokens=1000, pairs=1, epochs=1, seed=0, multiple=8)
