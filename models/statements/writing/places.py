"""Where a region lies, in words: on the display, within what an expert outlined, or on the patient's axes."""

from dataclasses import replace

from models.statements import claims as c
from models.statements.facts import Facts
from models.statements.measures import outwards
from models.statements.rows import BY_DISPLAY
from models.statements.table import table
from models.statements.voice import Voice
from models.statements.writing.images import whole as whole_of
from models.statements.writing.names import Name, is_scattered
from models.statements.writing.text import Piece
from schemas.regions import Region

WITHIN = {"image": "image", "lungs": "lungs", "brain": "brain", "body": "body", "sector": "sector", "field": "field"}
"""What places are told within, in words; other outlines of experts are the body's."""
LOW, HIGH = 0.36, 0.64
"""Fractions of an axis beyond which an end is told: well beyond its middle third."""
ASIDE = 0.2
"""Part of its extent by which what lies on one side of the middle may reach over it."""
_DISPLAY = ("image right", "image down")
_PART = "{part|portion|region|area|third}"
_WORDS = {
    ("image right", "low"): ("left",), ("image right", "high"): ("right",),
    ("image down", "low"): ("upper", "top"), ("image down", "high"): ("lower", "bottom"),
    ("patient left", "low"): ("right",), ("patient left", "high"): ("left",),
    ("posterior", "low"): ("anterior", "ventral"), ("posterior", "high"): ("posterior", "dorsal"),
    ("feet", "low"): ("superior", "upper", "cranial"), ("feet", "high"): ("inferior", "lower", "caudal"),
    ("lateral", "low"): ("medial", "inner"), ("lateral", "high"): ("lateral", "outer"),
}  # fmt: skip
_ADVERBS = {
    ("posterior", "low"): "anteriorly", ("posterior", "high"): "posteriorly", ("feet", "low"): "superiorly",
    ("feet", "high"): "inferiorly", ("lateral", "low"): "medially", ("lateral", "high"): "laterally",
}  # fmt: skip
_MIDDLE = (
    "{in|at|near} the {centre|middle} of <w>",
    "centrally in <w>",
    "in the central {part|portion|area|region|third} of <w>",
    "in the middle {part|portion|third} of <w>",
    "{close to|around} the {centre|middle} of <w>",
    "{in|at|near} <ws> {centre|middle}",
    "in <ws> central {part|portion|area|third}",
)
_CORNER = (
    "{in|at|towards} the <v> <h> of <w>",
    f"in the <v> <h> {_PART} of <w>",
    "in the <v> <h> quadrant of <w>",
    "at <v> <h> in <w>",
    "{in|at} <ws> <v> <h>",
    f"in <ws> <v> <h> {{quadrant|{_PART[1:-1]}}}",
)
_SIDE = (
    f"in the <h> {{half|{_PART[1:-1]}}} of <w>",
    "on the <h> side of <w>",
    "{to|on} the <h> in <w>",
    "towards the <h> side of <w>",
    f"in <ws> <h> {{half|{_PART[1:-1]}}}",
    "on <ws> <h> side",
    "on the <h> of <w>",
)
_LEVEL = (
    f"in the <v> {{half|{_PART[1:-1]}}} of <w>",
    "{at|towards} the <t> of <w>",
    f"in <ws> <v> {{half|{_PART[1:-1]}}}",
    "{at|near|towards} <ws> <t>",
    "near the <t> of <w>",
)
_BARE = {
    "middle": ("centrally", "{near|at} the centre", "in the middle", "in the central {part|area|region}"),
    "corner": (
        "{at|towards|in the} <v> <h>",
        "in the <v> <h> {part|quadrant|area|region}",
        "{to|on} the <h>, {at the <t>|near the <t>}",
    ),
    "side": ("on the <h>", "in the <h> {half|part|third}", "towards the <h>", "to the <h>"),
    "level": ("in the <v> {half|part|third}", "{at|towards|near} the <t>", "close to the <t>"),
}
"""Without the image's name, where left and right are those of the display in any case."""
_PATIENT = (
    f"in the <l> <o> {_PART} of <w>",
    f"{{in|within}} the patient's <l> <o> {_PART}",
    "<adv> on the patient's <l>",
    "on the patient's <l>, <adv>",
    "<adv>, on the patient's <l> side",
    f"in the <o> <l> {_PART} of <w>",
    f"{{in|within|towards}} the <l> <o> {{quadrant|{_PART[1:-1]}}} of <w>",
    "<adv> on the <l>",
    "on the <l>, <adv>",
    "<adv> and to the <l>",
    "{in|at} <ws> <o> <l>",
    "on the <l>, in the <o> {half|third|part}",
    "<adv> in the <l> {half|side} of <w>",
)
_PATIENT_SIDE = (
    "on the patient's <l>",
    "on the patient's <l> side",
    "to the patient's <l>",
    f"{{in|within}} the <l> {{half|side|third|{_PART[1:-1]}}} of <w>",
    "on the <l> side of <w>",
    "in the patient's <l> half",
    f"in the patient's <l> {_PART}",
    "on the <l>",
    "to the <l>",
    "{in|within} <ws> <l> {half|side|part}",
    "on <ws> <l> side",
    "in the <l> {half|side}",
)
_PATIENT_OTHER = (
    f"{{in|within|towards}} the <o> {{half|third|{_PART[1:-1]}}} of <w>",
    f"in the <o> {_PART} of <w>",
    "<adv> in <w>",
    "<adv>",
    f"in <ws> <o> {{half|third|{_PART[1:-1]}}}",
    "in the <o> {half|third|part}",
    "{in|at} the <o> of <w>",
)
_BREAST = (
    f"in the <m> <o> {_PART} of <w>",
    "<madv> and <adv> in <w>",
    f"{{in|within}} the <o> <m> {_PART} of <w>",
    "<adv> and <madv> in <w>",
    "in the <m> <o> quadrant of <w>",
)
_BREAST_SIDE = (
    f"{{in|within|towards}} the <m> {{half|third|side|{_PART[1:-1]}}} of <w>",
    "<madv> in <w>",
    "on the <m> side of <w>",
    "in the <m> half of <w>",
)


def place_piece(facts: Facts, region: Region, voice: Voice, name: Name | None = None) -> Piece | None:
    """'in the upper left part of the image', 'posteriorly, on the patient's left'; None where nothing tells.

    Args:
        facts: of the image.
        region: what lies there.
        voice: chooses among wordings.
        name: what the region is called beside it.
    """
    if region.place is None or (is_scattered(region) and not _is_compact(facts, region)):
        return None
    axes = {axis.towards: axis.fraction for axis in region.place.axes}
    every = name.every if name else False
    if set(axes) & set(_DISPLAY):
        within = WITHIN.get(region.place.within)
        if within in ("sector", "field") and voice.maybe(0.6):
            return _displayed(region, {axis: _end(part) for axis, part in axes.items()}, within, voice, every=every)
        x, y = region.centroid
        shown = {"image right": (x + 0.5) / facts.columns, "image down": (y + 0.5) / facts.rows}
        of = whole_of(facts, voice)
        box = region.box
        spans = {
            "image right": (box.x / facts.columns, (box.x + box.width) / facts.columns),
            "image down": (box.y / facts.rows, (box.y + box.height) / facts.rows),
        }
        ends = {axis: _end(part, spans[axis]) for axis, part in shown.items()}
        if is_scattered(region):
            # Of many the middle is no place, nor is a side that some of them only outweigh.
            ends = {axis: end for axis, end in ends.items() if _end(0.5, spans[axis]) == end != "middle"}
            if not ends:
                return None
        bare = facts.metadata.modality in BY_DISPLAY
        made = _displayed(region, ends, of.text, voice, every=every, bare=bare)
        made = replace(made, text=_by_halves(made.text, ends, shown))
        return replace(made, claims=(*made.claims, *of.claims)) if of.text in made.text else made
    return _in_the_patient(facts, region, {str(axis): part for axis, part in axes.items()}, voice, name)


def _end(fraction: float, span: tuple[float, float] = (0.0, 1.0)) -> str:
    """The end of an axis at which a centroid lies; off the middle too is what all but lies on one side of it."""
    over = ASIDE * (span[1] - span[0])
    if fraction < LOW or (fraction <= 0.5 and span[1] <= 0.5 + over):
        return "low"
    return "high" if fraction > HIGH or (fraction >= 0.5 and span[0] >= 0.5 - over) else "middle"


def _by_halves(text: str, ends: dict[str, str], axes: dict[str, float]) -> str:
    """A wording without 'third', where something lies on a side of the middle and in the middle third."""
    near = any(end != "middle" and LOW <= axes[axis] <= HIGH for axis, end in ends.items())
    return text.replace(" third", " part") if near else text


def _is_compact(facts: Facts, region: Region) -> bool:
    return region.box.width < facts.columns / 2 and region.box.height < facts.rows / 2


def _displayed(
    region: Region, ends: dict[str, str], whole: str, voice: Voice, *, every: bool, bare: bool = False
) -> Piece:
    frame = "within" if whole in ("sector", "field") else "shown"
    told = {axis: end for axis, end in ends.items() if end != "middle"} or ends
    made = [
        c.Place(regions=(region.region_id,), every=every, axis=axis, end=end, frame=frame) for axis, end in told.items()
    ]
    across, down = told.get("image right", "middle"), told.get("image down", "middle")
    if across == down == "middle":
        kind, patterns = "middle", _MIDDLE
    elif "middle" not in (across, down):
        kind, patterns = "corner", _CORNER
    else:
        kind, patterns = ("side", _SIDE) if down == "middle" else ("level", _LEVEL)
    if bare and frame == "shown" and voice.maybe(0.5):
        patterns = _BARE[kind]
    elif frame == "within":
        # "The field's upper part" is not read as one of the field.
        patterns = tuple(one for one in patterns if "<ws>" not in one)
    text = voice.spin(voice.pick(patterns))
    if across != "middle":
        text = text.replace("<h>", voice.pick(_WORDS["image right", across]))
    if down != "middle":
        text = text.replace("<v>", voice.pick(_WORDS["image down", down]))
        text = text.replace("<t>", _WORDS["image down", down][-1])
    the = voice.pick(("the", "the", "the", "the", "this")) if frame == "shown" else "the"
    return Piece(_of(text, f"{the} {whole}"), tuple(made))


def place_noun(facts: Facts, region: Region, voice: Voice, name: Name) -> Piece | None:
    """'the upper left corner of the picture': the part of the display that a region lies in, as a noun."""
    if region.place is None or is_scattered(region):
        return None
    if not {axis.towards for axis in region.place.axes} & set(_DISPLAY):
        return None
    x, y = region.centroid
    ends = {"image right": _end((x + 0.5) / facts.columns), "image down": _end((y + 0.5) / facts.rows)}
    told = {axis: end for axis, end in ends.items() if end != "middle"}
    if not told:
        text = voice.pick(("the {centre|middle} of <w>", "<ws> {centre|middle}", "the central {part|area} of <w>"))
    elif len(told) == 2:
        text = voice.pick(("the <v> <h> {quadrant|part} of <w>", "<ws> <v> <h> {corner|quadrant|part|area}"))
    else:
        side = "<h>" if "image right" in told else "<v>"
        text = voice.pick((f"the {side} {{half|third|part}} of <w>", f"<ws> {side} {{half|third|part}}"))
    for slot, axis in (("<h>", "image right"), ("<v>", "image down")):
        text = text.replace(slot, _WORDS[axis, told[axis]][0]) if axis in told else text
    of = whole_of(facts, voice)
    made = tuple(
        c.Place(regions=(region.region_id,), every=name.every, axis=axis, end=end, frame="shown")
        for axis, end in (told or ends).items()
    )
    return Piece(_of(voice.spin(text), f"the {of.text}"), (*made, *of.claims))


def _of(text: str, whole: str) -> str:
    """A place with the whole that it is of: 'the image', 'the lungs' upper third'."""
    return text.replace("<ws>", f"{whole}'" if whole.endswith("s") else f"{whole}'s").replace("<w>", whole)


def _in_the_patient(
    facts: Facts, region: Region, axes: dict[str, float], voice: Voice, name: Name | None
) -> Piece | None:
    assert region.place is not None
    whole = WITHIN.get(region.place.within, "body")
    sense = outwards(facts)
    if facts.metadata.sides_contradict:
        axes.pop("patient left", None)
    elif facts.metadata.modality == "mammography" and facts.metadata.view == "CC" and sense and "patient left" in axes:
        left = axes.pop("patient left")
        axes["lateral"] = left if sense > 0 else 1 - left
    ends = {axis: _end(part, _span(facts, region, axis, part)) for axis, part in axes.items()}
    told = {axis: end for axis, end in ends.items() if end != "middle"}
    frame = "patient"
    every = name.every if name else False

    def claims(of: dict[str, str]) -> list[c.Claim]:
        return [
            c.Place(regions=(region.region_id,), every=every, axis=axis, end=end, frame=frame)
            for axis, end in of.items()
        ]

    if not ends:
        return None
    if not told and whole == "image":
        return _displayed(region, dict.fromkeys(_DISPLAY, "middle"), "image", voice, every=every)
    patterns = _pattern(told, whole, named=name is not None and whole.removesuffix("s") in name.text)
    if whole.removesuffix("s") in table().organs:
        # "The brain's upper part" is not read as one of the brain.
        patterns = tuple(one for one in patterns if "<ws>" not in one)
    text = _by_halves(voice.spin(voice.pick(patterns)), told, axes)
    made = claims(told or ends)
    for axis, end in told.items():
        if axis == "lateral":
            text = text.replace("<m>", voice.pick(_WORDS[axis, end])).replace("<madv>", _ADVERBS[axis, end])
        elif axis == "patient left":
            text = text.replace("<l>", _WORDS[axis, end][0])
        else:
            words = [one for one in _WORDS[axis, end] if whole != "image" or one not in ("upper", "lower")]
            text = text.replace("<o>", voice.pick(words)).replace("<adv>", _ADVERBS[axis, end])
    if "<w>" in text or "<ws>" in text:
        organ = whole.removesuffix("s")
        if organ in table().organs:
            made.append(c.Structure(organ=organ))
        if whole == "image" and facts.metadata.modality == "mammography":
            whole = "breast"
            made.append(c.Structure(organ="breast"))
    return Piece(_of(text, f"the {whole}"), tuple(made))


_WIDE = 0.75
"""Part of the picture's width that what is told of in the patient takes up, about: its own box is not told."""


def _span(facts: Facts, region: Region, axis: str, fraction: float) -> tuple[float, float]:
    """From where to where a region reaches from left to right in the patient, about; all of it along other axes."""
    orientation = facts.metadata.orientation
    if axis != "patient left" or orientation is None or orientation.right not in ("patient left", "patient right"):
        return (0.0, 1.0)
    half = region.box.width / facts.columns / _WIDE / 2
    return (fraction - half, fraction + half)


def _pattern(told: dict[str, str], whole: str, *, named: bool) -> tuple[str, ...]:
    """Patterns that hold all that is told; without the whole's name where the region's own has it."""
    if not told:
        return _MIDDLE
    if "lateral" in told:
        return _BREAST if len(told) > 1 else _BREAST_SIDE
    sided, other = "patient left" in told, len(told) > 1 or "patient left" not in told
    if sided and whole == "image":
        # "The left of the image" would be that of the display.
        return tuple(one for one in (_PATIENT if other else _PATIENT_SIDE) if "patient's" in one)
    patterns = _PATIENT if sided and other else _PATIENT_SIDE if sided else _PATIENT_OTHER
    return tuple(one for one in patterns if "<w" not in one) or patterns if named else patterns
