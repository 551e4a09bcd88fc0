"""Questions about the image as a whole: what it is of, what the source says, and what nobody can tell from it."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import cast

from models.datasets.conversations import BOX, Turn
from models.datasets.instructions.offers import Asker, Held, Offer
from models.datasets.soundness import REGION_ID
from models.statements import claims as c
from models.statements.claims.image import EVERYWHERE, LIES_IN
from models.statements.table import table
from models.statements.voice import Voice
from models.statements.writing.text import article
from models.vocabulary import TERMS
from schemas.images import MODALITIES, Modality, Plane

PLANES: tuple[Plane, ...] = ("axial", "coronal", "sagittal")
UNKNOWN = (
    "How old is the patient?", "What is the patient's name?", "On what day was the image taken?",
    "Is the patient a smoker?", "In which hospital was this image taken?", "Which treatment did the patient get?",
    "How long will the patient live?", "What did the earlier image show?", "What are the patient's symptoms?",
    "Who reported this image?", "How much does the patient weigh?", "Has the patient been operated on?",
    "Which medicine does the patient take?", "Has the finding grown since the last image?",
)  # fmt: skip
"""Questions that no triplet can answer: what they ask for never passes preprocess, or is of another time."""
_DISEASES = [term.name for term in TERMS.values() if term.kind == "disease"]
_SEEN_THROUGH = ("CT", "MR", "X-ray", "PET", "ultrasound")
"""Modalities of images in which organs lie beside each other, so that one can be asked for that is not there."""


ZONES = ("head", "neck", "chest", "abdomen", "pelvis", "leg", "arm")
"""Parts of the body that hold organs, each beside the one before it; an arm lies beside all but the head."""


def whole(asker: Asker) -> Iterator[Offer]:
    """All of them."""
    for ask in (_texts, _modality, _plane, _organ, _disease, _not_stated):
        yield from ask(asker)


def words_of(modality: str, organ: str, disease: str) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Of an image of these: subject, the word that is right, and words that its closed question may deny.

    Empty strings are what is not told.
    """
    if modality in MODALITIES and modality not in ("unknown", "other"):
        yield "modality", modality, [word for word in MODALITIES if word not in ("unknown", "other", modality)]
    if organ in table().organs:
        yield "organ", organ, _far_from(organ, cast(Modality, modality))
    if disease:
        yield "disease", disease, [name for name in _DISEASES if name != disease]
        yield "near disease", disease, _near(disease)


def _texts(asker: Asker) -> Iterator[Offer]:
    said = asker.triplet.description
    if said.caption is not None:
        caption = said.caption.text
        yield asker.one("caption", "", lambda voice: _written(asker, voice, "caption", caption))
    yield asker.one("description", "", lambda voice: _written(asker, voice, "description", said.description))


def _written(asker: Asker, voice: Voice, kind: str, text: str) -> Turn | None:
    """A text whose regions are named by their boxes: their ids stand nowhere in the picture."""
    named = [asker.facts.region(one) for one in REGION_ID.findall(text)]
    return asker.turn(kind, voice, REGION_ID.sub(BOX, text), regions=tuple(named))


def _modality(asker: Asker) -> Iterator[Offer]:
    found = asker.facts.metadata.modality
    if found in ("unknown", "other"):
        return
    noun = _of_modality(found)
    held = ((c.Modality(word=found), True),)
    others: list[Modality] = [word for word in MODALITIES if word not in ("unknown", "other", found)]

    def no(voice: Voice) -> Turn | None:
        if (other := asker.balance.beside("modality", found, others, voice)) is None:
            return None
        denied = ((c.Modality(word=other), False),)
        return asker.turn(
            "modality-closed", voice, "No", claims=denied, named=other, a_noun=article(_of_modality(other))
        )

    def choice(voice: Voice) -> Turn | None:
        if (other := asker.balance.beside("modality", found, others, voice)) is None:
            return None
        claims = (*held, (c.Modality(word=other), False))
        of_other = _of_modality(other)
        return _chosen(asker, "modality-choice", voice, found, (noun, of_other), (a_noun, article(of_other)), claims)

    def yes(voice: Voice) -> Turn | None:
        if not asker.balance.may_affirm("modality", found, voice):
            return None
        return asker.turn("modality-closed", voice, "Yes", claims=held, named=found, a_noun=a_noun)

    a_noun = article(noun)
    yield asker.one(
        "modality", "", lambda voice: asker.turn("modality", voice, claims=held, core=noun, noun=noun, a_noun=a_noun)
    )
    yield asker.one("modality-closed", "Yes", yes)
    yield asker.one("modality-closed", "No", no)
    yield asker.one("modality-choice", "", choice)


def _chosen(
    asker: Asker, kind: str, voice: Voice, found: str, words: tuple[str, str], said: tuple[str, str], claims: Held
) -> Turn | None:
    """A choice between the right one of two words and another, said with their articles, in an order of chance."""
    right, first = words[0], voice.draw(2)
    both = " or ".join(sorted(words))
    return asker.turn(
        kind, voice, claims=claims, core=right, named=both, told=found, word=right, first=said[first],
        second=said[1 - first],
    )  # fmt: skip


def _of_modality(word: Modality) -> str:
    return table().modality(word).say[0]


def _plane(asker: Asker) -> Iterator[Offer]:
    found = asker.facts.metadata.plane
    if found is None:
        return
    held = ((c.Plane(word=found), True),)

    def closed(voice: Voice, plane: Plane) -> Turn | None:
        claims = ((c.Plane(word=plane), plane == found),)
        answer = "Yes" if plane == found else "No"
        return asker.turn("plane-closed", voice, answer, claims=claims, named=plane, word=plane, a_word=article(plane))

    yield asker.one(
        "plane",
        "",
        lambda voice: asker.turn("plane", voice, claims=held, core=found, word=found, a_word=article(found)),
    )
    yield asker.one("plane-closed", "Yes", lambda voice: closed(voice, found))
    others: list[Plane] = [plane for plane in PLANES if plane != found]
    yield asker.offer("plane-closed", "No", others, closed)


def _organ(asker: Asker) -> Iterator[Offer]:
    found = asker.facts.metadata.organ
    if found is None or found not in table().organs:
        return
    held = ((c.Structure(organ=found), True),)
    organs = _far_from(found, asker.facts.metadata.modality)

    def unseen(voice: Voice) -> Turn | None:
        other = asker.denied(voice, organs, lambda organ: c.Structure(organ=organ))
        if other is None:
            return None
        return asker.turn("not-visible", voice, claims=((c.Structure(organ=other), False),), word=other)

    def yes(voice: Voice) -> Turn | None:
        if not asker.balance.may_affirm("organ", found, voice):
            return None
        return asker.turn("organ-closed", voice, "Yes", claims=held, named=found, word=found)

    def no(voice: Voice) -> Turn | None:
        if (other := asker.balance.beside("organ", found, organs, voice)) is None:
            return None
        denied = ((c.Structure(organ=other), False),)
        return asker.turn("organ-closed", voice, "No", claims=denied, named=other, word=other)

    def choice(voice: Voice) -> Turn | None:
        if (other := asker.balance.beside("organ", found, organs, voice)) is None:
            return None
        claims = (*held, (c.Structure(organ=other), False))
        return _chosen(asker, "organ-choice", voice, found, (found, other), (f"the {found}", f"the {other}"), claims)

    yield asker.one("organ", "", lambda voice: asker.turn("organ", voice, claims=held, core=found, word=found))
    yield asker.one("organ-closed", "Yes", yes)
    yield asker.one("organ-closed", "No", no)
    yield asker.one("organ-choice", "", choice)
    if asker.facts.metadata.modality in _SEEN_THROUGH:
        yield asker.one("not-visible", "", unseen)


@lru_cache(maxsize=1024)
def _far_from(organ: str, modality: Modality) -> tuple[str, ...]:
    """Organs that an image of one does not show: of another part of the body, and not the next one.

    The slices of a chest reach into the abdomen, and what the source names is the examination's organ, not the slice's.
    """
    here = _zones(organ)
    if not here:
        # Skin, blood: nothing else is in their pictures; of what lies anywhere, nothing is known.
        return () if modality in _SEEN_THROUGH else tuple(one for one in table().organs if _zones(one))
    return tuple(
        one for one in table().organs if (there := _zones(one)) and not any(_beside(a, b) for a in here for b in there)
    )


def _zones(organ: str) -> set[str]:
    if organ in EVERYWHERE:
        return set()
    if organ == "extremity":
        return {"arm", "leg"}
    return {zone for zone in ZONES if organ == zone or _lies_in(organ, zone)}


def _lies_in(organ: str, zone: str) -> bool:
    within = LIES_IN.get(zone, ())
    return organ in within or any(_lies_in(organ, part) for part in within)


def _beside(one: str, other: str) -> bool:
    if "arm" in (one, other):
        return "head" not in (one, other)
    return abs(ZONES.index(one) - ZONES.index(other)) <= 1


def _disease(asker: Asker) -> Iterator[Offer]:
    found = asker.facts.metadata.disease
    if found is None:
        return
    held = ((c.Disease(name=found), True),)

    def subject(voice: Voice) -> tuple[str, Sequence[str]]:
        # A brain image that is asked about malaria answers itself.
        near = _near(found)
        return ("near disease", near) if near and voice.maybe(0.5) else ("disease", _DISEASES)

    def no(voice: Voice) -> Turn | None:
        of, options = subject(voice)
        other = asker.balance.beside(of, found, options, voice)
        if other is None:
            return None
        return asker.turn(
            "disease-closed", voice, "No", claims=((c.Disease(name=other), False),), named=other, word=other
        )

    def yes(voice: Voice) -> Turn | None:
        if not asker.balance.may_affirm(subject(voice)[0], found, voice):
            return None
        return asker.turn("disease-closed", voice, "Yes", claims=held, named=found, word=found)

    yield asker.one("disease", "", lambda voice: asker.turn("disease", voice, claims=held, core=found, word=found))
    yield asker.one("disease-closed", "Yes", yes)
    yield asker.one("disease-closed", "No", no)


@lru_cache(maxsize=1024)
def _near(disease: str) -> Sequence[str]:
    """Other diseases of the same organ."""
    organ = TERMS[disease].structure if disease in TERMS else None
    return [name for name in _DISEASES if organ is not None and TERMS[name].structure == organ and name != disease]


def _not_stated(asker: Asker) -> Iterator[Offer]:
    def make(voice: Voice, unknown: str) -> Turn | None:
        return asker.turn("not-stated", voice, unknown=unknown, unknown_low=unknown[0].lower() + unknown[1:])

    yield asker.offer("not-stated", "", UNKNOWN, make)
