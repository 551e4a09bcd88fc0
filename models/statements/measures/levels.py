"""Words for measurements, and how bright, dense or active a region is: against its surroundings, another, or all."""

from models.statements.facts import Facts
from models.statements.judgement import Judgement, otherwise, so, untold
from models.statements.measures.places import along
from models.statements.rows import Row
from models.statements.table import table
from schemas.regions import Region


def worded(facts: Facts, region_id: str, region: Region, aspect: str, word: str, *, denied: bool = False) -> Judgement:
    """A word for a measurement, by its bounds: otherwise where another word of the aspect holds.

    `denied`: what lies between two words is neither.
    """
    at = f"/regions/{facts.index(region_id)}"
    if (only := _row(aspect, word)).only_read:
        return _measured_only(region, only, at, denied=denied)
    holding = next(((n, term) for n, term in enumerate(region.terms) if term.aspect == aspect), None)
    if holding is not None:
        n, term = holding
        pointer = f"{at}/terms/{n}/word"
        if term.word == word or _holds_too(region, aspect, word):
            return so(pointer)
        if aspect == "colour" and word not in _NO_SHADE_OF.get(term.word, ()):
            return untold("it may be of that colour too", pointer)
        return otherwise(f"region {region_id} is {term.word}", pointer)
    row = _row(aspect, word)
    measured = _measured(region, row.measure)
    if measured is None or aspect == "density" or (row.modalities and facts.metadata.modality not in row.modalities):
        fits_not = aspect == "density" and measured is not None and region.intensity.unit == "HU"
        pointer = f"{at}{row.measure}"
        return otherwise("the density is another", pointer) if fits_not else untold("that was not measured")
    if aspect == "colour" or (aspect in ("texture", "margin") and not denied):
        return untold("what was measured lies between these words", f"{at}{row.measure}")
    return otherwise("what was measured is otherwise", f"{at}{row.measure}")


_NO_SHADE_OF = {"brown": ("red", "blue"), "red": ("brown", "blue"), "blue": ("red",), "brown-black": ("red",)}
"""Colours that a lesion of another one has not. A blue one is often brown beside it."""
BEYOND = 2.0
"""By what factor a measurement passes the bound of a word that is only read before it speaks against that word."""


def _measured_only(region: Region, row: Row, at: str, *, denied: bool) -> Judgement:
    """A word that no region has as its own, by its measure alone."""
    measured, pointer = _measured(region, row.measure), f"{at}{row.measure}"
    if measured is None:
        return untold("that was not measured")
    if row.holds(measured):
        return so(pointer)
    near = row.below is not None and measured < BEYOND * row.below
    return (
        untold("it is nearly so", pointer)
        if near and not denied
        else otherwise("what was measured is otherwise", pointer)
    )


def _holds_too(region: Region, aspect: str, word: str) -> bool:
    """Whether it is elongated beside the word that it has: what is irregular can be that too."""
    if (aspect, word) != ("shape", "elongated"):
        return False
    row = _row(aspect, word)
    measured = _measured(region, row.measure)
    return measured is not None and row.holds(measured)


def _row(aspect: str, word: str) -> Row:
    return next(row for row in table().rows() if row.aspect == aspect and row.word == word)


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


PEAK, TIMES, CLEAR = 5.0, 2.5, 3.0
"""SUVmax of an area of uptake that anyone sees, how many times that of its surroundings its mean is, and by how many of
their deviations it is higher. Of the 89 of 267 slices of a whole body that have one, 31 were looked at: each is there,
of a tumour, a brain, a heart, kidneys or a bladder."""
_UPTAKE = "high-uptake region"


def is_plain_uptake(region: Region) -> bool:
    """Whether a region is uptake so high above what is around it that it is a measurement, and no proposal."""
    around, contrast = region.surroundings, region.contrast
    if region.label != _UPTAKE or region.intensity.unit != "SUVbw" or around is None or contrast is None:
        return False
    times = region.intensity.mean >= TIMES * around.mean
    return times and region.intensity.maximum >= PEAK and (contrast.contrast_to_noise or 0.0) >= CLEAR


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
    small = 0.1 * max(one.intensity.standard_deviation, other.intensity.standard_deviation)
    if direction == "alike":
        return so(*pointers) if abs(difference) <= 5 * small else otherwise("their means differ", *pointers)
    signed = difference if direction == "high" else -difference
    if abs(signed) <= small:
        return untold("their means hardly differ", *pointers)
    return so(*pointers) if signed > 0 else otherwise("it is the other way round", *pointers)


PLAIN_END, ALIKE = 0.5, 0.2
"""Deviations of a region by which its lower and upper third differ where one is brighter, and up to which none is."""


def brighter_end(facts: Facts, region_id: str, region: Region, end: str) -> Judgement:
    """Whether a region is shown brighter at its upper or its lower end."""
    by = lower_by(facts, region)
    if by is None:
        return untold("its ends were not measured")
    pointer = f"/regions/{facts.index(region_id)}/thirds/{end}"
    signed = by if end == "lower" else -by
    if signed >= PLAIN_END:
        return so(pointer)
    return otherwise("its ends are otherwise", pointer) if signed < ALIKE else untold("it is slightly so", pointer)


def lower_by(facts: Facts, region: Region) -> float | None:
    """By how many of its deviations a region is shown brighter in its lower third; None where that is not known."""
    sign, spread = shown_sign(facts), region.intensity.standard_deviation
    if region.thirds is None or sign is None or not spread:
        return None
    return sign * (region.thirds.lower - region.thirds.upper) / spread


def shown_sign(facts: Facts) -> int | None:
    """1 where high values are shown bright, -1 where low ones are; None where no region tells."""
    for _, region in facts.regions.values():
        contrast = region.contrast
        if contrast is not None and contrast.as_displayed and contrast.contrast_to_noise:
            return 1 if contrast.as_displayed * contrast.contrast_to_noise > 0 else -1
    return None


def ranked(facts: Facts, region_id: str, word: str, among: str = "", nth: int = 1) -> Judgement:
    """Whether a region is the brightest, largest, uppermost, … of those outlined, or the nth such.

    Args:
        facts: of the image.
        region_id: the region.
        word: of the table's ranks. Highest and lowest are by the mean; of a film, where values are no density, by what
            is displayed.
        among: only of those that may be called so.
        nth: 2 for the second largest.
    """
    called = [one for one, names in facts.names.items() if not among or among in names]
    if region_id not in called:
        return untold(f"region {region_id} is not called so")
    found = _by_rank(facts, word, called)
    if isinstance(found, Judgement):
        return found
    values, measure = found
    pointer = f"/regions/{facts.index(region_id)}{measure}"
    wanted = sorted(values.values(), reverse=True)[nth - 1] if nth <= len(values) else None
    return so(pointer) if values[region_id] == wanted else otherwise(f"another is the {word}", pointer)


def _by_rank(facts: Facts, word: str, called: list[str]) -> tuple[dict[str, float], str] | Judgement:
    """What regions are ranked by, the first the highest, and where it stands; or why nothing is known of that."""
    regions = {one: facts.region(one) for one in called}
    row = next(row for row in table().ranks if row.word == word)
    if row.axis:
        return _by_place(facts, row.axis, row.end, regions)
    least = word in ("smallest", "darkest", "lowest")
    if word in ("largest", "smallest"):
        return {one: -region.area_px if least else region.area_px for one, region in regions.items()}, "/area_px"
    if word in ("longest", "shortest"):
        sign = -1 if word == "shortest" else 1
        lengths = {one: sign * region.size.longest_axis for one, region in regions.items() if region.size is not None}
        told = len(lengths) == len(regions)
        return (lengths, "/size/longest_axis") if told else untold("lengths are not told of all")
    plain = word in ("highest", "lowest") and table().scale(facts.metadata.modality).scale != "opacity"
    sign = 1 if plain else shown_sign(facts)
    if sign is None:
        return untold("which values are shown bright is not told")
    means = {one: sign * region.intensity.mean for one, region in regions.items()}
    return {one: -mean if least else mean for one, mean in means.items()}, "/intensity/mean"


def _by_place(
    facts: Facts, axis: str, end: str, regions: dict[str, Region]
) -> tuple[dict[str, float], str] | Judgement:
    shown = axis.startswith("image")
    sided = facts.metadata.orientation is not None and axis == "image right"
    told = {one: along(facts, region, axis, "shown" if shown else "patient") for one, region in regions.items()}
    known = {one: fraction for one, fraction in told.items() if fraction is not None}
    if sided or len(known) < len(told):
        # "Leftmost" is of the display or of the patient: where these differ nobody can tell which is meant.
        return untold("places along that axis are not told of all")
    measure = "/centroid" if shown else "/place/axes"
    return {one: fraction if end == "high" else -fraction for one, fraction in known.items()}, measure
