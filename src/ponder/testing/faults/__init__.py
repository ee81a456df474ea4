"""Faults to try a part with: damaged and hostile files, models that give garbage, processes that are killed.

All are seeded: the same seed makes the same fault.
"""

from ponder.testing.faults.damage import damage_file, damaged
from ponder.testing.faults.garbage import Garbage, garbage_models
from ponder.testing.faults.hostile import hostile_files
from ponder.testing.faults.killing import Killing
from ponder.testing.faults.samples import sample_media

__all__ = ["Garbage", "Killing", "damage_file", "damaged", "garbage_models", "hostile_files", "sample_media"]
