"""What a plan is. Knows nothing of what is planned."""

from collections.abc import Callable

from models.statements.voice import Voice
from models.statements.writing import Piece

Plan = Callable[[Voice], Piece | None]
"""A sentence without capital and full stop, in the wording that a voice chooses; None: there is nothing to say."""


def fill(pattern: str, **slots: str) -> str:
    """A pattern with its slots filled: '<np> is seen <p>'."""
    for slot, text in slots.items():
        pattern = pattern.replace(f"<{slot}>", text)
    return pattern
