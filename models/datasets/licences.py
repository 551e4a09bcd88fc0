"""Which licences a data set may be made of. What is not known to permit is not permitted."""

import re
from collections.abc import Iterable

_CC_VERSION = r"(-[1-4]\.[05](-(AT|AU|DE|FR|IGO|JP|NL|UK|US))?)?"
_COMMERCIAL = re.compile(
    rf"CC0(-1\.0)?|CC-BY(-SA)?{_CC_VERSION}|PDDL(-1\.0)?|ODC-By(-1\.0)?|CDLA-Permissive-[12]\.0|MIT(-0)?|Apache-[12]\.[01]|"
    r"BSD-[23]-Clause|0BSD|Unlicense",
    re.IGNORECASE,
)
"""SPDX identifiers, whole: with more words behind it is another licence (CC-BY-NonCommercial, MIT-research-only)."""
_RESEARCH = re.compile(
    rf"CC-BY-(NC(-SA|-ND)?|ND){_CC_VERSION}|research( and education)?(, (on request: )?https?://\S+)?", re.IGNORECASE
)
WORDS = ("permissive", "research")


def permits_of(licence: str) -> str:
    """commercial, research or unknown, by an SPDX identifier, or terms that are the word research and their address."""
    text = licence.strip()
    if _COMMERCIAL.fullmatch(text):
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
        if licence in self.chosen and licence not in WORDS:
            return True
        found = permits or permits_of(licence)
        return (found == "commercial" and not {*WORDS}.isdisjoint(self.chosen)) or (
            found == "research" and "research" in self.chosen
        )
