"""The remote engine keeps the contract, and every fault of a server is told and loses nothing else."""

import logging
import re
import threading
import time
from email.utils import formatdate

import pytest
from PIL import Image

from ponder.errors import BackendFailed, InputInvalid, MissingDependency
from ponder.models.engine import Effort, Prompt, Turn
from ponder.models.remote.engine import RemoteEngine
from ponder.models.remote.settings import RemoteSettings
from ponder.testing.contracts import EngineContract

EVERYTHING = frozenset(("write", "answer", "likelihood", "pictures"))


def engine_of(stub, **more):
    settings = {"able": EVERYTHING, "timeout": 5.0, "retries": 2, **more}
    return RemoteEngine(RemoteSettings(stub.url, "some/model", **settings))


def asked(*texts):
    return [Prompt((Turn("system", ("yes or no?",)), Turn("user", (text,)))) for text in texts]


class TestRemote(EngineContract):
    @pytest.fixture(params=["decisions", "systemone", "logprobs", "generated"])
    def engine(self, stub, request):
        return engine_of(stub, verdicts=request.param)

    def test_fingerprint_is_the_same_for_the_same_settings(self, stub):
        assert engine_of(stub).fingerprint == engine_of(stub).fingerprint

    def test_prices_count_what_is_shared_once(self, engine, asked):
        # Servers promise nothing of the kind.
        assert engine.prices(asked) == [engine.prices([prompt])[0] for prompt in asked]

    def test_a_target_has_a_log_probability_a_token(self, engine, asked):
        # Completions take words only.
        super().test_a_target_has_a_log_probability_a_token(engine, self.prompts(pictures=False))
        with pytest.raises(MissingDependency, match="no likelihood behind pictures"):
            engine.likelihood(asked, ["a"] * len(asked))


def test_a_busy_server_is_asked_again_when_it_says(stub):
    stub.faults, stub.retry_after = [429, 500], 0.3
    began = time.monotonic()
    [written] = engine_of(stub).write(asked("a cello"), Effort(answer=8))
    assert written.text == "a cello instrument"
    assert len(stub.seen) == 3
    assert time.monotonic() - began >= 0.3


def test_a_date_to_come_back_at_is_kept_and_an_hour_is_not_waited_for(stub):
    stub.faults, stub.retry_after = [429], formatdate(time.time() + 2, usegmt=True)
    began = time.monotonic()
    assert engine_of(stub).write(asked("a cello"), Effort(answer=8))[0].text
    assert time.monotonic() - began >= 0.9
    stub.faults, stub.retry_after = [429], 3600
    [written] = engine_of(stub).write(asked("a cello"), Effort(answer=8))
    assert "429" in written.error
    assert len(stub.seen) == 3


def test_a_server_that_stays_broken_is_told_of_after_the_last_try(stub):
    stub.faults = [500] * 9
    [written] = engine_of(stub).write(asked("a cello"), Effort(answer=8))
    assert "the server says 500: not now" in written.error
    assert len(stub.seen) == 3


def test_a_cut_connection_is_tried_again(stub):
    stub.faults = ["cut"]
    assert engine_of(stub).write(asked("a cello"), Effort(answer=8))[0].text == "a cello instrument"


@pytest.mark.parametrize("fault", ["slow", "drip"])
def test_no_request_takes_longer_than_its_time(stub, fault):
    stub.faults = [fault]
    began = time.monotonic()
    with pytest.raises(BackendFailed, match=r"no answer within 0.5 s.*raise timeout"):
        engine_of(stub, timeout=0.5, retries=0).write(asked("a cello"), Effort(answer=8))
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("garbage", "no JSON"),
        ("list", "a list, not an object"),
        (lambda body: (200, {}), r"lacks the field choices\[0\]"),
        (lambda body: (200, {"choices": [{"message": {"content": 7}}]}), "is no text"),
    ],
)
def test_an_answer_that_cannot_be_read_names_the_field(stub, fault, says):
    stub.faults = [fault]
    bad, good = engine_of(stub, concurrency=1).write(asked("x", "a cello"), Effort(answer=8))
    assert re.search(says, bad.error)
    assert good.text == "a cello instrument"


def test_one_that_fails_leaves_the_others(stub):
    stub.fails = lambda body: "poison" in str(body)
    found = engine_of(stub).write(asked("a cello", "poison", "soup"), Effort(answer=8))
    assert [bool(each.error) for each in found] == [False, True, False]
    assert "this one cannot be read" in found[1].error
    judged = engine_of(stub, verdicts="logprobs").answer(asked("a", "poison", "c"), ["yes", "no"])
    assert [bool(each.error) for each in judged] == [False, True, False]


def test_the_first_that_fails_leaves_the_others_too(stub):
    stub.faults = ["cut"]
    engine = engine_of(stub, retries=0)
    found = engine.answer(asked("a", "b", "c"), ["yes", "no"])
    assert [bool(each.error) for each in found] == [True, False, False]
    assert engine.mode == "decisions"
    stub.faults = [None, 404]
    found = engine_of(stub, concurrency=1).answer(asked("a", "b", "c"), ["yes", "no"])
    assert [bool(each.error) for each in found] == [False, True, False]
    stub.fails = lambda body: "poison" in str(body)
    found = engine_of(stub).answer(asked("poison", "b", "c"), ["yes", "no"])
    assert [bool(each.error) for each in found] == [True, False, False]
    assert "this one cannot be read" in found[0].error
    [broken, good] = engine_of(stub).write(asked("\ud800", "a cello"), Effort(answer=8))
    assert "no valid Unicode" in broken.error
    assert good.text == "a cello instrument"


def test_a_server_that_cannot_go_on_says_so(stub):
    stub.faults = [lambda body: (422, {"detail": "Unexpected fields: {'continue_final_message'}"})]
    [written] = engine_of(stub).write([Prompt(asked("a")[0].turns, "The")], Effort(answer=4))
    assert "cannot go on where the assistant has begun" in written.error


def test_a_server_that_is_elsewhere_says_where(stub):
    stub.faults = [307]
    [written] = engine_of(stub).write(asked("a"), Effort(answer=2))
    assert "sends us on to http://elsewhere/v1" in written.error


def test_no_server_at_all_is_said_at_once():
    engine = RemoteEngine(RemoteSettings("http://127.0.0.1:9/v1", "m", retries=0, timeout=2.0))
    with pytest.raises(BackendFailed, match=r"no connection.*see that the server runs"):
        engine.write(asked("a"), Effort(answer=2))


def test_a_wrong_key_says_where_to_put_a_right_one_and_is_never_shown(stub, monkeypatch):
    stub.key = "right"
    monkeypatch.setenv("MY_KEY", "sk-secret-and-wrong")
    engine = engine_of(stub, key_env="MY_KEY")
    with pytest.raises(BackendFailed, match=r"401.*valid key into MY_KEY") as told:
        engine.write(asked("a"), Effort(answer=2))
    for text in (str(told.value), repr(engine), engine.fingerprint, repr(engine.__dict__)):
        assert "sk-secret" not in text
    assert len(stub.seen) == 1, "a wrong key is not sent again and again"
    monkeypatch.setenv("MY_KEY", "right")
    assert engine.write(asked("a cello"), Effort(answer=8))[0].text
    monkeypatch.setenv("MY_KEY", "right\n")
    assert engine.write(asked("a cello"), Effort(answer=8))[0].text, "keys from files end in a line break"


@pytest.mark.parametrize("key", ["sk-sécret", "sk-se\ncret"])
def test_a_key_that_cannot_be_one_is_not_sent_and_not_shown(stub, monkeypatch, key):
    monkeypatch.setenv("MY_KEY", key)
    with pytest.raises(BackendFailed, match="valid key into MY_KEY") as told:
        engine_of(stub, key_env="MY_KEY").write(asked("a"), Effort(answer=2))
    assert "cret" not in str(told.value)
    assert stub.seen == []


def test_neither_key_nor_password_is_logged_or_told(stub, monkeypatch, caplog):
    monkeypatch.setenv("MY_KEY", "sk-secret")
    caplog.set_level(logging.DEBUG)
    engine_of(stub, key_env="MY_KEY").write(asked("a"), Effort(answer=2))
    assert stub.seen[0][2]["Authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in caplog.text
    there = RemoteSettings(stub.url.replace("//", "//me:hush@"), "m", retries=0)
    assert RemoteEngine(there).write(asked("a"), Effort(answer=2))[0].text
    assert stub.seen[1][2]["Authorization"].startswith("Basic ")
    assert "hush" not in caplog.text
    settings = RemoteSettings("http://me:hush@127.0.0.1:9/v1", "m", retries=0)
    assert "hush" not in RemoteEngine(settings).fingerprint
    with pytest.raises(BackendFailed) as told:
        RemoteEngine(settings).write(asked("a"), Effort(answer=2))
    assert "hush" not in str(told.value)


def test_no_more_requests_at_a_time_than_allowed(stub):
    slow = stub.chat_completions
    stub.chat_completions = lambda body: (time.sleep(0.03), slow(body))[1]
    engine_of(stub, concurrency=3).write(asked(*map(str, range(24))), Effort(answer=2))
    assert 1 < stub.most <= 3
    engine = engine_of(stub, concurrency=3)
    callers = [
        threading.Thread(target=engine.write, args=(asked(*"abcdef"), Effort(answer=2))) for _ in range(3)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert stub.most <= 3, "the limit is the engine's, not a call's"


def test_thoughts_are_told_from_answers_and_the_server_counts(stub):
    usage = {"prompt_tokens": 70, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 64}}

    def reply(**message):
        return lambda body: (
            200,
            {"choices": [{"message": message, "finish_reason": "length"}], "usage": usage},
        )

    stub.faults = [
        reply(content="so", reasoning_content="hm"),
        reply(content="<think>hm</think>\n\nso"),
        reply(content="<think>hm"),
    ]
    engine = engine_of(stub, concurrency=1)
    whole, marked, cut = engine.write(asked("a", "b", "c"), Effort(trace=9, answer=9))
    assert (whole.text, whole.trace) == (marked.text, marked.trace) == ("so", "hm")
    assert (cut.text, cut.trace, cut.truncated) == ("", "hm", True)
    assert (whole.usage.read, whole.usage.written, whole.usage.cached) == (6, 9, 64)


def test_what_it_was_not_said_to_be_able_of_is_refused(stub):
    engine = engine_of(stub, able=frozenset(["write"]))
    with pytest.raises(MissingDependency, match="not able to answer"):
        engine.answer(asked("a"), ["yes", "no"])
    picture = Prompt((Turn("user", (Image.new("RGB", (4, 4)),)),))
    with pytest.raises(MissingDependency, match="sees no pictures"):
        engine.write([picture], Effort(answer=1))
    with pytest.raises(InputInvalid, match="cannot be one token"):
        engine_of(stub).answer(asked("a"), ["yes sir", "no"])
    assert stub.seen == []
