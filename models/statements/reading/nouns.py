"""The regions that a sentence names: by id, by noun, or by words for what was named before. Claims nothing."""

from collections.abc import Callable
from functools import cached_property

from models.statements.measures import regions_by
from models.statements.reading import parts, where
from models.statements.reading.anaphora import referred
from models.statements.reading.counterparts import counterpart
from models.statements.reading.mentions import ALL, ANY_ONE, PREPOSITIONS, VERBS, Mention
from models.statements.reading.spans import ATTRIBUTES, Spans
from models.statements.table import table
from models.statements.tokens import PLACE_NOUNS, words

_NOUNS = {*PLACE_NOUNS, "field"}
"""Nouns that are names together with a word for a level."""
_GENERIC_PLURALS = {"spots", "areas", "regions", "foci", "patches", "zones"}
_BARE = {"region", "area", "focus", "spot"}
_KIND_NOUNS = {"spot", "focus", "patch"}
"""Nouns that few labels have: where one does, they are of it alone."""
_SINGULARS = {"spots": "spot", "foci": "focus", "patches": "patch"}
_PLACED = {"on", "at", "in", "to", "shown", "displayed", "lying", "located", "situated"}
"""Words before the place by which one of several is told: 'than the one shown on the right'."""
_SIZED: dict[str, Callable[..., str]] = {
    "larger": max, "bigger": max, "largest": max, "biggest": max, "smaller": min, "smallest": min,
}  # fmt: skip


_HIGH, _LOW = {"upper", "higher"}, {"lower"}


def _is_such(name: str, noun: str) -> bool:
    return name.endswith(f" {noun}") or name.startswith(f"{noun} of ")


class Nouns(Spans):
    """The mentions of one sentence, by the phrases that name regions."""

    @cached_property
    def mentions(self) -> dict[int, Mention]:
        """By the place where they begin: "region r1", "the enhancing tumour r1", "an opacity (r7)", "the nodule"."""
        found: dict[int, Mention] = {}
        n = 0
        while n < len(self.atoms):
            atom = self.atoms[n]
            if self._is_a_size(n):
                n += 1
                continue
            if (any_one := None if found else self._any_one(n)) is not None:
                found[n] = any_one
                n += 1
                continue
            if atom.kind == "finding":
                ids, end = self.ids(n + 1, skip=True)
                if atom.several and len(ids) == 1 and self._stands_behind_of(n):
                    ids, end = (), n + 1  # "Of the four foci r2 is the largest."
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
            elif atom.text == "one" and found and n and self._is_sided(n):
                ids, end, name = (), n + 1, next(reversed(found.values())).name
            elif (alike := self._such_a_one(n, found)) is not None:
                found[n] = alike
                n += 1
                continue
            elif (marked := self._the_marked(n)) is not None:
                ids, end, name = (marked,), n + 1, ""
            elif (alike := self._the_one(n, found)) is not None:
                ids, end, name = (), n + 1, alike
            elif (kind := self._only_kind(n)) is not None:
                ids, end, name = (), n + 1, kind
            elif atom.text in ANY_ONE and (self._behind_all(n) or parts.counted_of_all(self.atoms, n) is not None):
                ids, end, name = tuple(self.facts.regions), n + 1, ""
            elif (two := (*self.earlier, *found.values())) and (
                (other := counterpart(self.atoms, n, two, self.facts)) is not None
            ):
                found[n] = other
                n = other.end
                continue
            elif (again := referred(self.atoms, n, (*self.earlier, *found.values()), self.facts)) is not None:
                found[n] = again
                n = again.end
                continue
            else:
                n += 1
                continue
            explicit = bool(ids) and atom.text not in ANY_ONE
            plural = not ids and name != "" and end < len(self.atoms) and self.atoms[end].text in _GENERIC_PLURALS
            end += plural  # "Glare spots".
            several = len(ids) > 1 or plural or (not ids and (atom.several or atom.text in _GENERIC_PLURALS))
            regions = ids or self.facts.named(name, several=several)
            if not several and not explicit and len(regions) > 1:
                regions = self._on_its_side(n, regions)
            if not several and not explicit and len(regions) > 1 and (there := self._where(n, end, regions)):
                regions, end, self.frame = (there.region_id,), max(end, there.end), there.frame
            regions = regions if explicit else self._as_marked(end, regions)
            before = list(self._before(n))
            if not explicit and len(regions) > 1 and (one := self._ranked(n, regions)) is not None:
                regions, several = (one,), False
            several |= len(regions) > 1 and any(self.atoms[m].text in ("each", "every") for m in before)
            part = None if explicit else parts.part(self.atoms, n, before, len(regions))
            if part == 1 and not parts.is_counted_exactly(self.atoms, n, before):
                several, part = False, None  # "One of the nodules is round" is true beside another round one.
            every = several and part is None and (bool(ids) or len(regions) == 1 or self._is_told_of(n))
            found[n] = Mention(tuple(regions), name, explicit, several, n, max(end, n + 1), every, part)
            n = max(end, n + 1)
        return found

    def _is_a_size(self, n: int) -> bool:
        """Whether 'area' is how large something is: '84 % of the area of r2'."""
        m = n + 2
        if self.atoms[n].text != "area" or [atom.text for atom in self.atoms[n - 1 : n + 2 : 2]] != ["the", "of"]:
            return False
        while m < len(self.atoms) and self.atoms[m].text in ("the", "region", "outlined", "marked"):
            m += 1
        return m < len(self.atoms) and self.atoms[m].kind in ("ref", "finding")

    def _stands_behind_of(self, n: int) -> bool:
        first = min(self._before(n), default=n)
        return first > 0 and self.atoms[first - 1].text in ("of", "among")

    def _where(self, n: int, end: int, regions: tuple[str, ...]) -> where.Where | None:
        """Which of several 'the' stands for, by the place behind or before it."""
        first = min(self._before(n), default=n)
        definite = self.atoms[first].text == "the" or self.atoms[n].text == "that"
        if not definite and not (n and self.atoms[n - 1].text == "the"):
            return None
        found = where.behind(self.atoms, max(end, n + 1), regions, self.facts, self.frame)
        return found or where.before(self.atoms, n, regions, self.facts)

    def _is_sided(self, n: int) -> bool:
        """Whether a side stands before it: 'the left one', 'the left-sided one'."""
        before = self.atoms[n - 2] if n > 1 and self.atoms[n - 1].text == "sided" else self.atoms[n - 1]
        return before.kind == "place"

    def _such_a_one(self, n: int, found: dict[int, Mention]) -> Mention | None:
        """'Three foci: a large irregular one, a round one on the left': one of what was named last in the plural."""
        last = next(reversed(found.values()), None)
        before = list(self._before(n))
        described = any(self.atoms[m].kind in ("word", "level", "share") for m in before)
        article = next((self.atoms[m].text for m in before if self.atoms[m].kind not in ATTRIBUTES), "") in ("a", "an")
        if self.atoms[n].text != "one" or last is None or not (described and article):
            return None
        if not last.name or last.explicit or len(last.regions) < 2:
            return None
        return Mention(last.regions, last.name, False, False, n, n + 1)

    def _the_marked(self, n: int) -> str | None:
        """What 'the spot' is, before a verb: the one finding that the source marks."""
        if self.atoms[n].text not in _NOUNS or not n or self.atoms[n - 1].text not in ("the", "this"):
            return None
        if n + 1 >= len(self.atoms) or self.atoms[n + 1].text.split(" ")[0] not in VERBS | {"takes", "makes", "fills"}:
            return None
        interest = self.facts.named("region of interest")
        return interest[0] if len(interest) == 1 else None

    def _the_one(self, n: int, found: dict[int, Mention]) -> str | None:
        """What 'the one on the left' is one of: what was named last in the plural or of two."""
        follows = self.atoms[n + 1].text if n + 1 < len(self.atoms) else ""
        the_one = (
            self.atoms[n].text == "one" and n and self.atoms[n - 1].text == "the" and follows not in ("", "of", ",")
        )
        compared = self.atoms[n].text == "that" and n and self.atoms[n - 1].text.split(" ")[-1] in ("than", "as", "to")
        if not the_one and not (compared and follows in ("on", "at", "in", "to")):
            return None
        named = [*self.earlier, *found.values()]
        last = named[-1] if named else None
        if last is None or not last.name or last.explicit:
            return None
        placed = follows in _PLACED and len(self.facts.named(last.name)) > 1
        return last.name if len(last.regions) > 1 or placed else None

    def _any_one(self, n: int) -> Mention | None:
        """A noun for regions of any kind, spoken of by how it looks: 'a dark, irregular patch', 'the largest focus'.

        Where all that is outlined is of one kind it is that which is meant; else it can be any, and one that is not
        outlined.
        """
        text, before = self.atoms[n].text, list(self._before(n))
        several = text in _GENERIC_PLURALS
        follows = self.atoms[n + 1] if n + 1 < len(self.atoms) else None
        described = any(self.atoms[m].kind in ("word", "level", "rank") for m in before) or (
            follows is not None and follows.kind == "word" and follows.text.startswith("of ")
        )
        counted = several and n > 0 and self.atoms[n - 1].kind == "how many"
        counted = counted and (n < 2 or self.atoms[n - 2].text not in ALL)
        if (
            len(self.facts.regions) < 2
            or not (several or text in _NOUNS)
            or not (described or (counted and len({one.label for _, one in self.facts.regions.values()}) == 1))
            or self.facts.named(text)
            or (follows is not None and (follows.text == "of" or follows.kind in ("ref", "unknown")))
            or self.behind_copula(n, None)
        ):
            return None
        kinds = {region.label for _, region in self.facts.regions.values()}
        regions = tuple(self.facts.regions)
        if len(kinds) == 1:
            every = several and self._is_told_of(n)
            return Mention(regions, " ".join(words(kinds.pop())), False, several, n, n + 1, every)
        article = self.atoms[min(before, default=n)].text in ("a", "an", "the")
        # "The largest region" is one that is outlined.
        loose = not any(self.atoms[m].kind == "rank" for m in before)
        return Mention(regions, "", False, False, n, n + 1, loose=loose) if article and not several else None

    def _only_kind(self, n: int) -> str | None:
        """What 'the two foci' are, 'the focus on the left': the one label that has such a noun, and so many regions."""
        single = _SINGULARS.get(self.atoms[n].text, self.atoms[n].text)
        if single not in _KIND_NOUNS or self.facts.named(single) or not n:
            return None
        if n + 1 < len(self.atoms) and (self.atoms[n + 1].text == "of" or self.atoms[n + 1].kind in ("ref", "unknown")):
            return None
        before = {self.atoms[m].text for m in (n - 1, *self._before(n), *self._before_those(n))}
        if n > 1 and self.atoms[n - 1].kind == "compared":
            before.add(self.atoms[n - 2].text)  # "The larger focus."
        counts = [self.atoms[m].value for m in self._before(n) if self.atoms[m].kind == "how many"]
        if not before & {"the", "both", "these", "those", "each"}:
            return None
        kinds: dict[str, int] = {}
        for region_id, (_, region) in self.facts.regions.items():
            if set(words(region.label)) & _BARE and any(_is_such(name, single) for name in self.facts.names[region_id]):
                kinds[region.label] = kinds.get(region.label, 0) + 1
        if len(kinds) != 1 or any(count != kinds[label] for label in kinds for count in counts if count is not None):
            return None
        return " ".join(words(next(iter(kinds))))

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
            return self._upper_or_lower(n, regions)
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

    def tells_which(self, n: int, noun: int) -> bool:
        """Whether 'upper' or 'lower' tells which of two alike stands behind it, by the display."""
        of = self.mentions[noun]
        alike = len(of.regions) == 1 and not of.explicit and len(self.facts.named(of.name)) == 2
        return alike and self.atoms[n].text in _HIGH | _LOW and self.facts.metadata.orientation is None

    def _upper_or_lower(self, n: int, regions: tuple[str, ...]) -> tuple[str, ...]:
        """Of two, the one that 'the upper one' is, where nothing but the display tells which that is."""
        ends = [self.atoms[m].text for m in self._before(n) if self.atoms[m].text in _HIGH | _LOW]
        if len(ends) != 1 or len(regions) != 2 or self.facts.metadata.orientation is not None:
            return regions
        first, second = sorted(regions, key=lambda one: self.facts.region(one).centroid[1])
        return (first if ends[0] in _HIGH else second,)

    def _ranked(self, n: int, regions: tuple[str, ...]) -> str | None:
        """Which of several stands behind a preposition by its size: 'in the smaller of the two lung fields'."""
        m = n - 1
        while m > 1 and (self.atoms[m].text in ("the", "two", "outlined") or self.atoms[m].kind == "how many"):
            m -= 1
        word = self.atoms[m].text.removesuffix(" of") if m > 1 else ""
        if word not in _SIZED or self.atoms[m - 1].text != "the":
            return None
        before = self.atoms[m - 2]
        compared = before.kind == "ratio" or (before.kind == "relation" and before.value[0] == "larger than")
        if before.text not in PREPOSITIONS and not compared:
            return None
        if word.endswith("er") and len(regions) != 2:
            return None
        return _SIZED[word](regions, key=lambda one: self.facts.region(one).area_px)

    def _as_marked(self, end: int, regions: tuple[str, ...]) -> tuple[str, ...]:
        """Of regions that a noun fits, those of whom it is said: 'the vessels marked by the source', 'by an expert'."""
        behind = self.atoms[end : end + 3]
        if behind and behind[0].kind == "marks":
            by = "source"
        elif (
            len(behind) == 3
            and behind[1].text == "by"
            and behind[2].kind == "expert"
            and behind[0].text in table().acting
        ):
            by = str(behind[2].value)
        else:
            return regions
        return tuple(one for one in regions if one in regions_by(self.facts, by, "")) or regions
