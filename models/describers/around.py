"""What is told of structures around findings, or where there are none."""

from collections import Counter
from dataclasses import dataclass

from models.describers import plans
from models.describers.checked import Budget, length_of, written
from models.describers.choosing import Chosen
from models.describers.findings import can_be_told
from models.statements.facts import Facts
from models.statements.measures import area_together
from models.statements.table import table
from models.statements.writing import is_scattered
from schemas.regions import Region
from schemas.triplets import Statement

EVERYWHERE = {"vessel", "lung", "lung field", "spinal cord", "trachea", "optic disc"}
"""Structures of which it tells nothing that they are seen: every such picture shows them."""
ASIDE = 0.2
"""Part of the picture's width by which an expert's optic disc lies off the middle where it is told: the macula is
there, and its exudates are as bright. Of 60 pictures of DRIVE and FIVES it is told of 42, and lies there in all; nearer
the middle, in three of six."""
MANY_NUCLEI, SO_MUCH = 16, 0.03
"""Nuclei that an expert must find in a section where it is told that there are many, and the part of the picture that
they cover: of 17 sections ten have both, and many nuclei; one has 26 specks and four nuclei."""
_FIELDS = {"microscopy", "histopathology"}
"""Kinds of image that show many of a structure: where one is outlined, it is one of them."""


def context_labels(facts: Facts, chosen: Chosen) -> tuple[str, ...]:
    """Structures that are told: what the source outlines.

    Where there is no finding, also what proven experts outline: beside one it says nothing of it.
    """
    told = chosen.structures if not chosen.findings else marked_structures(facts, chosen)
    untold = {facts.metadata.organ, *EVERYWHERE, *_lone(facts)}
    structures = [one for one in told if one not in untold and table().bare(one) not in EVERYWHERE]
    return tuple(structures[:3])


def marked_structures(facts: Facts, chosen: Chosen) -> tuple[str, ...]:
    """Labels of structures that the source outlines."""
    marked = {one.label for _, one in facts.regions.values() if one.kind == "source annotation"} - _lone(facts)
    return tuple(one for one in chosen.structures if one in marked)


def _lone(facts: Facts) -> set[str]:
    """Labels of which one thing is outlined in a field of many: 'a nucleus' would say that there is one."""
    if facts.metadata.modality not in _FIELDS:
        return set()
    regions = [one for _, one in facts.regions.values()]
    counts = Counter(one.label for one in regions)
    return {one.label for one in regions if counts[one.label] == 1 and not is_scattered(one)}


@dataclass(frozen=True, slots=True)
class Shown:
    """A sentence of the kind of image and a structure that it shows."""

    statement: Statement
    region: str


def opening_with_structures(facts: Facts, chosen: Chosen, seed: str) -> Shown | None:
    """The kind of image and the one mark of a structure in one sentence, where there is something to tell of it."""
    if (disc := _optic_disc(facts, chosen)) is not None:
        statement = written(plans.opening(facts, plans.found(facts, disc, ())), facts, f"{seed}:opening")
        return Shown(statement, disc.region_id) if statement is not None else None
    told = [one for one in marked_structures(facts, chosen) if table().bare(one) != "lung"]
    if not told and (nuclei := _many_nuclei(facts)):
        statement = written(plans.opening(facts, plans.many(facts, "nucleus")), facts, f"{seed}:opening")
        return Shown(statement, nuclei[0]) if statement is not None else None
    for label in told[:1]:
        marked = [one for _, one in facts.regions.values() if one.label == label and one.kind == "source annotation"]
        kinds = [kind for kind in _telling_of(facts, marked[0]) if can_be_told(facts, marked[0], kind)]
        if len(marked) > 1 or label == facts.metadata.organ or (table().bare(label) in EVERYWHERE and not kinds):
            return None
        found = plans.found(facts, marked[0], tuple(kinds[:3]))
        statement = written(plans.opening(facts, found), facts, f"{seed}:opening")
        return Shown(statement, marked[0].region_id) if statement is not None else None
    return None


def _many_nuclei(facts: Facts) -> tuple[str, ...]:
    """Regions of a section that are called nuclei, where so many were found that there are many, though some are none.

    One in eight of the rule's is none, and it leaves out more than that.
    """
    section = facts.metadata.modality == "histopathology"
    there = facts.named("nucleus", several=True) if section else ()
    found = [region for one in there if (region := facts.region(one)).kind == "candidate"]
    if len(found) < MANY_NUCLEI:
        return ()
    covered = area_together(found)
    return there if covered >= SO_MUCH * facts.rows * facts.columns else ()


def _optic_disc(facts: Facts, chosen: Chosen) -> Region | None:
    """The optic disc, where it lies so far off the middle that nothing else is likely to be taken for it."""
    discs = [one for _, one in facts.regions.values() if one.label == "optic disc"]
    if "optic disc" not in chosen.structures or len(discs) != 1:
        return None
    aside = abs((discs[0].centroid[0] + 0.5) / facts.columns - 0.5) >= ASIDE
    return discs[0] if aside or discs[0].kind == "source annotation" else None


def tell_around(
    facts: Facts, chosen: Chosen, seed: str, wanted: int, budget: Budget, shown: Shown | None = None
) -> tuple[list[Statement], frozenset[str], Counter[str]]:
    """Where structures that the source outlines lie and how they look, the largest first: where there is room.

    Args:
        facts: of the image.
        chosen: what is told of it.
        seed: chooses among wordings.
        wanted: words.
        budget: words that are left.
        shown: what the kind of image has told of already.

    Returns:
        The sentences, labels of which every region is told by them, and how many regions of each label are.
    """
    found: list[Statement] = []
    regions = [one for _, one in facts.regions.values() if one.kind == "source annotation"]
    left = Counter(region.label for region in regions)
    for label in marked_structures(facts, chosen):
        if label == facts.metadata.organ or table().bare(label) == "lung":
            continue  # The kind of image has told of it, or every such picture shows it.
        fitting = [region for region in regions if region.label == label]
        if sum(map(length_of, found)) >= wanted:
            break
        # Both of two or none: beside a list that counts them, one of them told again reads as a third.
        for region in sorted(fitting, key=lambda one: one.area_px, reverse=True)[:2]:
            if shown is not None and region.region_id == shown.region:
                left[label] -= 1
                continue
            kinds = [kind for kind in _telling_of(facts, region) if can_be_told(facts, region, kind)]
            if label in EVERYWHERE and not kinds:
                continue
            plan = plans.introduction(facts, region, tuple(kinds[:3]))
            statement = budget.take(written(plan, facts, f"{seed}:around:{region.region_id}"))
            if statement is not None:
                found.append(statement)
                left[label] -= 1
    told = Counter(region.label for region in regions)
    told.subtract(left)
    return found, frozenset(label for label, count in left.items() if not count), told


def _telling_of(facts: Facts, region: Region) -> tuple[str, ...]:
    """Facets that say something of what is no finding: a whole organ is as dark and as even as such organs are."""
    if table().bare(region.label) in table().organs:
        return ("share",)
    return (
        ("share", "parts", "crowding", "level")
        if table().called(region.label).role == "structure"
        else ("share", "density")
    )
