"""A triplet as the page tells it: a card among others, and all of it in detail. Plain values, ready for JSON.

Texts stay as they are: the page puts them into text nodes, never into HTML.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from infra.gallery.colours import colours
from infra.gallery.words import fact, region_ids, told, value
from schemas.base import Provenance
from schemas.images import PixelCleaning
from schemas.regions import Region
from schemas.triplets import Statement, Triplet

MEASURED = "written from measurements"
NOT_TOLD = "not told"
PARTS = {
    "caption": "Caption",
    "modality": "Kind of image",
    "regions": "Regions",
    "texture": "Texture",
    "relations": "Relations",
    "organ": "Structures",
    "absences": "Looked for, not found",
    "context": "General knowledge",
    "measurements": "Measurements",
    "opinions": "Opinions of classifiers",
}
FACETS = ("modality", "organ", "disease", "verdict")
"""What the page filters by."""

Row = tuple[str, str]
"""A name and a value."""


@dataclass(frozen=True, slots=True)
class Card:
    """What the page holds of every triplet from the beginning."""

    id: str
    title: str
    caption: str
    description: str
    facets: Mapping[str, Sequence[str]]
    thumbnail: str | None


@dataclass(frozen=True, slots=True)
class Sentence:
    """A statement, with the regions that it is about, by region_id."""

    part: str
    text: str
    regions: Sequence[str]
    evidence: Sequence[Row]
    verdict: str | None
    reason: str
    against: Sequence[str]
    """Names of the facts that the verdict was found by."""
    author: str | None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A region, and how it is drawn; `colour` None: no sentence tells of it."""

    id: str
    label: str
    phrase: str
    colour: str | None
    path: str
    tag: tuple[float, float]
    facts: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Detail:
    """All that is shown of a triplet."""

    id: str
    title: str
    facts: Sequence[Row]
    picture: str | None
    rows: int
    columns: int
    aspect: float
    small: bool
    sentences: Sequence[Sentence]
    text: Sequence[int | str]
    """The description: places in `sentences`, and what of it stands in none of them."""
    removed: Sequence[str]
    regions: Sequence[Drawn]
    points: Sequence[tuple[float, float, str]]
    """x, y and label of landmarks."""
    masked: Sequence[tuple[int, int, int, int]]
    """x, y, width and height of boxes."""
    masking: str | None
    passages: Sequence[Mapping[str, str]]
    lineage: Sequence[Row]


def card(triplet: Triplet, thumbnail: str | None) -> Card:
    """The card of a triplet."""
    description = triplet.description
    return Card(
        id=triplet.triplet_id,
        title=title(triplet),
        caption=description.caption.text if description.caption else description.modality.text,
        description=description.description,
        facets={
            "modality": (triplet.metadata.modality,),
            "organ": (triplet.metadata.organ or NOT_TOLD,),
            "disease": (triplet.metadata.disease or NOT_TOLD,),
            "verdict": verdicts(triplet),
        },
        thumbnail=thumbnail,
    )


def title(triplet: Triplet) -> str:
    """What kind of image it is, of what, and which frame."""
    told = [triplet.metadata.modality, triplet.metadata.organ]
    if triplet.metadata.frames_in_object > 1:
        told.append(f"frame {triplet.frame + 1} of {triplet.metadata.frames_in_object}")
    return ", ".join(part for part in told if part)


def verdicts(triplet: Triplet) -> Sequence[str]:
    """What came of its statements, those among them that were removed."""
    outcomes = [statement.verdict.outcome if statement.verdict else MEASURED for _, statement in _statements(triplet)]
    outcomes += [removed.verdict.outcome for removed in triplet.description.removed]
    return tuple(sorted(set(outcomes)))


def sentences(triplet: Triplet) -> Sequence[Sentence]:
    """Every statement, in the order of the parts."""
    return tuple(_sentence(part, statement, triplet) for part, statement in _statements(triplet))


def running_text(description: str, found: Sequence[Sentence]) -> Sequence[int | str]:
    """The description cut into the sentences that it is made of, by their places, and what lies between them."""
    places: list[tuple[int, int, int]] = []
    for number, sentence in enumerate(found):
        start = description.find(sentence.text)
        # The same words can stand twice, and a short sentence within a long one.
        while start >= 0 and any(start < end and start + len(sentence.text) > begin for begin, end, _ in places):
            start = description.find(sentence.text, start + 1)
        if start >= 0 and sentence.part not in ("caption", "measurements", "opinions"):
            places.append((start, start + len(sentence.text), number))
    text: list[int | str] = []
    at = 0
    for start, end, number in sorted(places):
        text += [between] if (between := description[at:start].strip()) else []
        text.append(number)
        at = end
    return tuple(text + ([rest] if (rest := description[at:].strip()) else []))


def coloured(triplet: Triplet, found: Sequence[Sentence], text: Sequence[int | str]) -> Mapping[str, str]:
    """A colour of its own for each region that a sentence tells of, those of the description first."""
    in_text = [found[one] for one in text if isinstance(one, int)]
    known = {region.region_id for region in triplet.regions if region.kind != "whole image"}
    told = [name for sentence in (*in_text, *found) for name in sentence.regions if name in known]
    ordered = tuple(dict.fromkeys(told))
    return dict(zip(ordered, colours(len(ordered)), strict=True))


def facts_of(triplet: Triplet) -> Sequence[Row]:
    """What the source tells of the image."""
    metadata, told = triplet.metadata, triplet.provenance or Provenance()
    rows = [
        ("source", told.source),
        ("licence", told.licence),
        ("split", told.split),
        ("patient", f"{told.patient}, by the {told.patient_by}" if told.patient else None),
        ("disease, by the source", metadata.disease),
        ("plane", metadata.plane),
        ("view", metadata.view),
        ("laterality", metadata.laterality),
        ("contrast agent", None if metadata.contrast_agent is None else value(metadata.contrast_agent)),
        ("size", f"{triplet.image.columns} × {triplet.image.rows} px"),
        (
            "pixel",
            f"{metadata.spacing.column_mm:.3g} × {metadata.spacing.row_mm:.3g} mm" if metadata.spacing else None,
        ),
        ("slice thickness", f"{metadata.slice_thickness_mm:.3g} mm" if metadata.slice_thickness_mm else None),
        ("source format", metadata.source_format),
    ]
    return tuple((name, text) for name, text in rows if text)


def region_facts(region: Region) -> Sequence[Row]:
    """Who found a region, how, and what was measured of it."""
    area = f"{region.area_mm2:.4g} mm²" if region.area_mm2 is not None else f"{region.area_px} px"
    mean, spread = value(region.intensity.mean), value(region.intensity.standard_deviation)
    rows = [
        ("place", region.position),
        ("area", area),
        ("mean ± standard deviation", f"{mean} ± {spread} {region.intensity.unit}"),
        ("in words", ", ".join(term.word for term in region.terms)),
        ("score", value(region.score) if region.score is not None else ""),
        ("probability", f"{region.probability:.2f}, calibrated" if region.probability is not None else ""),
        ("marked by", "the source" if region.kind == "source annotation" else _plain(region.expert)),
        ("agreeing", ", ".join(map(_plain, region.agreeing))),
        ("rule", region.rule),
    ]
    return tuple((name, text) for name, text in rows if text)


def masking(cleaning: PixelCleaning) -> str:
    """Share, number of boxes, and why the pixels were looked at."""
    if not cleaning.scanned:
        return f"Text in the pixels: not looked for ({cleaning.reason})."
    if cleaning.masked_share == 0:
        return f"Text in the pixels: none found ({cleaning.reason})."
    where = [f"{len(cleaning.boxes)} box{'' if len(cleaning.boxes) == 1 else 'es'} of text"] if cleaning.boxes else []
    where += ["all outside the ultrasound regions"] if cleaning.outside_ultrasound_regions else []
    # Two digits that count: a marker on a film is less than a thousandth of it.
    return f"Masked: {cleaning.masked_share * 100:.2g} % of the pixels, {' and '.join(where)} ({cleaning.reason})."


def lineage_of(triplet: Triplet) -> Sequence[Row]:
    """What made the triplet, and the names that it goes by."""
    lineage = triplet.lineage
    rows = [
        ("triplet", triplet.triplet_id),
        ("image", triplet.image_id),
        ("object", triplet.object_id),
        ("also in", ", ".join(triplet.also_in)),
        ("preprocess", lineage.preprocess),
        ("grounding", lineage.grounding),
        ("experts", ", ".join(map(_plain, lineage.experts))),
        ("knowledge", lineage.knowledge),
        ("describer", lineage.describer),
        ("prompt", lineage.prompt or "none: no model wrote"),
        ("metadata", lineage.metadata_digest),
        ("schema", lineage.schema_version),
        ("not told", ", ".join(lineage.provenance_missing)),
    ]
    return tuple((name, text) for name, text in rows if text)


def _statements(triplet: Triplet) -> Iterator[tuple[str, Statement]]:
    for part in PARTS:
        found = getattr(triplet.description, part)
        for statement in found if isinstance(found, tuple) else (found,) if found else ():
            yield part, statement


def _sentence(part: str, statement: Statement, triplet: Triplet) -> Sentence:
    verdict = statement.verdict
    pointers = [evidence.pointer for evidence in statement.evidence]
    against = verdict.pointers if verdict else ()
    return Sentence(
        part=part,
        text=statement.text,
        regions=region_ids((*pointers, *against), triplet),
        evidence=tuple(dict.fromkeys(told(evidence, triplet) for evidence in statement.evidence)),
        verdict=verdict.outcome if verdict else None,
        reason=verdict.reason if verdict else "",
        against=tuple(dict.fromkeys(fact(pointer, triplet) for pointer in against)),
        author=_plain(statement.author) if statement.author else None,
    )


def _plain(name: str) -> str:
    return name.replace("@", " ")
