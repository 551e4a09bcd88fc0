"""The starter corpus, indexed once a session."""

from pathlib import Path

import pytest

from models.knowledge import STARTER_CORPUS, EmbeddedKnowledge, build, open_embedded


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedKnowledge:
    """The embedded store over the starter corpus."""
    folder: Path = tmp_path_factory.mktemp("knowledge")
    return open_embedded(build(STARTER_CORPUS, folder))
