"""What cannot be loaded is said in words that a person can act on."""

import json
import shutil

import pytest

from ponder.errors import InputInvalid, MissingDependency
from ponder.models.engine import Effort, Prompt, Turn
from ponder.models.local.engine import LocalEngine
from ponder.models.local.loading import load
from ponder.models.local.settings import LocalSettings
from ponder.testing.tiny import make_tiny

ASKED = Prompt((Turn("system", ("Say what it is.",)), Turn("user", ("a cello",))))


@pytest.fixture
def made(tiny_folder):
    return {name: tiny_folder(name) for name in ("llama", "qwen3-vl")}


@pytest.fixture
def copy(made, tmp_path):
    return lambda name: shutil.copytree(made[name], tmp_path / name)


def changed(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    return str(folder)


def test_an_unknown_architecture(copy):
    with pytest.raises(InputInvalid, match=r"unknown architecture.*newer transformers"):
        load(LocalSettings(changed(copy("llama"), model_type="llama99")))


def test_code_that_comes_with_a_model_is_refused(copy):
    folder = copy("llama")
    (folder / "mine.py").write_text("raise SystemExit('it ran')")
    name = changed(folder, model_type="mine", auto_map={"AutoConfig": "mine.Config"})
    with pytest.raises(InputInvalid, match="code of its own"):
        load(LocalSettings(name))
    with pytest.raises(InputInvalid, match="I trust the code"):
        load(LocalSettings(name, remote_code="yes"))


def test_a_folder_without_a_processor(copy):
    folder = copy("qwen3-vl")
    for path in folder.glob("*processor_config.json"):
        path.unlink()
    with pytest.raises(InputInvalid, match=r"no processor for pictures.*preprocessor_config.json"):
        load(LocalSettings(str(folder)))


def test_a_folder_without_a_template(copy):
    folder = copy("llama")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(InputInvalid, match="no chat template"):
        load(LocalSettings(str(folder)))


def test_a_folder_without_weights_and_one_that_is_not_there(copy, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    folder = copy("llama")
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputInvalid, match="lacks a model's files"):
        load(LocalSettings(str(folder)))
    with pytest.raises(MissingDependency, match=r"cannot be had.*folder of a downloaded copy"):
        load(LocalSettings(str(tmp_path / "nowhere")))


def test_a_template_without_a_system_role_gets_its_words_in_the_user_s(copy):
    folder = copy("llama")
    template = folder / "chat_template.jinja"
    strict = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    template.write_text(strict + template.read_text())
    engine = LocalEngine(str(folder))
    text = engine.loaded.tokenizer.decode(engine.renderer.render(ASKED).ids)
    assert "<|im_start|>user\nSay what it is.\n\na cello" in text
    assert not engine.write([ASKED], Effort(answer=2))[0].error


def test_a_template_that_leaves_words_out_is_named(copy):
    folder = copy("llama")
    (folder / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    asked = Prompt((*ASKED.turns, Turn("assistant", ("It sings.",)), Turn("user", ("And?",))))
    [written] = LocalEngine(str(folder)).write([asked], Effort(answer=2))
    assert "the template leaves texts out" in written.error
    assert "mend its template" in written.error


def test_a_template_that_refuses_is_named(copy):
    folder = copy("llama")
    (folder / "chat_template.jinja").write_text("{{ raise_exception('only poems') }}")
    [written] = LocalEngine(str(folder)).write([ASKED], Effort(answer=2))
    assert "only poems" in written.error


def test_a_model_that_sees_nothing_says_so(made):
    from PIL import Image

    engine = LocalEngine(str(made["llama"]))
    assert "pictures" not in engine.able
    [written] = engine.write([Prompt((Turn("user", (Image.new("RGB", (9, 9)),)),))], Effort(answer=2))
    assert "sees no pictures" in written.error


def test_fingerprints_tell_what_matters(made, copy):
    engine = LocalEngine(str(made["llama"]))
    other = copy("llama")
    (other / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    prints = {
        engine.fingerprint,
        LocalEngine(str(other)).fingerprint,
        LocalEngine(LocalSettings(str(made["llama"]), dtype="bfloat16")).fingerprint,
        LocalEngine(LocalSettings(str(made["llama"]), max_pixels=1000)).fingerprint,
        LocalEngine(str(made["qwen3-vl"])).fingerprint,
    }
    assert len(prints) == 5
    assert str(made["llama"].parent) not in engine.fingerprint


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_an_adapter_changes_what_it_says_and_one_of_another_base_is_refused(made, tmp_path):
    peft = pytest.importorskip("peft")
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(made["llama"])
    lora = peft.LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM", init_lora_weights=False)
    peft.get_peft_model(base, lora).save_pretrained(tmp_path / "adapter")
    adapted = LocalEngine(LocalSettings(str(made["llama"]), adapter=str(tmp_path / "adapter")))
    plain = LocalEngine(str(made["llama"]))
    with_, without = (e.answer([ASKED], ["yes", "no"])[0].values for e in (adapted, plain))
    assert with_ != pytest.approx(without, abs=1e-6)
    assert adapted.fingerprint != plain.fingerprint
    wide = make_tiny("llama", tmp_path / "wide", scale=2)
    with pytest.raises(InputInvalid, match="does not fit"):
        load(LocalSettings(str(wide), adapter=str(tmp_path / "adapter")))


@pytest.mark.parametrize(("layers", "whose"), [(2, "the adapter"), (4, "the model")])
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_an_adapter_of_a_deeper_or_a_shallower_base_is_refused(copy, made, tmp_path, layers, whose):
    peft = pytest.importorskip("peft")
    from transformers import AutoConfig, AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(made["llama"])
    lora = peft.LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")
    peft.get_peft_model(base, lora).save_pretrained(tmp_path / "adapter")
    other = copy("llama")
    config = AutoConfig.from_pretrained(other, num_hidden_layers=layers)
    AutoModelForCausalLM.from_config(config).save_pretrained(other)
    with pytest.raises(InputInvalid, match=rf"does not fit .*layers.* is only in {whose}"):
        load(LocalSettings(str(other), adapter=str(tmp_path / "adapter")))
