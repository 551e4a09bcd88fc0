"""Openings and captions: the kind of image, what it is of, and what the source says that it shows."""

import re

from models.describers.plans.plan import Plan, fill
from models.statements import claims as c
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.table import table
from models.statements.voice import Voice
from models.statements.writing import Piece

_IMAGE = (
    "this is <a> of <o>",
    "<k> of <o>",
    "<a> {shows|depicts} <o>",
    "<this> shows <o>",
    "<o> ~is {shown|seen} on <a>",
)
_ALONE = ("<k>", "this is <a>")
_CAPTION = ("<k> of <o>", "<k> showing <o>")
_OPENING = (
    "<k> of <o> {showing|with|demonstrating} <f>",
    "<k> of <o> {showing|with|demonstrating} <f>",
    "<a> of <o> {shows|demonstrates} <f>",
    "<this> of <o> {shows|demonstrates} <f>",
    "on <a> of <o>, <f> ^is {seen|visible|present}",
    "<f> ^is {seen|visible} on <a> of <o>",
)
_OPENING_ALONE = (
    "<this> {shows|demonstrates} <f>",
    "<k> {showing|with|demonstrating} <f>",
    "on <this>, <f> ^is {seen|visible|present}",
    "<f> ^is {seen|visible} on <a>",
    "<a> {shows|demonstrates} <f>",
)
"""The kind of image and its most telling finding in one sentence; ^ before a verb of the finding."""

_THICK = ("; slice thickness <v>", " (slice thickness <v>)")

_DISEASE = (
    "the source labels {the|this} image <d>",
    "{the|this} image is labelled <d> by the source",
    "the source's label is <d>",
)
_WITH_DISEASE = (
    " (labelled <d> by the source)",
    ", labelled <d> by the source",
    "; the source's label is <d>",
)
"""Of the image: "the brain, which the source names glioma" would be of the organ."""


def image(facts: Facts, *, caption: bool) -> Plan:
    """What kind of image it is, of what, with the disease that the source names."""

    def plan(voice: Voice) -> Piece | None:
        organ = _organ(facts)
        patterns = _ALONE if organ is None else _CAPTION if caption else _IMAGE
        patterns = patterns[:1] if caption and patterns is not _CAPTION else patterns
        made = _written(facts, voice, voice.spin(voice.pick(patterns)), organ)
        if not caption:
            made = _with_thickness(facts, made, voice)
        named = facts.metadata.disease
        if named is None or not (caption or voice.maybe(0.6)):
            return made
        tail = fill(voice.spin(voice.pick(_WITH_DISEASE)), d=named)
        return Piece(made.text + tail, (*made.claims, c.Disease(name=named)))

    return plan


def _written(facts: Facts, voice: Voice, pattern: str, organ: Piece | None) -> Piece:
    # "A CT slice in the axial plane of the liver" would speak of a plane of the liver.
    kind = w.image_piece(facts, voice, clauses=not re.search("<(?:a|k|this)>[^<]* of <o>|<f>", pattern))
    this = f"this {kind.text}"
    text = fill(pattern, a=w.article(kind.text), k=kind.text, this=this, o=organ.text if organ else "")
    text = w.numbered(text, several=organ is not None and organ.several)
    return Piece(text, (*kind.claims, *(organ.claims if organ else ())))


def _organ(facts: Facts) -> Piece | None:
    """What the image is of, where that is sure, and not said already: a retinal photograph is one of the retina."""
    said = facts.metadata.modality == "fundus photography"
    return None if said or _is_of_a_series(facts) else w.organ_piece(facts)


def _is_of_a_series(facts: Facts) -> bool:
    """Whether the organ is that of an examination, of which this slice may show another part.

    What the source marks in a slice is in the organ that it names.
    """
    marked = any(one.kind == "source annotation" for _, one in facts.regions.values())
    slices = table().modality(facts.metadata.modality).slices
    return facts.metadata.source_format in ("DICOM", "NIfTI") and bool(slices) and not marked


def opening(facts: Facts, finding: Plan) -> Plan:
    """The kind of image and what it shows, with a finding, as a noun and what stands with it, in one sentence."""

    def plan(voice: Voice) -> Piece | None:
        organ, found = _organ(facts), finding(voice)
        if found is None:
            return None
        pattern = voice.spin(voice.pick(_OPENING if organ else _OPENING_ALONE))
        made = _written(facts, voice, pattern, organ)
        text = w.numbered(fill(made.text, f=found.text).replace("^", "~"), several=found.several)
        return Piece(text, (*made.claims, *found.claims))

    return plan


def _with_thickness(facts: Facts, made: Piece, voice: Voice) -> Piece:
    thickness = facts.metadata.slice_thickness_mm
    if thickness is None or thickness < 0.1 or voice.maybe(0.4):
        return made
    said = w.two_figures(thickness)
    unit = "millimetre" if said == "1" else "millimetres"
    text = made.text + fill(voice.pick(_THICK), v=f"{said} {unit}")
    decimals = len(said.partition(".")[2])
    return Piece(
        text, (*made.claims, c.ImageNumber(measure="thickness", value=float(said), unit="mm", decimals=decimals))
    )


def disease(name: str) -> Plan:
    """What the source says that the image shows, as the source's."""
    return lambda voice: Piece(fill(voice.spin(voice.pick(_DISEASE)), d=name), (c.Disease(name=name),))
