"""For every test: no deadlines, contract suites show their values, the lite models load once."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# Processors of models that see clips want torchvision, and the build on PyPI does not go with a CPU torch:
# `make setup` puts it where only tests look, and the two operators it lacks are declared, never run.
_TORCHVISION = Path(sys.prefix) / "torchvision"
if _TORCHVISION.is_dir():
    import torch

    sys.path.append(str(_TORCHVISION))
    _OPERATORS = torch.library.Library("torchvision", "DEF")
    for _name in ("nms", "qnms"):
        _OPERATORS.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

# Haystack reports each pipeline's run to its makers unless told not to, before it is imported.
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "false"

pytest.register_assert_rewrite("ponder.testing.contracts")

# A machine that is busy is no reason to fail.
settings.register_profile("ponder", deadline=None)
settings.load_profile("ponder")


@pytest.fixture(scope="session")
def lite_models():
    """The real lite models, shared by all tests of a process: their weights load once."""
    from ponder.presets.lite import build

    return build()


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """From a family to the folder of its tiny model, made once a process and never written to."""
    from ponder.testing.tiny import make_tiny

    made = {}

    def give(family):
        if family not in made:
            made[family] = make_tiny(family, tmp_path_factory.mktemp("tiny") / family)
        return made[family]

    return give
