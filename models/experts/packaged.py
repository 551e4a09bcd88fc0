"""Experts that come with Tristream, by name: of those that a user added the user answers."""

from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parent / "library"


@cache
def packaged() -> frozenset[str]:
    """Their names, without versions."""
    return frozenset(path.stem for path in LIBRARY.glob("*.toml"))
