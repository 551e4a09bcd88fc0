"""Describers: what writes a description from regions, measurements and passages. Knows nothing of Kafka.

Its modules are imported when they are asked for: who needs the settings of one loads no statements.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.describers.base import Describer as Describer
    from models.describers.composer import Composer as Composer
    from models.describers.settings import Serving as Serving
    from models.describers.triplet import make_triplet as make_triplet

_HOMES = {"Describer": "base", "Composer": "composer", "Serving": "settings", "make_triplet": "triplet"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
