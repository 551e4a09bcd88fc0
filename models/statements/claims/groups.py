"""Claims about several regions together: how many there are, how they lie and compare, and that there is none."""

from dataclasses import dataclass, field

from models.statements import measures
from models.statements.claims.base import Claim, OfRegions
from models.statements.facts import Facts
from models.statements.judgement import Judgement, otherwise, so, untold
from schemas.regions import Region


@dataclass(frozen=True, kw_only=True)
class Absence(Claim):
    """That nothing called so is there; `reported`: that whoever looked found none, which is less."""

    kind = "absence"
    name: str
    reported: bool = field(default=False, compare=False)

    def _judge(self, facts: Facts) -> Judgement:
        there = facts.named(self.name)
        if there:
            region_id = there[0]
            return otherwise(f"region {region_id} is one", f"/regions/{facts.index(region_id)}/label")
        if (pointer := measures.outlined_otherwise(facts, self.name)) is not None:
            return untold("a region of that level is outlined under another name", pointer)
        if sure := measures.surely_none(facts, self.name):
            return so(*sure)
        looked = measures.looked_for(facts, self.name)
        if looked is None:
            return untold("nobody looked for that")
        if self.reported:
            return so(f"/experts/{looked}/outcome")
        return untold("that none was found does not show that there is none")


@dataclass(frozen=True, kw_only=True)
class Count(Claim):
    """How many regions are called so; `n` is None for several. `further`: beside others that were told of.

    `bound`: "above": n or more; "below": n or fewer. Where an expert left smaller ones out, there are more.
    """

    kind = "count"
    name: str
    n: int | None
    further: bool = False
    bound: str = ""
    outlined: bool = field(default=False, compare=False)
    """It tells how many are outlined, whatever was left out."""

    def _judge(self, facts: Facts) -> Judgement:
        there = facts.named(self.name) if self.name else tuple(facts.regions)
        pointers = tuple(f"/regions/{facts.index(one)}/label" for one in there)
        if not there and self.n != 0:
            return untold("nothing is called so") if self.name else otherwise("nothing is outlined")
        if self.further:
            return self._judge_further(len(there), pointers)
        if self.n is not None and self.n > 1 and self.name and not self.bound:
            # "Three lesions" may count what has several labels that the word fits.
            fitting = tuple(one for one, names in facts.names.items() if self.name in names)
            there = fitting if len(fitting) == self.n else there
        if self.n is None and len(there) == 1 and not self.outlined:
            # One nucleus that the source marks among many that an expert found is one of several.
            there = measures.structures_called(facts, self.name) or there
        more = 0 if self.outlined else measures.left_out(facts, there)
        if self.n == 2 and len(there) == 1 and measures.is_a_pair(facts.region(there[0])):
            return so(*pointers)  # "Both lungs", in one mark.
        if self.n is not None and more and (self.bound or len(there) > 1):
            return self._judge_at_least(len(there), more, pointers)
        if len(there) == 1:
            return self._judge_parts(facts.region(there[0]), pointers)
        fits = len(there) >= 2 if self.n is None else _within(self.bound, len(there), self.n)
        return so(*pointers) if fits else otherwise(f"there are {len(there)} so called", *pointers)

    def _judge_parts(self, region: Region, pointers: tuple[str, ...]) -> Judgement:
        """Of one mark: each of its parts is one of what it is called, or all of them are one."""
        parts = measures.parts(region)
        one = parts == 1 or not self.name or self.outlined or measures.is_together(region)
        numbers = (1, parts) if one else (parts,)
        if self.n is None:
            fits = parts > 1
        else:
            fits = any(_within(self.bound, number, self.n) for number in numbers)
            # Of many, some touch: then there are more of them than parts.
            unsure = self.bound == ("below" if fits else "above")
            if unsure and self.name and parts >= measures.MANY:
                return untold("how many there are at most is not for a mask of many parts to say", *pointers)
        said = "there is 1 so called" if one and parts == 1 else f"its mark has {parts} parts"
        return so(*pointers) if fits else otherwise(said, *pointers)

    def _judge_at_least(self, there: int, more: int, pointers: tuple[str, ...]) -> Judgement:
        """Where there are so many, and up to so many more."""
        assert self.n is not None
        found = {_within(self.bound, n, self.n) for n in range(there, there + more + 1)}
        if found == {True}:
            return so(*pointers)
        if found == {False}:
            return otherwise(f"there are at least {there} so called", *pointers)
        return untold(f"there are at least {there} so called: smaller ones were left out", *pointers)

    def _judge_further(self, there: int, pointers: tuple[str, ...]) -> Judgement:
        fits = there >= 3 if self.n is None else there > self.n
        return so(*pointers) if fits else otherwise(f"there are {there} so called in all", *pointers)


def _within(bound: str, there: int, said: int) -> bool:
    return {"": there == said, "above": there >= said, "below": there <= said}[bound]


@dataclass(frozen=True, kw_only=True)
class Relation(OfRegions):
    """How regions lie to another, or compare with it; `turned_round`: how that lies to them.

    `or_else`: others that the noun of the object fits; then it is so of one of them all.
    """

    kind = "relation"
    predicate: str
    object: str
    or_else: tuple[str, ...] = ()
    turned_round: bool = False
    degree: str = field(default="", compare=False)
    """How much larger: "slightly", "plainly" or nothing."""

    def _judge(self, facts: Facts) -> Judgement:
        objects = (self.object, *self.or_else)
        if missing := [one for one in objects if one not in facts.regions]:
            return otherwise(f"there is no region {missing[0]}")

        def judge(region_id: str, _: Region) -> Judgement:
            pairs = [(one, region_id) if self.turned_round else (region_id, one) for one in objects]
            found = [measures.related(facts, first, self.predicate, second, self.degree) for first, second in pairs]
            return next((one for want in (True, None) for one in found if one.truth is want), found[0])

        return self._each(facts, judge)


@dataclass(frozen=True, kw_only=True)
class Ratio(OfRegions):
    """How many times as large or long as another region, or, of `measure` "itself", as long as it is wide.

    Of `measure` "covering", which part of the area of the other it covers; of "level", how many times its mean is the
    other's, or that of its surroundings where no other is named.
    """

    kind = "ratio"
    measure: str
    value: float
    object: str = ""
    bound: str = ""
    loose: bool = field(default=False, compare=False)
    decimals: int = field(default=0, compare=False)
    pair: tuple[str, ...] = ()
    """Two that are called alike, where each is compared with the other: 'twice as large as the one on the left'."""

    def _judge(self, facts: Facts) -> Judgement:
        if self.object and self.object not in facts.regions:
            return otherwise(f"there is no region {self.object}")
        said = measures.Said((self.value,), "times", self.bound, self.loose, self.decimals)

        def judge(region_id: str, region: Region) -> Judgement:
            other = next((one for one in self.pair if one != region_id), self.object)
            return measures.times(facts, region_id, region, self.measure, other, said)

        return self._each(facts, judge)


@dataclass(frozen=True, kw_only=True)
class Total(Claim):
    """Which part of the picture, percent, or of what they lie within, regions cover together."""

    kind = "share together"
    regions: tuple[str, ...]
    values: tuple[float, ...]
    of: str = ""
    bound: str = ""
    loose: bool = field(default=False, compare=False)
    decimals: int = field(default=0, compare=False)

    def _judge(self, facts: Facts) -> Judgement:
        said = measures.Said(self.values, "%", self.bound, self.loose, self.decimals)
        return measures.shared_together(facts, self.regions, self.of, said)


@dataclass(frozen=True, kw_only=True)
class Distance(OfRegions):
    """How far the centre of a region lies from that of another; `along`: by the direction that is said with it."""

    kind = "distance"
    object: str
    value: float
    unit: str
    bound: str = ""
    loose: bool = field(default=False, compare=False)
    decimals: int = field(default=0, compare=False)
    along: str = ""

    def _judge(self, facts: Facts) -> Judgement:
        if self.object not in facts.regions:
            return otherwise(f"there is no region {self.object}")
        said = measures.Said((self.value,), self.unit, self.bound, self.loose, self.decimals)
        return self._each(facts, lambda region_id, _: measures.apart(facts, region_id, self.object, self.along, said))


@dataclass(frozen=True, kw_only=True)
class Rank(OfRegions):
    """That a region is the brightest, largest, … of those outlined, or called `among`; `nth`: 2 for the second."""

    kind = "rank"
    word: str
    among: str = ""
    nth: int = 1

    def _judge(self, facts: Facts) -> Judgement:
        return self._each(
            facts, lambda region_id, region: measures.ranked(facts, region_id, self.word, self.among, self.nth)
        )


@dataclass(frozen=True, kw_only=True)
class Spread(Claim):
    """How the regions called so are spread."""

    kind = "spread"
    name: str
    word: str

    def _judge(self, facts: Facts) -> Judgement:
        return measures.spread(facts, self.name, self.word)


@dataclass(frozen=True, kw_only=True)
class Crowding(Claim):
    """How crowded the small bodies called so are: "crowded" or "sparse"."""

    kind = "crowding"
    name: str
    word: str

    def _judge(self, facts: Facts) -> Judgement:
        return measures.crowding(facts, self.name, self.word)


@dataclass(frozen=True, kw_only=True)
class Sides(Claim):
    """That regions called so, or all, lie on both sides of the patient, or, of `frame` "shown", of the display."""

    kind = "sides"
    name: str
    frame: str = "patient"

    def _judge(self, facts: Facts) -> Judgement:
        return measures.both_sides(facts, self.name, self.frame)
