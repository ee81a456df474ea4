"""Every item is in one shard, and which one depends on itself alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponder.errors import BadArguments
from ponder.records import Item
from ponder.spread.naming import name_of
from ponder.spread.planning import MOST, ShardPlan, bits_for

names = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), unique=True, max_size=80)


def items_of(names):
    return [Item(name, "text", text=f"about {name}") for name in names]


def shards(items, bits):
    plan = ShardPlan(items, "job", bits)
    return [plan.shard(number) for number in range(len(plan))]


@given(names, st.integers(0, 6))
def test_every_item_is_in_exactly_one_shard_and_keeps_its_place(names, bits):
    items = items_of(names)
    found = shards(items, bits)
    assert sorted(place for shard in found for place in shard.places) == list(range(len(items)))
    for shard in found:
        assert shard.items
        assert [items[place] for place in shard.places] == list(shard.items)
    assert len({shard.key for shard in found}) == len(found) <= 2**bits


@given(names, st.integers(0, 6), st.randoms())
def test_the_order_of_the_items_changes_nothing(names, bits, chance):
    items = items_of(names)
    before = [(shard.key, shard.items) for shard in shards(items, bits)]
    chance.shuffle(items)
    assert [(shard.key, shard.items) for shard in shards(items, bits)] == before


@given(names, st.integers(0, 6), st.data())
def test_shards_that_are_stored_leave_the_others_as_they_were(names, bits, data):
    found = shards(items_of(names), bits)
    left = [shard for shard in found if data.draw(st.booleans())]
    again = shards([item for shard in left for item in shard.items], bits)
    assert [shard.key for shard in again] == [shard.key for shard in left]


@given(names.filter(bool), st.integers(0, 6))
def test_another_text_or_instruction_or_another_job_is_another_key(names, bits):
    items = items_of(names)
    first = shards(items, bits)[0]
    other = ShardPlan(items, "other job", bits).shard(0)
    assert other.key != first.key
    changed = [Item(item.id, "text", text=item.text + "!") for item in items]
    assert not {shard.key for shard in shards(changed, bits)} & {shard.key for shard in shards(items, bits)}
    told = [replace(item, instruction="find facts") for item in items]
    assert not {shard.key for shard in shards(told, bits)} & {shard.key for shard in shards(items, bits)}
    assert len({name_of(items), name_of(changed), name_of(told)}) == 3


@given(st.integers(1, 10**10))
def test_shards_are_neither_too_large_nor_too_few(count):
    mean = count / 2 ** bits_for(count)
    assert mean <= MOST * 1.01
    assert mean >= min(MOST / 2.02, count / 128, 4)


def test_two_items_with_one_id_are_refused():
    with pytest.raises(BadArguments, match="same id"):
        ShardPlan(items_of(["a", "b", "a"]), "job", 0)
