"""Claims about who looked and what came of it: how many regions an expert proposes, none, and what it sought."""

from dataclasses import dataclass, field

from models.statements import measures
from models.statements.claims.base import Claim, OfRegions
from models.statements.claims.image import LIES_IN
from models.statements.facts import Facts
from models.statements.judgement import Judgement, otherwise, so, untold
from models.statements.table import table
from models.statements.tokens import words
from schemas.regions import Region


@dataclass(frozen=True, kw_only=True)
class Proposed(Claim):
    """How many regions somebody outlines: "source", "expert" (any), or one expert by its name.

    `name`: what they are called, or "" for any; `n`: 0 for none, None for several; `bound`: as in `Count`.
    """

    kind = "proposed"
    by: str
    name: str = ""
    n: int | None = None
    bound: str = ""
    found: bool = field(default=False, compare=False)
    """It tells what was found, and not what is outlined: an expert may have left smaller ones out."""

    def _judge(self, facts: Facts) -> Judgement:
        there = measures.regions_by(facts, self.by, self.name)
        pointers = tuple(f"/regions/{facts.index(one)}/expert" for one in there)
        if self.n == 0 and not self.bound:
            if there:
                return otherwise(f"region {there[0]} is one", *pointers)
            return self._none(facts)
        if self.by not in ("source", "expert") and self.by not in facts.experts:
            return otherwise("that expert did not look at this image")
        more, merged = measures.beside_those(facts, self.by, self.name)
        counts = range(len(there), len(there) + (more if self.found else 0) + 1)
        fits = {self._fits(one) for one in counts}
        if fits == {True}:
            return so(*pointers)
        if fits == {False} and not (merged and self.name):
            return otherwise(f"there are {len(there)} such", *pointers)
        return untold("regions were left out or merged", *pointers)

    def _fits(self, there: int) -> bool:
        if self.n is None:
            return there >= 2
        return {"": there == self.n, "above": there >= self.n, "below": 0 < there <= self.n}[self.bound]

    def _none(self, facts: Facts) -> Judgement:
        if self.by == "source":
            if facts.metadata.annotations_left_out or (self.name and measures.regions_by(facts, "source", "")):
                return untold("the source marks other things, or marks of it were left out")
            return so("/experts")
        runs = measures.runs_of(facts, self.by)
        if not runs or any(run.outcome == "failed" for _, run in runs):
            return untold("that expert did not look at this image")
        if self.name and not any(self.name in measures.sought(run) for _, run in runs):
            return untold("that expert does not look for that")
        if any(run.merged for _, run in runs):
            return untold("what it found is merged with others")
        return so(*(f"/experts/{n}/outcome" for n, _ in runs))


@dataclass(frozen=True, kw_only=True)
class Looked(Claim):
    """That an expert looked for what is called so, whatever came of it."""

    kind = "looked for"
    by: str
    name: str

    def _judge(self, facts: Facts) -> Judgement:
        runs = measures.runs_of(facts, self.by)
        if not runs:
            return otherwise("that expert did not look at this image")
        for n, run in runs:
            if self.name in measures.sought(run):
                return so(f"/experts/{n}/expert")
        return untold("that expert does not look for that")


@dataclass(frozen=True, kw_only=True)
class Labelled(OfRegions):
    """That the source labels regions so; `outright`: it is said of its label, and not merely of what they mark."""

    kind = "labelled"
    name: str
    outright: bool = False

    def _judge(self, facts: Facts) -> Judgement:
        return self._each(facts, lambda region_id, region: self._labelled(facts, region_id, region))

    def _labelled(self, facts: Facts, region_id: str, region: Region) -> Judgement:
        pointer = f"/regions/{facts.index(region_id)}/label"
        marked = region.kind == "source annotation"
        if self.name in facts.names[region_id]:
            return (
                so(pointer)
                if marked or not self.outright
                else otherwise("an expert labels it, not the source", pointer)
            )
        told = f"region {region_id} is labelled {region.label}"
        both_organs = {self.name, table().bare(region.label)} <= set(table().organs)
        known = any(self.name in names for names in facts.names.values())
        if marked and (self.outright or both_organs or known) and not self._is_kin(facts, region.label):
            return otherwise(told, pointer)
        return untold(told, pointer)

    def _is_kin(self, facts: Facts, label: str) -> bool:
        """Whether one is a kind of the other, or lies in it: who marks an enhancing tumour marks a tumour."""
        bare = table().bare(label)
        if {self.name, bare} & {facts.metadata.disease}:
            return True
        wider = {*table().wider.get(bare, ()), *LIES_IN.get(bare, ())}
        narrower = {*table().wider.get(self.name, ()), *LIES_IN.get(self.name, ())}
        said, told = set(words(self.name)), set(words(bare))
        return self.name in wider or bare in narrower or said <= told or told <= said
