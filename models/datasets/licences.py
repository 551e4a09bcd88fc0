"""Which licences a data set may be made of. What is not known to permit is not permitted."""

import re
from collections.abc import Iterable

_COMMERCIAL = re.compile(
    r"(CC0|PDDL|CC-BY|CC-BY-SA|MIT|Apache|BSD|ODC-By|Unlicense|0BSD|CDLA-Permissive)(-[0-9A-Za-z.-]*)?", re.IGNORECASE
)
_RESEARCH = re.compile(r"CC-BY-(NC|NC-SA|NC-ND|ND)(-[0-9.]+)?|research\b.*", re.IGNORECASE)
_RESTRICTED = re.compile(r"-(NC|ND)\b", re.IGNORECASE)
WORDS = ("permissive", "research")


def permits_of(licence: str) -> str:
    """commercial, research or unknown, by an SPDX identifier, or terms that begin with the word research."""
    text = licence.strip()
    if _COMMERCIAL.fullmatch(text) and not _RESTRICTED.search(text):
        return "commercial"
    return "research" if _RESEARCH.fullmatch(text) else "unknown"


class Licences:
    """The licences that are permitted.

    Args:
        chosen: `permissive` (commercial use too), `research` (that, and what permits research), or licences as
            they are written. Empty: all, also unknown ones.
    """

    def __init__(self, chosen: Iterable[str] = ()) -> None:
        self.chosen = tuple(chosen)

    def permit(self, licence: str | None, permits: str | None = None) -> bool:
        """Whether images under a licence may be taken.

        Args:
            licence: as the source names it; None: it names none.
            permits: what a table says of it, instead of what its name tells.
        """
        if not self.chosen:
            return True
        if licence is None:
            return False
        if licence in self.chosen:
            return True
        found = permits or permits_of(licence)
        return (found == "commercial" and not {*WORDS}.isdisjoint(self.chosen)) or (
            found == "research" and "research" in self.chosen
        )
