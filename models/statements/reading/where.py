"""Which of several regions that a noun fits is meant, by the place that stands with it: 'the lung field on the left'.

Claims nothing: where exactly one lies there it is that one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.statements.facts import Facts
from models.statements.measures.places import along
from models.statements.reading.atoms import Atom
from models.statements.reading.mentions import VERBS
from models.statements.rows import BY_DISPLAY
from models.statements.table import table

_SHOWN = {"shown", "displayed", "seen", "appearing", "visible", "depicted"}
_LYING = {"lying", "located", "situated", "found", "placed", "positioned"}
_AT = {"on", "at", "in", "to", "towards", "near", "toward"}
_PARTS = {"side", "half", "part", "edge", "end", "third", "corner"}
_ENDS = {",", ";", ".", ")", "and", "but", "while", "whereas"}


@dataclass(frozen=True, slots=True)
class Where:
    """The one region at a place; `end`: where the words of the place end; `frame`: "shown", "patient" or ""."""

    region_id: str
    end: int
    frame: str


def behind(atoms: Sequence[Atom], n: int, regions: Sequence[str], facts: Facts, frame: str) -> Where | None:
    """The one of several at the place that stands behind their noun, where something is then told of it.

    Args:
        atoms: of the sentence.
        n: where the noun ends.
        regions: that the noun fits.
        facts: of the image.
        frame: that an earlier such place was of; "" for none.
    """
    m, shown = n, False
    if m < len(atoms) and atoms[m].text in _SHOWN | _LYING:
        shown = atoms[m].text in _SHOWN
        m += 1
    place = _place(atoms, m)
    if place is None:
        return None
    at, end, of_image = place
    closes = end >= len(atoms) or atoms[end].text in _ENDS
    tells = not closes and (atoms[end].text.split(" ")[0] in VERBS or atoms[end].kind in ("relation", "ratio", "bound"))
    if not tells and not (closes and frame):
        return None
    frame = "shown" if shown or of_image else "patient" if "patient" in at.text else frame
    return _there(at, end, regions, facts, frame)


def before(atoms: Sequence[Atom], n: int, regions: Sequence[str], facts: Facts) -> Where | None:
    """The one of several at the place that their sentence begins with: 'on the patient's right the area is …'."""
    place = _place(atoms, 0)
    if place is None:
        return None
    at, end, of_image = place
    end += end < len(atoms) and atoms[end].text == ","
    if end + 1 != n or atoms[end].text != "the":
        return None
    return _there(at, n, regions, facts, "shown" if of_image else "patient" if "patient" in at.text else "")


def _place(atoms: Sequence[Atom], m: int) -> tuple[Atom, int, bool] | None:
    """A place behind a preposition, where its words end, and whether it is one of the picture."""
    if m >= len(atoms) or atoms[m].text not in _AT:
        return None
    m += 1
    m += m < len(atoms) and atoms[m].text == "the"
    if m >= len(atoms) or atoms[m].kind != "place":
        return None
    at = atoms[m]
    m += 1
    m += m < len(atoms) and atoms[m].text in _PARTS
    of = [atom.text for atom in atoms[m : m + 3]]
    of_image = len(of) == 3 and of[:2] in (["of", "the"], ["of", "this"]) and of[2] in (*table().placing.shown, "film")
    return at, m + 3 * of_image, of_image


def _there(at: Atom, end: int, regions: Sequence[str], facts: Facts, frame: str) -> Where | None:
    if not frame and facts.metadata.modality in BY_DISPLAY:
        frame = "shown"
    for axis, side in sorted({one.value for one in (*at.others, at) if one.kind == "place"}):
        if side not in ("low", "high") or axis.startswith("image") != (frame == "shown"):
            continue
        told = {one: along(facts, facts.region(one), axis, frame or "patient") for one in regions}
        there = [one for one, part in told.items() if part is not None and (part > 0.5) == (side == "high")]
        if None not in told.values() and len(there) == 1:
            return Where(there[0], end, frame)
    return None
