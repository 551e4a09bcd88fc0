"""One real Kafka for all integration tests, and for each test topics of its own on it."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.kafka.local import LocalKafka
from infra.processes import Processes
from infra.settings import Settings
from streams.settings import Wires
from streams.topics import create_topics


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a broker on a free port, started once a session."""
    folder: Path = tmp_path_factory.mktemp("kafka")
    with LocalKafka(folder) as broker:
        yield broker.bootstrap


@pytest.fixture
def settings(kafka: str, tmp_path: Path) -> Settings:
    """A pipeline of the test's own: its topics exist, nothing runs."""
    wires = Wires(
        bootstrap=kafka, prefix=f"t{uuid.uuid4().hex[:8]}.", partitions=4, state=tmp_path / "state", session_timeout=6.0
    )
    create_topics(wires)
    return Settings(wires=wires, key="0" * 64)


@pytest.fixture
def processes() -> Iterator[Processes]:
    """Child processes that end with the test."""
    children = Processes(grace_s=5)
    try:
        yield children
    finally:
        children.stop()
