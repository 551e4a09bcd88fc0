"""One real SGLang server for all tests of this folder, on CPU, with a tiny model; and one real Kafka."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.kafka.local import LocalKafka
from infra.processes import Processes
from infra.sglang.local import LocalSglang


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    """Child processes that end with the session."""
    children = Processes(grace_s=5)
    try:
        yield children
    finally:
        children.stop()


@pytest.fixture(scope="session")
def sglang(processes: Processes, tmp_path_factory: pytest.TempPathFactory) -> LocalSglang:
    """A server that is ready. TRISTREAM_TEST_SGLANG names the Python of its environment: see `make test-sglang`."""
    python = os.environ.get("TRISTREAM_TEST_SGLANG")
    if python is None:
        pytest.skip("make test-sglang runs these")
    server = LocalSglang(tmp_path_factory.mktemp("sglang"), Path(python))
    server.make_model(processes)
    server.start(processes)
    server.wait_ready(processes)
    return server


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a broker on a free port."""
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker.bootstrap
