"""What belongs to a noun in a sentence: the words before it, the ids behind it, the verb that it stands behind."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from models.statements.facts import Facts
from models.statements.reading.atoms import Atom
from models.statements.reading.mentions import ALL, COMPARING, MOSTLY, OPPOSING, VERBS, Mention

_COPULAS = {
    "is", "are", "was", "were", "represents", "represent", "appears", "seems", "corresponds", "being", "be", "as",
    "called", "denoted",
}  # fmt: skip
BETWEEN = {
    ",", "a", "an", "the", "its", "this", "these", "that", "and", "candidate", "marked", "annotated", "outlined",
    "same",
}  # fmt: skip
NTH = {"third", "fourth", "fifth"}
_SOME = {"some", "several", "many", "a few", "few", "various", "a number"}
_EACH = {"all", "every", "each", "no", "none of", "neither of"}
ATTRIBUTES = {
    "word",
    "level",
    "share",
    "place",
    "degree",
    "quantity",
    "spread",
    "crowding",
    "gradient",
    "rank",
    "sides",
}


@dataclass
class Spans:
    """One sentence, phrase by phrase. Places are indices of its atoms."""

    atoms: list[Atom]
    facts: Facts
    earlier: tuple[Mention, ...] = field(default=())
    """What the sentence before it named."""
    frame: str = ""
    """Of what the last place was by which a region was told from others: "shown" or "patient"."""

    def _before(self, n: int) -> Iterator[int]:
        """Where words stand before a noun that belong to it, the nearest first."""
        for m in range(n - 1, max(-1, n - 8), -1):
            atom = self.atoms[m]
            if not (
                atom.kind in ATTRIBUTES | {"how many", "numeral", "candidate", "marks", "ordinal"}
                or atom.text in BETWEEN | ALL | NTH | {"sided"}
            ):
                return
            yield m

    def _is_told_of(self, n: int) -> bool:
        """Whether a plural here is of all: behind 'the', 'all', 'both', 'these', or a number."""
        for m in self._before(n):
            atom = self.atoms[m]
            if m > 1 and self.atoms[m - 1].text == "of" and self.atoms[m - 2].text in _SOME:
                return False
            if atom.text in ALL or (atom.kind in ("how many", "quantity") and atom.value is not None):
                return True
        return False

    def ids(self, n: int, *, skip: bool) -> tuple[tuple[str, ...], int]:
        """Ids from here on, joined by commas and 'and', and where they end; past an opening bracket where `skip`."""
        ids: list[str] = []
        start = end = n
        apposed = skip and n < len(self.atoms) and self.atoms[n].text == ","
        while n < len(self.atoms):
            atom = self.atoms[n]
            if atom.kind == "ref":
                ids.append(atom.value)
                n += 1
                end = n
            elif (skip and not ids and atom.text in ("(", ",", "region", "regions")) or (
                ids and atom.text in (",", "and", "region", ")") and self._goes_on_with_an_id(n + 1, start)
            ):
                n += 1
            else:
                break
        if not ids or (apposed and end < len(self.atoms) and self.atoms[end].text not in (",", ";", ":", ")")):
            return (), start
        if end < len(self.atoms) and self.atoms[end].text == ")":
            end += 1
        return tuple(ids), end

    def _behind_all(self, n: int) -> bool:
        """Whether all regions of the image are meant: 'all three regions', 'each region', 'two of the three foci'."""
        m, counted = n, None
        while m and (self.atoms[m - 1].kind == "how many" or self.atoms[m - 1].text in ("the", "outlined", "these")):
            m -= 1
            counted = self.atoms[m].value if self.atoms[m].kind == "how many" else counted
        if self.atoms[m].text == "both":
            return len(self.facts.regions) == 2
        if counted is not None and counted != len(self.facts.regions):
            return False
        before = self.atoms[m - 1] if m else None
        if before is None or before.text != "of":
            return before is not None and before.text in _EACH | MOSTLY
        return m > 1 and (self.atoms[m - 2].kind in ("how many", "quantity") or self.atoms[m - 2].text in _EACH)

    def _goes_on_with_an_id(self, n: int, start: int) -> bool:
        """Whether ids that begin at `start` go on here, and no new clause begins: 'r1 is above r2, and r3 is round'."""
        m = n + 1 if n < len(self.atoms) and self.atoms[n].text in (",", "and", "region") else n
        if m >= len(self.atoms) or self.atoms[m].kind != "ref":
            return False
        before = [atom.text.split(" ")[0] for atom in self.atoms[max(0, start - 3) : start]]
        than = any(atom.text.endswith("than") for atom in self.atoms[max(0, start - 2) : start])
        if self.atoms[n - 1].text == "," and (than or set(before) & (COMPARING | OPPOSING)):
            return False  # "Compared with r2, r6 is smaller", "smaller than r2, r6 is round."
        follows = self.atoms[m + 1] if m + 1 < len(self.atoms) else None
        verb_follows = follows is not None and (follows.text.split(" ")[0] in VERBS or follows.kind == "relation")
        return not (verb_follows and self._behind_verb(start))

    def _behind_verb(self, n: int) -> bool:
        """Whether a verb stands before it in its clause."""
        for atom in reversed(self.atoms[:n]):
            if atom.text in (",", ";", "but", "while", "whereas"):
                return False
            if atom.text.split(" ")[0] in VERBS or atom.kind == "relation":
                return True
        return False

    def behind_copula(self, n: int, subject: Mention | None) -> bool:
        """Whether what begins here is said to be what the subject is."""
        n -= 1
        steps = 0
        while n >= 0 and steps < 12:
            atom = self.atoms[n]
            if atom.text in _COPULAS:
                return not (n and self.atoms[n - 1].text == "there")
            if atom.text == "," and subject is not None and n == subject.end and subject.explicit and not subject.name:
                return True
            if n < (subject.end if subject else 0):
                return False
            if not (
                atom.kind in ATTRIBUTES
                or atom.text in BETWEEN
                or atom.kind in ("not", "no", "how many", "about", "unknown", "source")
                or atom.text in ("to", "most", "likely", "also", "therefore")
            ):
                return False
            n -= 1
            steps += 1
        return False

    def _before_those(self, n: int) -> Iterator[int]:
        """Where 'the' stands before a number and a noun: 'the larger of the two foci'."""
        first = min(self._before(n), default=n)
        return iter((first - 1,) if first else ())
