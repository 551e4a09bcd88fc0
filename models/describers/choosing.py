"""What of an image is told, and in which order: one finding once, the most telling first. Knows nothing of words."""

from collections import Counter
from dataclasses import dataclass

from models.describers.proven import is_packaged, is_proven, may_be_denied
from models.statements.facts import Facts, names_of
from models.statements.measures import SAME, covered, iou, is_plain_uptake, outlined_otherwise
from models.statements.table import table
from models.statements.tokens import words
from models.statements.writing import is_implausible
from schemas.regions import Region, expert_name

MOST_FINDINGS = 6
MOST_ABSENCES = 2
GROUPED, SLIGHT = 3, 5
"""How many candidates of one label are told together, where the rank of the label is not above the second number."""
MOSTLY = 0.5
"""Part of what an expert outlines from which it lies where another outline lies, and is not told again."""
INNER = 0.25
"""Part of the area of a source's finding below which what an expert outlines inside it is a finding of its own."""
FULL_CONTRAST = 5.0
"""Contrast-to-noise beyond which a finding is not more telling: Rose's bound for sure detection."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Findings by how telling they are, each by the id of the region that stands for it; labels of what is context."""

    findings: tuple[str, ...]
    same: dict[str, tuple[str, ...]]
    """Other regions that are the same finding, by the id of the one that stands for them."""
    rest: dict[str, int]
    """By label, findings beyond those that are told of one by one."""
    groups: tuple[tuple[str, ...], ...]
    """Ids of slight findings of one label that are told together, and none by itself."""
    structures: tuple[str, ...]
    tissues: tuple[str, ...]
    doubled: frozenset[str]
    """Ids of regions that tell again what another outline tells: no sentence is about them."""


def choose(facts: Facts, *, proven: bool = False) -> Chosen:
    """What is told of an image; `proven`: of experts' regions only those of which a text may tell."""
    regions = [region for _, region in facts.regions.values()]
    regions = _to_be_told(facts, regions) if proven else regions
    ranked = sorted((one for one in regions if _role(one) == "finding"), key=_telling, reverse=True)
    leads: list[Region] = []
    same: dict[str, list[str]] = {}
    for region in ranked:
        lead = next((one for one in leads if _is_same(one, region)), None)
        if lead is None:
            leads.append(region)
            same[region.region_id] = []
        else:
            same[lead.region_id].append(region.region_id)
    standing = {one.region_id for one in leads}
    groups = _groups([one for one in regions if one.region_id in standing])
    single = [one for one in leads if all(one.region_id not in group for group in groups)]
    told, beyond = single[:MOST_FINDINGS], single[MOST_FINDINGS:]
    doubled = _doubled(regions)
    context: dict[str, list[str]] = {"structure": [], "tissue": []}
    for region in regions:
        role = _role(region)
        if region.region_id in doubled:
            continue
        # What is told as a finding already is no tissue beside it.
        if role in context and region.label not in context[role] and all(iou(one, region) < SAME for one in leads):
            context[role].append(region.label)
    return Chosen(
        tuple(one.region_id for one in told),
        {lead: tuple(others) for lead, others in same.items()},
        dict(Counter(one.label for one in beyond)),
        groups,
        tuple(context["structure"]),
        tuple(context["tissue"]),
        doubled,
    )


def _to_be_told(facts: Facts, regions: list[Region]) -> list[Region]:
    """Without what no text may tell; and, where the source marks findings, without what our rules take for one.

    What they outline there is how the source's finding looks, or one more thing that the source has not seen.
    """
    marked = any(one.kind == "source annotation" and _role(one) == "finding" for one in regions)
    told = [one for one in regions if _may_be_told(facts, one) and not (marked and _is_of_a_rule(one))]
    return [one for one in told if not _is_beside_a_hotter(one, told)]


def _is_beside_a_hotter(region: Region, told: list[Region]) -> bool:
    """Whether it is uptake on the side of a higher one: a ring in two pieces is one, and a brain has many."""
    alike = [one for one in told if _is_hot(one)]
    hotter = [one for one in alike if one.intensity.maximum > region.intensity.maximum]
    return region in alike and any(_across(one) == _across(region) for one in hotter)


def _is_hot(region: Region) -> bool:
    return region.kind == "candidate" and is_plain_uptake(region)


def _across(region: Region) -> bool | None:
    axes = region.place.axes if region.place is not None else ()
    return next((axis.fraction < 0.5 for axis in axes if axis.towards in ("patient left", "image right")), None)


def _may_be_told(facts: Facts, region: Region) -> bool:
    """Whether a text may tell of it: a mark of a whole organ, or of half a slice, is no tumour, whoever says so."""
    section = facts.metadata.modality in ("CT", "MR") and facts.metadata.plane is not None
    return is_proven(facts, region) and not (section and is_implausible(facts, region))


def _is_of_a_rule(region: Region) -> bool:
    return region.kind == "candidate" and _role(region) == "finding" and is_packaged(region.found_by)


def _is_same(lead: Region, region: Region) -> bool:
    """Whether a region is the finding that a more telling one is: at its place, or an expert's of a source's lesion."""
    if iou(lead, region) >= SAME:
        return True
    if lead.kind == region.kind == "candidate":
        # One expert asks two things of one place: an opacity is also brighter than the other side.
        within = max(covered([region], [lead]), covered([lead], [region]))
        return lead.expert == region.expert and within >= MOSTLY
    if lead.kind != "source annotation" or region.kind != "candidate":
        return False
    # A small focus inside a large tumour is one more thing to tell.
    mostly_in = region.area_px >= INNER * lead.area_px and covered([region], [lead]) >= MOSTLY
    return mostly_in or covered([lead], [region]) >= MOSTLY


def _groups(leads: list[Region]) -> tuple[tuple[str, ...], ...]:
    """Slight findings of which an expert found several, and uptake in several places: one by one each reads as one."""
    by_label: dict[str, list[str]] = {}
    for region in leads:
        if region.kind == "candidate" and table().called(region.label).rank <= SLIGHT:
            by_label.setdefault(region.label, []).append(region.region_id)
    many = [tuple(ids) for ids in by_label.values() if len(ids) >= GROUPED]
    # Two kidneys told one by one read as two finds.
    hot = tuple(one.region_id for one in leads if _is_hot(one))
    return (*many, hot) if len(hot) == 2 else tuple(many)


def _doubled(regions: list[Region]) -> frozenset[str]:
    """Ids of structures and tissues of experts that lie where the source, or a structure, is outlined already.

    And of tissues that say no more than a structure beside them.
    """
    structures = [one for one in regions if _role(one) == "structure"]
    marked = [one for one in structures if one.kind == "source annotation"]
    found: set[str] = set()
    for label in {one.label for one in regions if one.kind == "candidate"}:
        mine = [one for one in regions if one.label == label and one.kind == "candidate"]
        if _role(mine[0]) == "structure":
            alike = [one for one in marked if _same_kind(label, one.label)]
            again = any(one.label == label for one in alike)
            again = again or max(covered(mine, alike), covered(alike, mine)) >= MOSTLY
            again = again or min(covered(mine, marked), covered(marked, mine)) >= MOSTLY
        else:
            again = _role(mine[0]) == "tissue" and covered(mine, structures) >= MOSTLY
            again = again or any(
                _same_kind(one.label, other) for one in structures for other in table().called(label).not_beside
            )
        found |= {one.region_id for one in mine} if again else set()
    return frozenset(found)


def _same_kind(label: str, marked: str) -> bool:
    """Whether an expert's label is of what the source marks: of a name that both have, or of that organ."""
    return bool(names_of(label) & names_of(marked)) or table().bare(marked) in table().called(label).organs


def _role(region: Region) -> str:
    if table().bare(region.label) in table().organs:
        return "structure"
    return table().called(region.label).role


def _telling(region: Region) -> tuple[bool, float, int]:
    contrast = region.contrast.contrast_to_noise if region.contrast else None
    stands_out = min(abs(contrast or 0.0), FULL_CONTRAST) / FULL_CONTRAST
    return region.kind == "source annotation", table().called(region.label).rank + 2 * stands_out, region.area_px


def absences(facts: Facts) -> tuple[str, ...]:
    """Labels of findings that experts looked for and did not find.

    Only of those whose recall is known to be high: "no nodule" of an expert that misses half of them reads as health.

    None beside a finding that the source marks, nor beside one of that expert that is called so in part: "no opacity"
    beside a mark, or beside an area whiter than the other side, reads as if that were denied.
    """
    regions = [region for _, region in facts.regions.values()]
    if any(one.kind == "source annotation" and _role(one) == "finding" for one in regions):
        return ()
    found_here = [table().called(one.label) for one in regions if _role(one) == "finding"]
    ran = {expert_name(run.expert) for run in facts.grounding.experts if run.outcome != "failed"}
    there = {region.label for _, region in facts.regions.values()}
    missing: list[str] = []
    for row in table().labels:
        if row.expert is None or row.role != "finding" or row.expert not in ran or row.label in there:
            continue
        if not may_be_denied(facts, row.expert):
            continue
        if row.level and any(one.expert == row.expert and one.level == row.level for one in found_here):
            continue
        if outlined_otherwise(facts, " ".join(words(row.label))) is None:
            missing.append(row.label)
    return tuple(missing)[:MOST_ABSENCES]
