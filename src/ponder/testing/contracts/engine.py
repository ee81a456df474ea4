"""What every `Engine` must do."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from ponder.errors import InputInvalid, MissingDependency
from ponder.models.engine import Able, Effort, Engine, Prompt, Turn

NEAR = 1e-4
"""What rounding may move a log-probability by in float32."""

_SYSTEM = "Judge whether the document answers the query. Say only yes or no."
_DOCUMENTS = (
    "The harbour crane lifts forty tonnes.",
    "The cello is an instrument that is played sitting down, with a bow of horse hair.",
    "Soup.",
    "A violin is an instrument, and it is held under the chin while one stands or sits.",
)


class EngineContract:
    """Subclass it and say how to `make` your engine."""

    answers: tuple[str, ...] = ("yes", "no")
    """Words that are one token each."""

    def make(self, folder: Path) -> Engine:
        """A fresh engine; `folder` is empty and its own."""
        raise NotImplementedError

    def prompts(self, *, pictures: bool) -> list[Prompt]:
        """Prompts that begin alike and are of different lengths, with and without pictures."""
        asked = "Query: an instrument that is played sitting down\nDocument: "
        made = [
            Prompt((Turn("system", (_SYSTEM,)), Turn("user", (asked + document,)))) for document in _DOCUMENTS
        ]
        if pictures:
            from PIL import Image

            shown = Image.new("RGB", (64, 64), (20, 20, 220))
            made.append(Prompt((Turn("system", (_SYSTEM,)), Turn("user", (asked, shown, "\nIs it so?")))))
        return made

    @pytest.fixture
    def engine(self, tmp_path: Path) -> Engine:
        return self.make(tmp_path)

    @pytest.fixture
    def asked(self, engine: Engine) -> list[Prompt]:
        return self.prompts(pictures="pictures" in engine.able)

    def test_is_an_engine(self, engine: Engine) -> None:
        assert isinstance(engine, Engine)
        assert engine.fingerprint
        assert engine.able

    def test_fingerprint_is_the_same_for_the_same_settings(self, tmp_path: Path) -> None:
        first, second = tmp_path / "first", tmp_path / "second"
        first.mkdir()
        second.mkdir()
        assert self.make(first).fingerprint == self.make(second).fingerprint

    def test_nothing_in_nothing_out(self, engine: Engine) -> None:
        assert engine.prices([]) == []
        if "write" in engine.able:
            assert engine.write([], Effort(answer=4)) == []
        if "answer" in engine.able:
            assert engine.answer([], self.answers) == []
        if "likelihood" in engine.able:
            assert engine.likelihood([], []) == []

    def test_prices_count_what_is_shared_once(self, engine: Engine, asked: list[Prompt]) -> None:
        together = engine.prices(asked)
        alone = [engine.prices([prompt])[0] for prompt in asked]
        assert all(price > 0 for price in together)
        assert together[0] == alone[0]
        assert all(less <= more for less, more in zip(together, alone, strict=True))

    @pytest.mark.parametrize("count", [1, 2, 4])
    def test_no_more_is_read_than_was_priced(self, engine: Engine, asked: list[Prompt], count: int) -> None:
        some = asked[:count]
        price = sum(engine.prices(asked)[:count])
        if "answer" in engine.able:
            assert sum(each.usage.spent for each in engine.answer(some, self.answers)) <= price
        if "write" in engine.able:
            written = engine.write(some, Effort(answer=3))
            assert sum(each.usage.read for each in written) <= price
            assert sum(each.usage.written for each in written) <= 3 * count

    @pytest.mark.parametrize(
        "effort", [Effort(answer=1), Effort(answer=9), Effort(trace=7, answer=5)], ids=str
    )
    def test_writes_within_its_effort(self, engine: Engine, asked: list[Prompt], effort: Effort) -> None:
        self._needs(engine, "write")
        for written in engine.write(asked, effort):
            assert 0 < written.usage.written <= effort.total
            assert written.usage.read > 0
            assert not written.error
            assert not (written.trace and not effort.trace)

    def test_what_is_written_does_not_depend_on_the_others(self, engine: Engine, asked: list[Prompt]) -> None:
        self._needs(engine, "write")
        effort = Effort(answer=6)
        together = [written.text for written in engine.write(asked, effort)]
        backwards = [written.text for written in engine.write(asked[::-1], effort)][::-1]
        alone = [engine.write([prompt], effort)[0].text for prompt in asked]
        assert together == backwards == alone

    def test_answers_have_log_probabilities(self, engine: Engine, asked: list[Prompt]) -> None:
        self._needs(engine, "answer")
        for likely in engine.answer(asked, self.answers):
            assert len(likely.values) == len(self.answers)
            assert all(math.isfinite(value) and value <= 0 for value in likely.values)
            assert math.fsum(map(math.exp, likely.values)) <= 1 + NEAR

    def test_answers_do_not_depend_on_the_others(self, engine: Engine, asked: list[Prompt]) -> None:
        self._needs(engine, "answer")
        together = [likely.values for likely in engine.answer(asked, self.answers)]
        backwards = [likely.values for likely in engine.answer(asked[::-1], self.answers)][::-1]
        alone = [engine.answer([prompt], self.answers)[0].values for prompt in asked]
        for one, two, three in zip(together, backwards, alone, strict=True):
            assert one == pytest.approx(three, abs=NEAR)
            assert two == pytest.approx(three, abs=NEAR)

    def test_an_answer_of_several_tokens_is_refused(self, engine: Engine, asked: list[Prompt]) -> None:
        self._needs(engine, "answer")
        with pytest.raises(InputInvalid):
            engine.answer(asked[:1], ["yes, certainly and always", "no"])

    def test_a_target_has_a_log_probability_a_token(self, engine: Engine, asked: list[Prompt]) -> None:
        self._needs(engine, "likelihood")
        targets = ["an instrument that is played sitting down"] * len(asked)
        together = engine.likelihood(asked, targets)
        assert len({len(likely.values) for likely in together}) == 1
        for prompt, target, likely in zip(asked, targets, together, strict=True):
            assert all(math.isfinite(value) and value <= 0 for value in likely.values)
            assert likely.usage.read > 0
            [alone] = engine.likelihood([prompt], [target])
            assert alone.values == pytest.approx(likely.values, abs=NEAR)
            # A target costs no more than the same words at the beginning of the answer.
            assert alone.usage.spent <= engine.prices([Prompt(prompt.turns, target)])[0]

    def test_an_opening_is_read(self, engine: Engine, asked: list[Prompt]) -> None:
        self._needs(engine, "answer")
        plain, opened = asked[0], Prompt(asked[0].turns, "<think>\nIt lifts things.\n</think>\n\n")
        assert engine.prices([opened])[0] > engine.prices([plain])[0]
        assert engine.answer([opened], self.answers)[0].usage.read > 0

    @pytest.mark.parametrize("what", ["write", "answer", "likelihood"])
    def test_what_it_cannot_do_is_said(self, engine: Engine, asked: list[Prompt], what: Able) -> None:
        if what in engine.able:
            pytest.skip(f"it is able to {what}")
        ways: dict[Able, Callable[[], object]] = {
            "write": lambda: engine.write(asked, Effort(answer=1)),
            "answer": lambda: engine.answer(asked, self.answers),
            "likelihood": lambda: engine.likelihood(asked, ["a"] * len(asked)),
        }
        with pytest.raises(MissingDependency):
            ways[what]()

    def _needs(self, engine: Engine, what: Able) -> None:
        if what not in engine.able:
            pytest.skip(f"it is not able to {what}")
