"""Numbers with what belongs to them: units, bounds, ranges, times. Knows nothing of what they are said of."""

from dataclasses import dataclass, replace

from models.statements import claims as c
from models.statements.meanings import Meaning
from models.statements.reading.atoms import Atom
from models.statements.reading.mentions import Mention
from models.statements.tokens import FRACTIONS, LARGE


def numbered(atoms: list[Atom]) -> list[Atom]:
    """Numbers with what belongs to them: quantities with units, parts of a whole, counts of regions."""
    atoms = _signed(_in_figures(atoms))
    found: list[Atom] = []
    n = 0
    while n < len(atoms):
        taken = (
            _in_a_hundred(atoms, n)
            or _ratio(atoms, n)
            or _parts_range(atoms, n)
            or _range(atoms, n)
            or _quantity(atoms, n)
        )
        if taken is None:
            atom = atoms[n]
            if atom.kind == "numeral":
                atom = replace(atom, kind="how many", value=int(atom.value))
            found.append(atom)
            n += 1
        else:
            found.append(taken[0])
            n += taken[1]
    return found


def _signed(atoms: list[Atom]) -> list[Atom]:
    """Numbers behind 'minus' or 'negative' are below zero."""
    found: list[Atom] = []
    for atom in atoms:
        if atom.kind in ("number", "numeral") and found and found[-1].text in ("minus", "negative"):
            value = -abs(float(atom.value))
            text = atom.text if atom.kind == "number" else f"{value:g}"
            atom = replace(atom, kind="number", value=value, text=text, start=found.pop().start)
        found.append(atom)
    return found


def _in_figures(atoms: list[Atom]) -> list[Atom]:
    """Numbers in several words as one: 'twenty five', 'two hundred and ten', 'two point five', 'seven and a half'."""
    found: list[Atom] = []
    n = 0
    while n < len(atoms):
        value, end = _in_words(atoms, n)
        if end - n > 1:
            whole = value == int(value)
            text = " ".join(atom.text for atom in atoms[n:end])
            made = Atom("numeral" if whole else "number", value, atoms[n].start, atoms[end - 1].end, text)
            found.append(made if whole else replace(made, text=f"{value:g}"))
        else:
            found.append(atoms[n])
        n = max(end, n + 1)
    return found


def _in_words(atoms: list[Atom], n: int) -> tuple[float, int]:
    """A number that begins at n, and where it ends; where there is none, n."""
    value, last, start = 0.0, 0.0, n
    while n < len(atoms) and atoms[n].kind == "numeral":
        one = float(atoms[n].value)
        if one in LARGE.values() and start < n:
            value = value - last + last * one if last < one else value
            last = one
        elif start < n and not 0 < one < last:
            break
        else:
            if start < n and last < 100 and not (last >= 20 and one < 10):
                break
            value, last = value + one, one
        n += 1
        joins = n + 1 < len(atoms) and atoms[n].text == "and" and atoms[n + 1].kind == "numeral"
        n += joins and last in LARGE.values()
    if n > start and [atom.text for atom in atoms[n : n + 3]] == ["and", "a", "half"]:
        return value + 0.5, n + 3
    if start < n < len(atoms) and atoms[n].text == "point":
        figures = ""
        while n + 1 < len(atoms) and atoms[n + 1].kind == "numeral" and atoms[n + 1].value < 10:
            figures += str(atoms[n + 1].value)
            n += 1
        return (float(f"{value:g}.{figures}"), n + 1) if figures else (value, n)
    return value, n


@dataclass(frozen=True, slots=True)
class Factor:
    """How many times, and of what: "area", "length", "itself": its length of its own width, or "covering"."""

    measure: str
    value: float
    bound: str
    loose: bool
    decimals: int

    def claim(self, target: Mention, other: str, pair: tuple[str, ...] = ()) -> c.Ratio:
        """That it is so of what is spoken of; `other` and `pair` as in `Ratio`."""
        return c.Ratio(
            regions=target.regions,
            every=target.every,
            measure=self.measure,
            value=self.value,
            object=other,
            bound=self.bound,
            loose=self.loose,
            decimals=self.decimals,
            pair=pair,
        )


def _ratio(atoms: list[Atom], n: int) -> tuple[Atom, int] | None:
    """'about three times as large as', 'more than twice the size of'."""
    start, bound, loose, value, decimals = n, "", False, None, 0
    while n < len(atoms) and (word := _before_a_number(atoms[n])) is not None:
        bound, loose, n = word or bound, loose or not word, n + 1
    if n < len(atoms) and atoms[n].kind in ("number", "numeral"):
        value, decimals, n = float(atoms[n].value), len(atoms[n].text.partition(".")[2]), n + 1
    if n == len(atoms) or atoms[n].kind != "ratio":
        return None
    measure, factor, sign = atoms[n].value
    if measure in _PLAINLY:
        measure, bound = _PLAINLY[measure]
    value = factor if value is None else value
    if value is None or (factor is not None and n > start and atoms[n - 1].kind in ("number", "numeral")):
        return None
    made = Factor(measure, value if sign > 0 else 1 / value, bound if sign > 0 else _TURNED[bound], loose, decimals)
    text = " ".join(atom.text for atom in atoms[start : n + 1])
    return Atom("ratio", made, atoms[start].start, atoms[n].end, text), n + 1 - start


_PLAINLY = {"longer": ("itself", "above"), "wider": ("box", "above"), "taller": ("box", "below")}
"""Comparatives of a region with itself, and what is then above or below their factor."""
_TURNED = {"": "", "below": "above", "above": "below"}


def _before_a_number(atom: Atom) -> str | None:
    """Of 'about' "", of 'more than' and 'at most' the bound; None of other words."""
    bounds = [one.value for one in (Meaning(atom.kind, atom.value), *atom.others) if one.kind == "bound"]
    if bounds:
        return str(bounds[0])
    return "" if atom.kind == "about" or any(one.kind == "about" for one in atom.others) else None


def _of_a_percent(atoms: list[Atom], n: int) -> int:
    """Where 'of a percent' ends that begins at n: 'a third of one percent'; 0 for none."""
    m = n + 1
    while m < len(atoms) and atoms[m].text in ("a", "one", "single"):
        m += 1
    of = n < len(atoms) and atoms[n].text == "of" and m > n + 1
    return m if of and m < len(atoms) and atoms[m].kind == "unit" and atoms[m].value == "%" else 0


def _in_a_hundred(atoms: list[Atom], n: int) -> tuple[Atom, int] | None:
    """'three in a hundred', 'one out of ten': a share."""
    said = [atom.text for atom in atoms[n : n + 6]]
    if atoms[n].kind not in ("number", "numeral"):
        return None
    m = 2 if said[1:2] == ["in"] else 3 if said[1:3] == ["out", "of"] else 0
    if not m:
        return None
    m += said[m : m + 1] in (["a"], ["every"])
    whole = atoms[n + m] if n + m < len(atoms) else None
    if whole is None or whole.kind not in ("number", "numeral") or whole.value not in (5, 10, 20, 100, 1000):
        return None
    part = Quantity((100.0 * float(atoms[n].value) / float(whole.value),), "%", "", True, 0)
    behind = n + m + 1 < len(atoms) and atoms[n + m + 1].text in ("pixels", "pixel")
    return Atom("quantity", part, atoms[n].start, whole.end, "part"), m + 1 + behind


def _parts_range(atoms: list[Atom], n: int) -> tuple[Atom, int] | None:
    """'between a tenth and a fifth of'."""
    said = [atom.text for atom in atoms[n : n + 6]]
    if len(said) < 6 or said[0] not in ("between", "from") or said[3] not in ("and", "to"):
        return None
    if not {said[1], said[4]} <= {"a", "one"} or not {said[2], said[5]} <= set(FRACTIONS):
        return None
    low, high = sorted((FRACTIONS[said[2]], FRACTIONS[said[5]]))
    return Atom("quantity", Quantity((low, high), "%", "between", True, 0), atoms[n].start, atoms[n + 5].end, "part"), 6


def _range(atoms: list[Atom], n: int) -> tuple[Atom, int] | None:
    """'between 2 and 3 cm', 'from 2 cm to 3 cm', '2 to 3 cm': a quantity that is somewhere between both."""
    start, joint = n, "to"
    while n + 1 < len(atoms) and _before_a_number(atoms[n]) == "":
        n += 1  # "Roughly 3 to 4 %."
    if atoms[n].text in ("between", "from"):
        joint = {"between": "and", "from": "to"}[atoms[n].text]
        n += 1
    low = _quantity(atoms, n) or _worded(atoms, n)
    if (
        low is None
        or atoms[n].kind not in ("number", "numeral")
        or not n + low[1] < len(atoms)
        or atoms[n + low[1]].text != joint
    ):
        return None
    high = _quantity(atoms, n + low[1] + 1)
    if high is None or (joint == "and" and start == n):
        return None
    first, last = low[0].value, high[0].value
    of_value = any("suv" in atom.text for atom in atoms[max(0, start - 5) : start])
    if of_value and not last.unit:
        last = replace(last, unit="SUV")  # "The mean SUV lies between 3 and 4."
    if len(first.values) != 1 or len(last.values) != 1 or not last.unit or first.unit not in ("", last.unit):
        return None
    values = (*sorted((*first.values, *last.values)),)
    made = Quantity(values, last.unit, "between", first.loose or last.loose, last.decimals)
    length = n - start + low[1] + 1 + high[1]
    return Atom("quantity", made, atoms[start].start, high[0].end, "number"), length


def _worded(atoms: list[Atom], n: int) -> tuple[Atom, int] | None:
    """The lower end of a range in words, whose unit stands behind the upper: 'four to five percent'."""
    if n >= len(atoms) or atoms[n].kind != "numeral":
        return None
    made = Quantity((float(atoms[n].value),), "", "", False, 0)
    return Atom("quantity", made, atoms[n].start, atoms[n].end, "number"), 1


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, or several, with a unit; `unit` is "" where none is written. `strict`: more than it, or less."""

    values: tuple[float, ...]
    unit: str
    bound: str
    loose: bool
    decimals: int
    strict: bool = False


STRICT = {
    "<", ">", "in excess of", "upwards of",
    "more than", "over", "above", "greater than", "larger than", "less than", "under", "below", "fewer than",
    "smaller than", "exceeding",
}  # fmt: skip
"""Bounds that the number itself does not reach."""


_NEARLY = {"just", "slightly", "a little", "marginally", "a bit", "narrowly", "somewhat"}
"""Before a bound they say that it is hardly passed: 'just under forty percent'."""
_SCARCELY = {"barely", "scarcely", "hardly"}
"""Before a number they say 'about'; before other words they deny, and are not read."""


def _is_half_a_unit(atoms: list[Atom], n: int) -> bool:
    """'Half a percent', 'half a centimetre'."""
    behind = [atom.text for atom in atoms[n : n + 2]]
    return behind in (["half", "a"], ["half", "an"]) and n + 2 < len(atoms) and atoms[n + 2].kind == "unit"


_STATISTICS = {"mean", "maximum", "minimum"}
_CLOSING = {",", ";", ")", "and", "in", "within", "but", "for", "at", "while", "whereas", "against", "on", "inside"}


def _is_of_values(atoms: list[Atom], start: int, end: int) -> bool:
    """Whether a bare number is one of the image's values: 'SUV 6.3', 'uptake averages about ten'."""
    before = atoms[max(0, start - 4) : start]
    closes = end >= len(atoms) or atoms[end].text in _CLOSING
    nearest = next((atom for atom in reversed(before) if atom.text not in ("at", "of", "is", "are", "about")), None)
    statistic = nearest is not None and nearest.kind == "measure" and nearest.value in _STATISTICS
    return any("suv" in atom.text for atom in before) or (statistic and closes)


def _quantity(atoms: list[Atom], n: int) -> tuple[Atom, int] | None:
    start, loose, bound, strict, side = n, False, "", False, None
    while n < len(atoms) and (
        atoms[n].kind in ("about", "bound")
        or atoms[n].text in ("around", "about", "some", "over", "under", "below", "above", "not even", *_SCARCELY)
    ):
        if atoms[n].text == "not even":
            bound, strict, n = "below", True, n + 1
            continue
        if atoms[n].kind == "bound" or any(one.kind == "bound" for one in atoms[n].others):
            bound = next(
                one.value
                for one in (Meaning("bound", atoms[n].value), *atoms[n].others)
                if one.kind == "bound" and one.value in ("below", "above")
            )
            strict = atoms[n].text in STRICT
        else:
            loose = True
        n += 1
    scarcely = any(atom.text in _SCARCELY for atom in atoms[start:n])  # "Hardly more than one percent."
    if bound and (scarcely or (start and atoms[start - 1].text in _NEARLY)):
        side = 1.25 if bound == "above" else 0.8
        bound, loose = "", True  # "Just under forty percent" is near it.
    values: list[float] = []
    decimals = 0
    unit = ""
    worded = False
    while n < len(atoms):
        atom = atoms[n]
        if atom.kind == "number":
            values.append(atom.value)
            written = len(atom.text.partition(".")[2])
            decimals = written if len(values) == 1 else min(decimals, written)
        elif atom.kind == "numeral" or (
            atom.text in ("a", "an") and n + 1 < len(atoms) and atoms[n + 1].text in FRACTIONS
        ):
            values.append(float(atom.value or 1))
            worded = True
        elif atom.text in ("a", "an") and not values and n + 1 < len(atoms) and atoms[n + 1].kind == "unit":
            values.append(1.0)
        elif _is_half_a_unit(atoms, n) and not values:
            values.append(0.5)
            n += 1
        elif atom.text in FRACTIONS and not values:
            if start and atoms[start - 1].kind == "place" and n == start:
                return None  # "The lower third of the field" is where something lies.
            values.append(1.0)
            n -= 1
        else:
            break
        n += 1
        if n < len(atoms) and atoms[n].text in FRACTIONS and worded | (atom.text in FRACTIONS):
            part = FRACTIONS[atoms[n].text] * values[-1]
            percent = _of_a_percent(atoms, n + 1)
            if percent:
                part, n = part / 100, percent
            follows = n + 1 < len(atoms) and atoms[n + 1].text.split(" ")[0] in ("of", "the")
            if not follows or len(values) > 1:
                return None
            parts = (part,)
            if side is not None:
                parts, bound = (*sorted((part, side * part)),), "between"
            made = Atom("quantity", Quantity(parts, "%", bound, True, 0), atoms[start].start, atoms[n].end, "part")
            return made, n + 1 - start
        if n < len(atoms) and atoms[n].kind == "unit":
            unit = atoms[n].value
            n += 1
        if n < len(atoms) and (
            atoms[n].text in ("×", "x")
            or (atoms[n].text == "by" and n + 1 < len(atoms) and atoms[n + 1].kind in ("number", "numeral"))
        ):
            n += 1
            continue
        break
    of_value = _is_of_values(atoms, start, n)
    if not values or (not unit and not of_value and all(atom.kind != "number" for atom in atoms[start:n])):
        return None
    if side is not None and len(values) == 1:
        values, bound = sorted((values[0], side * values[0])), "between"
    quantity = Quantity(tuple(values), unit, bound, loose, decimals, strict)
    return Atom("quantity", quantity, atoms[start].start, atoms[n - 1].end, "number"), n - start
