"""For every test: no deadlines, contract suites show their values, the lite models load once."""

import os
import sys
import urllib.request
import uuid
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


@pytest.fixture(scope="session")
def s3_log(tmp_path_factory):
    """The file into which the S3 server writes a line a request."""
    return tmp_path_factory.mktemp("s3") / "requests.log"


@pytest.fixture(scope="session")
def s3_url(s3_log):
    """The address of a real S3 server without a bucket."""
    from store_servers import s3_server

    with s3_server(s3_log) as url:
        yield url


@pytest.fixture
def bucket(s3_url, monkeypatch):
    """The URI of a new bucket, which the environment leads to."""
    name = f"b{uuid.uuid4().hex}"
    urllib.request.urlopen(urllib.request.Request(f"{s3_url}/{name}", method="PUT")).close()
    for key, value in {
        "AWS_ENDPOINT_URL": s3_url,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(key, value)
    return f"s3://{name}"


@pytest.fixture(scope="session")
def postgres_url():
    """The address of a real PostgreSQL with pgvector."""
    from store_servers import postgres_server

    with postgres_server() as url:
        yield url


@pytest.fixture
def pgvector(postgres_url):
    """Makes an index in PostgreSQL, with tables of its own unless named; all are closed at the end."""
    from ponder.index.pgvector import PgvectorIndex

    made = []

    def make(dim, name=None, **options):
        made.append(PgvectorIndex(postgres_url, name or f"t{uuid.uuid4().hex}", dim, **options))
        return made[-1]

    yield make
    for index in made:
        index.close()


@pytest.fixture(scope="session")
def qdrant_url():
    """The address of a server that speaks Qdrant's HTTP."""
    from store_servers import qdrant_stand_in

    with qdrant_stand_in() as url:
        yield url


@pytest.fixture
def qdrant(qdrant_url):
    """Makes an index in a collection of its own: in the client's local mode, or behind HTTP."""
    from qdrant_client import QdrantClient

    from ponder.index.qdrant import QdrantIndex
    from ponder.index.qdrant_points import connect

    made = []

    def make(dim, *, http=False, **options):
        client = connect(qdrant_url) if http else QdrantClient(":memory:")
        made.append(QdrantIndex(client, f"t{uuid.uuid4().hex}", dim, **options))
        return made[-1]

    yield make
    for index in made:
        index.close()
