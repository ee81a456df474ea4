"""What mteb wants to know about a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ponder.evaluate.mteb.rows import need_mteb
from ponder.evaluate.run_folder import fingerprints
from ponder.protocols import Models


def meta_of(models: Models, told: Mapping[str, Any]) -> Any:
    """Mteb's record of a set of models.

    Its revision is a hash over their fingerprints and how they are run: mteb keeps results by name and
    revision, and another budget is another system.

    Args:
        models: The set.
        told: How they are run.
    """
    need_mteb()
    from mteb.models.model_meta import ModelMeta

    known = json.dumps({"models": fingerprints(models), **told}, sort_keys=True, default=str)
    suffix = "".join(f"-{key}-{value}" for key, value in told.items() if key == "budget")
    return ModelMeta(
        loader=None,
        name=f"ponder/{models.name.replace('/', '_')}{suffix}",
        revision=hashlib.sha256(known.encode()).hexdigest()[:12],
        release_date=None,
        languages=None,
        n_parameters=None,
        memory_usage_mb=None,
        max_tokens=None,
        embed_dim=models.embedder.dim,
        license=None,
        open_weights=None,
        public_training_code=None,
        public_training_data=None,
        framework=[],
        similarity_fn_name="dot",  # type: ignore[arg-type]
        use_instructions=True,
        training_datasets=None,
        modalities=["text", "image"],
    )
