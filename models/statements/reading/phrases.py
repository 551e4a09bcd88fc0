"""The phrases of a sentence and the regions named among them: what stands before and behind what. Claims nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from models.statements.claims import MOST
from models.statements.facts import Facts
from models.statements.reading.anaphora import referred
from models.statements.reading.atoms import Atom
from models.statements.reading.mentions import COMPARING, MOSTLY, OPPOSING, PREPOSITIONS, VERBS, Mention
from models.statements.table import table
from models.statements.tokens import words

_COPULAS = {
    "is", "are", "was", "were", "represents", "represent", "appears", "seems", "corresponds", "being", "be", "as",
    "called", "denoted",
}  # fmt: skip
_BETWEEN = {
    ",", "a", "an", "the", "its", "this", "these", "that", "and", "candidate", "marked", "annotated", "outlined",
    "same",
}  # fmt: skip
_ANY = {"region", "regions", "foci", "areas", "spots", "lesions", "findings"}
"""Words for regions of any kind."""
_ONES = {"one", "region", "area", "finding", "focus", "structure", "spot", "object"}
_NOUNS = {"spot", "area", "region", "focus", "patch", "zone", "field"}
"""Nouns that are names together with a word for a level."""
_EACH = {"all", "every", "each", "no", "none of", "neither of"}
_GROUPS = {"regions", "areas", "zones", "foci", "patches", "pockets", "spots"}
"""What is counted in place of a noun that has no plural: 'two regions of aerated lung'."""
_TISSUES = {"mucosa", "skin", "parenchyma", "tissue", "fat", "muscle", "bone"}
"""What lies around a finding and is none."""
_ALL = {"the", "all", "both", "these", "those", "each", "every", "its", "their"}
"""Words before a plural by which all of them are meant."""
_ATTRIBUTES = {"word", "level", "share", "place", "degree", "quantity", "spread", "rank", "sides"}


@dataclass
class Phrases:
    """One sentence, phrase by phrase. Places are indices of its atoms."""

    atoms: list[Atom]
    facts: Facts
    earlier: tuple[Mention, ...] = field(default=())
    """What the sentence before it named."""

    @cached_property
    def mentions(self) -> dict[int, Mention]:
        """By the place where they begin: "region r1", "the enhancing tumour r1", "an opacity (r7)", "the nodule"."""
        found: dict[int, Mention] = {}
        n = 0
        while n < len(self.atoms):
            atom = self.atoms[n]
            if atom.kind == "finding":
                ids, end = self.ids(n + 1, skip=True)
                name = atom.value
            elif atom.kind == "organ" and self.facts.named(" ".join(words(atom.value))):
                ids, end = self.ids(n + 1, skip=True)
                name = " ".join(words(atom.value))
            elif atom.kind == "ref":
                ids, end = self.ids(n, skip=False)
                name = ""
            elif atom.text in _NOUNS and (split := self._split_name(n)):
                ids, end = self.ids(n + 1, skip=True)
                name = split
            elif atom.text == "one" and found and n and self.atoms[n - 1].kind == "place":
                ids, end, name = (), n + 1, next(reversed(found.values())).name
            elif atom.text in _ANY and self._behind_all(n):
                ids, end, name = tuple(self.facts.regions), n + 1, ""
            elif (again := referred(self.atoms, n, (*self.earlier, *found.values()), self.facts)) is not None:
                found[n] = again
                n = again.end
                continue
            else:
                n += 1
                continue
            explicit = bool(ids) and atom.text not in _ANY
            several = len(ids) > 1 or (not ids and atom.several)
            regions = ids or self.facts.named(name, several=several)
            if not several and not explicit and len(regions) > 1:
                regions = self._on_its_side(n, regions)
            part = None if explicit else self._part(n)
            if part == 1 and not self._is_counted_exactly(n):
                several, part = False, None  # "One of the nodules is round" is true beside another round one.
            every = several and part is None and (bool(ids) or len(regions) == 1 or self._is_told_of(n))
            found[n] = Mention(tuple(regions), name, explicit, several, n, max(end, n + 1), every, part)
            n = max(end, n + 1)
        return found

    def _split_name(self, n: int) -> str:
        """A name whose words other adjectives part: 'dark, round spot' for 'dark spot'; '' for none."""
        noun = self.atoms[n].text
        for m in self._before(n):
            if self.atoms[m].kind == "level" and self.facts.named(name := f"{self.atoms[m].text} {noun}"):
                return name
        return ""

    def _on_its_side(self, n: int, regions: tuple[str, ...]) -> tuple[str, ...]:
        """Of regions that a noun fits, those on the side that an adjective before it names: 'the left lung field'."""
        sides = [atom.value[1] for m in self._before(n) for atom in [self.atoms[m]] if atom.text in ("left", "right")]
        if not sides:
            return regions
        axes = {
            one: axis.fraction
            for one in regions
            for place in [self.facts.region(one).place]
            if place is not None
            for axis in place.axes
            if axis.towards == "patient left"
        }
        there = tuple(one for one, fraction in axes.items() if (fraction > 0.5) == (sides[0] == "high"))
        return there or regions

    def _before(self, n: int) -> Iterator[int]:
        """Where words stand before a noun that belong to it, the nearest first."""
        for m in range(n - 1, max(-1, n - 8), -1):
            atom = self.atoms[m]
            if not (
                atom.kind in _ATTRIBUTES | {"how many", "numeral", "candidate", "marks"} or atom.text in _BETWEEN | _ALL
            ):
                return
            yield m

    def _is_told_of(self, n: int) -> bool:
        """Whether a plural here is of all: behind 'the', 'all', 'both', 'these', or a number."""
        for m in self._before(n):
            atom = self.atoms[m]
            if atom.text in _ALL or (atom.kind in ("how many", "quantity") and atom.value is not None):
                return True
        return False

    def _part(self, n: int) -> int | None:
        """Of how many of a plural: 'two of the five nodules'."""
        for m in (n, *self._before(n)):
            before = self.atoms[m - 1] if m else None
            if before is not None and before.text in MOSTLY and self.atoms[m].text in _ALL:
                return MOST
            if before is not None and before.text == "of" and m >= 2 and self.atoms[m].text in _ALL | {"regions"}:
                count = self.atoms[m - 2]
                if count.kind == "how many" and isinstance(count.value, int) and count.text != "both":
                    return count.value
        return None

    def _is_counted_exactly(self, n: int) -> bool:
        """Whether a part is told as 'only one of', which no other is, and not as 'one of'."""
        of = next(m - 1 for m in (n, *self._before(n)) if m and self.atoms[m - 1].text == "of")
        return self.atoms[of - 1].text != "one" or (of > 1 and self.atoms[of - 2].text in ("only", "just", "exactly"))

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
            return before is not None and before.text in _EACH
        return m > 1 and (self.atoms[m - 2].kind == "how many" or self.atoms[m - 2].text in _EACH)

    def _goes_on_with_an_id(self, n: int, start: int) -> bool:
        """Whether ids that begin at `start` go on here, and no new clause begins: 'r1 is above r2, and r3 is round'."""
        m = n + 1 if n < len(self.atoms) and self.atoms[n].text in (",", "and", "region") else n
        if m >= len(self.atoms) or self.atoms[m].kind != "ref":
            return False
        before = [atom.text.split(" ")[0] for atom in self.atoms[max(0, start - 3) : start]]
        if self.atoms[n - 1].text == "," and set(before) & (COMPARING | OPPOSING):
            return False  # "Compared with r2, r6 is smaller."
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

    def next_mention(self, n: int) -> Mention | None:
        """The mention that begins here, behind adjectives at most."""
        while n < len(self.atoms):
            if n in self.mentions:
                return self.mentions[n]
            atom = self.atoms[n]
            if (
                atom.kind in _ATTRIBUTES
                or atom.text in _BETWEEN
                or atom.kind in ("how many", "about", "unknown")
                or (atom.kind == "neutral" and atom.text not in PREPOSITIONS | VERBS)
            ):
                n += 1
            else:
                return None
        return None

    def counted(self, n: int) -> Mention | None:
        """The mention that a number here counts: behind adjectives, and the organ that its noun may stand behind."""
        m = n
        while m + 1 < len(self.atoms) and m not in self.mentions and self.atoms[m].kind in _ATTRIBUTES:
            m += 1
        if (
            self.atoms[min(m, len(self.atoms) - 1)].text in _GROUPS
            and m + 2 in self.mentions
            and self.atoms[m + 1].text == "of"
        ):
            return replace(self.mentions[m + 2], several=True)
        of_organ = m + 1 in self.mentions and m not in self.mentions and self.atoms[m].kind == "organ"
        return self.mentions[m + 1] if of_organ else self.next_mention(n)

    def is_any_noun(self, n: int) -> bool:
        """Whether a noun for regions of any kind stands here, behind adjectives at most: 'oval region', 'round one'."""
        while n < len(self.atoms) and n not in self.mentions and self.atoms[n].kind in _ATTRIBUTES:
            n += 1
        return n < len(self.atoms) and n not in self.mentions and self.atoms[n].text in _ONES

    def said_in(self, n: int) -> int | None:
        """Where the region begins that what ends here is said to be found in: '4.3 in r1'; None where none is."""
        if n >= len(self.atoms) or self.atoms[n].text not in ("in", "for", "at"):
            return None
        m = n + 2 if n + 1 < len(self.atoms) and self.atoms[n + 1].text in ("the", "region") else n + 1
        return m if m in self.mentions and self.mentions[m].explicit else None

    def mentioned_later(self, n: int) -> bool:
        """Whether a region is named further on."""
        return any(start > n for start in self.mentions)

    def mentioned_soon(self, n: int) -> bool:
        """Whether a region is named here, before the next verb."""
        for m in range(n, min(n + 8, len(self.atoms))):
            if m in self.mentions:
                return True
            if self.atoms[m].text in VERBS or self.atoms[m].text == ";" or self.atoms[m].kind in ("organ", "around"):
                return False
        return False

    def target(self, n: int, subject: Mention | None) -> Mention | None:
        """What the attribute that ends before n is said of: the noun it stands before, else the subject."""
        while n < len(self.atoms):
            if n in self.mentions:
                mention = self.mentions[n]
                of_subject = subject is not None and (
                    (self.behind_preposition(n) and not mention.explicit) or self._is_what(subject, mention)
                )
                return subject if of_subject else mention
            atom = self.atoms[n]
            if atom.text in (",", "and") and not (n + 1 < len(self.atoms) and self.atoms[n + 1].kind in _ATTRIBUTES):
                break
            if (
                atom.kind not in _ATTRIBUTES
                and atom.text not in _BETWEEN
                and not (
                    atom.kind == "neutral"
                    and atom.text in ("region", "area", "structure", "regions", "areas", "tissue")
                )
            ):
                break
            n += 1
        return subject

    def _is_what(self, subject: Mention, mention: Mention) -> bool:
        """Whether a mention says what the subject is: 'r1 is an oval nodule'."""
        return (
            bool(subject.regions)
            and self.behind_copula(mention.start, subject)
            and mention.name != ""
            and (not mention.explicit or mention.regions == subject.regions)
        )

    def stands_before_the_unknown(self, n: int) -> bool:
        """Whether it stands before a noun that nothing licenses, or another disease than the source's: 'white veil'."""
        m = n + 1
        while (
            m < len(self.atoms)
            and m not in self.mentions
            and (self.atoms[m].kind in _ATTRIBUTES or self.atoms[m].text == "and")
        ):
            m += 1
        if m >= len(self.atoms):
            return False
        atom = self.atoms[m]
        return atom.kind == "unknown" or (atom.kind == "disease" and atom.value != self.facts.metadata.disease)

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
                atom.kind in _ATTRIBUTES
                or atom.text in _BETWEEN
                or atom.kind in ("not", "no", "how many", "about", "unknown", "source")
                or atom.text in ("to", "most", "likely", "also", "therefore")
            ):
                return False
            n -= 1
            steps += 1
        return False

    def behind_preposition(self, n: int) -> bool:
        """Whether what begins here is where something lies, or what it is compared with."""
        n -= 1
        while n >= 0:
            atom = self.atoms[n]
            if atom.text in PREPOSITIONS or atom.text in ("around", "surrounding", "from", "against", "than"):
                return True
            if (
                atom.kind in _ATTRIBUTES
                or atom.text in _BETWEEN
                or atom.text in ("both", "'s", "patient", "other")
                or atom.kind == "how many"
            ):
                n -= 1
            else:
                return False
        return False

    def beside(self, m: int) -> bool:
        """Whether an organ here is named as what lies around: 'the lung around it', 'the surrounding brain'."""
        end = self.mentions[m].end if m in self.mentions else m + 1
        after = " ".join(atom.text for atom in self.atoms[end : end + 2])
        before = " ".join(atom.text for atom in self.atoms[max(0, m - 2) : m])
        return after.startswith(("around", "surrounding", "nearby", "beside", "next to")) or any(
            one in before for one in ("surround", "adjacent", "neighbouring")
        )

    def is_surroundings(self, mention: Mention) -> bool:
        """Whether it is a tissue that nothing outlines, named for what lies around: 'than the mucosa around it'."""
        after = " ".join(atom.text for atom in self.atoms[mention.end : mention.end + 2])
        return (
            not mention.regions
            and mention.name in _TISSUES
            and (after in ("around it", "surrounding it", "around them", "beside it") or self.beside(mention.start))
            and (self.behind_preposition(mention.start) or self._is_compared(mention.start))
        )

    def _is_compared(self, n: int) -> bool:
        """Whether what begins here is what something is compared with: 'as bright as the mucosa'."""
        before = [atom.text for atom in self.atoms[max(0, n - 2) : n] if atom.text not in ("the", "its")]
        return bool(before) and before[-1].split(" ")[-1] in ("as", "to", "with")

    @cached_property
    def withins(self) -> frozenset[str]:
        """Names of what the regions of the image lie within."""
        return frozenset(region.place.within for _, region in self.facts.regions.values() if region.place)

    def whole(self, n: int) -> tuple[str, int | None]:
        """Of what a share is that ends before n: 'image', or the name of what it lies within, and where it stands."""
        for m in range(n, min(n + 5, len(self.atoms))):
            atom = self.atoms[m]
            if atom.text in table().placing.shown:
                return "image", None
            if atom.kind == "organ":
                return str(atom.value), m
            if any(atom.text.removesuffix("s") == within.removesuffix("s") for within in self.withins):
                return atom.text, m
            if atom.text not in ("of", "the", "whole", "entire", "patient", "'s", "total", "area", "this"):
                break
        return "", None
