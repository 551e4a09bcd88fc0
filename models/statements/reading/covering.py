"""Parts of other regions: 'r2 takes up a third of the tumour', 'most of the tumour is taken up by r2'."""

from models.statements import claims as c
from models.statements.reading.figures import Factor
from models.statements.reading.mentions import VERBS, Mention
from models.statements.reading.phrases import WHOLES
from models.statements.reading.sentence import Sentence
from models.statements.reading.spans import ATTRIBUTES

_BEFORE_A_NAME = {"of", "the", "region", "area", "that", "annotated", "marked", "outlined", "labelled", "delineated"}
_PASSIVE = {
    "taken", "occupied", "covered", "filled", "made", "embraced", "enclosed", "overlapped", "enveloped", "encompassed",
    "surrounded", "overlaid", "captured",
}  # fmt: skip
_TAKEN = {*_PASSIVE, "up", "by", "is", "are", "a", "an", "the", "also"}


def part_of(s: Sentence, n: int, part: Factor) -> bool:
    """A part that ends before or at n, of a region named behind it; False where none is.

    Args:
        s: the sentence.
        n: index of the part.
        part: how much.
    """
    m = _at_a_name(s, n)
    whole = s.mentions.get(m)
    if whole is None and m < len(s.atoms) and s.atoms[m].text == "it" and s.atoms[m - 1].text.split(" ")[-1] == "of":
        whole = Mention(s.spoken_of.regions, "", True, False, m, m + 1) if s.spoken_of is not None else None
    if whole is None or len(whole.regions) != 1:
        return False
    subject, end = s.subject, whole.end
    if (other := _taken_by(s, whole)) is not None:
        subject, end = other, other.end
    if subject is None or not subject.regions or set(subject.regions) & set(whole.regions):
        return False
    s.used.update(range(n + 1, end))
    negated = s.take_denial() != s.denies(subject)
    if s.relation is not None and s.relation.atom.value in SHARED and subject is not other:
        negated, s.relation = s.relation.denied, None  # "Overlaps with three quarters of the polyp."
    for one in (whole, subject) if subject is other else (whole,):
        if one.name:
            s.say(c.Finding(regions=one.regions, every=one.several, name=one.name), negated=False)
    s.say(part.claim(subject, whole.regions[0]), negated=negated)
    return True


def is_of_a_region(s: Sentence, n: int) -> bool:
    """Whether a share at n is one of a region's own area, readable or not: 'of r2', 'of its area overlaps'."""
    behind = " ".join(atom.text for atom in s.atoms[n + 1 : n + 5]).split(" ")
    related = any(atom.kind == "relation" for atom in s.atoms[n + 1 : n + 5])
    if related and behind[:2] == ["of", "its"] and {"area", "extent", "surface"} & set(behind[2:4]):
        return True
    return behind[:1] == ["of"] and _at_a_name(s, n) in s.mentions


def is_of_another_whole(s: Sentence, n: int) -> bool:
    """'34 % of the image, that is, of the breast': of what else it is said to be a share, which was not measured."""
    for m in range(n + 2, min(n + 14, len(s.atoms))):
        if s.atoms[m].kind in ("quantity", "share") or m in s.mentions:
            return False
        named = str(s.atoms[m].value) if s.atoms[m].kind == "organ" else s.atoms[m].text
        before = [atom.text for atom in s.atoms[m - 3 : m] if atom.text not in ("the", "this", "whole")]
        again = before[-1:] == ["of"] and before[-2:-1] in (["or"], ["and"], [","], ["is"])
        if again and (s.atoms[m].kind == "organ" or named in WHOLES) and named not in s.phrases.withins:
            return True
    return False


def _at_a_name(s: Sentence, n: int) -> int:
    """Where a region's name would stand behind a share at n."""
    m = n + 1
    while m < len(s.atoms) and m not in s.mentions and s.atoms[m].text in _BEFORE_A_NAME:
        m += 1
    return m


def taken_up_by(s: Sentence, n: int) -> Mention | None:
    """What a share at n is said to be taken up by: '4 % of the image is taken up by r1 and 6 % by r2'."""
    m = n + 1
    while m < len(s.atoms) and m not in s.mentions and s.atoms[m].kind != "quantity" and s.atoms[m].text not in _ENDS:
        m += 1
    last = m - 1
    while last > n and (s.atoms[last].text in _BEFORE_A_NAME or s.atoms[last].kind in ATTRIBUTES):
        last -= 1
    passive = any(set(atom.text.split(" ")) & _PASSIVE for atom in s.atoms[:m])
    behind = last > n and s.atoms[last].text.split(" ")[-1] == "by"
    taker = s.mentions.get(m)
    return taker if passive and behind and taker is not None and taker.regions else None


def whole_of_the_last(s: Sentence) -> str:
    """'4 % of the brain is taken up by r1 and 6 % by r2': of the brain too; '' where no share was told before."""
    last = next((one for one in reversed(s.said) if isinstance(one, c.Size) and one.unit == "%"), None)
    return last.measure if last is not None else ""


_ENDS = {",", ";", "and", "but", "while", "whereas"}


def _lies_in(s: Sentence, whole: Mention) -> Mention | None:
    """What a part is said to lie inside of: 'nearly all of the cyst falls inside the kidney'."""
    m = whole.end
    while m < len(s.atoms) and m not in s.mentions and s.atoms[m].text in VERBS | {"falls", "also"}:
        m += 1
    if m >= len(s.atoms) or m in s.mentions:
        return None
    shared = s.atoms[m].kind == "relation" and s.atoms[m].value in SHARED - {("inside", True)}
    inside = shared or s.atoms[m].text in ("within", "inside")
    while (
        inside and m < len(s.atoms) and m not in s.mentions and (m == 0 or s.atoms[m].kind in ("relation", "neutral"))
    ):
        m += 1
    return s.mentions.get(m) if inside else None


SHARED = {("inside", False), ("inside", True), ("overlapping", False), ("coincides with", False)}


def _taken_by(s: Sentence, whole: Mention) -> Mention | None:
    """What a whole is said to be taken up by: '… of the tumour is taken up by r2'."""
    if (within := _lies_in(s, whole)) is not None:
        return within
    m = whole.end
    while m < len(s.atoms) and m not in s.mentions and set(s.atoms[m].text.split(" ")) <= _TAKEN:
        m += 1
    passive = {word for atom in s.atoms[whole.end : m] for word in atom.text.split(" ")}
    return s.mentions.get(m) if "by" in passive and passive & _PASSIVE else None
