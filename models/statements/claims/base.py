"""What every claim is: a thing said, which the facts bear out, deny, or do not tell; and one said of regions."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self, cast

from models.statements.facts import Facts
from models.statements.judgement import Judgement, otherwise, so, untold
from models.statements.measures import parts
from schemas.regions import Region

MOST = -1
"""As a part of several regions: more than half of them."""


@dataclass(frozen=True, slots=True)
class Bounded:
    """As a part of several regions: `n` of them or more ("above"), or fewer ("below")."""

    n: int
    bound: str


Part = int | Bounded
"""How many of several regions it is said of: so many, no more and no less, `MOST`, or a bound."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One thing said."""

    kind: ClassVar[str]
    negated: bool = False

    def judge(self, facts: Facts) -> Judgement:
        """Whether the facts bear it out."""
        found = self._judge(facts)
        return found.denied(f"it denies what is so: {self.kind}") if self.negated else found

    def _judge(self, facts: Facts) -> Judgement:
        raise NotImplementedError

    def told(self) -> str:
        """What is claimed, in words for whoever wrote the sentence: 'size of r1: 66 mm'."""
        skipped = ("negated", "regions", "every", "part")
        values = [getattr(self, one.name) for one in fields(self) if one.compare and one.name not in skipped]
        said = " ".join(text for value in values if (text := _in_words(value)))
        regions = ", ".join(getattr(self, "regions", ()))
        of = f" of {regions}" if regions else ""
        return f"{self.kind}{of}: {'not ' if self.negated else ''}{said or 'yes'}"

    def turned(self) -> Self:
        """The same, with the other polarity."""
        return replace(self, negated=not self.negated)


@dataclass(frozen=True, kw_only=True)
class OfRegions(Claim):
    """One thing said of regions; `part`: of so many of them."""

    regions: tuple[str, ...]
    every: bool = False
    part: Part | None = None

    def _each(self, facts: Facts, judge: Callable[[str, Region], Judgement]) -> Judgement:
        missing = [one for one in self.regions if one not in facts.regions]
        if missing:
            return otherwise(f"there is no region {missing[0]}")
        if not self.regions:
            return untold("it speaks of what nothing outlines")
        found = [judge(one, facts.region(one)) for one in self.regions]
        if self.part is not None:
            return _some_of(found, self.part)
        wanted = not self.every
        if self.every and len(self.regions) > 1 and not all(one.truth for one in found):
            # A mark of several parts is in the plural by itself: "the vessels" can be one region.
            alone = (
                judged
                for one, judged in zip(self.regions, found, strict=True)
                if judged.truth and parts(facts.region(one)) > 1
            )
            if (of_parts := next(alone, None)) is not None:
                return of_parts
        decided = next((one for one in found if one.truth is wanted), None)
        return decided or next((one for one in found if one.truth is None), found[0])


def _some_of(found: list[Judgement], n: Part) -> Judgement:
    """That it is so of n of them."""
    holds, open_ = (sum(one.truth is truth for one in found) for truth in (True, None))
    firm, near = sum(one.truth is True and not one.near for one in found), sum(one.near for one in found)
    pointers = tuple(dict.fromkeys(pointer for one in found for pointer in one.pointers))
    if isinstance(n, Bounded):
        fewest, most = (n.n, len(found)) if n.bound == "above" else (0, n.n)
        if fewest <= holds and holds + open_ <= most:
            return so(*pointers)
        return (
            untold("of some of them that is not told", *pointers)
            if holds <= most and holds + open_ >= fewest
            else otherwise(f"it is so of {holds} of them", *pointers)
        )
    if n == MOST:
        half = len(found) / 2
        if holds > half:
            return so(*pointers)
        return (
            untold("of some of them that is not told", *pointers)
            if holds + open_ > half
            else otherwise(f"it is so of {holds} of them", *pointers)
        )
    if (holds == n and not open_) or firm <= n <= firm + near:
        return so(*pointers)  # Who counts by eye takes what lies on the line in, or leaves it out.
    if holds <= n <= holds + open_:
        return untold("of some of them that is not told", *pointers)
    return otherwise(f"it is so of {holds} of them", *pointers)


def _in_words(value: Any) -> str:
    if isinstance(value, tuple):
        return " × ".join(_in_words(one) for one in cast(tuple[Any, ...], value))
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "several"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, kw_only=True)
class Together(Claim):
    """Several things said as one, as 'upper' and 'left' are: denied where one of them is not so.

    What is said of one of several regions must be so of the same one; of a part of them, of so many of the same.
    """

    kind = "together"
    claims: tuple[Claim, ...]
    outlined: bool = True
    """Whether it is said of what is outlined; "a dark patch" can be another, of which nothing is told."""

    def _judge(self, facts: Facts) -> Judgement:
        shared = scope(self)
        if shared is None:
            return _all_of([one.judge(facts) for one in self.claims])
        regions, part = shared
        if missing := [one for one in regions if one not in facts.regions]:
            return otherwise(f"there is no region {missing[0]}")
        found = [[of_one(claim, region).judge(facts) for claim in self.claims] for region in regions]
        if part is not None:
            return _some_of([_all_of(one) for one in found], part)
        judged = _all_of(max(found, key=_fit))
        return judged if judged.truth or self.outlined else untold("nothing that is outlined is so", *judged.pointers)

    def told(self) -> str:
        """Each of them."""
        return f"{'not ' if self.negated else ''}{' and '.join(one.told() for one in self.claims)}"


def scope(claim: Claim) -> tuple[tuple[str, ...], Part | None] | None:
    """The several regions that a claim is said of one of, and of how many where it tells; None of any other claim."""
    if isinstance(claim, OfRegions):
        return None if claim.every or len(claim.regions) < 2 else (claim.regions, claim.part)
    scopes = {scope(one) for one in claim.claims} if isinstance(claim, Together) else {None}
    return scopes.pop() if len(scopes) == 1 else None


def of_one(claim: Claim, region_id: str) -> Claim:
    """The same, said of one region."""
    if isinstance(claim, OfRegions):
        return replace(claim, regions=(region_id,), part=None)
    if isinstance(claim, Together):
        return replace(claim, claims=tuple(of_one(one, region_id) for one in claim.claims))
    return claim


def _all_of(found: list[Judgement]) -> Judgement:
    pointers = tuple(dict.fromkeys(pointer for one in found for pointer in one.pointers))
    failed = next((one for one in found if one.truth is False), None)
    borne_out = replace(so(*pointers), near=any(one.near for one in found))
    return failed or next((one for one in found if one.truth is None), None) or borne_out


def _fit(found: list[Judgement]) -> tuple[int, int]:
    """How well a region bears claims out: none denied before few, and a rank, which comes first, before what follows.

    The reason is then of the region that is most likely meant.
    """
    truths = [one.truth for one in found]
    if False not in truths:
        return 2 if None not in truths else 1, 0
    return 0, truths.index(False)
