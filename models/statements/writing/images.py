"""What kind of image it is, and of what."""

from models.statements import claims as c
from models.statements.facts import Facts
from models.statements.measures import lungs_apart
from models.statements.rows import ImageKind
from models.statements.table import table
from models.statements.voice import Voice
from models.statements.writing.names import is_scattered
from models.statements.writing.text import Piece

_SEVERAL = {"lung": "lungs", "kidney": "kidneys"}
"""Organs of which such an image shows both."""


def image_nouns(facts: Facts) -> tuple[ImageKind, tuple[str, ...]]:
    """What the image may be called."""
    row = table().modality(facts.metadata.modality)
    return row, (*row.slices, *row.say) if facts.metadata.plane and row.slices else row.say


def image_piece(facts: Facts, voice: Voice, *, clauses: bool = True, bare: bool = False, organ: str = "") -> Piece:
    """'contrast-enhanced axial CT slice': what kind of image it is.

    Args:
        facts: of the image.
        voice: chooses among wordings.
        clauses: also 'CT slice in the axial plane'.
        bare: without an article: 'axial CT'.
        organ: what it is of, before the noun: 'breast sonogram'.
    """
    metadata = facts.metadata
    row, names = image_nouns(facts)
    noun = " ".join((organ, voice.pick(row.bare if bare else names))).strip()
    behind: list[str] = []
    made: list[c.Claim] = [c.Modality(word=row.word)]
    if metadata.localizer:
        noun = f"{organ} {row.word} {voice.pick(table().localizers[:3])}".strip()
        made.append(c.Localizer())
    weighted = next((one for one in table().weightings if one.word == metadata.weighting), None)
    if weighted is not None and row.word == "MR":
        noun = f"{voice.pick(weighted.say)} {noun}"
        made.append(c.Weighting(word=weighted.word))
    word = metadata.view or ("frontal" if lungs_apart(facts) else None)
    view = next((one for one in table().views if one.word == word), None)
    if view is not None and row.word in ("X-ray", "mammography"):
        if clauses and view.clause and voice.maybe(0.4):
            behind.append(voice.pick(view.clause))
        else:
            noun = f"{voice.pick(view.say)} {noun}"
        made.append(c.View(word=view.word))
    elif metadata.plane is not None:
        plane = next(one for one in table().planes if one.word == metadata.plane)
        if clauses and voice.maybe(0.3):
            behind.append(voice.pick([one for one in plane.clause if noun.split()[-1] not in one.split()]))
        else:
            noun = f"{voice.pick(plane.say)} {noun}"
        made.append(c.Plane(word=metadata.plane))
    if metadata.contrast_agent:
        agent = next(one for one in table().agents if one.given)
        made.append(c.ContrastAgent(given=True))
        if not clauses or voice.maybe(0.5):
            noun = f"{voice.pick(agent.say)} {noun}"
        else:
            behind.append(voice.pick(agent.clause))
    return Piece(" ".join((noun, *behind)), tuple(made))


def organ_piece(facts: Facts) -> Piece | None:
    """'the left knee': what the source says is shown."""
    metadata = facts.metadata
    if metadata.organ is None or metadata.organ not in table().organs:
        return None
    outlined = facts.named(metadata.organ)
    if metadata.organ in _SEVERAL and (len(outlined) > 1 or any(is_scattered(facts.region(one)) for one in outlined)):
        claim = c.Finding(regions=facts.named(metadata.organ, several=True), every=True, name=metadata.organ)
        return Piece(f"the {_SEVERAL[metadata.organ]}", (claim,), several=True)
    if outlined:
        return Piece(f"the {metadata.organ}", (c.Finding(regions=outlined, name=metadata.organ),))
    if metadata.organ in _SEVERAL and metadata.laterality is None and metadata.modality in ("CT", "X-ray", "MR"):
        return Piece(f"the {_SEVERAL[metadata.organ]}", (c.Structure(organ=metadata.organ),), several=True)
    if metadata.organ == "extremity":
        return Piece("an extremity", (c.Structure(organ=metadata.organ),))
    side = None if metadata.sides_contradict else metadata.laterality
    if side == "both":
        return Piece(f"the {metadata.organ} on both sides", (c.Structure(organ=metadata.organ), c.Sides(name="")))
    named = f"{side} " if side else ""
    return Piece(f"the {named}{metadata.organ}", (c.Structure(organ=metadata.organ, side=side),))
