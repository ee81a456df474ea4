"""Scores that are kept: the same as computed ones, counted alike, and computed once."""

import pytest

from ponder.index.cache import Cache
from ponder.models.lite.known import KnownScores
from ponder.models.lite.language import Language

PREFIXES = ["A cello, a kind of bowed instrument.", "A kettle, a vessel for boiling water."]


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache.sqlite") as opened:
        yield opened


@pytest.mark.lite
def test_what_is_known_is_not_computed_again_and_counts_as_before(cache):
    plain = Language().likelihood(PREFIXES, " what Yo-Yo Ma plays")
    first = Language(cache=cache)
    made = first.likelihood(PREFIXES[:1], " what Yo-Yo Ma plays")
    assert first.seconds_saved == 0
    assert made.by_token[0] == pytest.approx(plain.by_token[0], abs=1e-4)
    second = Language(cache=cache)
    both = second.likelihood(PREFIXES, " what Yo-Yo Ma plays")
    assert both.by_token[0] == made.by_token[0]
    assert both.values == pytest.approx(plain.values, abs=1e-3)
    assert both.usage == plain.usage
    assert second.seconds_saved > 0
    third = Language(cache=cache)
    assert third.likelihood(PREFIXES, " what Yo-Yo Ma plays") == both
    assert "_model" not in vars(third)


@pytest.mark.lite
def test_a_head_in_common_or_in_each_is_the_same_pair(cache):
    language = Language(cache=cache)
    alone = language.score(PREFIXES[0], [" what Yo-Yo Ma plays"])
    again = Language(cache=cache)
    assert again.likelihood([PREFIXES[0]], " what Yo-Yo Ma plays").values == alone.values
    assert "_model" not in vars(again)


@pytest.mark.lite
def test_computing_anew_uses_nothing_that_is_kept(cache):
    Language(cache=cache).likelihood(PREFIXES, " tea")
    language = Language(cache=cache)
    language.compute_anew()
    language.likelihood(PREFIXES, " tea")
    assert "_model" in vars(language)
    assert language.seconds_saved == 0


def test_another_model_and_a_damaged_entry_are_not_known(cache):
    known = KnownScores(cache, "a")
    known.put((1,), (2, 3), (-1.0, -2.0), seconds=1.0)
    assert known.get((1,), (2, 3)) == (-1.0, -2.0)
    assert KnownScores(cache, "b").get((1,), (2, 3)) is None
    [key] = [row[0] for row in cache._run("SELECT key FROM entries")]
    cache.put(key, b"short")
    assert known.get((1,), (2, 3)) is None
