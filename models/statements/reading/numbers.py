"""Numbers: lengths, areas, shares and values of regions, numbers of the image, counts."""

from dataclasses import replace

from models.statements import claims as c
from models.statements.facts import names_of
from models.statements.meanings import Meaning
from models.statements.reading import comparisons, covering, picture
from models.statements.reading.figures import STRICT, Factor, Quantity
from models.statements.reading.mentions import GROWTHS, PREPOSITIONS, VERBS, Mention
from models.statements.reading.sentence import Sentence
from models.statements.table import table
from models.statements.tokens import words

_LENGTHS, _VALUES = ("longest", "shortest", "across"), ("mean", "maximum", "minimum", "spread", "around")
_MEASURES = {"mm": _LENGTHS, "cm": _LENGTHS, "µm": _LENGTHS, "px": _LENGTHS, "HU": _VALUES, "SUV": _VALUES}
"""What a number of a unit can be of."""
_SEEING = {"sees", "finds", "notes", "makes", "recognises", "discerns", "observes", "has", "also", "further", "can"}
"""Verbs before which 'one' is who looks, and counts nothing."""
_SLICES = {"slice", "slices", "section", "sections", "cut", "cuts", "collimation"}
_OUTLINED = {"outlined", "marked", "delineated", "annotated"}
_IMAGE_NUMBERS = {"ms": "ms", "kV": "kV", "T": "T"}
_OF_THE_IMAGE = {"thickness": "mm", "spacing": "mm", "maximum of the image": "SUV"}
"""Measures of the whole image, and the unit of a number that stands without one."""


def quantity(s: Sentence, n: int) -> None:
    """A number, or several, with a unit or without."""
    found: Quantity = s.atoms[n].value
    if found.unit == "%" and s.relation is None and _is_a_part(s, n):
        return  # "Half of the regions are round."
    head = s.phrases.counted(n + 1) if not found.unit and found.values[0].is_integer() else None
    if head is not None and head.name and not head.explicit:
        if not head.several and found.values[0] != 1:
            s.unlicensed("a number")  # A grade or a category: 'BI-RADS 5 lesion'.
            return
        s.say(_counted(s, n, head.name, int(found.values[0]), found.bound, strict=found.strict))
        return
    if _of_the_unknown(s, n):
        s.unlicensed("a number")
        return
    if comparisons.off_another(s, n, found):
        return
    measure = _measure(s, n)
    unit = found.unit
    if unit in _IMAGE_NUMBERS or measure in _OF_THE_IMAGE:
        kind = _IMAGE_NUMBERS.get(unit, measure)
        ends = ("above", "below") if found.bound == "between" else (found.bound,) * len(found.values)
        for value, end in zip(found.values, ends, strict=False):
            s.say(
                c.ImageNumber(
                    measure=kind,
                    value=value,
                    unit=unit or _OF_THE_IMAGE.get(measure, "mm"),
                    bound=end,
                    loose=found.loose,
                    decimals=found.decimals,
                )
            )
        return
    unit = unit or _own_unit(s, measure)
    if not unit:
        s.unlicensed("a number")
        return
    if unit == "%" and picture.extent(s, n, found.values, found.bound, loose=found.loose):
        return
    whole = s.subject is not None and s.subject.several and len(s.subject.regions) > 1
    if unit == "%" and whole and any(atom.text in _TOGETHER for atom in s.atoms):
        _in_sum(s, n, found)
        return
    if unit == "%":
        if _of_its_size(s, n, found):
            return
        measure, stands = s.phrases.whole(n + 1)
        if not measure:
            value = sum(found.values) / len(found.values)  # "A little over three quarters": near the middle of these.
            bound = "" if found.bound == "between" else found.bound
            part = Factor("covering", value / 100, bound, found.loose, found.decimals + 2)
            if covering.part_of(s, n, part):
                return
            of_it = [atom.text for atom in s.atoms[n + 1 : n + 3]] == ["of", "it"]
            measure = _whole_before(s, n) if of_it else ""
            if not measure and (of_it or covering.is_of_a_region(s, n)):
                s.unlicensed("a part of it")
                return
        if s.relation is not None and not measure and s.atoms[n - 1].kind == "relation":
            s.unlicensed("a part of them")  # "Overlaps two thirds of the foci."
            return
        s.used |= {stands} if stands is not None else set()
        if covering.is_of_another_whole(s, n):
            s.unlicensed("a further whole")
            return
    elif measure not in ("apart", "times", *_MEASURES.get(unit, ())):
        measure = ""
    if measure in ("apart", "times"):
        s.unlicensed("a distance")
        return
    if s.subject is not None and s.subject.several and len(s.subject.regions) == len(found.values) > 2:
        s.unlicensed(s.atoms[n].text)
        return

    def size(target: Mention) -> c.Claim:
        return c.Size(
            regions=target.regions,
            every=target.every,
            measure=measure,
            values=found.values,
            unit=unit,
            bound=found.bound,
            loose=found.loose,
            decimals=found.decimals,
        )

    if unit == "%" and (taker := covering.taken_up_by(s, n)) is not None:
        measure = measure or covering.whole_of_the_last(s)
        s.say(size(taker), of=taker)
        return
    s.say_of(n, size, end=s.phrases.said_in(n + 1) if unit != "%" else None)


def _of_its_size(s: Sentence, n: int, found: Quantity) -> bool:
    """'r2 lies within the tumour and is about 70 % of its size': of what was named beside the subject."""
    behind = [atom.text for atom in s.atoms[n + 1 : n + 4]]
    if behind[:2] != ["of", "its"] or behind[2:] not in (["size"], ["extent"]):
        return False
    target, other = s.subject, s.spoken_of
    alone = other is None or target is None or len(other.regions) != 1 or other.regions == target.regions
    if alone or len(found.values) != 1:
        s.unlicensed("a part of it")
        return True
    assert target is not None
    assert other is not None
    part = Factor("area", found.values[0] / 100, found.bound, found.loose, found.decimals + 2)
    s.say(part.claim(target, other.regions[0]))
    return True


def _whole_before(s: Sentence, n: int) -> str:
    """What 'it' is, the image or an organ: 'lies in the upper part of the image and covers 39 % of it'; '' for none."""
    wholes = (m for m in range(n) if s.atoms[m].text in table().placing.shown or s.atoms[m].kind == "organ")
    named = max(wholes, default=-1)
    if named < 0 or any(named < one.end <= n for one in s.mentions.values()):
        return ""
    return str(s.atoms[named].value) if s.atoms[named].kind == "organ" else "image"


def _in_sum(s: Sentence, n: int, found: Quantity) -> None:
    """'Together not even half a percent of the image': of all of them in sum, and not of each."""
    assert s.subject is not None
    of, stands = s.phrases.whole(n + 1)
    s.used |= {stands} if stands is not None else set()
    total = c.Total(
        regions=s.subject.regions, values=found.values, of=of, bound=found.bound, loose=found.loose,
        decimals=found.decimals,
    )  # fmt: skip
    s.say(total, negated=s.take_denial())


def _counted(s: Sentence, n: int, name: str, value: int | None, bound: str, *, strict: bool) -> c.Count:
    """How many: 'at least three', 'more than three', which is four or more."""
    further = _is_further(s, n)
    outlined = s.atoms[n].text == "both" or any(atom.text in _OUTLINED for atom in s.atoms)
    outlined |= n > 0 and s.atoms[n - 1].text in ("the", "these", "those")
    if value is not None and bound in ("above", "below") and not further:
        shift = 0 if not strict else 1 if bound == "above" else -1
        return c.Count(name=name, n=value + shift, bound=bound, outlined=outlined)
    return c.Count(name=name, n=value, further=further, outlined=outlined)


def _of_the_unknown(s: Sentence, n: int) -> bool:
    """Whether a number belongs to a word that nothing licenses: 'a shift of 5 mm', 'grown by 5 mm'."""
    m = n - 1
    while m >= 0 and (s.atoms[m].text in ("of", "by", "to", "is", "a", "the") or s.atoms[m].kind in ("about", "bound")):
        m -= 1
    return m >= 0 and s.atoms[m].kind == "unknown"


def _own_unit(s: Sentence, measure: str) -> str:
    """The unit of the image's values, where a bare number is one of them."""
    if any("suv" in atom.text or "uptake value" in atom.text for atom in s.atoms):
        return "SUV"
    own = {"HU": "HU", "SUVbw": "SUV"}.get(s.facts.grounding.intensity.unit, "")
    return own if measure in ("mean", "maximum", "minimum", "spread") else ""


def _measure(s: Sentence, n: int) -> str:
    """What a number is of, by the nearest such word: behind it in its phrase, else before it."""
    if _of_pixels(s, n):
        return "spacing"
    if n + 1 < len(s.atoms) and s.atoms[n + 1].text in _SLICES and s.atoms[n].value.unit == "mm":
        return "thickness"  # "3 mm slices".
    before = s.atoms[n - 2].text.split(" ")[-1] if n > 1 and s.atoms[n - 1].text == "(" else ""
    if before in _SLICES and s.atoms[n].value.unit == "mm":
        return "thickness"  # "CT slice (3 mm)".
    behind = s.atoms[n + 1 : n + 3]
    if any(atom.kind == "around" for atom in behind) and (behind[0].kind == "around" or behind[0].text in ("in", "of")):
        return "around"  # "A mean of 5.7, against 1.7 around it."
    for m in range(n + 1, min(n + 5, len(s.atoms))):
        if s.atoms[m].kind == "quantity" or s.atoms[m].text in (",", ";", "and", ")") or m in s.mentions:
            break
        if (found := _measured(s, m)) is not None:
            return found
    for m in range(n - 1, max(-1, n - 8), -1):
        if s.atoms[m].kind == "quantity":
            break
        if (found := _measured(s, m)) is not None and s.atoms[m].text != "suv":
            return found
        if s.atoms[m].kind == "around":
            return "around"
    return ""


def _of_pixels(s: Sentence, n: int) -> bool:
    """Whether it is the pixels that a number is said of: 'the pixels are 1 mm wide', '1 mm pixels'."""
    if s.atoms[n].value.unit == "px":
        return False
    before = range(n - 1, max(-1, n - 7), -1)
    for m in (n + 1, *before):
        if m in s.mentions and m < n:
            return False
        if m < len(s.atoms) and s.atoms[m].kind == "unit" and s.atoms[m].value == "px":
            return True
    return False


def _measured(s: Sentence, m: int) -> str | None:
    meanings = (Meaning(s.atoms[m].kind, s.atoms[m].value), *s.atoms[m].others)
    return next((str(one.value) for one in meanings if one.kind == "measure"), None)


def _is_further(s: Sentence, n: int) -> bool:
    """Whether a count is of others than those told of: 'three further nodules'."""
    return n + 1 < len(s.atoms) and s.atoms[n + 1].text in ("further", "more", "additional", "other")


def _is_a_part(s: Sentence, n: int) -> bool:
    """Whether it counts some of regions that are named behind it: 'two of the three nodules', 'one region is round'."""
    counted = s.phrases.next_mention(n + 1)
    if counted is not None and not counted.name and not counted.explicit and counted.part is not None:
        return True
    follows = s.atoms[n + 1].text if n + 1 < len(s.atoms) else ""
    return follows == "of" and any(start > n and one.part is not None for start, one in s.mentions.items())


def _parts_the_subject(s: Sentence, n: int) -> bool:
    """'Four foci, of which three lie above and one below': so many of them is what is spoken of next."""
    value, subject = s.atoms[n].value, s.subject
    if subject is None or not subject.name or not isinstance(value, int) or s.phrases.counted(n + 1) is not None:
        return False
    before = [atom.text for atom in s.atoms[max(0, n - 2) : n]]
    goes_on = subject.part is not None and before[-1:] in (["and"], [","])
    behind = [atom.text for atom in s.atoms[n + 1 : n + 3]]
    of_them = (["of", "which"], ["of", "them"], ["of", "these"], ["of", "those"], ["among", "them"])
    # "Of the five foci, three lie above and two below."
    goes_on |= s.atoms[0].text in ("of", "among") and before[-1:] == [","] and subject.end == n - 1
    if before not in of_them and behind not in of_them and not goes_on:
        return False
    s.subject = replace(subject, start=-1 - n, end=n, several=True, every=False, part=value)
    ones = (m for m in range(n + 1, min(n + 5, len(s.atoms))) if s.atoms[m].text == "ones")
    s.used.update(ones)  # "Among them two small ones."
    return True


def most(s: Sentence, n: int) -> None:
    """'Thirty foci, the majority in its upper third': more than half of what was named is spoken of next."""
    subject = s.subject or s.before
    if subject is None or not subject.name or not subject.several or len(subject.regions) < 2:
        s.unlicensed(s.atoms[n].text)
        return
    s.subject = replace(subject, start=-1 - n, end=n + 1, several=True, every=False, part=c.MOST)


def _is_one_of_them(s: Sentence, n: int) -> bool:
    """Whether 'one' tells of one among others, and counts nothing: 'one nodule lies on the left'."""
    head = s.phrases.counted(n + 1)
    if s.atoms[n].text != "one" or head is None or head.several or len(head.regions) < 2 or head.end >= len(s.atoms):
        return False
    end = head.end
    while end + 1 < len(s.atoms) and s.atoms[end].text.split(" ")[0] not in VERBS and s.atoms[end].text != ",":
        end += 1
    verb = s.atoms[end].text.split(" ")[0] if s.atoms[end].kind == "relation" else s.atoms[end].text
    return verb in ("lies", "sits", "measures", "covers", "occupies", "has", "appears", "shows") or (
        verb == "is" and end + 1 < len(s.atoms) and s.atoms[end + 1].kind in _TOLD_OF_ONE
    )


_TOLD_OF_ONE = {"word", "level", "share", "degree", "relation", "compared", "bound", "ratio", "rank"}
_WHICH = {"with", "without", "containing", "that", "which", "where", "in"}
_TOGETHER = {"together", "combined", "altogether", "jointly", "collectively", "in all", "in total", "in sum", "total"}
_BEHIND_ONE = PREPOSITIONS | VERBS | {"on", "to", "with", "lying", "measuring", "being", "above", "below", "towards"}


def _turns_to_one(s: Sentence, n: int) -> bool:
    """'Two foci, one in the lower left and one above': one of them is what is spoken of next."""
    subject = s.subject
    if s.atoms[n].text != "one" or subject is None or not subject.name or subject.explicit or len(subject.regions) < 2:
        return False
    follows = s.atoms[n + 1] if n + 1 < len(s.atoms) else None
    if follows is None or s.phrases.counted(n + 1) is not None:
        return False
    if follows.kind not in ("place", "word", "level", "share") and follows.text not in _BEHIND_ONE:
        return False
    s.subject = replace(subject, start=-1 - n, end=n, several=False, every=False, part=None)
    return True


def _marked_as(s: Sentence, n: int) -> str | None:
    """What the source marks of a disease that is counted here; None where it marks no one kind of growth."""
    disease = s.atoms[n + 1] if n + 1 < len(s.atoms) else None
    if disease is None or disease.kind != "disease" or not disease.several or not isinstance(s.atoms[n].value, int):
        return None
    if not c.Disease(name=disease.value).judge(s.facts).truth:
        return None
    marked = {one.label for _, one in s.facts.regions.values() if one.kind == "source annotation"}
    growths = [label for label in marked if names_of(label) & GROWTHS]
    return " ".join(words(growths[0])) if len(growths) == 1 else None


def how_many(s: Sentence, n: int) -> None:
    """A count in words: 'three nodules', 'both regions', 'several'."""
    if s.atoms[n].value is None and [atom.text for atom in s.atoms[n - 2 : n]] == ["one", "of"]:
        s.unlicensed(s.atoms[n].text)  # "Is one of several."
        return
    if s.atoms[n].text == "one" and s.atoms[min(n + 1, len(s.atoms) - 1)].text in _SEEING:
        return
    behind = s.atoms[n + 1].text if n + 1 < len(s.atoms) else ""
    if s.atoms[n].text == "one" and n and s.atoms[n - 1].text == "the" and behind in _WHICH:
        s.unlicensed("one")  # "The right lung field is the one with the opacity."
        return
    if s.atoms[n].value == 1 and any(atom.text in ("each", "either") for atom in s.atoms[max(0, n - 4) : n]):
        return  # "Each half holds one lung field."
    if _is_a_part(s, n) or _is_one_of_them(s, n) or _parts_the_subject(s, n) or _turns_to_one(s, n):
        return
    if (name := _marked_as(s, n)) is not None:
        s.say(c.Count(name=name, n=s.atoms[n].value))  # "Two gliomas", of one mark.
        return
    head = s.phrases.counted(n + 1)
    if head is not None and not head.explicit and head.name:
        value = s.atoms[n].value
        m = n - 2 if n > 1 and s.atoms[n - 1].text == "a" else n - 1  # "At least a dozen."
        before = s.atoms[m] if m >= 0 and s.atoms[m].kind == "bound" else None
        bound, strict = (str(before.value), before.text in STRICT) if before is not None else ("", False)
        s.say(_counted(s, n, head.name, value, bound, strict=strict))
        if value is None or value > 1:
            s.denied_next = False
    elif head is None and s.atoms[n].text not in ("one", "both", "several", "many"):
        rest = [atom.text for atom in s.atoms[n + 1 : n + 3] if atom.text not in _OUTLINED]
        follows = rest[0] if rest else ""
        if follows in ("regions", "region", "areas", "candidates", "structures", "foci", "findings"):
            s.say(c.Count(name="", n=s.atoms[n].value))
        else:
            s.unlicensed(s.atoms[n].text)
