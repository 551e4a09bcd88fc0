"""Openings and captions: the kind of image, what it is of, and what the source says that it shows."""

import re

from models.describers.plans.plan import Plan, fill
from models.statements import claims as c
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.voice import Voice
from models.statements.writing import Piece

_IMAGE = (
    "this is <a> of <o>",
    "{shown|presented} is <a> of <o>",
    "{the image|the picture} is <a> of <o>",
    "<k> of <o>",
    "<o> ~is {shown|seen|depicted|displayed} {on|in} <a>",
    "<a> {shows|depicts|displays} <o>",
    "<this> {shows|depicts|displays|is of} <o>",
    "on <a>, <o> ~is {shown|seen|depicted}",
    "<o> on <a>",
    "here, <o> ~is {shown|seen} {on|in} <a>",
    "<k> with a view of <o>",
    "<o> as {seen|shown|depicted} {on|in} <a>",
    "<k>, <o>",
    "<k>; <o>",
    "<o>, {shown|seen|depicted|displayed} {on|in} <a>",
    "{seen|shown} {on|in} <a> ~is <o>",
    "what <a> shows here ~is <o>",
    "{the|this} {image|picture} ({<a>|<k>}) {shows|depicts|is of} <o>",
    "<a>, {showing|depicting|displaying} <o>",
    "{in|on} <this>, one sees <o>",
)
_ATTRIBUTED = (
    "<k>; the source names <o> as the part examined",
    "<a>; according to the source, <o> is examined",
    "{shown|presented} is <a>; by the source's label, <o> is examined",
    "<k> (part examined according to the source: <o>)",
    "<k>; part examined according to the source: <o>",
    "{the image|the picture} is <a>; the source gives <o> as the part examined",
)
_VAGUE = {("extremity", None), ("colon", "CT"), ("colon", "MR")}
"""Parts that a source names for a whole series, of a modality or any: what a slice of it shows is often another.

Only the caption tells them, as the source's word.
"""
_ALONE = (
    "this is <a>",
    "{shown|presented|seen} here is <a>",
    "<a> is {shown|presented|seen} here",
    "here, <a> is {shown|presented|seen}",
    "<k>",
    "<a>",
    "the {image|picture} is <a>",
    "what is {shown|seen} is <a>",
)
_CAPTION_ALONE = ("<k>", "<a>")
_CAPTION = (
    "<k> of <o>",
    "<k> of <o>",
    "<k> {showing|depicting} <o>",
    "<o> {on|shown on|seen on|depicted on} <a>",
    "<k>: <o>",
)
_OPENING = (
    "<k> of <o> {showing|with|demonstrating|revealing} <f>",
    "<k> of <o> {showing|with|demonstrating|revealing} <f>",
    "<a> of <o> {shows|demonstrates|reveals|depicts} <f>",
    "<this> of <o> {shows|demonstrates|reveals|depicts} <f>",
    "on <a> of <o>, <f> ^is {seen|visible|noted|present|apparent}",
    "in <this> of <o>, <f> ^is {seen|visible|noted|present|apparent}",
    "<f> ^is {seen|visible|noted} on <a> of <o>",
    "<o> on <a>: <f>",
    "<a> of <o>; <f> ^is {seen|visible|noted|present|apparent}",
    "<o> ~is {shown|seen} {on|in} <a>, with <f>",
    "<k>, <o>: <f>",
    "<f>, {seen|shown|found} {on|in} <a> of <o>",
    "{on|in} <this> of <o>, there ^is <f>",
    "<o> {on|in} <a>, with <f>",
    "<k> of <o>, {on|in} which <f> ^is {seen|found|visible|present|noted}",
    "<f> {can be seen|can be made out|^stands out|^appears} {on|in} <a> of <o>",
    "what <a> of <o> {shows|reveals} ^is <f>",
)
_OPENING_ALONE = (
    "<this> {shows|demonstrates|reveals|depicts|contains} <f>",
    "<k> {showing|with|demonstrating|revealing} <f>",
    "on <this>, <f> ^is {seen|visible|noted|present|apparent}",
    "<f> ^is {seen|visible|noted} on <a>",
    "<a> {shows|demonstrates|reveals|depicts} <f>",
    "<k>: <f>",
    "<f>, {seen|shown|found} {on|in} <a>",
    "{on|in} <this>, there ^is <f>",
    "<f> {can be seen|can be made out|^stands out|^appears} {on|in} <a>",
    "<k>, {on|in} which <f> ^is {seen|found|visible|present|noted}",
    "what <a> {shows|reveals} ^is <f>",
)
"""The kind of image and its most telling finding in one sentence; ^ before a verb of the finding."""
_THICK = (
    "; {slice|section} thickness <v>",
    "; {slices|sections} of <v>",
    "; {slice|section} thickness: <v>",
    " ({slice|section} thickness <v>)",
)
_DISEASE = (
    "the source {labels|names} {the|this} image <d>",
    "according to the source, {this|the image} {is|shows} <d>",
    "the source's {label|diagnosis} is <d>",
    "by the source's label, {the image|this} shows <d>",
    "the source gives <d> as its label",
    "<d> is the source's {label|diagnosis}",
    "the diagnosis that the source gives is <d>",
    "the source's label for this image: <d>",
    "source label: <d>",
    "{the|this} image is labelled <d> by the source",
)
_WITH_DISEASE = (
    "; the source's {label|diagnosis} is <d>",
    " ({source label|source's label}: <d>)",
    " (<d>, {by the source's label|as the source labels it})",
    "; <d>, {according to|by the label of} the source",
    "; the image is labelled <d> by the source",
    "; the source gives <d>",
    ", with <d> named by the source",
)
"""Of the image: "the brain, which the source names glioma" would be of the organ."""


def image(facts: Facts, *, caption: bool) -> Plan:
    """What kind of image it is, of what, with the disease that the source names."""

    def plan(voice: Voice) -> Piece | None:
        organ = w.organ_piece(facts) if caption or not _opens_without(facts) else None
        patterns = (_CAPTION if caption else _IMAGE) if organ else _CAPTION_ALONE if caption else _ALONE
        patterns = _ATTRIBUTED if organ and _is_vague(facts) else patterns
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


def _says_it(facts: Facts) -> bool:
    """Whether the kind of image says what it shows: a retinal photograph is one of the retina."""
    return facts.metadata.modality == "fundus photography"


def _opens_without(facts: Facts) -> bool:
    """Whether the description names no part of the body."""
    return _says_it(facts) or _is_vague(facts)


def _is_vague(facts: Facts) -> bool:
    return any((facts.metadata.organ, modality) in _VAGUE for modality in (facts.metadata.modality, None))


def opening(facts: Facts, finding: Plan) -> Plan:
    """The kind of image and what it shows, with a finding, as a noun and what stands with it, in one sentence."""

    def plan(voice: Voice) -> Piece | None:
        organ, found = None if _opens_without(facts) else w.organ_piece(facts), finding(voice)
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
    text = made.text + fill(voice.spin(voice.pick(_THICK)), v=f"{said} {unit}")
    decimals = len(said.partition(".")[2])
    return Piece(
        text, (*made.claims, c.ImageNumber(measure="thickness", value=float(said), unit="mm", decimals=decimals))
    )


def disease(name: str) -> Plan:
    """What the source says that the image shows, as the source's."""
    return lambda voice: Piece(fill(voice.spin(voice.pick(_DISEASE)), d=name), (c.Disease(name=name),))
