"""The rooms have plain names; a dependency with a top-level package of the same name would shadow them."""

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

import pytest

REPOSITORY = Path(__file__).parents[2]
ROOMS = {"schemas", "streams", "models", "agents", "infra", "tests"}


def locked() -> set[str]:
    """Names of all distributions in requirements/*.lock."""
    pins = (re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*\])?==", lock.read_text(), re.MULTILINE) for lock in LOCKS)
    return {name for names in pins for name in names}


def top_level(installed: Distribution) -> set[str]:
    """First parts of the paths of importable files that a distribution installs."""
    paths = [PurePosixPath(str(path)) for path in installed.files or ()]
    return {path.parts[0].removesuffix(".py") for path in paths if path.suffix in {".py", ".pyi", ".so", ".pyd"}}


LOCKS = sorted((REPOSITORY / "requirements").glob("*.lock"))


def test_there_are_locks() -> None:
    """The names are really read from the locks."""
    assert {"faust-streaming", "pytest", "pydicom"} <= locked()


@pytest.mark.parametrize("name", sorted(locked()))
def test_no_dependency_shadows_a_room(name: str) -> None:
    """No locked distribution installs a room's name.

    Covers the distributions that are installed here, by the file lists they were installed with. One that is locked for
    another environment only (GPU, export, another system) is checked where it is installed, and skipped here.
    """
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        pytest.skip("not installed here")
    assert not top_level(installed) & ROOMS


def test_the_check_can_fail() -> None:
    """This application, if it were a dependency, would be refused."""

    class Shadowing(Distribution):
        def read_text(self, filename: str) -> str | None:
            return "agents/__init__.py,,\nother/models/x.py,,\n" if filename == "RECORD" else None

        def locate_file(self, path: object) -> Path:
            return Path(str(path))

    assert top_level(Shadowing()) & ROOMS == {"agents"}
