"""A sentence while it is read: checks take out of it what they understand, and note what came of it.

Reasons name what was measured and words of our own lists; never other words of the sentence, which can be anything.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from models.describers.facts import Facts
from schemas.regions import Region

REGION = re.compile(r"\br\d+\b")


@dataclass(slots=True)
class Finding:
    """What one check says of one thing that the sentence states."""

    outcome: Literal["supported", "unsupported", "contradicted"]
    reason: str
    pointers: tuple[str, ...]


@dataclass
class Reading:
    """One sentence, the facts, and the regions it speaks of.

    `rest` is what no check has understood yet, `whole` the sentence as it was: places in both are the same.
    """

    whole: str
    facts: Facts
    cited: frozenset[int]
    """Indices of the regions that the sentence's evidence points into."""
    rest: str = ""
    findings: list[Finding] = field(default_factory=list[Finding])

    def __post_init__(self) -> None:
        self.rest = self.whole

    def take(self, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        """All matches in what is left, which are taken out of it."""
        found = list(pattern.finditer(self.rest))
        for match in found:
            self.blank(*match.span())
        return found

    def blank(self, start: int, end: int) -> None:
        """Take out a stretch."""
        self.rest = self.rest[:start] + " " * (end - start) + self.rest[end:]

    def support(self, *pointers: str) -> None:
        """Something it says is so."""
        self.findings.append(Finding("supported", "", pointers))

    def doubt(self, reason: str, *pointers: str) -> None:
        """Nothing speaks for something it says."""
        self.findings.append(Finding("unsupported", reason, pointers))

    def contradict(self, reason: str, *pointers: str) -> None:
        """Something it says is otherwise."""
        self.findings.append(Finding("contradicted", reason, pointers))

    @property
    def named(self) -> list[str]:
        """The ids of regions in the sentence that exist, in order, each once."""
        return list(dict.fromkeys(name for name in REGION.findall(self.whole) if name in self.facts.regions))

    @property
    def scope(self) -> list[tuple[int, Region]]:
        """The regions it speaks of: those it names; else those its evidence points into; else all."""
        regions = self.facts.regions
        if self.named:
            return [regions[name] for name in self.named]
        return [one for one in regions.values() if one[0] in self.cited] or list(regions.values())

    def bound(self, place: int) -> list[tuple[int, Region]]:
        """The regions that something at a place in the sentence is said of: the nearest named before it, else scope."""
        before = [name for name in REGION.findall(self.whole[:place]) if name in self.facts.regions]
        return [self.facts.regions[before[-1]]] if before else self.scope


def fold(findings: Iterable[Finding]) -> Finding:
    """One outcome of many: contradicted before unsupported before supported; nothing understood is not supported."""
    found = list(findings)
    pointers = tuple(dict.fromkeys(pointer for one in found for pointer in one.pointers))
    for outcome in ("contradicted", "unsupported"):
        reasons = dict.fromkeys(one.reason for one in found if one.outcome == outcome)
        if reasons:
            return Finding(outcome, "; ".join(reasons), pointers)
    if not found:
        return Finding("unsupported", "it states nothing that was measured", ())
    return Finding("supported", "", pointers)
