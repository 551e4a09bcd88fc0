"""How what is called so occurs: spread, sides, further slices, and whether anybody looked for it."""

from collections.abc import Sequence
from functools import lru_cache

from models.statements.facts import Facts, names_of
from models.statements.judgement import Judgement, otherwise, so, untold
from models.statements.measures.finders import is_enough, is_sure
from models.statements.measures.pieces import MANY, middles_across, parts, quarters
from models.statements.measures.relations import area_together, iou
from models.statements.rows import STANDS_OUT, Called, Direction
from models.statements.table import table
from models.statements.tokens import spelled_out, words
from schemas.regions import Region, expert_name

SAME = 0.7
"""IoU from which two regions are one finding: above what detection counts as a match, as one is dropped."""


def spread(facts: Facts, name: str, word: str) -> Judgement:
    """Whether the regions called so are focal, multifocal or diffuse."""
    fitting = [
        (n, one) for n, one in enumerate(facts.grounding.distributions) if not name or name in names_of(one.label)
    ]
    for n, one in fitting:
        if one.spread == word or (word == "multifocal" and one.spread == "diffuse" and one.regions > 1):
            return so(f"/distributions/{n}/spread")
    # How structures are spread is anatomy: many that are one mark are not focal for that.
    fitting = [(n, one) for n, one in fitting if table().called(one.label).role == "finding"]
    marked = [one for one in (facts.named(name) if name else ()) if facts.region(one).kind == "source annotation"]
    if not fitting and word != "focal" and len(marked) == 1 and fills_the_image(facts.region(marked[0])):
        return so(f"/regions/{facts.index(marked[0])}/mask")
    if not fitting:
        return untold("no distribution of that is told")
    return otherwise(f"it is {fitting[0][1].spread}", f"/distributions/{fitting[0][0]}/spread")


IN_A_QUARTER = 0.15
"""Part of the area of many small things that each quarter of the picture holds where they are spread over all of it."""


def fills_the_image(region: Region) -> bool:
    """Whether a mark of many parts is spread over the whole picture."""
    return parts(region) >= MANY and min(quarters(region)) >= IN_A_QUARTER


SEVERAL, FAR = 3, 2.0
"""From how many bodies they can be crowded, and by what factor the part of the picture that they cover passes the bound
of a word before it speaks against that word."""


def crowding(facts: Facts, name: str, word: str) -> Judgement:
    """Whether the small bodies called so are crowded or sparse, by the part of the picture that they cover together."""
    ids = facts.named(name) if name else ()
    regions = [facts.region(one) for one in ids]
    small = all(table().called(one.label).role == "structure" for one in regions)
    if not regions or not small or len({one.mask.size for one in regions}) > 1:
        return untold("how crowded that is was not measured")
    pointers = tuple(f"/regions/{facts.index(one)}/area_px" for one in ids)
    if sum(map(parts, regions)) < SEVERAL:
        return otherwise("there are fewer of them", *pointers)
    covered = 100 * area_together(regions) / (facts.rows * facts.columns)
    row = next(row for row in table().crowdings if row.word == word)
    crowded = row.at_least > 0
    # Of stained cells sources mark those of some kinds, and experts leave small ones out: no less is covered than that.
    least = facts.metadata.modality != "microscopy" or bool(left_out(facts, ids))
    if row.at_least <= covered < row.below and (crowded or not least):
        return so(*pointers)
    far = covered < row.at_least / FAR and not least if crowded else covered >= row.below * FAR
    return otherwise("they cover another part", *pointers) if far else untold("it is nearly so", *pointers)


def structures_called(facts: Facts, name: str) -> tuple[str, ...]:
    """Regions that a name fits, whoever outlined them, where all of them are structures; () elsewhere."""
    there = tuple(one for one, names in facts.names.items() if name in names)
    return there if all(table().called(facts.region(one).label).role == "structure" for one in there) else ()


LUNGS = frozenset({"lung", "lung field"})
BESIDE = 0.4
"""Least part of the larger of two lungs that the smaller has where they lie side by side."""


def lungs_apart(facts: Facts) -> tuple[str, ...]:
    """Masks of two lungs that lie side by side, as none do on a lateral film; () where none are known for sure."""
    if facts.metadata.modality != "X-ray":
        return ()
    regions = [one for _, one in facts.regions.values() if one.label in LUNGS and is_sure(facts, one)]
    marked = [one for one in regions if one.kind == "source annotation"] or regions
    across = [x / facts.columns for one in marked for x in middles_across(one)]
    areas = [one.area_px for one in marked]
    alike = len(marked) == 1 or min(areas, default=0) >= BESIDE * max(areas, default=1)
    if len(across) != 2 or not alike or not min(across) < 0.5 < max(across):
        return ()
    return tuple(f"/regions/{facts.index(one.region_id)}/mask" for one in marked)


def both_sides(facts: Facts, name: str, frame: str) -> Judgement:
    """Whether regions called so lie on both sides of the patient, or of the display."""
    if frame == "shown":
        return _on_both_halves(facts, facts.named(name) if name else tuple(facts.regions))
    if facts.metadata.sides_contradict:
        return untold("what the source says of left and right contradicts itself", "/metadata/sides_contradict")
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
    if not told and len(ids) > 1 and _faces_the_patient(facts):
        return _on_both_halves(facts, ids)
    if not told:
        return untold("the sides of that are not told")
    pointers = tuple(f"/regions/{facts.index(one)}/place/axes" for one, _ in told)
    both = any(fraction > 0.5 for _, fraction in told) and any(fraction < 0.5 for _, fraction in told)
    return so(*pointers) if both else otherwise("it lies on one side", *pointers)


def _faces_the_patient(facts: Facts) -> bool:
    """Whether the halves of the picture are those of the patient, whichever is which: seen from front, back or feet."""
    metadata = facts.metadata
    across = metadata.plane in ("axial", "coronal") or metadata.modality == "X-ray"
    return across and metadata.orientation is None and "lateral" not in (metadata.view or "")


def _on_both_halves(facts: Facts, ids: Sequence[str]) -> Judgement:
    if not ids:
        return untold("nothing is called so")
    pointers = tuple(f"/regions/{facts.index(one)}/centroid" for one in ids)
    across = [(x + 0.5) / facts.columns for one in ids for x in middles_across(facts.region(one))]
    return so(*pointers) if min(across) < 0.5 < max(across) else otherwise("it lies on one side", *pointers)


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


def found_by(facts: Facts, region_id: str, expert: str) -> str | None:
    """Where it stands that an expert found a region: itself, along with another, or as one at the same place."""
    for other_id, (index, other) in facts.regions.items():
        experts = (other.expert, *other.agreeing)
        at = next((n for n, one in enumerate(experts) if expert_name(one) == expert), None)
        if at is not None and (other_id == region_id or iou(facts.region(region_id), other) >= SAME):
            return f"/regions/{index}/agreeing/{at - 1}" if at else f"/regions/{index}/expert"
    return None


def left_out(facts: Facts, region_ids: Sequence[str]) -> int:
    """How many smaller ones the experts of these regions left out at most; a pair, as lungs are, is whole."""
    regions = [facts.region(one) for one in region_ids]
    if len(regions) == 2 and all(table().called(one.label).role == "structure" for one in regions):
        return 0
    experts = {name for one in regions for name in (one.expert, one.found_by)}
    return sum(run.left_out for run in facts.grounding.experts if run.expert in experts)


def _own_words(row: Called) -> set[str]:
    return {" ".join(words(phrase)) for pattern in (row.label, *row.say) for phrase in spelled_out(pattern)}


def looked_for(facts: Facts, name: str) -> int | None:
    """Place of the run of an expert that looked for what is called so and left nothing of it out; None: none did."""
    experts = experts_for(name)
    for n, run in enumerate(facts.grounding.experts):
        if expert_name(run.expert) in experts and run.outcome != "failed":
            return n
    return None


def surely_none(facts: Facts, name: str) -> tuple[str, ...]:
    """Where it stands that what is called so would have been found, or that no value is so high; () where nothing does.

    An expert's silence is no absence, unless its manifest states that it finds nearly all.
    """
    for n, run in enumerate(facts.grounding.experts):
        if run.outcome == "failed":
            continue
        row = table().expert(expert_name(run.expert))
        below = row.denied_below if row is not None and row.name in experts_for(name) else None
        if below is not None and facts.grounding.intensity.maximum < below:
            return ("/intensity/maximum",)
        for m, one in enumerate(run.looked_for):
            if is_enough(one.recall) and not run.left_out and name in names_of(one.label):
                return (f"/experts/{n}/outcome", f"/experts/{n}/looked_for/{m}/recall")
    return ()


def looked_for_level(facts: Facts, scale: str, direction: str) -> str | None:
    """What an expert of this image looks for that is told by its level alone: 'increased uptake'; None for nothing."""
    if scale not in ("shown", table().scale(facts.metadata.modality).scale):
        return None
    rows = (row for row in table().labels if row.role == "finding" and row.level == direction)
    names = (" ".join(words(row.label)) for row in rows)
    return next((name for name in names if looked_for(facts, name) is not None), None)


@lru_cache(maxsize=512)
def experts_for(name: str) -> frozenset[str]:
    """Experts that look for what is called so."""
    called = [row for row in table().labels if row.role == "finding" and name in names_of(row.label)]
    # "Lesion" may mean what no expert looks for: only where it is an expert's own word was it looked for.
    wider = any(row.expert is None for row in called)
    return frozenset(row.expert for row in called if row.expert and (not wider or name in _own_words(row)))


def outlined_otherwise(facts: Facts, name: str) -> str | None:
    """Pointer to a region of another name that is as dark or bright as what is called so; None where there is none.

    "No hypoattenuating region" cannot be said beside an area of fat density: an expert looked elsewhere.
    """
    wanted = _levels_of(name)
    if not wanted:
        return None
    for index, region in facts.regions.values():
        called = table().called(region.label)
        if called.role not in ("finding", "tissue"):
            continue
        if not wanted.isdisjoint((called.level, _level(facts, region), _density(region))):
            return f"/regions/{index}/label"
    return None


@lru_cache(maxsize=512)
def _levels_of(name: str) -> frozenset[Direction]:
    """Levels that the labels tell which experts give to what is called so."""
    # What is small is told apart by its size: "no small dense focus" may be said beside bone.
    return frozenset(
        row.level
        for row in table().labels
        if row.level and row.expert and name in names_of(row.label) and not row.label.startswith("small")
    )


def _level(facts: Facts, region: Region) -> Direction | None:
    """How it stands against its surroundings, on the scale of its modality."""
    name = table().scale(facts.metadata.modality).measure.split("/")[-1]
    value = getattr(region.contrast, name, None)
    if value is None or abs(value) < STANDS_OUT:
        return None
    return "high" if value > 0 else "low"


def _density(region: Region) -> Direction | None:
    """Whether its density is below or above that of soft tissue."""
    return next(
        (level for term in region.terms if term.aspect == "density" if (level := _densities()[term.word])), None
    )


@lru_cache(maxsize=1)
def _densities() -> dict[str, Direction | None]:
    """Whether each word of density is of less or more than soft tissue; None of soft tissue itself."""
    rows = {row.word: row for row in table().terms if row.aspect == "density"}
    soft = rows["soft-tissue density"]
    assert soft.at_least is not None
    assert soft.below is not None
    low = {word for word, row in rows.items() if row.below is not None and row.below <= soft.at_least}
    return {word: None if word == soft.word else "low" if word in low else "high" for word in rows}
