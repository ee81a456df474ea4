"""The engines, their weights and the registry of presets."""

import os

# torch's threads otherwise spin while ONNX Runtime's work, and the other way round: on two busy cores a
# picture then took seven times as long (docs/log.md). Must be set before torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
