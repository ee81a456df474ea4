"""The fake engine passes the suite, and the suite catches engines that break the rules."""

import math

import pytest

from ponder.errors import MissingDependency
from ponder.models.engine import Effort, Prompt, Turn
from ponder.testing import FakeEngine
from ponder.testing.contracts import EngineContract


class TestFakeEngine(EngineContract):
    def make(self, folder):
        return FakeEngine(knowledge={"cello": "stringed instrument"})


class TestFakeEngineThatOnlyReads(EngineContract):
    def make(self, folder):
        return FakeEngine(able=frozenset(["answer"]))


def asked(text):
    return Prompt((Turn("user", (text,)),))


def test_the_suite_catches_an_engine_that_forgets_its_limit():
    suite = EngineContract()
    with pytest.raises(AssertionError):
        suite.test_writes_within_its_effort(
            FakeEngine(forgets=5), suite.prompts(pictures=False), Effort(answer=9)
        )


def test_the_suite_catches_what_is_not_a_number():
    suite = EngineContract()
    with pytest.raises(AssertionError):
        suite.test_answers_have_log_probabilities(FakeEngine(nan=2), suite.prompts(pictures=False))


def test_the_suite_catches_prices_that_are_too_low():
    class Cheap(FakeEngine):
        def prices(self, prompts):
            return [1 for _ in prompts]

        def answer(self, prompts, answers):
            return FakeEngine().answer(prompts, answers)

    suite = EngineContract()
    with pytest.raises(AssertionError):
        suite.test_no_more_is_read_than_was_priced(Cheap(), suite.prompts(pictures=False), 2)


def test_one_failing_prompt_leaves_the_others():
    engine = FakeEngine(failing="soup")
    bad, good = engine.answer([asked("carrot soup"), asked("a cello")], ["yes", "no"])
    assert (bad.error, bad.values) != ("", ())
    assert bad.values == ()
    assert not good.error
    assert math.isfinite(good.values[0])


def test_what_it_is_not_able_to_it_refuses():
    with pytest.raises(MissingDependency, match="write"):
        FakeEngine(able=frozenset(["answer"])).write([asked("a cello")], Effort(answer=2))


def test_a_shared_beginning_is_read_once():
    engine = FakeEngine()
    prompts = [asked("one two three four"), asked("one two three five")]
    assert engine.prices(prompts) == [6, 2]
    assert [each.usage.read for each in engine.answer(prompts, ["yes", "no"])] == [6, 2]


def test_labels_with_more_words_in_common_are_likelier():
    prompt = asked("one cello\n[A] a crane of steel\n[B] the cello and its bow\n")
    [likely] = FakeEngine().answer([prompt], ["A", "B"])
    assert likely.values[1] > likely.values[0]
