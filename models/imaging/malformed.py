"""What a reading of a header can be beside a value. Knows nothing of how headers are read."""

from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class Malformed:
    """An attribute is there, and holds none of the values that it may have. Tells the attribute, never the value.

    Not to be taken for an absent one, for which the standard may have a default.
    """

    keyword: str
    empty: bool = False
    """Nothing stands in it: what the standard allows for Type 2, and means "unknown"."""


Value = TypeVar("Value")


def valid(value: Value | Malformed) -> Value | None:
    """The value; None where it is absent or malformed: for attributes of which either means that nothing is said."""
    return None if isinstance(value, Malformed) else value


Numbers = tuple[float, ...] | Malformed | None
"""See `Header.numbers`."""
