"""Servers that tests of several rooms run on, each started once a session."""

import os
import signal
from collections.abc import Iterator

import pytest

from infra.processes import Processes
from infra.servers import WEAVIATE
from infra.weaviate import NAME, LocalWeaviate


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for servers and processes comes first: among several workers, none of it is left to the last alone."""
    items.sort(key=lambda item: not {"integration", "fuzz", "chaos"} & {parent.name for parent in item.listchain()})


class RunningWeaviate:
    """A server that a test may stop, as long as it starts it again."""

    def __init__(self, local: LocalWeaviate, processes: Processes) -> None:
        self._local, self._processes = local, processes
        self.server = local.server

    def start(self) -> None:
        self._local.start(self._processes)

    def kill(self) -> None:
        os.kill(self._processes.pids[NAME], signal.SIGKILL)
        self._local.stop(self._processes)


@pytest.fixture(scope="session")
def weaviate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWeaviate]:
    """A Weaviate on free ports that asks for an API key."""
    if not WEAVIATE.binary().exists() and not os.environ.get("CI"):
        pytest.skip("Weaviate is not there: run 'make servers'")
    processes = Processes(grace_s=5)
    running = RunningWeaviate(LocalWeaviate(tmp_path_factory.mktemp("weaviate"), api_key="a key of tests"), processes)
    try:
        running.start()
        yield running
    finally:
        processes.stop()
