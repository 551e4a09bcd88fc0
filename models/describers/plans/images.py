"""Openings and captions: the kind of image, what it is of, and what the source says that it shows."""

import re

from models.describers.plans.plan import Plan, fill
from models.statements import claims as c
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.voice import Voice
from models.statements.writing import Piece

_IMAGE = (
    "{this is|shown is|here is|what is shown is} <a> of <o>",
    "{the image|the picture|this} is <a> of <o>",
    "<a> of <o> {is shown|is shown here|is presented|is given|is displayed}",
    "<o> is {shown|seen|depicted|presented|displayed} {on|in|by} <a>",
    "<a> {shows|depicts|presents|displays|demonstrates} <o>",
    "<o> appears {in|on} <a>",
    "on <a>, <o> is {seen|shown|depicted|visible|in view}",
    "<o> was examined: <a>",
    "<a>{,|} with <o> in view",
    "<o> is {the subject of|what is seen on|what is shown in} <a>",
    "{this is|here is} <a>{, showing|, depicting|; it shows|; it depicts} <o>",
    "<this> {shows|depicts|presents|is of|displays|concerns|features|portrays} <o>",
    "<a> {features|portrays|reveals} <o>",
    "{seen|pictured|depicted|portrayed|in view} {here|} {on|in} <a> is <o>",
    "<o>, {as seen|as shown|seen|shown|pictured} {on|in} <a>, is the subject",
    "{the subject|what is examined|what is seen} is <o>, {on|in} <a>",
    "here one {sees|has} <a>, and {in|on} it <o>",
    "<o> {forms|makes up|is} the subject of <a>",
    "{regarding|concerning} <o>, this is <a>",
)
_ALONE = (
    "{this is|shown is|here is|what is shown is|presented is|given is} <a>",
    "<a> is {presented|shown here|shown|given|displayed}",
    "the {picture|image|view} {is|shown is|presented is|given is} <a>",
    "<a>",
)
_CAPTION_ALONE = ("<k>", "<a>")
_CAPTION = (
    "<k> of <o>",
    "<k> {showing|depicting|picturing|presenting} <o>",
    "<o>{, shown on|, seen on|, depicted on|, seen in| in| on} <a>",
    "<k>: <o>",
    "<k>{,|} with <o> in view",
)
_THICK = (
    "; the {slice|section} is <v> thick",
    "; {its|the} {slice|section} thickness is <v>",
    ", {at|with} a {slice|section} thickness of <v>",
    "; the thickness of the {slice|section} is <v>",
    ", <v> {thick|in thickness}",
    "; it is <v> thick",
)
_DISEASE = (
    "the source {labels|names} {the image|it|this} <d>",
    "{according to|by the label of} the source, {this|the image|it} {is|shows} <d>",
    "the {label|source's label} is <d>",
    "<d> is {named|stated|said} by the source",
    "by the source's label, {the image|this|it} shows <d>",
    "the source {gives|states|has} <d> as its label",
    "the source's {label|word|name} for it is <d>",
    "{what|the finding that|the name that} the source {names|gives} is <d>",
)
_WITH_DISEASE = (
    ", {labelled|named|called} <d> by the source",
    "; the source {labels|names|calls} it <d>",
    ", with <d> {named|stated} by the source",
    " (source{'s|} label: <d>)",
    ", {which|and} the source {labels|names|calls} <d>",
    "; {according to the source|by the source's label}, it {is|shows} <d>",
    "; <d> is {the source's label|the label of the source|named by the source}",
)


def image(facts: Facts, *, caption: bool) -> Plan:
    """What kind of image it is, of what, with the disease that the source names."""

    def plan(voice: Voice) -> Piece | None:
        organ = w.organ_piece(facts)
        patterns = (_CAPTION if caption else _IMAGE) if organ else _CAPTION_ALONE if caption else _ALONE
        pattern = voice.spin(voice.pick(patterns))
        # "A CT slice in the axial plane of the liver" would speak of a plane of the liver.
        kind = w.image_piece(facts, voice, clauses=not re.search("<[ak]>[^<]* of <o>", pattern))
        this = f"{voice.pick(('this', 'the', 'the present'))} {kind.text}"
        text = fill(pattern, a=w.article(kind.text), k=kind.text, this=this, o=organ.text if organ else "")
        made = Piece(text, (*kind.claims, *(organ.claims if organ else ())))
        if not caption:
            made = _with_thickness(facts, made, voice)
        named = facts.metadata.disease
        if named is None or not (caption or voice.maybe(0.6)):
            return made
        tail = fill(voice.spin(voice.pick(_WITH_DISEASE)), d=named)
        return Piece(made.text + tail, (*made.claims, c.Disease(name=named)))

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
