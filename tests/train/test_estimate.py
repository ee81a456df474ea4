"""``--dry-run``: its figures against what the models really hold."""

import pytest
import torch
from embedder_data import coloured_shapes, tiny_bert

from ponder.evaluate.beir import load_beir
from ponder.shelf.ingest import Ingest
from ponder.testing.fakes import FakeModels
from ponder.train.adapters import put_on
from ponder.train.base import Base, Ruler
from ponder.train.batching import plan
from ponder.train.collating import Collator
from ponder.train.estimate import estimate, shape_of
from ponder.train.evaluating import Overlay
from ponder.train.examples import examples_of
from ponder.train.prepared import Preparing
from ponder.train.settings import EmbedderSettings


def looked_at(tmp_path, base, **told):
    dataset = load_beir(coloured_shapes(tmp_path / "shapes"), split="train")
    ingest = Ingest(FakeModels(), Overlay(None))
    prepared = Preparing(ingest, Ruler(base), 4).of(
        [(dataset.name, examples_of(dataset).kept, dataset.items)], lambda done, total: None
    )
    settings = EmbedderSettings(**told)
    batches = plan(
        prepared.rows,
        prepared.costs,
        tokens=settings.batch_tokens,
        pairs=settings.batch,
        epochs=settings.epochs,
        seed=0,
    )
    return prepared, batches, settings, ingest


def reckon(base, prepared, batches, settings, *, lora, tflops=1.0):
    return estimate(prepared, batches, shape_of(base), settings, lora=lora, half=False, tflops=tflops)


@pytest.mark.parametrize("lora", [False, True])
def test_parameters_are_counted_without_weights(tmp_path, tiny_folder, lora):
    base = Base(str(tiny_folder("qwen3-vl")))
    prepared, batches, settings, _ = looked_at(tmp_path, base, batch=16)
    found = reckon(base, prepared, batches, settings, lora=lora)
    assert found.steps == 4
    model = base.embedder().model
    everything = sum(each.numel() for each in model.parameters())
    if lora:
        put_on(model, rank=16, alpha=64, seed=0)
    trained = sum(each.numel() for each in model.parameters() if each.requires_grad)
    assert found.trained == trained
    assert found.memory["weights"] == 4 * everything
    assert found.memory["training"] == 12 * trained


def saved_for_backward(model, features):
    """Bytes that autograd keeps of a forward pass, weights apart."""
    weights = {each.untyped_storage().data_ptr() for each in model.parameters()}
    kept, sizes = [], {}

    def pack(tensor):
        kept.append(tensor)  # alive, so that no place is given away twice
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model(features)
    return sum(sizes.values())


def test_activations_are_about_what_autograd_keeps(tmp_path):
    base = Base(str(tiny_bert(tmp_path / "bert")))
    prepared, batches, settings, ingest = looked_at(tmp_path, base, mini_tokens=1)
    found = reckon(base, prepared, batches, settings, lora=False)
    embedder = base.embedder()
    features = Collator(prepared, embedder, ingest)([{"row": n} for n in range(64)])["features"][1]
    tokens = features["input_ids"].numel()
    kept = saved_for_backward(embedder.model.train(), features)
    longest = max(prepared.costs.documents + prepared.costs.queries)
    assert kept / tokens == pytest.approx(found.memory["activations"] / longest, rel=0.5)


def test_checkpointing_saves_memory_and_costs_time_and_a_faster_device_less(tmp_path):
    base = Base(str(tiny_bert(tmp_path / "bert")))
    prepared, batches, settings, _ = looked_at(tmp_path, base)
    plain = reckon(base, prepared, batches, settings, lora=False)
    again = reckon(base, prepared, batches, EmbedderSettings(checkpointing=True), lora=False)
    assert again.memory["activations"] < plain.memory["activations"]
    assert again.seconds == pytest.approx(plain.seconds * 5 / 4)
    faster = reckon(base, prepared, batches, settings, lora=False, tflops=2.0)
    assert faster.seconds == pytest.approx(plain.seconds / 2)


@pytest.mark.parametrize("family", ["qwen3-vl", "internvl", "smolvlm", "llama"])
def test_every_family_has_a_shape(tiny_folder, family):
    shape = shape_of(Base(str(tiny_folder(family))))
    assert 0 < shape.language < shape.parameters
    assert (shape.eye > 0) == (family != "llama")
