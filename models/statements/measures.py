"""What was measured, as claims ask for it: places, sizes, levels, relations. Knows nothing of sentences."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco

from models.statements.facts import Facts, names_of
from models.statements.judgement import Judgement, otherwise, so, untold
from models.statements.table import table
from schemas.regions import Mask, Region

if TYPE_CHECKING:
    from models.statements.claims import Size

SIMILAR = 1.15
"""Ratio of areas up to which they are similar, as grounding has it for its relations."""
CLOSE, LOOSE = 0.02, 0.12
"""How far a number may lie from what was measured: as it stands, and behind 'about'. Half a unit of its last figure
counts too, up to LOOSE."""
MARGIN = 0.05
"""Of an axis: how far a centroid may lie beyond the half or the third that a word names."""
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
    found = _facts_of(facts, region_id, region, dimension, claim.measure, len(claim.values))
    if not found:
        return untold(f"no such measurement of {region_id} in that unit is told")
    said = [value * scale for value in claim.values]
    for pointers, values in found:
        if claim.bound:
            fits = all(_within(claim.bound, one, value) for one, value in zip(said, values, strict=True))
        else:
            pairs = zip(sorted(said, reverse=True), sorted(values, reverse=True), strict=True)
            fits = all(near(one, value, claim.loose, claim.decimals, scale) for one, value in pairs)
        if fits:
            return so(*pointers)
    return otherwise(f"the measurement of {region_id} is another", *found[0][0])


def _within(bound: str, said: float, value: float) -> bool:
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
            return [((f"{at}/size/longest_axis", f"{at}/size/shortest_axis"), (size.longest_axis, size.shortest_axis))]
        wanted = {
            "longest": ("longest_axis",),
            "shortest": ("shortest_axis", "minor_axis"),
            "across": ("longest_axis", "equivalent_diameter"),
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
            "spread": ("spread",),
            "mean": ("mean", "median"),
        }.get(measure, ("mean", "median", "maximum"))
        values = [(name, getattr(region.intensity, name)) for name in wanted]
        return [((f"{at}/intensity/{name}",), (value,)) for name, value in values if value is not None]
    return []


def share_of(facts: Facts, region_id: str, region: Region, of: str) -> tuple[float | None, str]:
    """The share, percent, of the image ("image") or of what is named that a region covers, and where it stands."""
    at = f"/regions/{facts.index(region_id)}"
    shown = of in ("", "image")
    if region.place is not None and of.removesuffix("s") in ("", region.place.within.removesuffix("s")):
        return region.place.share_percent, f"{at}/place/share_percent"
    return (100 * region.area_px / (facts.rows * facts.columns), f"{at}/area_px") if shown else (None, "")


def of_image(facts: Facts, measure: str, value: float, unit: str, loose: bool, decimals: int) -> Judgement:
    """Slice thickness, spacing, times, field strength, tube voltage."""
    metadata = facts.metadata
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
    }.get(measure, [])
    told = [(pointer, one) for pointer, one in known if one is not None]
    if not told or (measure in ("thickness", "spacing") and dimension != "mm"):
        return untold("the source does not tell that number")
    for pointer, one in told:
        if near(value * scale, one, loose, decimals, scale):
            return so(pointer)
    return otherwise("the source tells another number", told[0][0])


def worded(facts: Facts, region_id: str, region: Region, aspect: str, word: str) -> Judgement:
    """A word for a measurement, by its bounds: otherwise where another word of the aspect holds."""
    at = f"/regions/{facts.index(region_id)}"
    holding = next(((n, term) for n, term in enumerate(region.terms) if term.aspect == aspect), None)
    if holding is not None:
        n, term = holding
        pointer = f"{at}/terms/{n}/word"
        return so(pointer) if term.word == word else otherwise(f"region {region_id} is {term.word}", pointer)
    row = next(row for row in table().rows() if row.aspect == aspect and row.word == word)
    measured = _measured(region, row.measure)
    if measured is None or aspect == "density" or (row.modalities and facts.metadata.modality not in row.modalities):
        fits_not = aspect == "density" and measured is not None and region.intensity.unit == "HU"
        pointer = f"{at}{row.measure}"
        return otherwise("the density is another", pointer) if fits_not else untold("that was not measured")
    if aspect == "texture" or aspect == "margin":
        return untold("what was measured lies between these words", f"{at}{row.measure}")
    return otherwise("what was measured is otherwise", f"{at}{row.measure}")


def _measured(region: Region, measure: str) -> float | None:
    _, part, name = measure.split("/")
    return getattr(getattr(region, part, None), name, None)


def contrast_of(facts: Facts, region_id: str, region: Region, scale: str) -> tuple[str, float | None]:
    """Contrast against the surroundings on a scale, in their standard deviations, and where it stands."""
    if scale == "shown":
        measure = table().shown.measure
    else:
        row = next((row for row in table().scales if row.scale == scale), None)
        if row is None or facts.metadata.modality not in row.modalities:
            return "", None
        measure = row.measure
    return f"/regions/{facts.index(region_id)}{measure}", _measured(region, measure)


def levels(facts: Facts, region_id: str, other_id: str, scale: str, direction: str) -> Judgement:
    """A region against another one, by their means and by which end is shown bright."""
    if other_id not in facts.regions:
        return otherwise(f"there is no region {other_id}")
    one, other = facts.region(region_id), facts.region(other_id)
    difference = one.intensity.mean - other.intensity.mean
    if scale in ("shown", "opacity"):
        sign = shown_sign(facts)
        if sign is None:
            return untold("which values are shown bright is not told")
        difference *= sign
    elif contrast_of(facts, region_id, one, scale)[0] == "":
        return untold("that is no scale of this modality")
    pointers = tuple(f"/regions/{facts.index(which)}/intensity/mean" for which in (region_id, other_id))
    small = 0.1 * max(one.intensity.spread, other.intensity.spread)
    if direction == "alike":
        return so(*pointers) if abs(difference) <= 5 * small else otherwise("their means differ", *pointers)
    signed = difference if direction == "high" else -difference
    if abs(signed) <= small:
        return untold("their means hardly differ", *pointers)
    return so(*pointers) if signed > 0 else otherwise("it is the other way round", *pointers)


def shown_sign(facts: Facts) -> int | None:
    """1 where high values are shown bright, -1 where low ones are; None where no region tells."""
    for _, region in facts.regions.values():
        contrast = region.contrast
        if contrast is not None and contrast.as_displayed and contrast.contrast_to_noise:
            return 1 if contrast.as_displayed * contrast.contrast_to_noise > 0 else -1
    return None


def placed(facts: Facts, region_id: str, region: Region, axis: str, end: str, frame: str, third: bool) -> Judgement:
    """Where along an axis the centroid lies."""
    pointer = f"/regions/{facts.index(region_id)}/{'centroid' if frame == 'shown' else 'place/axes'}"
    fraction = _fraction(facts, region, axis, frame)
    if fraction is None:
        if frame == "patient" and axis == "patient left" and facts.metadata.laterality in ("left", "right"):
            side = "high" if facts.metadata.laterality == "left" else "low"
            if end == side:
                return so("/metadata/laterality")
            return otherwise(f"the source says {facts.metadata.laterality}", "/metadata/laterality")
        return untold(f"that axis of {region_id} is not told in that frame")
    if end == "middle":
        holds = abs(fraction - 0.5) <= 1 / 6 + MARGIN
        return so(pointer) if holds else otherwise(f"region {region_id} lies off the middle", pointer)
    along = fraction if end == "high" else 1 - fraction
    bound = 2 / 3 if third else 0.5
    if along >= bound - (MARGIN if third else 0):
        return so(pointer)
    if along >= (0.5 + MARGIN if third else 0.5 - MARGIN):
        return untold(f"region {region_id} lies near the middle of that axis", pointer)
    return otherwise(f"region {region_id} lies at the other end", pointer)


def _fraction(facts: Facts, region: Region, axis: str, frame: str) -> float | None:
    if frame == "shown":
        x, y = region.centroid
        return {"image right": (x + 0.5) / facts.columns, "image down": (y + 0.5) / facts.rows}.get(axis)
    if region.place is None:
        return None
    told = {one.towards: one.fraction for one in region.place.axes}
    if axis in ("image right", "image down") and frame == "patient":
        return None
    return told.get(cast(Any, axis))


def related(facts: Facts, region_id: str, predicate: str, other_id: str) -> Judgement:
    """A relation: as grounding told it, else from areas, boxes, centroids and masks."""
    told = facts.grounding.relations
    for n, one in enumerate(told):
        if (one.subject, one.predicate, one.object) == (region_id, predicate, other_id):
            return so(f"/relations/{n}/predicate")
        if predicate in ("touching", "overlapping", "mirror of", "same texture as", "similar in size to") and (
            one.object,
            one.predicate,
            one.subject,
        ) == (region_id, predicate, other_id):
            return so(f"/relations/{n}/predicate")
    if region_id == other_id:
        return otherwise("it compares a region with itself")
    one, other = facts.region(region_id), facts.region(other_id)
    ratio = one.area_px / other.area_px
    areas = tuple(f"/regions/{facts.index(which)}/area_px" for which in (region_id, other_id))
    match predicate:
        case "larger than":
            return so(*areas) if ratio > 1.05 else otherwise("it is not larger", *areas)
        case "similar in size to":
            return so(*areas) if 1 / SIMILAR <= ratio <= SIMILAR else otherwise("their areas differ", *areas)
        case "inside" | "overlapping" | "outside" | "touching":
            return _overlap(facts, region_id, other_id, predicate)
        case "mirror of" | "same texture as":
            return untold("no such relation was measured")
        case _:
            return _ordered(facts, region_id, other_id, predicate)


def _overlap(facts: Facts, region_id: str, other_id: str, predicate: str) -> Judgement:
    one, other = facts.region(region_id), facts.region(other_id)
    pointers = tuple(f"/regions/{facts.index(which)}/mask" for which in (region_id, other_id))
    first, second = _decoded(one.mask), _decoded(other.mask)
    if first.shape != second.shape:
        return untold("their masks cannot be compared")
    share = float(np.count_nonzero(first & second)) / max(1, int(np.count_nonzero(first)))
    structure = table().called(other.label).role == "structure"
    match predicate:
        case "inside" if structure:
            # Outlines of structures are coarse: what lies in them can bulge out of them.
            x, y = one.centroid
            box = other.box
            within = box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height
            holds = share >= 0.9 or (within and share > 0.05)
        case "inside":
            holds = share >= 0.9
        case "outside":
            holds = share <= 0.1
        case "overlapping":
            holds = share >= 0.05
        case _:
            return untold("whether they touch was not told") if share < 0.05 else so(*pointers)
    if holds:
        return so(*pointers)
    return otherwise(f"it is not {predicate}", *pointers)


def iou(one: Region, other: Region) -> float:
    """Intersection over union of two masks of one image."""
    width = min(one.box.x + one.box.width, other.box.x + other.box.width) - max(one.box.x, other.box.x)
    height = min(one.box.y + one.box.height, other.box.y + other.box.height) - max(one.box.y, other.box.y)
    if width <= 0 or height <= 0 or width * height < 0.3 * min(one.area_px, other.area_px):
        return 0.0
    first, second = _decoded(one.mask), _decoded(other.mask)
    if first.shape != second.shape:
        return 0.0
    shared = int(np.count_nonzero(first & second))
    return shared / (int(np.count_nonzero(first)) + int(np.count_nonzero(second)) - shared)


@lru_cache(maxsize=12)
def _decoded_runs(rows: int, columns: int, counts: str) -> npt.NDArray[np.bool_]:
    rle: Any = {"size": [rows, columns], "counts": counts.encode()}
    return np.asarray(coco.decode(rle), np.bool_)


def _decoded(mask: Mask) -> npt.NDArray[np.bool_]:
    return _decoded_runs(*mask.size, mask.counts)


_ORDERED = {
    "patient left of": ("patient left", 1), "anterior to": ("posterior", -1), "superior to": ("feet", -1),
    "left of": ("image right", -1), "above": ("image down", -1),
}  # fmt: skip


def _ordered(facts: Facts, region_id: str, other_id: str, predicate: str) -> Judgement:
    if predicate not in _ORDERED:
        return untold("no such relation was measured")
    axis, sign = _ORDERED[predicate]
    one, other = facts.region(region_id), facts.region(other_id)
    if axis == "image right" and facts.metadata.orientation is not None:
        return untold("whether the patient's left or that of the display is meant is not said")
    if axis.startswith("image"):
        n, extent = (0, facts.columns) if axis == "image right" else (1, facts.rows)
        apart = sign * (one.centroid[n] - other.centroid[n]) / extent
    else:
        sense = _sense(facts, axis)
        if sense is None:
            return untold("that axis of the patient is not told")
        n, grows = sense
        extent = (facts.columns, facts.rows)[n]
        apart = sign * grows * (one.centroid[n] - other.centroid[n]) / extent
    pointers = tuple(f"/regions/{facts.index(which)}/centroid" for which in (region_id, other_id))
    if abs(apart) < 0.02:
        return untold("they hardly differ along that axis", *pointers)
    return so(*pointers) if apart > 0 else otherwise("it is the other way round", *pointers)


_OPPOSITE = {"patient right": "patient left", "anterior": "posterior", "head": "feet"}


def _sense(facts: Facts, axis: str) -> tuple[int, int] | None:
    """Which image axis runs along one of the patient's, and whether the index grows towards its end."""
    orientation = facts.metadata.orientation
    for n, side in enumerate((orientation.right, orientation.down) if orientation else ()):
        if side == axis:
            return n, 1
        if _OPPOSITE.get(side) == axis:
            return n, -1
    return None


def ranked(facts: Facts, region_id: str, word: str) -> Judgement:
    """Brightest, darkest, largest, smallest of the outlined regions."""
    if word in ("largest", "smallest"):
        areas = {one: region.area_px for one, (_, region) in facts.regions.items()}
        best = (max if word == "largest" else min)(areas.values())
        pointer = f"/regions/{facts.index(region_id)}/area_px"
        return so(pointer) if areas[region_id] == best else otherwise(f"another is the {word}", pointer)
    sign = shown_sign(facts)
    if sign is None:
        return untold("which values are shown bright is not told")
    means = {one: sign * region.intensity.mean for one, (_, region) in facts.regions.items()}
    best = (max if word == "brightest" else min)(means.values())
    pointer = f"/regions/{facts.index(region_id)}/intensity/mean"
    return so(pointer) if means[region_id] == best else otherwise(f"another is the {word}", pointer)


def spread(facts: Facts, name: str, word: str) -> Judgement:
    """Whether the regions called so are focal, multifocal or diffuse."""
    fitting = [
        (n, one) for n, one in enumerate(facts.grounding.distributions) if not name or name in names_of(one.label)
    ]
    if not fitting:
        return untold("no distribution of that is told")
    for n, one in fitting:
        if one.spread == word or (word == "multifocal" and one.spread == "diffuse" and one.regions > 1):
            return so(f"/distributions/{n}/spread")
    return otherwise(f"it is {fitting[0][1].spread}", f"/distributions/{fitting[0][0]}/spread")


def both_sides(facts: Facts, name: str) -> Judgement:
    """Whether regions called so lie on both sides of the patient."""
    if facts.metadata.laterality == "both" and not name:
        return so("/metadata/laterality")
    ids = facts.named(name) if name else tuple(facts.regions)
    told = [
        (one, axis.fraction)
        for one in ids
        for place in [facts.region(one).place]
        if place is not None
        for axis in place.axes
        if axis.towards == "patient left"
    ]
    if not told:
        return untold("the sides of that are not told")
    pointers = tuple(f"/regions/{facts.index(one)}/place/axes" for one, _ in told)
    both = any(fraction > 0.5 for _, fraction in told) and any(fraction < 0.5 for _, fraction in told)
    return so(*pointers) if both else otherwise("it lies on one side", *pointers)


def continues(facts: Facts, region_id: str, outcome: str, way: str) -> Judgement:
    """Whether a region goes on in the slices that lie a way."""
    looked = [
        (n, one)
        for n, one in enumerate(facts.grounding.continuations)
        if one.region == region_id and way in ("", way_of(one.towards, one.onwards))
    ]
    if not looked:
        return untold("no slice there was looked at")
    for n, one in looked:
        if one.outcome == outcome:
            return so(f"/continuations/{n}/outcome")
    return otherwise(f"it is otherwise there: {looked[0][1].outcome}", f"/continuations/{looked[0][0]}/outcome")


def way_of(towards: str | None, onwards: bool) -> str:
    """Where slices lie: in the patient, else by the order of frames."""
    return towards or ("after" if onwards else "before")


def looked_for(facts: Facts, name: str) -> int | None:
    """Place of the run of an expert that looked for what is called so and left nothing of it out; None: none did."""
    experts = {row.expert for row in table().labels if row.expert and name in names_of(row.label)}
    for n, run in enumerate(facts.grounding.experts):
        if run.expert.split("@")[0] in experts and run.outcome != "failed":
            return n
    return None
