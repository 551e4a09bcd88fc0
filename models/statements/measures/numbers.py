"""Numbers that are said: lengths, areas, shares, statistics and the image's own, held against what was measured."""

import math

from models.statements.facts import Facts
from models.statements.judgement import Judgement, otherwise, so, untold
from models.statements.measures.relations import area_together, axis_of, covered
from models.statements.measures.said import Said
from schemas.regions import Region

_VALUE_UNITS = {"HU": "HU", "SUVbw": "SUV"}


def sized(facts: Facts, region_id: str, region: Region, measure: str, said: Said) -> Judgement:
    """A length, area, share or statistic of a region."""
    # What is "smaller than 3 cm" is so in its longest diameter.
    bounded = said.bound and measure in ("", "across") and said.dimension in ("mm", "px")
    found = _facts_of(facts, region_id, region, said.dimension, "bounded" if bounded else measure, said.together)
    found = [(pointers, values) for pointers, values in found if len(values) == said.together]
    if not found:
        return untold(f"no such measurement of {region_id} in that unit is told")
    for pointers, values in found:
        if said.fits(*values):
            return so(*pointers)
    return otherwise(f"the measurement of {region_id} is another", *found[0][0])


ROUNDED = 0.15
"""How far a ratio may lie from what was measured: ratios are said in round numbers."""


def box_aspect(facts: Facts, region: Region) -> float:
    """How many times as wide as tall a region stands in the picture, in mm where they are known."""
    spacing = facts.metadata.spacing
    return region.box.width / region.box.height * (spacing.column_mm / spacing.row_mm if spacing else 1.0)


def times(facts: Facts, region_id: str, region: Region, measure: str, other_id: str, said: Said) -> Judgement:
    """How many times as large or long a region is as another, or as long as it is wide itself."""
    at = f"/regions/{facts.index(region_id)}"
    size = region.size
    if measure == "itself":
        found = [size.longest_axis / size.shortest_axis] if size and size.shortest_axis else []
        found += [1 / region.shape.elongation] if region.shape and region.shape.elongation else []
        return _times(found, said, (f"{at}/size", f"{at}/shape/elongation"))
    if measure == "box":
        return _times([box_aspect(facts, region)], said, (f"{at}/box/width", f"{at}/box/height"))
    if measure == "level":
        return _times_the_level(facts, region_id, region, other_id, said)
    other = facts.region(other_id)
    there = f"/regions/{facts.index(other_id)}"
    if measure == "covering":
        return _times([covered([other], [region])], said, (f"{at}/mask", f"{there}/mask"), exact=True)
    areas = [region.area_px / other.area_px]
    lengths = [size.longest_axis / other.size.longest_axis] if size and other.size and other.size.longest_axis else []
    if measure == "length":
        return _times(lengths, said, (f"{at}/size/longest_axis", f"{there}/size/longest_axis"))
    by_area = _times(areas, said, (f"{at}/area_px", f"{there}/area_px"))
    if by_area.truth is False and _times(lengths, said, ()).truth:
        return untold("it is so of their lengths, and not of their areas", *by_area.pointers)
    return by_area


def _times_the_level(facts: Facts, region_id: str, region: Region, other_id: str, said: Said) -> Judgement:
    """How many times its mean is that of another region, or of its surroundings, where zero is none of it."""
    if facts.metadata.modality not in ("PET", "nuclear medicine"):
        return untold("values of such an image have no ratio")
    at = f"/regions/{facts.index(region_id)}"
    if other_id:
        mean, pointer = facts.region(other_id).intensity.mean, f"/regions/{facts.index(other_id)}/intensity/mean"
    elif region.surroundings is not None:
        mean, pointer = region.surroundings.mean, f"{at}/surroundings/mean"
    else:
        return untold("that was not measured")
    return _times([region.intensity.mean / mean] if mean > 0 else [], said, (f"{at}/intensity/mean", pointer))


ASIDE = 1.3
"""How many times as far two centroids may lie apart as along a direction for both to be their distance in it."""


def apart(facts: Facts, region_id: str, other_id: str, along: str, said: Said) -> Judgement:
    """How far two centroids lie apart, or one of them in the direction that is said with it."""
    dimension, spacing = said.dimension, facts.metadata.spacing
    if region_id == other_id:
        return otherwise("it compares a region with itself")
    if dimension not in ("mm", "px") or (dimension == "mm" and spacing is None):
        return untold("no distance in that unit is told")
    wide, high = (spacing.column_mm, spacing.row_mm) if dimension == "mm" and spacing is not None else (1.0, 1.0)
    (x, y), (other_x, other_y) = facts.region(region_id).centroid, facts.region(other_id).centroid
    across, down = abs(x - other_x) * wide, abs(y - other_y) * high
    found = [math.hypot(across, down)]
    if along and (axis := axis_of(facts, along)) is not None:
        straight = (across, down)[axis]
        found = [straight, *(one for one in found if one <= ASIDE * straight)]
    pointers = tuple(f"/regions/{facts.index(one)}/centroid" for one in (region_id, other_id))
    fits = any(said.fits(one) for one in found)
    return so(*pointers) if fits else otherwise("the distance is another", *pointers)


def _times(found: list[float], said: Said, pointers: tuple[str, ...], *, exact: bool = False) -> Judgement:
    """`exact`: a share, whose numbers are rounded as others are, and not as ratios."""
    if not found:
        return untold("that was not measured")
    fits = any(said.fits(one) for one in found)
    if not exact and not said.bound:
        fits = fits or any(abs(said.values[0] - one) <= ROUNDED * one for one in found)
    return so(*pointers) if fits else otherwise("the ratio is another", *pointers)


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


def shared_together(facts: Facts, region_ids: tuple[str, ...], of: str, said: Said) -> Judgement:
    """Which part regions cover together, of the picture or of what all of them lie within."""
    regions = [facts.region(one) for one in region_ids if one in facts.regions]
    if not regions or len(regions) < len(region_ids) or len({one.mask.size for one in regions}) > 1:
        return untold("their masks cannot be taken together")
    pointers = tuple(f"/regions/{facts.index(one)}/area_px" for one in region_ids)
    area = area_together(regions)
    found = [100 * area / (facts.rows * facts.columns)] if of in ("", "image") else []
    places = [one.place for one in regions if one.place is not None and one.place.share_percent]
    within_all = {one.within.removesuffix("s") for one in places}
    if len(places) == len(regions) and len(within_all) == 1 and of.removesuffix("s") in ("", *within_all):
        found.append(area / regions[0].area_px * places[0].share_percent)
    if not found or said.together > 1:
        return untold("no share of that is told", *pointers)
    fits = any(said.fits(one) for one in found)
    return so(*pointers) if fits else otherwise("together they cover another part", *pointers)


def of_image(facts: Facts, measure: str, said: Said) -> Judgement:
    """Slice thickness, spacing, times, field strength, tube voltage; the highest value, where it is an SUV."""
    metadata = facts.metadata
    highest = facts.grounding.intensity if facts.grounding.intensity.unit == "SUVbw" and said.unit == "SUV" else None
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
    if not told or (measure in ("thickness", "spacing") and said.dimension != "mm"):
        return untold("the source does not tell that number")
    for pointer, one in told:
        beyond = {"below": one < said.measured[0], "above": one > said.measured[0]}.get(said.bound)
        if said.fits(one) if beyond is None else beyond:
            return so(pointer)
    return otherwise("the source tells another number", told[0][0])
