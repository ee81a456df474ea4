"""Ways to a verdict: the surest that a server has, and never a score where there is none."""

import math
import threading

import pytest

from ponder.errors import BackendFailed
from ponder.models.engine import Prompt, Turn
from ponder.models.remote.engine import RemoteEngine
from ponder.models.remote.settings import RemoteSettings

EVERYTHING = frozenset(("write", "answer", "likelihood", "pictures"))


def engine_of(stub, **more):
    settings = {"able": EVERYTHING, "timeout": 5.0, "retries": 2, **more}
    return RemoteEngine(RemoteSettings(stub.url, "some/model", **settings))


def asked(*texts):
    return [Prompt((Turn("system", ("yes or no?",)), Turn("user", (text,)))) for text in texts]


@pytest.mark.parametrize(
    ("lacking", "way"),
    [
        ([], "decisions"),
        (["/decisions"], "systemone"),
        (["/decisions", "/systemone"], "logprobs"),
        (["/decisions", "/systemone", "logprobs"], "generated"),
    ],
)
def test_the_surest_way_that_the_server_has_is_taken_and_asked_for_once(stub, lacking, way):
    stub.has -= set(lacking)
    stub.logprobs = "logprobs" not in lacking
    engine = engine_of(stub)
    found = engine.answer(asked("a cello a cello", "soup"), ["yes", "no"])
    assert engine.mode == way
    assert all(not each.error and math.fsum(map(math.exp, each.values)) <= 1.0001 for each in found)
    assert found[0].values[0] > found[1].values[0]
    before = len(stub.seen)
    engine.answer(asked("again"), ["yes", "no"])
    assert len(stub.seen) == before + 1


@pytest.mark.parametrize("way", ["systemone", "logprobs"])
def test_a_way_that_was_asked_for_in_words_is_not_replaced(stub, way):
    stub.has -= {"/systemone"}
    stub.logprobs = False
    with pytest.raises(BackendFailed, match=rf"no way to give verdicts by {way}.*set verdicts to auto"):
        engine_of(stub, verdicts=way).answer(asked("a"), ["yes", "no"])


def test_a_server_that_leaves_logprobs_out_in_silence_gives_none(stub):
    stub.faults = [lambda body: (200, {"choices": [{"message": {"content": "yes"}}]})]
    with pytest.raises(BackendFailed, match="the server gives no logprobs"):
        engine_of(stub, verdicts="logprobs").answer(asked("a"), ["yes", "no"])


def test_a_way_that_the_server_refuses_or_answers_otherwise_is_passed_over(stub):
    stub.decisions = lambda body: (400, {"error": {"message": "not for this model"}})
    stub.systemone = lambda body: (200, {"hello": "world"})
    engine = engine_of(stub)
    assert not any(each.error for each in engine.answer(asked("a", "b"), ["yes", "no"]))
    assert engine.mode == "logprobs"
    [told] = engine_of(stub, verdicts="systemone").answer(asked("a"), ["yes", "no"])
    assert "lacks the field answers.answer.probabilities" in told.error


def test_once_the_way_is_known_none_waits_for_the_first(stub):
    engine = engine_of(stub, concurrency=4, verdicts="logprobs")
    together = threading.Barrier(4)
    chat = stub.chat_completions
    stub.chat_completions = lambda body: (together.wait(2), chat(body))[1]
    assert not any(each.error for each in engine.answer(asked(*"abcd"), ["yes", "no"]))


def test_decisions_are_told_of_users_only(stub):
    prompt = Prompt((Turn("system", ("Judge.",)), Turn("user", ("a cello",))), "I think so.")
    assert not engine_of(stub, verdicts="decisions").answer([prompt], ["yes", "no"])[0].error
    [(_, body, _)] = stub.seen
    assert [message["role"] for message in body["input"]] == ["user", "user"]
    assert [message["content"] for message in body["input"]] == ["a cello", "I think so."]
    assert body["questions"][0]["instructions"] == "Judge."


@pytest.mark.parametrize("chance", [math.nan, -0.1, 7.0])
def test_what_is_no_probability_is_no_verdict(stub, chance):
    table = [{"value": "yes", "probability": chance}, {"value": "no", "probability": 0.2}]
    stub.faults = [lambda body: (200, {"answers": [{"type": "choice", "probabilities": table}]})]
    [found] = engine_of(stub).answer(asked("a"), ["yes", "no"])
    assert "as a probability" in found.error
    assert found.values == ()


def test_a_log_probability_that_is_no_number_is_no_verdict(stub):
    top = [{"token": "yes", "logprob": math.nan}, {"token": "no", "logprob": -1.0}]
    reply = {"choices": [{"logprobs": {"content": [{**top[1], "top_logprobs": top}]}}]}
    stub.faults = [lambda body: (200, reply)]
    assert "no number" in engine_of(stub, verdicts="logprobs").answer(asked("a"), ["yes", "no"])[0].error


def test_a_first_mark_of_the_server_does_not_move_the_target(stub):
    def marked(body):
        _, found = stub.completions(body)
        told = found["choices"][0]["logprobs"]
        told["text_offset"] = [0, *(at + 3 for at in told["text_offset"])]
        told["token_logprobs"] = [None, *told["token_logprobs"]]
        return 200, {**found, "usage": {**found["usage"], "completion_tokens": 1}}

    engine = engine_of(stub)
    [plain] = engine.likelihood(asked("a cello"), ["a wooden thing"])
    stub.faults = [marked]
    assert engine.likelihood(asked("a cello"), ["a wooden thing"])[0].values == plain.values


def test_a_word_that_is_no_answer_is_no_verdict(stub):
    stub.faults = [lambda body: (200, {"choices": [{"message": {"content": "Perhaps"}}]})]
    [found] = engine_of(stub, verdicts="generated").answer(asked("a"), ["yes", "no"])
    assert "'Perhaps', which is no answer" in found.error
    assert found.values == ()


def test_an_answer_that_is_not_among_the_likeliest_is_as_likely_as_the_last(stub):
    top = [{"token": "yes", "logprob": -0.1}, {"token": "maybe", "logprob": -3.0}]
    reply = {"choices": [{"logprobs": {"content": [{**top[0], "top_logprobs": top}]}}]}
    none = {"choices": [{"logprobs": {"content": [{**top[1], "top_logprobs": top[1:]}]}}]}
    stub.faults = [lambda body: (200, reply), lambda body: (200, none)]
    engine = engine_of(stub, verdicts="logprobs", concurrency=1)
    one, other = engine.answer(asked("a", "b"), ["yes", "no"])
    assert one.values == (-0.1, -3.0)
    assert "no not among the likeliest" in one.cut
    assert "none of 'yes', 'no'" in other.error
