"""What constructions claim, each of what stands in its slots. Knows nothing of words or of truth."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from models.statements import claims as c
from models.statements.reading.atoms import Atom
from models.statements.reading.figures import STRICT, Factor, Quantity
from models.statements.reading.mentions import Mention
from models.statements.reading.sentence import Sentence
from models.statements.reading.spans import ATTRIBUTES
from models.statements.table import table
from models.statements.tokens import words


@dataclass(frozen=True, slots=True)
class Match:
    """What a pattern covers, atoms `at` to `end`, and what stands in its slots, by their letters."""

    s: Sentence
    regions: dict[str, Mention]
    said: dict[str, Atom]
    direction: tuple[str, bool] | None
    word: str
    at: int
    end: int

    @property
    def quantity(self) -> Quantity | None:
        """A number with its unit."""
        return self.said["N"].value if "N" in self.said else None

    @property
    def factor(self) -> Factor | None:
        """So many times."""
        return self.said["F"].value if "F" in self.said else None

    @property
    def by(self) -> str:
        """Who: an expert by its name, or "expert"."""
        return str(self.said["E"].value)

    def count(self) -> tuple[int | None, str] | None:
        """How many, None for several, and the bound: 'at least two' is (2, "above"); None where it counts nothing."""
        atom = self.said["C"]
        if isinstance(atom.value, Quantity):
            one = atom.value
            if one.unit or len(one.values) != 1 or not one.values[0].is_integer():
                return None
            n, bound, strict = int(one.values[0]), one.bound, one.strict
        else:
            before = self.s.atoms[self.s.atoms.index(atom) - 1]
            bound = str(before.value) if before.kind == "bound" else ""
            n, strict = atom.value, before.text in STRICT
        if n is None or bound not in ("above", "below"):
            return n, ""
        return n + (0 if not strict else 1 if bound == "above" else -1), bound


def _two(m: Match) -> tuple[str, str] | None:
    """The two that are compared: <R> and <S>, or both of <R>."""
    one, other = m.regions["R"], m.regions.get("S")
    if other is None and len(one.regions) == 1:
        pairs = [
            two.regions for two in m.s.mentions.values() if len(two.regions) == 2 and one.regions[0] in two.regions
        ]
        rest = [each for each in pairs[0] if each != one.regions[0]] if pairs else []
        return (one.regions[0], rest[0]) if len(rest) == 1 else None
    if other is None:
        return (one.regions[0], one.regions[1]) if len(one.regions) == 2 else None
    if len(one.regions) != 1 or len(other.regions) != 1 or one.regions == other.regions:
        return None
    return one.regions[0], other.regions[0]


def _distance(m: Match) -> list[c.Claim] | None:
    pair, quantity = _two(m), m.quantity
    if pair is None or quantity is None or not quantity.unit or len(quantity.values) != 1:
        return None
    first, second = pair
    apart = c.Distance(
        regions=(first,), object=second, value=quantity.values[0], unit=quantity.unit, bound=quantity.bound,
        loose=quantity.loose, decimals=quantity.decimals, along=m.direction[0] if m.direction else "",
    )  # fmt: skip
    if m.direction is None:
        return [apart]
    predicate, turned = m.direction
    first, second = (second, first) if turned else (first, second)
    return [apart, c.Relation(regions=(first,), predicate=predicate, object=second)]


def _compared(m: Match) -> list[c.Claim] | None:
    pair = _two(m)
    if pair is None:
        return None
    first, second = reversed(pair) if m.word == "smaller than" else pair
    predicate = "larger than" if m.word == "smaller than" else m.word
    return [c.Relation(regions=(first,), predicate=predicate, object=second)]


def _ranked(m: Match) -> list[c.Claim] | None:
    of = m.regions.get("G")
    if len(m.regions["R"].regions) != 1 or (of is not None and not of.several):
        return None
    return [c.Rank(regions=m.regions["R"].regions, word=m.word, among=of.name if of is not None else "")]


def _times(m: Match) -> list[c.Claim] | None:
    """'The mean of r1 is twice that of r2', 'five times the level of its surroundings'."""
    named = [one for start, one in sorted(m.s.mentions.items()) if start < m.at]
    one = m.regions.get("R") or (named[-1] if named else m.s.before)
    other, factor = m.regions.get("S"), m.factor
    if factor is None or factor.measure != "level":
        return None
    # "An area of high uptake, three times as active as its surroundings" may be any of those that are called so.
    if one is None or not one.regions or (other is not None and (len(one.regions) != 1 or len(other.regions) != 1)):
        return None
    if other is not None and other.regions == one.regions:
        return None
    return [Factor(m.word, factor.value, factor.bound, factor.loose, factor.decimals).claim(
        one, other.regions[0] if other is not None else ""
    )]  # fmt: skip


def _each_times(m: Match) -> list[c.Claim] | None:
    """'Compared with r1, each of the foci is four times smaller.'"""
    other, factor = m.regions["S"], m.factor
    if factor is None or len(other.regions) != 1:
        return None
    return [factor.claim(m.regions["R"], other.regions[0])]


def _none_related(m: Match) -> list[c.Claim] | None:
    """'Nothing lies below r1': none of the others does."""
    to = m.regions["R"]
    others = tuple(one for one in m.s.facts.regions if one not in to.regions)
    if m.direction is None or len(to.regions) != 1 or not others:
        return None
    predicate, turned = m.direction
    if turned:  # "Below r1": what r1 is above of.
        return [c.Relation(regions=to.regions, predicate=predicate, object=one, negated=True) for one in others]
    return [c.Relation(regions=(one,), predicate=predicate, object=to.regions[0], negated=True) for one in others]


def _counted(m: Match) -> list[c.Claim] | None:
    """'Reflexes are outlined at three spots.'"""
    of, count = m.regions["R"], m.count()
    if count is None or not (of.name and of.several) or of.explicit:
        return None
    return [c.Count(name=of.name, n=count[0], bound=count[1], outlined=True)]


_OF_FINDING = {
    "found", "finds", "find", "detected", "detects", "detect", "identified", "identifies", "identify", "saw", "sees",
    "see", "seen", "discovered", "discovers", "spotted", "spots", "recognised", "recognises", "located", "locates",
}  # fmt: skip
"""Verbs that tell what there is; others tell what is outlined."""


def _found(m: Match) -> list[c.Claim] | None:
    """'The expert ct-head proposes two hyperattenuating regions', 'proposes r2'."""
    of = m.regions.get("W")
    follows = m.s.atoms[m.end] if m.end < len(m.s.atoms) else None
    if of is None and follows is not None and (follows.kind in ATTRIBUTES or follows.text in ("of", "with", "that")):
        return None  # "One region of soft-tissue density": not of all that it outlines.
    found = any(atom.text in _OF_FINDING for atom in m.s.atoms[m.at : m.end])
    claims: list[c.Claim] = []
    if of is not None and of.explicit:
        claims.append(c.Marked(regions=of.regions, every=True, by=m.by))
    name = of.name if of is not None else ""
    if "C" in m.said:
        count = m.count()
        if count is None or (count[0] is not None and of is not None and of.several != (count[0] != 1)):
            return None
        claims.append(c.Proposed(by=m.by, name=name, n=count[0], bound=count[1], found=found))
    elif of is not None and not of.explicit:
        one = not of.several
        claims.append(c.Proposed(by=m.by, name=name, n=1 if one else None, bound="above" if one else "", found=found))
    return claims


def _found_none(m: Match) -> list[c.Claim] | None:
    """'The expert ct-lung reports nothing', 'no opacity was found by the expert on chest films'."""
    of = m.regions.get("W")
    if of is not None and of.explicit:
        return [c.Marked(regions=of.regions, every=True, by=m.by, negated=True)]
    return [c.Proposed(by=m.by, name=of.name if of is not None else "", n=0)]


def _looked(m: Match) -> list[c.Claim] | None:
    """'The expert mr-brain looked for hyperintense regions.'"""
    of = m.regions["W"]
    return [c.Looked(by=m.by, name=of.name)] if of.name and not of.explicit else None


def _sole(m: Match) -> list[c.Claim] | None:
    """'No tumour other than r1 is marked by the source': it is one, and there are so many."""
    of, named = m.regions["R"], m.regions["W"]
    if named.explicit:
        return None
    if not named.name:  # "No region other than r1 is outlined."
        return _alone(of, "", m.word)
    finding = c.Finding(regions=of.regions, every=True, name=named.name)
    return [finding, *_alone(replace(of, several=True), named.name, m.word)]


def _sole_of_all(m: Match) -> list[c.Claim] | None:
    """'Nothing but the lesion has been marked', 'r1 is the only region outlined'."""
    return _alone(m.regions["R"], "", m.by if m.word == "E" else m.word)


def _labelled(m: Match) -> list[c.Claim] | None:
    """'r1 marks the liver', 'r1 is marked by the source as an infarct'."""
    of, named = m.regions["R"], m.regions.get("X")
    if named is not None and (named.explicit or not named.name):
        return None
    name = named.name if named is not None else " ".join(words(str(m.said["X"].value)))
    outright = m.word == "source"
    marked = [c.Marked(regions=of.regions, every=True, by="source")] if outright else []
    return [*marked, c.Labelled(regions=of.regions, every=of.several, name=name, outright=outright)]


def _level(m: Match) -> list[c.Claim] | None:
    """'r12 has a higher mean attenuation than r7.'"""
    of, other = m.regions["R"], m.regions["S"]
    if len(of.regions) != 1 or len(other.regions) != 1 or of.regions == other.regions:
        return None
    scale, _, direction = m.word.partition(" ")
    own = table().scale(m.s.facts.metadata.modality).scale
    scale = own if (scale, own) == ("density", "opacity") else scale
    return [c.Level(regions=of.regions, scale=scale, direction=direction, degree="more", against=other.regions[0])]


_OUTLINED = {"region", "outlined region", "marked region", "annotated region"}
"""Names for whatever is outlined."""


def _unmarked(m: Match) -> list[c.Claim] | None:
    """'Nothing in this slice is marked by the source', 'no region is outlined'."""
    of = m.regions.get("W")
    name = "" if of is None or of.name in _OUTLINED else of.name
    if of is not None and (of.explicit or (m.word != "source" and name)):
        return None
    return [c.Proposed(by="source", name=name, n=0)] if m.word == "source" else [c.Count(name="", n=0, outlined=True)]


def _alone(of: Mention, name: str, by: str) -> list[c.Claim]:
    n = len(of.regions)
    if not by:
        return [c.Count(name=name, n=n, outlined=True)]
    return [c.Proposed(by=by, name=name, n=n), c.Marked(regions=of.regions, every=True, by=by)]


def _called(m: Match) -> list[c.Claim] | None:
    """'r2, of other colour than the skin around it': a name behind what it names; of others it is not read."""
    of, name = m.regions["R"], " ".join(words(m.word))
    around = m.said.get("X")
    if "X" in m.regions or (around is not None and around.value not in table().called(m.word).organs):
        return None
    fits = all(name in m.s.facts.names.get(one, ()) for one in of.regions)
    return [c.Finding(regions=of.regions, every=True, name=name)] if fits else None


_TURNED = {"": "", "above": "below", "below": "above"}


def _by_a_factor(m: Match) -> list[c.Claim] | None:
    """'r1 is larger than r2 by a factor of fifteen.'"""
    pair, said = _two(m), m.said["C"].value
    numbers = said.values if isinstance(said, Quantity) and not said.unit else (said,)
    if pair is None or len(numbers) != 1 or not isinstance(numbers[0], int | float) or numbers[0] <= 1:
        return None
    before = m.s.atoms[m.s.atoms.index(m.said["C"]) - 1]
    bound = said.bound if isinstance(said, Quantity) else str(before.value) if before.kind == "bound" else ""
    value = float(numbers[0])
    decimals = said.decimals if isinstance(said, Quantity) else 0
    first, second = pair if m.word == "larger" else reversed(pair)
    made = Factor("area", value, bound, True, decimals)
    if m.word == "smaller":
        made = replace(made, value=1 / value, bound=_TURNED[bound], decimals=2)
    larger = c.Relation(regions=(first,), predicate="larger than", object=second)
    return [larger, made.claim(m.regions["R"], pair[1])]


_BEFORE_A_PART = {"by", "in", "with", "along", "across", "for", "on"}


def _shared(m: Match) -> list[c.Claim] | None:
    """'r2 overlaps the tumour over 71 % of its area', 'most of r2, 71 % of it, …': which part lies in the other."""
    pair, whole = _two(m), m.regions.get("T")
    shares = _shares(m)
    if pair is None or not shares or (m.at and m.s.atoms[m.at - 1].text in ("neither", "nor")):
        return None
    part, other = pair
    if whole is not None and whole.regions == (other,):
        part, other = other, part
    elif whole is not None and whole.regions != (part,):
        return None
    held = Mention((other,), "", True, False, 0, 0)
    overlapping = c.Relation(regions=(part,), predicate="overlapping", object=other)
    return [overlapping, *(one.claim(held, part) for one in shares)]


_PARTS = {"most": Factor("covering", 0.5, "above", False, 2), "little": Factor("covering", 0.5, "below", False, 2)}


def _shares(m: Match) -> list[Factor]:
    """How much of a region lies in the other, in all the ways that a row says it; none where one is no such part."""
    found = [_PARTS[m.word]] if m.word in _PARTS else []
    if m.factor is not None:
        if m.factor.value > 1 or m.factor.measure not in ("area", "covering"):
            return []
        found.append(replace(m.factor, measure="covering"))
    quantity = m.quantity
    if quantity is None:
        return found
    if quantity.unit != "%" or len(quantity.values) != (2 if quantity.bound == "between" else 1):
        return []
    atoms = m.s.atoms
    # "Overlaps it over 71 % of its area" tells where, and no bound.
    bounded = m.word or quantity.bound != "above" or atoms[atoms.index(m.said["N"]) - 1].text in _BEFORE_A_PART
    ends = ("above", "below") if quantity.bound == "between" else (quantity.bound if bounded else "",)
    for value, bound in zip(quantity.values, ends, strict=True):
        found.append(Factor("covering", value / 100, bound, quantity.loose, quantity.decimals + 2))
    return found


CLAIMS: dict[str, Callable[[Match], list[c.Claim] | None]] = {
    "distance": _distance, "compared": _compared, "rank": _ranked, "times": _times, "each times": _each_times,
    "none": _none_related, "count": _counted, "found": _found, "found none": _found_none, "looked": _looked,
    "sole": _sole, "sole of all": _sole_of_all, "labelled": _labelled,
    "level": _level, "unmarked": _unmarked, "called": _called, "by a factor": _by_a_factor, "shared": _shared,
}  # fmt: skip
"""By what a row of the table claims; None where what stands in its slots is not what it can be said of."""
