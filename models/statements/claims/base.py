"""What every claim is: a thing said, which the facts bear out, deny, or do not tell; and one said of regions."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from models.statements.facts import Facts
from models.statements.judgement import Judgement, otherwise, untold
from schemas.regions import Region


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

    def turned(self) -> Self:
        """The same, with the other polarity."""
        return replace(self, negated=not self.negated)


@dataclass(frozen=True, kw_only=True)
class OfRegions(Claim):
    """One thing said of regions."""

    regions: tuple[str, ...]
    every: bool = False

    def _each(self, facts: Facts, judge: Callable[[str, Region], Judgement]) -> Judgement:
        missing = [one for one in self.regions if one not in facts.regions]
        if missing:
            return otherwise(f"there is no region {missing[0]}")
        if not self.regions:
            return untold("it speaks of what nothing outlines")
        found = [judge(one, facts.region(one)) for one in self.regions]
        wanted = not self.every
        decided = next((one for one in found if one.truth is wanted), None)
        return decided or next((one for one in found if one.truth is None), found[0])
