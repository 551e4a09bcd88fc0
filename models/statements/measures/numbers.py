"""Numbers that are said: lengths, areas, shares, statistics and the image's own, held against what was measured."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from models.statements.facts import Facts
from models.statements.judgement import Judgement, otherwise, so, untold
from models.statements.measures.relations import area_together, axis_of, covered
from schemas.regions import Region

if TYPE_CHECKING:
    from models.statements.claims import Distance, Ratio, Size, Total

CLOSE, LOOSE = 0.02, 0.12
"""How far a number may lie from what was measured: as it stands, and behind 'about'. Half a unit of its last figure
counts too, up to LOOSE."""
_CM, _UM = 10.0, 0.001
_SCALES = {"mm": ("mm", 1.0), "cm": ("mm", _CM), "µm": ("mm", _UM), "px": ("px", 1.0), "mm²": ("mm²", 1.0),
           "cm²": ("mm²", 100.0), "µm²": ("mm²", 1e-6), "%": ("%", 1.0), "HU": ("HU", 1.0), "SUV": ("SUV", 1.0),
           "ms": ("ms", 1.0), "kV": ("kV", 1.0), "T": ("T", 1.0), "times": ("times", 1.0)}  # fmt: skip
_VALUE_UNITS = {"HU": "HU", "SUVbw": "SUV"}


def near(said: float, value: float, loose: bool = False, decimals: int = 0, scale: float = 1.0) -> bool:
    """Whether a number that is said is the one measured, both in one unit; `scale`: of the unit it was said in."""
    if value == 0 or said == 0:
        return abs(said - value) <= 0.5 * scale * 10.0**-decimals
    if (said > 0) != (value > 0):
        return False
    part = LOOSE if loose else max(CLOSE, min(LOOSE, 0.5 * scale * 10.0**-decimals / abs(value)))
    return abs(said - value) <= part * abs(value) + 1e-9


def sized(facts: Facts, region_id: str, region: Region, claim: "Size") -> Judgement:
    """A length, area, share or statistic of a region."""
    dimension, scale = _SCALES[claim.unit]
    together = 1 if claim.bound == "between" else len(claim.values)
    # What is "smaller than 3 cm" is so in its longest diameter.
    bounded = claim.bound and claim.measure in ("", "across") and dimension in ("mm", "px")
    measure = "bounded" if bounded else claim.measure
    found = _facts_of(facts, region_id, region, dimension, measure, together)
    if not found:
        return untold(f"no such measurement of {region_id} in that unit is told")
    said = [value * scale for value in claim.values]
    for pointers, values in found:
        if claim.bound == "between":
            fits = within("above", said[0], values[0]) and within("below", said[1], values[0])
        elif claim.bound:
            fits = all(within(claim.bound, one, value) for one, value in zip(said, values, strict=True))
        else:
            pairs = zip(sorted(said, reverse=True), sorted(values, reverse=True), strict=True)
            fits = all(near(one, value, claim.loose, claim.decimals, scale) for one, value in pairs)
        if fits:
            return so(*pointers)
    return otherwise(f"the measurement of {region_id} is another", *found[0][0])


ROUNDED = 0.15
"""How far a ratio may lie from what was measured: ratios are said in round numbers."""


def box_aspect(facts: Facts, region: Region) -> float:
    """How many times as wide as tall a region stands in the picture, in mm where they are known."""
    spacing = facts.metadata.spacing
    return region.box.width / region.box.height * (spacing.column_mm / spacing.row_mm if spacing else 1.0)


def times(facts: Facts, region_id: str, region: Region, claim: "Ratio") -> Judgement:
    """How many times as large or long a region is as another, or as long as it is wide itself."""
    at = f"/regions/{facts.index(region_id)}"
    size = region.size
    if claim.measure == "itself":
        found = [size.longest_axis / size.shortest_axis] if size and size.shortest_axis else []
        found += [1 / region.shape.elongation] if region.shape and region.shape.elongation else []
        return _times(found, claim, (f"{at}/size", f"{at}/shape/elongation"))
    if claim.measure == "box":
        return _times([box_aspect(facts, region)], claim, (f"{at}/box/width", f"{at}/box/height"))
    if claim.measure == "level":
        return _times_the_level(facts, region_id, region, claim)
    other = facts.region(claim.object)
    there = f"/regions/{facts.index(claim.object)}"
    if claim.measure == "covering":
        return _times([covered([other], [region])], claim, (f"{at}/mask", f"{there}/mask"), exact=True)
    areas = [region.area_px / other.area_px]
    lengths = [size.longest_axis / other.size.longest_axis] if size and other.size and other.size.longest_axis else []
    if claim.measure == "length":
        return _times(lengths, claim, (f"{at}/size/longest_axis", f"{there}/size/longest_axis"))
    by_area = _times(areas, claim, (f"{at}/area_px", f"{there}/area_px"))
    if by_area.truth is False and _times(lengths, claim, ()).truth:
        return untold("it is so of their lengths, and not of their areas", *by_area.pointers)
    return by_area


def _times_the_level(facts: Facts, region_id: str, region: Region, claim: "Ratio") -> Judgement:
    """How many times its mean is that of another region, or of its surroundings, where zero is none of it."""
    if facts.metadata.modality not in ("PET", "nuclear medicine"):
        return untold("values of such an image have no ratio")
    at = f"/regions/{facts.index(region_id)}"
    if claim.object:
        mean, pointer = (
            facts.region(claim.object).intensity.mean,
            f"/regions/{facts.index(claim.object)}/intensity/mean",
        )
    elif region.surroundings is not None:
        mean, pointer = region.surroundings.mean, f"{at}/surroundings/mean"
    else:
        return untold("that was not measured")
    return _times([region.intensity.mean / mean] if mean > 0 else [], claim, (f"{at}/intensity/mean", pointer))


ASIDE = 1.3
"""How many times as far two centroids may lie apart as along a direction for both to be their distance in it."""


def apart(facts: Facts, region_id: str, claim: "Distance") -> Judgement:
    """How far two centroids lie apart, or one of them in the direction that is said with it."""
    dimension, scale = _SCALES[claim.unit]
    spacing = facts.metadata.spacing
    if region_id == claim.object:
        return otherwise("it compares a region with itself")
    if dimension not in ("mm", "px") or (dimension == "mm" and spacing is None):
        return untold("no distance in that unit is told")
    wide, high = (spacing.column_mm, spacing.row_mm) if dimension == "mm" and spacing is not None else (1.0, 1.0)
    (x, y), (other_x, other_y) = facts.region(region_id).centroid, facts.region(claim.object).centroid
    across, down = abs(x - other_x) * wide, abs(y - other_y) * high
    found = [math.hypot(across, down)]
    if claim.along and (axis := axis_of(facts, claim.along)) is not None:
        straight = (across, down)[axis]
        found = [straight, *(one for one in found if one <= ASIDE * straight)]
    pointers = tuple(f"/regions/{facts.index(one)}/centroid" for one in (region_id, claim.object))
    fits = _fits((claim.value,), found, claim, scale)
    return so(*pointers) if fits else otherwise("the distance is another", *pointers)


def _fits(said: Sequence[float], found: Sequence[float], claim: "Distance | Total", scale: float = 1.0) -> bool:
    """Whether one of what was measured is what is said: a number, a bound, or what lies between two; `scale`: of it."""
    low, high = said[0] * scale, said[-1] * scale
    if claim.bound == "between":
        return any(within("above", low, one) and within("below", high, one) for one in found)
    if claim.bound:
        return any(within(claim.bound, low, one) for one in found)
    return any(near(low, one, claim.loose, claim.decimals, scale) for one in found)


def _times(found: list[float], claim: "Ratio", pointers: tuple[str, ...], *, exact: bool = False) -> Judgement:
    """`exact`: a share, whose numbers are rounded as others are, and not as ratios."""
    if not found:
        return untold("that was not measured")
    if claim.bound:
        fits = any(within(claim.bound, claim.value, one) for one in found)
    else:
        fits = any(
            near(claim.value, one, claim.loose or not exact, claim.decimals)
            or (not exact and abs(claim.value - one) <= ROUNDED * one)
            for one in found
        )
    return so(*pointers) if fits else otherwise("the ratio is another", *pointers)


def within(bound: str, said: float, value: float) -> bool:
    """Whether a measurement is at most ("below") or at least ("above") what is said, but for rounding."""
    return value <= 1.02 * said if bound == "below" else value >= 0.98 * said


def _facts_of(
    facts: Facts, region_id: str, region: Region, dimension: str, measure: str, n: int
) -> list[tuple[tuple[str, ...], tuple[float, ...]]]:
    """What a number of a dimension can be: pointers and values; several where the words leave it open."""
    at = f"/regions/{facts.index(region_id)}"
    size = region.size
    if dimension in ("mm", "px") and size is not None and size.unit == dimension:
        lengths = {
            name: getattr(size, name) for name in ("longest_axis", "shortest_axis", "equivalent_diameter", "minor_axis")
        }
        if n == 2:
            return [
                *(
                    ((f"{at}/size/longest_axis", f"{at}/size/{name}"), (size.longest_axis, lengths[name]))
                    for name in ("shortest_axis", "minor_axis")
                ),
                ((f"{at}/box/width", f"{at}/box/height"), _sides(facts, region, dimension)),
            ]
        wanted = {
            "longest": ("longest_axis",),
            "shortest": ("shortest_axis", "minor_axis"),
            "bounded": ("longest_axis",),
        }.get(measure, ("longest_axis", "equivalent_diameter"))
        return [((f"{at}/size/{name}",), (lengths[name],)) for name in wanted]
    if dimension == "mm²" and region.area_mm2 is not None:
        return [((f"{at}/area_mm2",), (region.area_mm2,))]
    if dimension == "%":
        return [
            ((pointer,), (share,))
            for share, pointer in [share_of(facts, region_id, region, measure)]
            if share is not None
        ]
    if dimension == _VALUE_UNITS.get(region.intensity.unit):
        if measure == "around" and region.surroundings is not None:
            return [((f"{at}/surroundings/mean",), (region.surroundings.mean,))]
        wanted = {
            "maximum": ("maximum",),
            "minimum": ("minimum",),
            "spread": ("standard_deviation",),
            "mean": ("mean", "median"),
        }.get(measure, ("mean", "median", "maximum"))
        values = [(name, getattr(region.intensity, name)) for name in wanted]
        return [((f"{at}/intensity/{name}",), (value,)) for name, value in values if value is not None]
    return []


def _sides(facts: Facts, region: Region, dimension: str) -> tuple[float, float]:
    """Width and height of the box of a region, in the unit of its lengths."""
    spacing = facts.metadata.spacing
    wide, high = (spacing.column_mm, spacing.row_mm) if dimension == "mm" and spacing is not None else (1.0, 1.0)
    return region.box.width * wide, region.box.height * high


_OF_A_PATIENT = ("body", "trunk", "foreground")
"""Names of what lies in the picture of a patient: regions of such pictures lie within one of them."""


def share_of(facts: Facts, region_id: str, region: Region, of: str) -> tuple[float | None, str]:
    """The share, percent, of the image ("image") or of what is named that a region covers, and where it stands."""
    at = f"/regions/{facts.index(region_id)}"
    shown = of in ("", "image")
    within = region.place.within if region.place is not None else ""
    if within in _OF_A_PATIENT and of in (*_OF_A_PATIENT, "patient", "torso"):
        of = within
    if of == "organ" and facts.metadata.organ == within.removesuffix("s"):
        of = within
    if region.place is not None and of.removesuffix("s") in ("", within.removesuffix("s")):
        return region.place.share_percent, f"{at}/place/share_percent"
    return (100 * region.area_px / (facts.rows * facts.columns), f"{at}/area_px") if shown else (None, "")


def shared_together(facts: Facts, claim: "Total") -> Judgement:
    """Which part regions cover together, of the picture or of what all of them lie within."""
    regions = [facts.region(one) for one in claim.regions if one in facts.regions]
    if not regions or len(regions) < len(claim.regions) or len({one.mask.size for one in regions}) > 1:
        return untold("their masks cannot be taken together")
    pointers = tuple(f"/regions/{facts.index(one)}/area_px" for one in claim.regions)
    area = area_together(regions)
    found = [100 * area / (facts.rows * facts.columns)] if claim.of in ("", "image") else []
    places = [one.place for one in regions if one.place is not None and one.place.share_percent]
    within_all = {one.within.removesuffix("s") for one in places}
    if len(places) == len(regions) and len(within_all) == 1 and claim.of.removesuffix("s") in ("", *within_all):
        found.append(area / regions[0].area_px * places[0].share_percent)
    if not found:
        return untold("no share of that is told", *pointers)
    fits = _fits(claim.values, found, claim)
    return so(*pointers) if fits else otherwise("together they cover another part", *pointers)


def of_image(facts: Facts, measure: str, value: float, unit: str, bound: str, loose: bool, decimals: int) -> Judgement:
    """Slice thickness, spacing, times, field strength, tube voltage; the highest value, where it is an SUV."""
    metadata = facts.metadata
    highest = facts.grounding.intensity if facts.grounding.intensity.unit == "SUVbw" and unit == "SUV" else None
    dimension, scale = _SCALES[unit]
    spacing = metadata.spacing
    known: list[tuple[str, float | None]] = {
        "thickness": [("/metadata/slice_thickness_mm", metadata.slice_thickness_mm)],
        "spacing": [
            ("/metadata/spacing/row_mm", spacing and spacing.row_mm),
            ("/metadata/spacing/column_mm", spacing and spacing.column_mm),
        ],
        "ms": [
            ("/metadata/echo_time_ms", metadata.echo_time_ms),
            ("/metadata/repetition_time_ms", metadata.repetition_time_ms),
        ],
        "kV": [("/metadata/tube_voltage_kv", metadata.tube_voltage_kv)],
        "T": [("/metadata/magnetic_field_t", metadata.magnetic_field_t)],
        "maximum of the image": [("/intensity/maximum", highest and highest.maximum)],
    }.get(measure, [])
    told = [(pointer, one) for pointer, one in known if one is not None]
    if not told or (measure in ("thickness", "spacing") and dimension != "mm"):
        return untold("the source does not tell that number")
    for pointer, one in told:
        beyond = {"below": one < value * scale, "above": one > value * scale}.get(bound)
        if beyond or (beyond is None and near(value * scale, one, loose, decimals, scale)):
            return so(pointer)
    return otherwise("the source tells another number", told[0][0])
