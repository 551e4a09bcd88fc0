"""Where regions stand in the picture: at its edges, by the clock, how far across. Joined from words of their own."""

from dataclasses import replace

from models.statements import claims as c
from models.statements.reading.atoms import Atom
from models.statements.reading.sentence import Sentence
from models.statements.table import table

_REACHING = {
    "touches", "touch", "touching", "reaches", "reach", "reaching", "abuts", "abut", "abutting", "contacts", "meets",
    "meet", "contacting", "extends", "extend", "extending", "runs", "running", "cropped", "clipped", "truncated",
    "cut", "adjoins", "borders", "contact", "flush", "bordering", "adjoining", "hits", "hugs", "hug", "hugging",
}  # fmt: skip
_ON_THE_WAY = {
    "up",
    "to",
    "the",
    "by",
    "at",
    "off",
    "right",
    "all",
    "way",
    "with",
    "on",
    "as",
    "far",
    "very",
    "in",
    "a",
}
_EDGES = {"edge", "border", "margin", "boundary", "edges", "borders", "margins", "limit", "limits"}
_SIDES = {
    "left": "left", "right": "right", "upper": "upper", "top": "upper", "superior": "upper", "lower": "lower",
    "bottom": "lower", "inferior": "lower", "left hand": "left", "right hand": "right",
}  # fmt: skip
_ALONG = {"width": "width", "breadth": "width", "height": "height"}


def joined(atoms: list[Atom]) -> list[Atom]:
    """Phrases with those of edges and of clocks as one."""
    found: list[Atom] = []
    n = 0
    while n < len(atoms):
        taken = _edge(atoms, n) or _clock(atoms, n)
        found.append(taken[0] if taken is not None else atoms[n])
        n += taken[1] if taken is not None else 1
    return found


def _edge(atoms: list[Atom], n: int) -> tuple[Atom, int] | None:
    """'Touches the left edge of the image', 'extends up to the image border'."""
    if not set(atoms[n].text.split(" ")) & _REACHING:
        return None
    side, of_image, edge, m = "", False, False, n + 1
    while m < len(atoms) and m < n + 12:
        text = atoms[m].text
        if text in _SIDES and not edge and not (text == "right" and atoms[m + 1 : m + 2] and atoms[m + 1].text == "to"):
            if side:
                return None
            side = _SIDES[text]
        elif text in table().placing.shown:
            of_image = True
        elif text in _EDGES and not edge:
            edge = True
        elif not (
            text in ("hand", "side") or text in (_ON_THE_WAY if not edge else {"of", "the", "this", "displayed"})
        ):
            break
        m += 1
        if of_image and edge:
            return Atom("edge", side, atoms[n].start, atoms[m - 1].end, "edge of the image"), m - n
    return None


def _clock(atoms: list[Atom], n: int) -> tuple[Atom, int] | None:
    """'At 10 o'clock', 'in the two o'clock position'."""
    if atoms[n].kind not in ("number", "numeral") or n + 1 >= len(atoms) or atoms[n + 1].text != "oclock":
        return None
    end = n + 2
    while end < len(atoms) and atoms[end].text in ("position", "direction"):
        end += 1
    return Atom("clock", float(atoms[n].value), atoms[n].start, atoms[end - 1].end, "clock"), end - n


def edge(s: Sentence, n: int) -> None:
    """That a region reaches an edge of the picture."""
    side = str(s.atoms[n].value)
    s.say_of(n, lambda target: c.AtEdge(regions=target.regions, every=target.every, side=side), n + 1)


def clock(s: Sentence, n: int) -> None:
    """Where a region lies by the clock."""
    hour = s.atoms[n].value
    s.say_of(n, lambda target: c.Clock(regions=target.regions, every=target.every, hour=hour), n + 1)


def extent(s: Sentence, n: int, values: tuple[float, ...], bound: str, *, loose: bool) -> bool:
    """'More than half of the image width'; False where no width or height of the picture stands behind the part."""
    behind = range(n + 1, min(n + 7, len(s.atoms)))
    of = next((m for m in behind if s.atoms[m].text in _ALONG), None)
    shown = any(s.atoms[m].text in table().placing.shown for m in behind)
    again = any(isinstance(one, c.Extent) for one in s.said) and any(s.atoms[m].text == "its" for m in behind)
    if of is None:
        return False
    if not (shown or again) or any(m in s.mentions for m in behind if m <= of):
        s.unlicensed(s.atoms[of].text)
        return True
    s.used.update(
        m for m in behind if m <= of + 3 and (m <= of or s.atoms[m].text in ("of", "the", "image", "picture"))
    )
    made = c.Extent(regions=(), along=_ALONG[s.atoms[of].text], values=values, bound=bound, loose=loose)
    s.say_of(n, lambda target: replace(made, regions=target.regions, every=target.every), of + 1)
    return True
