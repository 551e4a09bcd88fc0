"""Which objects are taken, by patterns of their paths; and what is passed by, and why. Knows no bucket."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, Self

from streams.buckets.companions import goes_along, hidden_in, is_sidecar

Reason = Literal["goes along", "hidden", "companion", "left out"]
"""Why a file is no object: it lies beside images by its name; its name begins with a dot, or that of a folder that it
lies in; it describes one; the patterns leave it out. A hidden folder counts once: nobody looks what lies in it."""
Tally = Callable[[Mapping[Reason, int]], object]
"""Is told how many files were passed by."""

_WORDS: dict[Reason, str] = {
    "goes along": "that go along with images",
    "hidden": "hidden (names that begin with a dot; a folder counts once)",
    "companion": "that describe others (sidecars, masks, annotations)",
    "left out": "left out by --include or --exclude",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Objects whose path below the bucket, or the folder that was named, matches. Others are as if they were not there.

    In a pattern `*` stands for any characters, `/` among them, `?` for one, and `[…]` for one of some. One without `/`
    is held against the name alone. Companions are not selected: they go with their object.

    Args:
        include: patterns of which one must match; none: all are taken.
        exclude: patterns of which none may match.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @classmethod
    def parse(cls, include: str, exclude: str) -> Self:
        """From patterns that are separated by commas."""
        return cls(*(tuple(filter(None, map(str.strip, text.split(",")))) for text in (include, exclude)))

    def takes(self, below: str) -> bool:
        """Whether the object at a path is taken; its parts are separated by `/`."""
        if self.include and not any(_matches(below, pattern) for pattern in self.include):
            return False
        return not any(_matches(below, pattern) for pattern in self.exclude)


EVERYTHING = Selection()


def _matches(below: str, pattern: str) -> bool:
    return fnmatchcase(below if "/" in pattern else below.rpartition("/")[2], pattern.removeprefix("/"))


def reason_by_name(below: str) -> Reason | None:
    """Why a path is no object, as far as its name tells."""
    if goes_along(below):
        return "goes along"
    return "hidden" if hidden_in(below) else "companion" if is_sidecar(below) else None


def told(passed: Mapping[Reason, int]) -> str:
    """What was passed by, for a person; empty: nothing."""
    total = sum(passed.values())
    kinds = ", ".join(f"{passed[reason]} {words}" for reason, words in _WORDS.items() if passed.get(reason))
    return f"{total} {'file' if total == 1 else 'files'} passed by: {kinds}" if total else ""


def by_reason(passed: Mapping[Reason, int]) -> dict[Reason, int]:
    """The same with every reason in it."""
    return {reason: passed.get(reason, 0) for reason in _WORDS}
