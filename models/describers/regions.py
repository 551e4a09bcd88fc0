"""What the composer says of regions: which there are, how they look, their texture. Knows nothing of the image around.

Regions are candidates, named by the rule that found them.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

from models.describers.phrases import (
    area,
    article,
    count,
    joined,
    lengths,
    mean,
    mean_of,
    number,
    plural,
    quantity,
    sentence,
)
from schemas.regions import Grounding, Intensity, Region, Term
from schemas.triplets import Evidence, Statement

UNIFORM, VARIED = 0.5, 2.0
"""Ratios of a region's spread to its surroundings' at which it is called more uniform, or more varied: a factor of two
is plain to a reader, and well above the error of a standard deviation over a few dozen pixels."""
FORM: tuple[str, ...] = ("shape", "outline", "margin")
"""Aspects told when a region is introduced, in this order."""
LEVEL: tuple[str, ...] = ("density", "uptake", "contrast")
"""Aspects told with its intensity."""

Kind = Literal["metadata", "image", "region", "relation", "passage"]


AREAS_TOLD = 4
"""Regions of a label whose areas are told one by one beside the largest; of more, the largest and the smallest."""
TEXTURES_TOLD = 3
"""Labels whose texture is told: more would make a description too long to be read. All are among the fields."""


def evident(kind: Kind, pointer: str, value: str | float | bool) -> Evidence:
    """What a statement rests on."""
    return Evidence(kind=kind, pointer=pointer, value=value)


def of_regions(grounding: Grounding) -> Iterator[Statement]:
    """One statement for each kind and label of region."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, region in enumerate(grounding.regions):
        groups[region.kind, region.label].append(index)
    for (kind, _), indices in groups.items():
        if kind == "whole image":
            yield _nothing(grounding, indices[0])
        elif len(indices) == 1:
            yield _single(grounding.regions[indices[0]], indices[0])
        else:
            yield _several([(index, grounding.regions[index]) for index in indices])


def _nothing(grounding: Grounding, index: int) -> Statement:
    evidence = [evident("region", f"/regions/{index}/rule", grounding.regions[index].rule)]
    evidence += [
        evident("region", f"/experts/{turn}/outcome", run.outcome) for turn, run in enumerate(grounding.experts)
    ]
    outcomes = {run.outcome for run in grounding.experts}
    if not outcomes:
        why = "no expert fits this kind of image"
    elif "failed" not in outcomes:
        why = "no expert found a candidate"
    else:
        why = "every expert failed" if outcomes == {"failed"} else "one expert or more failed and no other found any"
    return Statement(text=sentence(f"no part of the image is outlined, because {why}"), evidence=tuple(evidence))


def _single(region: Region, index: int) -> Statement:
    evidence = [evident("region", f"/regions/{index}/label", region.label)]
    form = _terms(region, index, FORM, evidence)
    text = (
        f"region {region.region_id}, {article(_named(region))} of {_area(region)}{_axes(region, index, evidence)}, "
        f"{f'is {joined(form)}, ' if form else ''}lies {_where(region)}{' and' if not form else ', and'} "
        f"has {_level(region, index, evidence)}"
    )
    return Statement(text=sentence(text), evidence=(*evidence, *_placed(index, region)))


def _axes(region: Region, index: int, evidence: list[Evidence]) -> str:
    size, pointer = region.size, f"/regions/{index}/size"
    if size is None:
        return ""
    evidence.append(evident("region", f"{pointer}/longest_axis", size.longest_axis))
    evidence.append(evident("region", f"{pointer}/shortest_axis", size.shortest_axis))
    return f" ({lengths(size.longest_axis, size.shortest_axis, size.unit)})"


def _where(region: Region) -> str:
    ring = any(term.word == "ring-shaped" for term in region.terms)
    return f"{'around' if ring else 'in'} the {region.position}"


def _level(region: Region, index: int, evidence: list[Evidence]) -> str:
    """The mean, and the words for it that the label does not hold already."""
    evidence.append(evident("region", f"/regions/{index}/intensity/mean", region.intensity.mean))
    words = _terms(region, index, LEVEL, evidence)
    return mean_of(region.intensity.mean, region.intensity.unit) + (f" ({', '.join(words)})" if words else "")


def _terms(region: Region, index: int, aspects: tuple[str, ...], evidence: list[Evidence]) -> list[str]:
    """Words of those aspects, in their order, each with the word and its measurement as evidence."""
    found: list[str] = []
    for aspect in aspects:
        for place, term in enumerate(region.terms):
            if term.aspect == aspect and not _said(term, region.label):
                found.append(term.word)
                evidence.append(evident("region", f"/regions/{index}/terms/{place}/word", term.word))
    return found


def _said(term: Term, label: str) -> bool:
    """Whether a label speaks of the same: a rule that looks further than the ring may call hyperintense what is not
    so against the ring, and 'bright' beside 'hyperintense' says nothing."""
    return any(
        stem in label and stem in term.word for stem in ("dens", "intense", "echo", "uptake", "X-rays", "opaque")
    )


def _several(group: list[tuple[int, Region]]) -> Statement:
    # Regions come largest first.
    (index, first), *others = group
    evidence = [evident("region", f"/regions/{index}/label", first.label)]
    form = _terms(first, index, FORM, evidence)
    if len(others) > AREAS_TOLD:
        others = [others[0], others[-1]]
        rest = " to ".join(f"{_area(region)} ({region.region_id})" for _, region in others)
    else:
        rest = joined([f"{_area(region)} ({region.region_id})" for _, region in others])
    text = (
        f"{count(len(group))} {plural(_named(first))} are outlined: the largest ({first.region_id}) lies "
        f"{_where(first)}, covers {_area(first)}{_axes(first, index, evidence)}, "
        f"{f'is {joined(form)}, ' if form else ''}and has {_level(first, index, evidence)}; "
        f"the {'other covers' if len(others) == 1 else 'others cover'} {rest}"
    )
    evidence += _placed(index, first)
    evidence += [_area_evidence(number, region) for number, region in others]
    return Statement(text=sentence(text), evidence=tuple(evidence))


def _named(region: Region) -> str:
    return kinded(region.kind, region.label)


def kinded(of: str, label: str) -> str:
    """A label with the kind of its regions: 'candidate …', 'annotated …'."""
    kind = "annotated" if of == "source annotation" else "candidate"
    return label if label.startswith(kind) else f"{kind} {label}"


def _placed(index: int, region: Region) -> list[Evidence]:
    return [evident("region", f"/regions/{index}/position", region.position), _area_evidence(index, region)]


def _area(region: Region) -> str:
    return area(region.area_px, region.area_mm2)


def _area_evidence(index: int, region: Region) -> Evidence:
    if region.area_mm2 is None:
        return evident("region", f"/regions/{index}/area_px", region.area_px)
    return evident("region", f"/regions/{index}/area_mm2", region.area_mm2)


def of_texture(grounding: Grounding) -> Iterator[Statement]:
    """Of the largest region of each label, against its surroundings; else of the whole image."""
    told: set[str] = set()
    for index, region in enumerate(grounding.regions):
        around = region.surroundings
        if region.label in told or region.kind == "whole image" or around is None:
            continue
        if len(told) == TEXTURES_TOLD:
            break
        yield _against_surroundings(index, region, around, first=not told)
        told.add(region.label)
    if not told:
        whole = grounding.intensity
        text = f"has {mean_of(whole.mean, whole.unit)} and a standard deviation of {quantity(whole.spread, whole.unit)}"
        yield Statement(
            text=sentence(f"the whole image {text}"),
            evidence=(
                evident("image", "/intensity/mean", whole.mean),
                evident("image", "/intensity/spread", whole.spread),
            ),
        )


def _against_surroundings(index: int, region: Region, around: Intensity, *, first: bool) -> Statement:
    inside, pointer = region.intensity, f"/regions/{index}"
    evidence = [
        evident("region", f"{pointer}/intensity/mean", inside.mean),
        evident("region", f"{pointer}/surroundings/mean", around.mean),
    ]
    named = mean(inside.unit)
    if number(inside.mean) == number(around.mean):
        level, than = f"the same {named}", "as"
        means = quantity(inside.mean, inside.unit)
    else:
        level, than = f"a {'higher' if inside.mean > around.mean else 'lower'} {named}", "than"
        means = f"{number(inside.mean)} against {quantity(around.mean, inside.unit)}"
    text = (
        f"compared with its surroundings, region {region.region_id} has {level}, {means}"
        if first
        else f"region {region.region_id} has {level} {than} its surroundings, {means}"
    )
    text += _spreads(index, region, around, evidence)
    if first:
        text += _grain(index, region, evidence)
    return Statement(text=sentence(text), evidence=tuple(evidence))


def _spreads(index: int, region: Region, around: Intensity, evidence: list[Evidence]) -> str:
    inside = region.intensity
    ours, theirs = number(inside.spread), quantity(around.spread, inside.unit)
    if inside.spread == around.spread:
        text = f", and the same standard deviation, {theirs}"
    elif inside.spread <= UNIFORM * around.spread:
        text = f", and is more uniform (standard deviation {ours} against {theirs})"
    elif inside.spread >= VARIED * around.spread:
        text = f", and is more varied (standard deviation {ours} against {theirs})"
    else:
        text = f", and a standard deviation of {ours} against {theirs}"
    evidence.append(evident("region", f"/regions/{index}/intensity/spread", inside.spread))
    evidence.append(evident("region", f"/regions/{index}/surroundings/spread", around.spread))
    return text


def _grain(index: int, region: Region, evidence: list[Evidence]) -> str:
    """Grey level co-occurrence: how much neighbours differ, and how alike most of them are."""
    found, pointer = region.texture, f"/regions/{index}/texture"
    if found is None:
        return ""
    evidence.append(evident("region", f"{pointer}/contrast", found.contrast))
    evidence.append(evident("region", f"{pointer}/homogeneity", found.homogeneity))
    return f", with a GLCM contrast of {number(found.contrast)} and a GLCM homogeneity of {number(found.homogeneity)}"
