"""How long a head learns: epochs within a number of steps, so that a large set takes no longer than a small one."""

# pyright: reportMissingImports=false
# torch is installed in .venv-llava only; tests/llava runs this.

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from models.experts.training.loop import Epoch
from models.experts.training.settings import Settings
from models.llava_tri.heads.pictures import Parts

TellEpoch: TypeAlias = Callable[[str, int], Callable[[Epoch], None]]
"""Is told which network learns for how many epochs at most, and gives what is told of each."""


def silent(_network: str, _epochs: int) -> Callable[[Epoch], None]:
    """Tells nobody."""
    return lambda _: None


def within(settings: Settings, parts: Parts, steps: int) -> Settings:
    """Settings with no more epochs than fit into so many steps; one epoch at least."""
    of_an_epoch = -(-len(parts.training) // settings.batch)
    return replace(settings, epochs=max(1, min(settings.epochs, steps // of_an_epoch)))
