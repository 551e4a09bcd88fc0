"""Openings and captions: the kind of image, what it is of, and what the source says that it shows."""

import re
from dataclasses import dataclass, replace

from models.describers.plans.plan import Plan, fill
from models.statements import claims as c
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.table import table
from models.statements.voice import Voice
from models.statements.writing import Piece
from schemas.regions import Region

_IMAGE = (
    "this is <a> of <o>",
    "<k> of <o>",
    "<a> shows <o>",
    "<this> shows <o>",
    "<o> ~is {shown|seen} on <a>",
)
_ALONE = ("<k>", "this is <a>")
_CAPTION = ("<k> of <o>", "<k> showing <o>")
_OPENING = (
    "<k> of <o><d> {showing|with|demonstrating} <f>",
    "<a> of <o> {shows|demonstrates} <f>",
    "<this> of <o> {shows|demonstrates} <f>",
    "on <a> of <o>, <f> ^is {seen|visible|present}",
    "<f> ^is {seen|visible|present} on <a> of <o>",
)
_OPENING_ALONE = (
    "<this> {shows|demonstrates} <f>",
    "<k><d> {showing|with|demonstrating} <f>",
    "on <this>, <f> ^is {seen|visible|present}",
    "<f> ^is {seen|visible} on <a>",
    "<a> {shows|demonstrates} <f>",
)
"""The kind of image and its most telling finding in one sentence; ^ before a verb of the finding."""
_UPON = ("on <a> of <o>, <f>", "on <this> of <o>, <f>")
_UPON_ALONE = ("on <this>, <f>", "on <a>, <f>")
"""The kind of image, and a whole sentence of what it shows."""
_BARE, _COMPOUND = 0.3, 0.35
"""Parts of texts whose kind of image stands without an article ('on axial CT'), and with its organ before it."""

_DISEASE = (
    "the source labels {the|this} image as <d>",
    "{the|this} image is labelled <d> by the source",
    "the source's label is <d>",
)
_LABELLED = " (labelled <d> by the source)"
_WITH_DISEASE = (
    " (labelled <d> by the source)",
    ", labelled <d> by the source",
    "; the source's label is <d>",
)
"""Of the image: "the brain, which the source names glioma" would be of the organ."""


def image(facts: Facts, *, caption: bool) -> Plan:
    """What kind of image it is, of what, with the disease that the source names."""

    def plan(voice: Voice) -> Piece | None:
        kind = _kind(facts, voice)
        patterns = _ALONE if kind.organ is None else _CAPTION if caption else _IMAGE
        patterns = patterns[:1] if caption and patterns is not _CAPTION else patterns
        made = _written(facts, voice, kind.pattern(patterns, voice), kind)
        named = facts.metadata.disease
        if named is None or not (caption or voice.maybe(0.6)):
            return made
        tail = fill(voice.spin(voice.pick(_WITH_DISEASE)), d=named)
        return Piece(made.text + tail, (*made.claims, c.Disease(name=named)))

    return plan


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the kind of image is called: without an article, and with the organ before it or behind."""

    bare: bool
    before: Piece | None
    organ: Piece | None

    def pattern(self, patterns: tuple[str, ...], voice: Voice) -> str:
        """One of them; "this CT" and "this is CT" are no English."""
        fitting = [one for one in patterns if not (self.bare and ("this" in one or one == "<a> shows <o>"))]
        return voice.spin(voice.pick(fitting))


def _kind(facts: Facts, voice: Voice) -> _Kind:
    row, organ = table().modality(facts.metadata.modality), _organ(facts)
    # "Histology" alone is no picture.
    told = organ is not None or facts.metadata.plane is not None
    bare = bool(row.bare) and told and not facts.metadata.localizer and voice.maybe(_BARE)
    one_word = organ is not None and organ.text == f"the {facts.metadata.organ}"
    if organ is not None and one_word and row.compound and voice.maybe(_COMPOUND):
        return _Kind(bare, replace(organ, text=organ.text.removeprefix("the ")), None)
    return _Kind(bare, None, organ)


def _written(facts: Facts, voice: Voice, pattern: str, how: _Kind) -> Piece:
    # "A CT slice in the axial plane of the liver" would speak of a plane of the liver.
    clauses = not re.search("<(?:a|k|this)>[^<]* of <o>|<f>", pattern)
    before = how.before.text if how.before else ""
    kind = w.image_piece(facts, voice, clauses=clauses, bare=how.bare, organ=before)
    a = kind.text if how.bare else w.article(kind.text)
    organ = how.organ or how.before
    text = fill(pattern, a=a, k=kind.text, this=f"this {kind.text}", o=how.organ.text if how.organ else "")
    text = w.numbered(text, several=how.organ is not None and how.organ.several)
    return Piece(text, (*kind.claims, *(organ.claims if organ else ())))


def _organ(facts: Facts) -> Piece | None:
    """What the image is of, where that is sure, and not said already: a retinal photograph is one of the retina."""
    said = facts.metadata.modality == "fundus photography"
    return None if said or _is_of_a_series(facts) else w.organ_piece(facts)


def _is_of_a_series(facts: Facts) -> bool:
    """Whether the organ is that of an examination, of which this slice may show another part.

    What the source marks in a slice is in the organ that it names, unless that is another organ.
    """
    marked = (_is_marked(facts) and not _is_marked_elsewhere(facts)) or _shows_lungs(facts)
    slices = table().modality(facts.metadata.modality).slices
    return facts.metadata.source_format in ("DICOM", "NIfTI") and bool(slices) and not marked


def _is_marked(facts: Facts) -> bool:
    return any(one.kind == "source annotation" for _, one in facts.regions.values())


PARTS_OF_THE_BODY = frozenset(
    {"whole body", "chest", "abdomen", "pelvis", "neck", "head", "arm", "leg", "extremity", "skeleton"}
)
"""They hold organs."""


def _is_marked_elsewhere(facts: Facts) -> bool:
    """Whether organs are marked, but not the examination's: an abdomen that was called its colon."""
    labels = (one.label for _, one in facts.regions.values() if one.kind == "source annotation")
    organs = {table().bare(label) for label in labels} & set(table().organs)
    named = facts.metadata.organ
    return bool(organs) and named not in organs and named not in PARTS_OF_THE_BODY


LUNG = 2.0
"""Percent of a slice of the body from which what has the density of a lung is one."""


def _shows_lungs(facts: Facts) -> bool:
    """Whether a CT slice of an examination of the chest has lung density on both sides: it is of the chest indeed."""
    if facts.metadata.modality != "CT" or facts.metadata.organ not in ("lung", "chest"):
        return False
    across = [
        axis.fraction
        for one in as_large_as_lungs(facts, "lung-density region")
        if one.place is not None
        for axis in one.place.axes
        if axis.towards == "patient left"
    ]
    return bool(across) and min(across) < 0.5 < max(across)


def as_large_as_lungs(facts: Facts, label: str) -> list[Region]:
    """Regions of a density in Hounsfield units that cover as much of a slice of the body as a lung does."""
    return [
        one
        for _, one in facts.regions.values()
        if one.label == label and one.intensity.unit == "HU"
        if one.place is not None and one.place.within == "body" and one.place.share_percent >= LUNG
    ]


def opening(facts: Facts, finding: Plan) -> Plan:
    """The kind of image and what it shows, with a finding, as a noun and what stands with it, in one sentence."""

    def plan(voice: Voice) -> Piece | None:
        kind, found = _kind(facts, voice), finding(voice)
        if found is None:
            return None
        pattern = kind.pattern(_OPENING if kind.organ else _OPENING_ALONE, voice)
        named = facts.metadata.disease if "<d>" in pattern else None
        made = _written(facts, voice, pattern, kind)
        text = fill(made.text, f=found.text, d=fill(_LABELLED, d=named) if named else "").replace("^", "~")
        told = (c.Disease(name=named),) if named else ()
        return Piece(w.numbered(text, several=found.several), (*made.claims, *told, *found.claims))

    return plan


def upon(facts: Facts, clause: Plan) -> Plan:
    """The kind of image before a whole sentence: 'on a frontal radiograph of the chest, the lung fields are …'."""

    def plan(voice: Voice) -> Piece | None:
        kind, said = _kind(facts, voice), clause(voice)
        # "On this image, the image shows" says it twice.
        if said is None or "image shows" in said.text:
            return None
        made = _written(facts, voice, kind.pattern(_UPON if kind.organ else _UPON_ALONE, voice), kind)
        return Piece(fill(made.text, f=said.text), (*made.claims, *said.claims), said.several)

    return plan


def disease(name: str) -> Plan:
    """What the source says that the image shows, as the source's."""
    return lambda voice: Piece(fill(voice.spin(voice.pick(_DISEASE)), d=name), (c.Disease(name=name),))
