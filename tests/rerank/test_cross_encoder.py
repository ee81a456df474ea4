"""Any cross-encoder of sentence-transformers judges within a limit."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from ponder.errors import InputInvalid, MissingDependency
from ponder.presets.chat import build_preset
from ponder.rerank.cross_encoder import CrossEncoderJudge
from ponder.rerank.showing import ShowReasoning
from ponder.testing.contracts import RerankerContract
from ponder.testing.examples import candidates_of, rows_of, text_content
from ponder.testing.tiny_cross_encoder import make_tiny_cross_encoder

PLENTY = 10_000
LONGEST = 18


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_tiny_cross_encoder(tmp_path_factory.mktemp("cross-encoder"), longest=LONGEST)


@pytest.fixture
def judge(folder):
    return CrossEncoderJudge("ce", str(folder), ShowReasoning(), device="cpu")


class TestContract(RerankerContract):
    @pytest.fixture
    def reranker(self, judge):
        return judge


TEXTS = (
    "The cello is an instrument.",
    "Carrot soup wants ginger.",
    "The harbour crane lifts " + "much " * 90,
)


def test_scores_and_counts_are_the_librarys_own(judge):
    from sentence_transformers import CrossEncoder

    found = candidates_of(rows_of([text_content(text) for text in TEXTS]))
    judged = judge.rerank(text_content("a cello"), found, limit=PLENTY)
    shown = [ShowReasoning().candidate(each).text for each in found]
    model = judge.model
    assert isinstance(model, CrossEncoder)
    np.testing.assert_allclose(
        [verdict.score for verdict in judged.verdicts],
        [model.predict([("a cello", text)])[0] for text in shown],
        atol=1e-6,
    )
    lengths = [len(model.tokenizer("a cello", text, truncation=True)["input_ids"]) for text in shown]
    assert min(lengths) < max(lengths) == LONGEST
    assert judged.usage.read == sum(lengths)


@pytest.mark.parametrize(("short", "count"), [(0, 3), (1, 2)])
def test_a_limit_pays_for_whole_pairs(judge, short, count):
    found = candidates_of(rows_of([text_content(text) for text in TEXTS]))
    query = text_content("a cello")
    limit = judge.price(query, found) - short
    assert len(judge.rerank(query, found, limit=limit).verdicts) == count


def test_pictures_are_not_left_out_in_silence(folder):
    class WithPicture(ShowReasoning):
        def candidate(self, candidate):
            return replace(super().candidate(candidate), pictures=(Image.new("RGB", (4, 4)),))

    judge = CrossEncoderJudge("ce", str(folder), WithPicture(), device="cpu")
    found = candidates_of(rows_of([text_content("a cello")]))
    [verdict] = judge.rerank(text_content("a cello"), found, limit=PLENTY).verdicts
    assert verdict.score is None
    assert "words only" in verdict.note


def test_a_score_that_is_no_number_is_no_verdict(judge):
    import torch

    with torch.no_grad():
        judge.model[0].model.classifier.bias.fill_(float("nan"))
    found = candidates_of(rows_of([text_content("a cello")]))
    [verdict] = judge.rerank(text_content("a cello"), found, limit=PLENTY).verdicts
    assert (verdict.score, verdict.note) == (None, "the cross-encoder's score is not finite")


def test_a_classifier_is_no_reranker(tmp_path):
    folder = make_tiny_cross_encoder(tmp_path, labels=3)
    with pytest.raises(InputInvalid, match="3 scores a pair, not one"):
        _ = CrossEncoderJudge("ce", str(folder), ShowReasoning(), device="cpu").model


def test_a_model_that_is_nowhere_is_said(monkeypatch):
    # Read from the environment once, when it is imported. Without it the hub is asked again and again.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MissingDependency, match="cannot be had"):
        _ = CrossEncoderJudge("ce", "nobody/no-such-reranker", ShowReasoning()).model


def test_a_preset_names_it(folder, tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"base: laptop\njudges: {{ecr: {{kind: cross-encoder, model: {folder}, weight: 0.5}}}}\n")
    models = build_preset(str(mine))
    ecr = models.rerankers["ecr"]
    assert isinstance(ecr, CrossEncoderJudge)
    assert ecr.weight == 0.5
    assert folder.name in ecr.fingerprint


def test_a_preset_names_a_reranker_on_a_server(tmp_path):
    mine = tmp_path / "mine.yaml"
    far = "{kind: remote, url: 'http://127.0.0.1:1/v1', model: m, route: score}"
    mine.write_text(f"base: laptop\njudges: {{ecr: {far}}}\n")
    assert "http://127.0.0.1:1/v1/m/score" in build_preset(str(mine)).rerankers["ecr"].fingerprint
