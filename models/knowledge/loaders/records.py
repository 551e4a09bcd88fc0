"""What a loader yields beside passages, and what all loaders share. Knows no format."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from models.imaging.vocabulary import leading_organ
from models.knowledge.loaders.chunks import chunks
from models.vocabulary import terms_in
from schemas.images import Modality
from schemas.knowledge import Citation, Passage, PassageKind


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that gives no passage.

    Args:
        file: its name, without folders.
        record: its number in the file, from 1; of JSON Lines, the line.
        reason: what is wrong with it. Never its own words.
    """

    file: str
    record: int
    reason: str


Loaded = Passage | Rejected


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a source's text under one heading: `text[start:end]`."""

    section: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Labels:
    """What passages are about; empty: anything."""

    modalities: tuple[Modality, ...] = ()
    organs: tuple[str, ...] = ()
    diseases: tuple[str, ...] = ()
    structures: tuple[str, ...] = ()
    kind: PassageKind | None = None


def passages(
    source: str, title: str, reference: str, text: str, parts: list[Part], labels: Labels
) -> Iterator[Passage]:
    """The passages of one source, numbered from 1 in reading order."""
    places = ((part, place) for part in parts for place in chunks(text, part.start, part.end))
    for number, (part, (start, end)) in enumerate(places, start=1):
        yield Passage(
            passage_id=f"{source}#{number}",
            title=f"{title} › {part.section}" if part.section else title,
            text=text[start:end],
            reference=reference,
            modalities=labels.modalities,
            organs=labels.organs,
            diseases=labels.diseases,
            structures=labels.structures,
            kind=labels.kind,
            citation=Citation(source=source, section=part.section, start=start, end=end),
        )


# Names of methods as MeSH and titles write them. A passage is labelled by what it names itself, never by guessing on.
_MODALITIES: tuple[tuple[Modality, str], ...] = (
    ("CT", r"(?-i:\bCT\b)|computed tomograph|tomography, x-ray computed"),
    ("MR", r"(?-i:\bMRI?\b)|magnetic resonance imag"),
    ("PET", r"(?-i:\bPET\b)|positron.emission"),
    ("nuclear medicine", r"scintigra|\bSPECT\b|radionuclide imaging|tomography, emission-computed, single-photon"),
    ("ultrasound", r"ultraso(?:und|nogra)|echocardiogra"),
    ("mammography", r"mammogra"),
    ("X-ray", r"radiograph|x-ray(?!s? computed)"),
    ("dermoscopy", r"dermoscop|dermatoscop"),
    ("endoscopy", r"endoscop|colonoscop|gastroscop|bronchoscop"),
    ("fundus photography", r"fundus photo|fundus imag|retinal photo"),
    ("OCT", r"(?-i:\bOCT\b)|optical coherence tomograph|tomography, optical coherence"),
    ("histopathology", r"histopatholog|whole.slide"),
)
_FINDERS: tuple[tuple[Modality, re.Pattern[str]], ...] = tuple(
    (modality, re.compile(pattern, re.IGNORECASE)) for modality, pattern in _MODALITIES
)


def labels_of(*texts: str) -> Labels:
    """Labels that titles or headings name. One that names no modality, organ or disease fits any."""
    found: list[Modality] = [modality for modality, pattern in _FINDERS if any(pattern.search(text) for text in texts)]
    organs = dict.fromkeys(word for text in texts if (word := leading_organ(text)))
    terms = [term for text in texts for term in terms_in(text)]
    diseases = dict.fromkeys(term.name for term in terms if term.kind in ("disease", "finding"))
    structures = dict.fromkeys(term.name for term in terms if term.kind == "structure")
    return Labels(tuple(found), tuple(organs), tuple(diseases), tuple(structures))
