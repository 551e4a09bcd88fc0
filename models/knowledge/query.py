"""From what was seen in an image to what is asked of the knowledge base. Measured facts and header fields only.

Asked first is what explains a named disease or finding, then a structure, then a tissue; how images are made only where
nothing of these is there. Knows nothing of how passages are stored or ranked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from models.imaging.vocabulary import ORGANS, organ_of, regions_holding
from models.knowledge.base import Only, Query
from models.knowledge.conditions import holding
from models.statements.rows import STANDS_OUT
from models.statements.table import table
from models.vocabulary import TERMS, Named, Term, holders, may_look_like, read_label
from schemas.images import ImageMetadata, Modality
from schemas.knowledge import PassageKind
from schemas.regions import Grounding, Intensity, Region

EXPLAINING: tuple[PassageKind, ...] = ("appearance", "anatomy", "measurement", "terminology")
"""Kinds of passages that explain what is seen. A passage that tells no kind may, too."""
_FINDINGS, _STRUCTURES, _TISSUES = range(3)
_RANK_OF_ROLE = {"finding": _FINDINGS, "structure": _STRUCTURES, "tissue": _TISSUES}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the base about one thing.

    Args:
        query: as the base is asked.
        name: of the thing, in the words of the image's facts; None: the image as a whole.
        looks: words of the claims table for how it looks here; of its passages those that have them are preferred.
    """

    query: Query
    name: str | None
    looks: tuple[str, ...] = ()


@dataclass(slots=True)
class _Subject:
    """A thing that the image's facts name."""

    name: str
    rank: int
    about: tuple[str, ...]
    organs: tuple[str, ...] = ()
    structure: str | None = None
    regions: list[Region] = field(default_factory=list[Region])


def questions(metadata: ImageMetadata, grounding: Grounding, channels: int = 1, most: int = 4) -> tuple[Question, ...]:
    """What to ask about one grounded image, the most telling first.

    Args:
        metadata: of the image.
        grounding: its regions. Those of the source go before candidates, and large ones before small ones.
        channels: of the image's view: 1 grey, 3 colour.
        most: passages that each question may be answered by.

    Returns:
        One question for each thing that is named, and a last one for how such images are made.
    """
    conditions = holding(metadata, grounding, channels)
    modality = metadata.modality

    def asked(text: Sequence[str], only: Only) -> Query:
        return Query(". ".join(dict.fromkeys(filter(None, text))), modality, limit=most, only=only)

    header = tuple(_from_metadata(metadata))
    found: list[Question] = []
    for subject in _subjects(metadata, grounding):
        looks = tuple(_looks(subject, modality))
        measured = (word for region in subject.regions[:2] for word in _appearance(region, modality))
        # Words of looks that were not measured would ask for other diseases that look so.
        told = looks if subject.regions else ()
        text = (subject.name, subject.structure or "", *subject.about, *header, *measured, *told)
        only = Only(subject.about, subject.organs, conditions, EXPLAINING)
        found.append(Question(asked(text, only), subject.name, looks))
    if header:
        found.append(Question(asked(header, Only((), _organs_shown(metadata), conditions, ("technique",))), None))
    return tuple(found)


def _subjects(metadata: ImageMetadata, grounding: Grounding) -> list[_Subject]:
    """What is named, each thing once, by rank; of one rank in the order in which it is named."""
    found: dict[tuple[str, ...], _Subject] = {}

    def add(subject: _Subject, region: Region | None = None) -> None:
        known = found.setdefault(subject.about, subject)
        known.rank = min(known.rank, subject.rank)
        known.organs = tuple(dict.fromkeys((*known.organs, *subject.organs)))
        known.regions += [region] if region else []

    for named in read_label(metadata.disease).named:
        if not named.negated:
            add(_of_term(named, metadata))
    by_telling = sorted(
        grounding.regions, key=lambda one: (one.kind != "source annotation", -_told_rank(one), -one.area_px)
    )
    for region in by_telling:
        if region.kind == "whole image":
            continue
        for subject in _of_region(region, metadata):
            add(subject, region)
    if metadata.organ is not None:
        structure = _structure_called(metadata.organ)
        about = tuple(dict.fromkeys((metadata.organ, structure.name))) if structure else (metadata.organ,)
        add(_Subject(metadata.organ, _STRUCTURES, about, _organs_shown(metadata)))
    return sorted(found.values(), key=lambda subject: subject.rank)


def _told_rank(region: Region) -> int:
    return table().called(region.label).rank


def _of_region(region: Region, metadata: ImageMetadata) -> Iterator[_Subject]:
    """What a region's label names, by the table and by the vocabulary."""
    row = next((row for row in table().labels if row.label == region.label), None)
    read = [one for one in read_label(region.label).named if not one.negated and one.term.kind != "judgement"]
    if read:
        for one in sorted(read, key=lambda one: one.term.kind == "structure"):
            yield _of_term(one, metadata)
    elif row is not None and row.role in _RANK_OF_ROLE:
        organs = (*row.organs, *(holder for organ in row.organs for holder in regions_holding(organ)))
        shown = _organs_shown(metadata)
        if organs and shown and set(organs).isdisjoint(shown):
            return  # Lung-like density in a slice of the colon is no lung.
        around = tuple(dict.fromkeys((*shown, *organs)))
        yield _Subject(region.label, _RANK_OF_ROLE[row.role], (region.label,), around)


def _of_term(named: Named, metadata: ImageMetadata) -> _Subject:
    """One thing of the vocabulary, and where it may lie."""
    term, structure = named.term, named.structure
    rank = _STRUCTURES if term.kind == "structure" else _FINDINGS
    around = [*_organs_shown(metadata)]
    for one in (term, structure):
        at = one.name if one is not None and one.kind == "structure" else one.structure if one is not None else None
        around += _organs_of(at)
    return _Subject(
        named.text,
        rank,
        (term.name,),
        tuple(dict.fromkeys(around)),
        structure.name if structure is not None and structure is not term else None,
    )


def _organs_of(structure: str | None) -> Iterator[str]:
    """The organs, as images and passages name them, in which a structure of the vocabulary lies."""
    for name in holders(structure) if structure else ():
        organ = name if name in ORGANS else organ_of(name)
        if organ is not None:
            yield organ
            yield from regions_holding(organ)


def _organs_shown(metadata: ImageMetadata) -> tuple[str, ...]:
    """The image's organ, what such images always show, and the regions of the body that hold these."""
    own = [metadata.organ] if metadata.organ is not None else table().modality(metadata.modality).organs
    return tuple(dict.fromkeys(name for organ in own for name in (organ, *regions_holding(organ))))


def _structure_called(organ: str) -> Term | None:
    term = TERMS.get(organ) or next((one.term for one in read_label(organ).named), None)
    return term if term is not None and term.kind == "structure" else None


def _from_metadata(metadata: ImageMetadata) -> Iterator[str]:
    if metadata.modality not in ("unknown", "other"):
        yield metadata.modality
    if metadata.organ is not None:
        yield metadata.organ
    if metadata.plane is not None:
        yield f"{metadata.plane} plane"
    if metadata.view is not None:
        yield f"{metadata.view} view"
    if metadata.contrast_agent:
        yield "contrast enhancement"


def _looks(subject: _Subject, modality: Modality) -> Iterator[str]:
    """Of the words for how the named may look those that its regions were measured to have; of no region all."""
    regions = subject.regions[:2]
    measured = {term.word.removeprefix("slightly ") for region in regions for term in region.terms}
    expected = dict.fromkeys(word for name in subject.about for word in may_look_like(name, modality))
    return (word for word in expected if not regions or word in measured)


def _appearance(region: Region, modality: Modality) -> Iterator[str]:
    """Words for how a region looks; none of the whole image, whose mean and spread describe a mixture."""
    yield table().called(region.label).searches
    if region.intensity.unit == "HU":
        yield from _density(region.intensity.mean)
    if region.surroundings is not None:
        yield from _against(region, region.surroundings, modality)


def _density(mean: float) -> Iterator[str]:
    for row in table().terms:
        if row.aspect == "density" and row.holds(mean):
            yield row.searches
            return


def _against(region: Region, around: Intensity, modality: Modality) -> Iterator[str]:
    inside = region.intensity
    if inside.unit != around.unit or around.standard_deviation <= 0:
        return
    scale = table().scale(modality)
    # Stored values of a radiograph or a photograph do not tell what is bright: what is displayed does.
    by_value = scale.measure.endswith("contrast_to_noise")
    level = (
        (inside.mean - around.mean) / around.standard_deviation
        if by_value
        else region.contrast and region.contrast.as_displayed
    )
    if level is not None and abs(level) >= STANDS_OUT:
        yield scale.searches_high if level > 0 else scale.searches_low
    texture = next(
        (
            row
            for row in table().terms
            if row.aspect == "texture" and row.holds(inside.standard_deviation / around.standard_deviation)
        ),
        None,
    )
    if texture is not None:
        yield f"{texture.word} texture"
