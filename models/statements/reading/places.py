"""Places: where regions lie, in the image as displayed, in the patient, or in what they lie within."""

from dataclasses import replace

from models.statements import claims as c
from models.statements.reading.mentions import VERBS, Mention
from models.statements.reading.sentence import ONLY, Sentence
from models.statements.reading.spans import ATTRIBUTES
from models.statements.rows import BY_DISPLAY
from models.statements.table import table


def place(s: Sentence, n: int) -> None:
    """A place, with all the words of it: 'the upper left third of the patient's lung'."""
    if s.atoms[n].text in table().placing.midline and _stands_beside_the_unknown(s, n):
        s.unlicensed(s.atoms[n].text)  # "Crosses the midline", "midline shift".
        return
    if n > 1 and s.atoms[n - 1].text == "its" and s.atoms[n - 2].text in ("to", "on"):
        _beside_it(s, n)
        return
    near = n > 1 and s.atoms[n - 2].text in ("near", "towards", "at") and s.atoms[n].text != "base"
    if n and s.atoms[n - 1].text in ("its", "their") and s.atoms[n].text in _ENDS_OF_IT and not near:
        s.unlicensed(s.atoms[n].text)  # "Covers its base": a part of the region, and no place in the picture.
        return
    group, end, third, corner = _group(s, n)
    solely = {s.atoms[m].text for m in range(max(0, n - 5), n) if m not in s.mentions} & ONLY
    solely |= _only_behind(s, end)
    s.used.update(range(n, end))
    said = [one for index in group for one in _ends(s, index)]
    if (along := next((atom.value for atom in s.atoms[end : end + 2] if atom.kind == "along"), None)) is not None:
        said = [(along if axis == "*" else axis, at) for axis, at in said]  # "In the middle third from top to bottom."
    off = [(axis, "middle") for axis, at in said if at == "off"]
    said = [one for one in said if one[1] != "off"]
    near = " ".join(atom.text for atom in s.atoms[max(0, n - 3) : end + 6])
    patient = "patient" in near or any("patient" in s.atoms[index].text for index in group)
    frame = _frame(s, end) or _owner(s, n) or _frame_of_the_other(s, n, end) or _frame_before(s, n)
    if end == n + 1 and end in s.mentions and s.phrases.tells_which(n, end):
        s.used.add(n)  # "The lower focus", of two: which it is.
        return
    structure = end in s.mentions and not s.mentions[end].explicit and s.atoms[end].text != "one"
    organ = end < len(s.atoms) and s.atoms[end].kind == "organ"
    if organ and s.subject is None and not s.phrases.mentioned_later(end):
        side = next((at for axis, at in said if axis == "patient left"), None)
        if side is not None and len(group) == 1 and not patient:
            s.used.add(end)
            s.say(c.Structure(organ=s.atoms[end].value, side="left" if side == "high" else "right"))
            return
    # "Near the top", of an image that tells no axes of the patient, is of the display.
    bare = not frame and s.facts.metadata.orientation is None and not (structure or organ)
    bare = bare and any(s.atoms[index].text in ("top", "bottom") or _ends_at_the_centre(s, index) for index in group)
    bare = bare or (not frame and not (structure or organ) and _is_at(s, n))
    s.degree = ""  # "Slightly right of the centre."
    bare = bare or (not frame and not (structure or organ) and _is_upright(s, said, end))
    if any(atom.text == "displayed" for atom in s.atoms) or (
        (corner or bare) and not patient and frame in ("", "shown", "patient")
    ):
        frame = "shown"
    elif patient or structure or organ:
        frame = frame if frame not in ("shown", "") and not patient else "patient"
    if off:  # "Away from the midline" denies its middle.
        s.denied_next = not s.denied_next
        s.say_of(n, lambda target: _placed(s, target, off, frame, False), end=end)
    if said:
        s.say_of(n, lambda target: _of_places(s, target, said, frame, third, solely=bool(solely)), end=end)


_ENDS_OF_IT = {"base", "top", "bottom", "front", "back"}


def _only_behind(s: Sentence, end: int) -> set[str]:
    """'On the left side of the body only': the word, where the clause ends behind it."""
    for m in range(end, min(end + 6, len(s.atoms))):
        if m in s.mentions or s.atoms[m].text in (",", ";", "and", "but"):
            break
        if s.atoms[m].text in ONLY | {"alone"}:
            closes = m + 1 == len(s.atoms) or s.atoms[m + 1].text in (",", ";", "and", "but")
            return {s.atoms[m].text} if closes else set()
    return set()


def _beside_it(s: Sentence, n: int) -> None:
    """'r2 lies below r3 and to its left': of the display, where the patient has no left of its own."""
    at, other = s.atoms[n].text, s.spoken_of
    if at not in ("left", "right") or other is None or s.subject is None or s.facts.metadata.orientation is not None:
        s.unlicensed(at)
        return
    s.relate(s.subject, "left of", other, turned=at == "right", negated=s.take_denial())


def _is_at(s: Sentence, n: int) -> bool:
    """'At the left', 'at upper left', of a picture that tells no axes of the patient: one has things on one's left."""
    m = n - 1 - (n > 1 and s.atoms[n - 1].text in ("the", "far"))
    return m >= 0 and s.atoms[m].text == "at" and s.facts.metadata.orientation is None


def _is_upright(s: Sentence, said: list[tuple[str, str]], end: int) -> bool:
    """Whether 'upper right' is of the display: a picture without axes of the patient has no other upper part."""
    if end < len(s.atoms) and s.atoms[end].kind == "unknown":
        return False  # "In the left upper lobe."
    return s.facts.metadata.orientation is None and any(axis == "feet" for axis, _ in said)


def _ends_at_the_centre(s: Sentence, index: int) -> bool:
    return " of " in s.atoms[index].text and s.atoms[index].text.split(" ")[-1] in ("centre", "middle")


def _stands_beside_the_unknown(s: Sentence, n: int) -> bool:
    m = n - 2 if n and s.atoms[n - 1].text in ("the", "a") else n - 1
    return (m >= 0 and s.atoms[m].kind == "unknown") or (n + 1 < len(s.atoms) and s.atoms[n + 1].kind == "unknown")


_OUTERMOST = {"lowest", "lowermost", "bottommost", "uppermost", "topmost", "highest"}
"""Words of a part that is no more than a third."""


def _group(s: Sentence, n: int) -> tuple[list[int], int, bool, bool]:
    """Where the words of a place stand, where it ends, whether it is a third, and whether a corner or an edge."""
    group, m = [n], n + 1
    parts = set(table().placing.parts)
    third, corner = s.atoms[n].text.split(" ")[0] in _OUTERMOST, False
    while m < len(s.atoms):
        atom = s.atoms[m]
        if atom.kind == "place":
            group.append(m)
        elif atom.text in parts:
            third |= atom.text in ("third", "corner", "edge")
            corner |= atom.text in ("corner", "edge")
        elif not (
            atom.text in ("'s", "patient", "and", "most")
            and m + 1 < len(s.atoms)
            and (s.atoms[m + 1].kind == "place" or s.atoms[m + 1].text == "'s")
        ):
            break
        m += 1
    return group, m, third, corner


def _ends(s: Sentence, index: int) -> list[tuple[str, str]]:
    atom = s.atoms[index]
    return [one.value for one in atom.others if one.kind == "place"] or [atom.value]


def _frame(s: Sentence, n: int) -> str:
    """What the words behind a place say that it is a part of: "shown", "patient", a name, or "" for nothing."""
    seen = False
    for m in range(n, min(n + 6, len(s.atoms))):
        atom = s.atoms[m]
        if seen and atom.text in table().placing.shown and atom.text not in s.phrases.withins - {"image"}:
            return "shown"
        if seen and atom.kind == "modality":
            return "shown"
        if seen and atom.kind == "organ" and m + 1 < len(s.atoms) and s.atoms[m + 1].kind == "modality":
            return "shown"  # "At the top of this liver CT."
        if seen and any(atom.text.removesuffix("s") == within.removesuffix("s") for within in s.phrases.withins):
            s.used |= {m} if atom.kind != "organ" else set()
            return atom.text.removesuffix("s")
        if seen and (atom.kind == "organ" or atom.text in ("body", "patient", "trunk", "head") or m in s.mentions):
            return "patient"
        if atom.text in ("of", "in", "within"):
            seen = True
        elif atom.text not in ("the", "this", "'s", "patient", "whole", "displayed", "shown", "a"):
            return ""
    return ""


def _frame_of_the_other(s: Sentence, n: int, end: int) -> str:
    """'One on the left and the other on the right of the image': both are of the image."""
    one = any(s.atoms[m].text in ("one", "first") for m in range(max(0, n - 4), n))
    other = next((m for m in range(end, len(s.atoms)) if s.atoms[m].text in ("other", "second", "one")), None)
    if not one or other is None:
        return ""
    at = next((m for m in range(other, len(s.atoms)) if s.atoms[m].kind == "place"), None)
    return _frame(s, at + 1) if at is not None else ""


def _frame_before(s: Sentence, n: int) -> str:
    """'r2 lies in the left half of the image and r3 in the right half': both are of the image."""
    m = n - 1 - (n > 0 and s.atoms[n - 1].text == "the")
    if m < 1 or s.atoms[m].text.split(" ")[-1] not in ("on", "to", "at", "in", "within"):
        return ""
    ends = {one.end: one for one in s.mentions.values()}
    m -= s.atoms[m].text.split(" ")[0] not in VERBS
    while m > 0 and m + 1 not in ends and s.atoms[m].text.split(" ")[0] in VERBS:
        m -= 1
    named = ends.get(m + 1)
    if named is None:
        return ""
    m = named.start - 1
    while m > 0 and (s.atoms[m].text in ("the", "region") or s.atoms[m].kind in ATTRIBUTES):
        m -= 1
    if m < 0 or s.atoms[m].text not in _BETWEEN_CLAUSES:
        return ""
    last = next((one for one in reversed(s.said) if isinstance(one, c.Place)), None)
    return "shown" if last is not None and last.frame == "shown" else ""


_BETWEEN_CLAUSES = {"and", ",", ";", "while", "whereas", "but"}


def _owner(s: Sentence, n: int) -> str:
    """What the words before a place say that it is a part of: 'in the picture's upper half'."""
    owned = n >= 2 and s.atoms[n - 1].text == "'s" and s.atoms[n - 2].text in table().placing.shown
    owned = owned or (n >= 1 and s.atoms[n - 1].text in ("image", "picture", "frame"))  # "At image left."
    return "shown" if owned else ""


def _of_places(
    s: Sentence, target: Mention, said: list[tuple[str, str]], frame: str, third: bool, *, solely: bool
) -> list[c.Claim]:
    """'Only on the right': each; 'the left and right lung fields': on both sides."""
    sides = {at for axis, at in said if axis == "patient left"}
    if len(sides) == 2 and target.several and target.name and not target.explicit:
        return [c.Sides(name=target.name, frame=frame if frame == "shown" else "patient")]
    return _placed(s, replace(target, every=True) if solely else target, said, frame, third)


def _placed(s: Sentence, target: Mention, said: list[tuple[str, str]], frame: str, third: bool) -> list[c.Claim]:
    first = target.regions[0] if target.regions else ""
    region = s.facts.region(first) if first in s.facts.regions else None
    axes = (
        {axis.towards for axis in region.place.axes} if region is not None and region.place is not None else set[str]()
    )
    named = frame not in ("", "shown", "patient")
    if not frame:
        displayed = axes & {"image right", "image down"} and s.facts.metadata.modality in BY_DISPLAY
        frame = "shown" if displayed else "patient"
    found: list[c.Place] = []

    def add(axis: str, end: str, frame: str, third: bool = False) -> None:
        found.append(c.Place(regions=target.regions, every=target.every, axis=axis, end=end, frame=frame, third=third))

    for axis, end in said:
        on_display = axis.startswith("image")
        if axis == "*":
            shown = ("image right", "image down")
            fitting = list(shown if frame == "shown" else sorted(axes)) or list(shown)
            taken = {one.axis for one in found} | {
                one.axis for one in s.said if isinstance(one, c.Place) and one.regions == target.regions
            }  # "Near the top, centrally."
            along = [one for one in fitting if one not in taken and not any(one == other for other, _ in said)]
            wholly = len({axis for axis, _ in said}) == 1
            for one in along if wholly else along[:1]:
                add(one, end, "shown" if frame == "shown" else "patient" if one not in shown else "within")
        elif frame == "shown" and not on_display:
            if axis == "posterior" or (axis == "feet" and not any(one.startswith("image") for one, _ in said)):
                add(axis, end, "patient")
        elif not (frame == "patient" and on_display) and not (named and axes and axis not in axes):
            add(axis, end, frame if frame == "shown" else "within" if on_display else "patient", third)
    ends = {one.axis for one in found if one.end != "middle"}
    if len(ends) == 2:
        found = [replace(one, beside=next(iter(ends - {one.axis}), "")) for one in found]
    return list[c.Claim](found)
