"""The lite judges' bookkeeping and choices, with a language model that counts what it reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lite_stand_ins import WordLanguage, candidate

from ponder.models.lite.naming import Priors, question
from ponder.records import Candidate, Content, Judgement, PartReasoning, Usage
from ponder.rerank.likelihood import LikelihoodJudge
from ponder.rerank.naming import NamingJudge
from ponder.testing.examples import picture_content, text_content

PLENTY = 100_000
WORD = st.sampled_from(["koala", "zebra", "cello", "crane", "soup", "moon", "tide", "harbour", "violin"])
WORDS = st.lists(WORD, min_size=1, max_size=12).map(" ".join)
QUERY = text_content("an animal of the woods that eats leaves all day long")


def picture(id_: str, claim: str = "", *things: tuple[str, float, float], said: str = "") -> Candidate:
    """A picture of which `claim` is said and which may be called these things."""
    claims = [[claim, "", 1.0, claim.split(",", maxsplit=1)[0]]] if claim else []
    facts = {"claims": claims, "things": [list(thing) for thing in things]}
    return candidate(id_, PartReasoning("", said or claim, facts))


def page(id_: str, *passages: str, best: int = 0) -> Candidate:
    parts = [
        PartReasoning("", passages[0]),
        *(PartReasoning(f"chars={i}", p) for i, p in enumerate(passages)),
    ]
    return candidate(id_, *parts, kind="page", part=f"chars={best}")


def asked(judge: LikelihoodJudge | NamingJudge, query: Content, found, limit: int) -> Judgement:
    call = judge.rerank if isinstance(judge, LikelihoodJudge) else judge.judge
    return call(query, found, limit=limit)


def scores(judgement: Judgement) -> dict[str, float | None]:
    return {verdict.id: verdict.score for verdict in judgement.verdicts}


PICTURES = st.lists(
    st.tuples(WORDS, st.lists(st.tuples(WORDS, st.floats(0.1, 1), st.floats(-20, -1)), max_size=3)),
    max_size=8,
).map(lambda told: [picture(str(i), claim, *things) for i, (claim, things) in enumerate(told)])


@pytest.mark.parametrize("kind", [LikelihoodJudge, NamingJudge])
class TestBothJudges:
    @given(found=PICTURES, text=WORDS, limit=st.integers(0, 200))
    def test_spend_no_more_than_the_limit_and_say_what_was_read(self, kind, found, text, limit):
        language = WordLanguage()
        judgement = asked(kind(language), text_content(text), found, limit)
        assert judgement.usage.spent == language.read <= limit

    @given(found=PICTURES, text=WORDS, limit=st.integers(0, 200), more=st.integers(0, 100))
    def test_judge_from_the_first_on_and_more_tokens_judge_no_fewer(self, kind, found, text, limit, more):
        few, many = (
            [v.id for v in asked(kind(WordLanguage()), text_content(text), found, tokens).verdicts]
            for tokens in (limit, limit + more)
        )
        ids = [each.row.item.id for each in found]
        assert few == ids[: len(few)]
        assert many == ids[: len(many)]
        assert len(few) <= len(many)

    @given(found=PICTURES, text=WORDS)
    def test_how_two_compare_does_not_depend_on_who_else_is_judged(self, kind, found, text):
        judge = kind(WordLanguage())
        among_all, among_two = (
            scores(asked(judge, text_content(text), those, PLENTY)) for those in (found, found[:2])
        )
        if len(among_two) == 2 and None not in among_two.values():
            gaps = [among["0"] - among["1"] for among in (among_all, among_two)]
            assert gaps[0] == pytest.approx(gaps[1])

    def test_nothing_is_read_for_no_candidates(self, kind):
        language = WordLanguage()
        assert asked(kind(language), QUERY, [], PLENTY) == Judgement(())
        assert language.read == 0

    def test_fingerprints_name_the_model(self, kind):
        if kind is LikelihoodJudge:
            assert "word-language" in kind(WordLanguage()).fingerprint


class TestLikelihood:
    def judged(self, query: Content, *found: Candidate, limit: int = PLENTY) -> dict[str, float | None]:
        return scores(LikelihoodJudge(WordLanguage()).rerank(query, found, limit=limit))

    @pytest.mark.parametrize("query", [text_content("  "), picture_content((1, 2, 3))])
    def test_a_query_without_words_is_not_judged_and_costs_nothing(self, query):
        language = WordLanguage()
        judgement = LikelihoodJudge(language).rerank(query, [picture("a", "koala")], limit=PLENTY)
        assert [(v.score, bool(v.note)) for v in judgement.verdicts] == [(None, True)]
        assert judgement.usage == Usage() and language.read == 0

    def test_what_explains_the_query_better_wins(self):
        found = self.judged(
            QUERY, picture("cello", "cello, a string"), picture("koala", "koala, it eats leaves")
        )
        assert found["koala"] > found["cello"]

    def test_a_long_query_is_no_worse_than_a_short_one(self):
        """A mean over the query's tokens, not a sum."""
        koala, zebra = picture("koala", "koala, leaves"), picture("zebra", "zebra")
        gaps = []
        for times in (10, 30):
            found = self.judged(text_content("leaves " * times), koala, zebra)
            gaps.append(found["koala"] - found["zebra"])
        assert gaps[0] == pytest.approx(gaps[1])
        assert gaps[0] > 0

    def test_the_shorter_the_query_the_less_a_definition_says(self):
        koala, zebra = picture("koala", "koala, leaves"), picture("zebra", "zebra")
        gaps = []
        for times in (7, 8, 10):
            found = self.judged(text_content("leaves " * times), koala, zebra)
            gaps.append(found["koala"] - found["zebra"])
        assert gaps == [pytest.approx(gaps[2] * share) for share in (0.25, 0.5, 1)]

    def test_a_name_is_not_judged_by_definitions_but_by_passages(self):
        language = WordLanguage()
        query = text_content("leaves")
        found = [picture("koala", "koala, leaves"), page("page", "it eats leaves")]
        judgement = LikelihoodJudge(language).rerank(query, found, limit=PLENTY)
        assert [v.score is None for v in judgement.verdicts] == [True, False]
        assert "short" in judgement.verdicts[0].note
        assert judgement.usage.spent == language.read

    def test_a_page_is_judged_by_its_best_passage(self):
        texts = ("what a harbour is", "it eats leaves")
        found = self.judged(QUERY, page("first", *texts, best=0), page("second", *texts, best=1))
        assert found["second"] > found["first"]

    def test_of_a_long_passage_only_the_beginning_is_paid_for(self):
        long = page("long", "harbour " * 2000 + "leaves")
        longer = page("longer", "harbour " * 4000)
        language = WordLanguage()
        judgement = LikelihoodJudge(language).rerank(QUERY, [long, longer], limit=300)
        assert len(judgement.verdicts) == 2

    def test_an_item_that_nothing_is_known_of_is_judged_by_its_reasoning(self):
        found = self.judged(QUERY, candidate("a", text="it eats leaves"), candidate("b", text="soup"))
        assert found["a"] > found["b"]


class TestNaming:
    def judge(self, *found: Candidate, query: Content = QUERY, limit: int = PLENTY) -> Judgement:
        return NamingJudge(WordLanguage()).judge(query, found, limit=limit)

    def test_a_name_that_the_query_calls_for_wins(self):
        found = scores(
            self.judge(picture("a", "", ("zebra", 1, -6)), picture("b", "", ("animal leaves", 1, -6)))
        )
        assert found["b"] > found["a"]

    def test_a_name_that_is_always_ready_counts_less(self):
        found = scores(self.judge(picture("a", "", ("zebra", 1, -2)), picture("b", "", ("zebra", 1, -9))))
        assert found["b"] > found["a"]

    def test_of_doubtful_names_the_likelier_counts_more(self):
        sure = ("animal", 0.9, -6), ("zebra", 0.1, -6)
        unsure = ("animal", 0.1, -6), ("zebra", 0.9, -6)
        found = scores(self.judge(picture("sure", "", *sure), picture("unsure", "", *unsure)))
        assert found["sure"] > found["unsure"]

    def test_a_name_that_several_share_is_read_once(self):
        name = "three words long"
        one, two = (self.judge(*(picture(str(i), "", (name, 1, -6)) for i in range(n))) for n in (1, 2))
        assert one.usage == two.usage
        assert one.usage.read == WordLanguage().count(question(QUERY.text)) + 2

    def test_a_query_that_is_a_name_hears_less_of_it(self):
        found = picture("a", "", ("zebra", 1, -9)), picture("b", "", ("zebra", 1, -2))
        gaps = []
        for times in (3, 8, 12):
            told = scores(self.judge(*found, query=text_content("leaves " * times)))
            gaps.append(told["a"] - told["b"])
        assert gaps == [pytest.approx(gaps[2] * share) for share in (1 / 3, 2 / 3, 1)]

    def test_what_has_no_name_keeps_its_place_and_the_reason_is_given(self):
        judgement = self.judge(picture("nameless"), picture("b", "", ("zebra", 1, -6)))
        nameless, other = judgement.verdicts
        assert nameless.score is None and nameless.note
        assert other.score is not None and "zebra" in other.reasoning

    def test_where_nothing_has_a_name_nothing_is_read(self):
        judgement = self.judge(picture("a"), picture("b"))
        assert [v.score for v in judgement.verdicts] == [None, None]
        assert judgement.usage == Usage()

    def test_the_question_alone_judges_nobody(self):
        question_cost = WordLanguage().count(question(QUERY.text))
        assert self.judge(picture("a", "", ("zebra", 1, -6)), limit=question_cost - 1).verdicts == ()
        assert len(self.judge(picture("a", "", ("zebra", 1, -6)), limit=question_cost).verdicts) == 1


@pytest.mark.parametrize("kind", [LikelihoodJudge, NamingJudge])
class TestInRounds:
    @given(found=PICTURES, text=WORDS, limits=st.lists(st.integers(0, 80), min_size=1, max_size=4))
    def test_a_sitting_judge_keeps_each_limit_and_says_what_was_read(self, kind, found, text, limits):
        language = WordLanguage()
        judge, query = kind(language).sitting(), text_content(text)
        for limit in limits:
            before = language.read
            judgement = asked(judge, query, found, limit)
            assert judgement.usage.spent == language.read - before <= limit
            found = found[len(judgement.verdicts) :]

    @given(found=PICTURES, text=WORDS, first=st.integers(0, 8))
    def test_rounds_cost_and_say_what_one_question_does(self, kind, found, text, first):
        judge, query = kind(WordLanguage()).sitting(), text_content(text)
        rounds = [asked(judge, query, those, PLENTY) for those in (found[:first], found[first:])]
        once = asked(kind(WordLanguage()), query, found, PLENTY)
        assert sum(each.usage.spent for each in rounds) == once.usage.spent
        assert rounds[0].verdicts + rounds[1].verdicts == once.verdicts

    @given(found=PICTURES, text=WORDS, first=st.integers(0, 8))
    def test_a_later_round_is_priced_without_what_was_read(self, kind, found, text, first):
        judge, query = kind(WordLanguage()).sitting(), text_content(text)
        asked(judge, query, found[:first], PLENTY)
        price = sum(brief.cost for brief in judge.briefs(query, found[first:]))
        assert asked(judge, query, found[first:], price).usage.spent == price

    def test_two_sittings_know_nothing_of_each_other(self, kind):
        judge, found = kind(WordLanguage()), [picture("a", "zebra, stripes", ("zebra", 1, -6))]
        usages = [asked(judge.sitting(), QUERY, found, PLENTY).usage for _ in range(2)]
        assert usages[0] == usages[1] == asked(judge, QUERY, found, PLENTY).usage
        assert usages[0].read > 0

    def test_the_same_of_another_candidate_costs_nothing_and_says_the_same(self, kind):
        judge = kind(WordLanguage())
        found = [picture(each, "zebra, stripes", ("zebra", 1, -6)) for each in ("a", "b")]
        one, two = (asked(judge, QUERY, found[:n], PLENTY) for n in (1, 2))
        assert two.usage == one.usage
        assert two.verdicts[0].score == two.verdicts[1].score == one.verdicts[0].score


class TestPriors:
    def test_are_found_once_and_priced_alike_each_time(self):
        language = WordLanguage()
        priors = Priors(language)
        first, cost = priors.of(["zebra", "koala bear"])
        read = language.read
        again, price = priors.of(["koala bear", "zebra"])
        assert again == first[::-1]
        assert cost == price == Usage(read=read)
        assert language.read == read

    def test_nothing_costs_nothing(self):
        assert Priors(WordLanguage()).of([]) == ([], Usage())
