from __future__ import annotations

import os

import pytest

from ponder.index import Cache
from ponder.shelf import open_shelf

# A cluster of a test that was killed would wait for its drivers.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")


@pytest.fixture(scope="session")
def cluster():
    """A Ray cluster of three local nodes with one CPU each; this process is connected to it."""
    import ray
    from ray.cluster_utils import Cluster

    small = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    made = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
    for _ in range(2):
        made.add_node(**small)
    ray.init(address=made.address, logging_level="ERROR", log_to_driver=False)
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def opened(tmp_path):
    """Opens a shelf of this name, each with a cache of its own."""
    caches = []

    def open_it(name, models="fake", **options):
        caches.append(Cache(tmp_path / f"{name}-cache" / "cache.sqlite"))
        return open_shelf(tmp_path / name, models, cache=caches[-1], **options)

    yield open_it
    for each in caches:
        each.close()
