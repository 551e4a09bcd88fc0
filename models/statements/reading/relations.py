"""How two regions lie and compare: within, overlapping, larger than, twice as large as."""

from dataclasses import replace

from models.statements import claims as c
from models.statements.reading import comparisons, of_two
from models.statements.reading.anaphora import pair_of
from models.statements.reading.figures import Factor
from models.statements.reading.mentions import Mention
from models.statements.reading.saying import Open
from models.statements.reading.sentence import Sentence

_BEFORE_A_NAME = {
    "the", "that", "of", "region", "this", "marked", "its", "annotated", "outlined", "labelled", "delineated",
    "segmented", "source", "the source", "the source 's", "'s", "expert",
}  # fmt: skip
_MOSTLY = {"mostly", "largely", "mainly", "predominantly", "for the most part"}
_PARTLY = {"partly", "partially", "in part"}
_SIZED = {"larger": "largest", "bigger": "largest", "greater": "largest", "smaller": "smallest"}


def ratio(s: Sentence, n: int) -> None:
    """So many times as large as another region, or as long as wide."""
    found = s.atoms[n].value
    if not isinstance(found, Factor):
        s.unlicensed(s.atoms[n].text)
        return
    if found.measure == "level":
        found = replace(found, measure=_of_what(s, n))
    if found.measure in ("itself", "box"):
        s.say_of(n, lambda target: found.claim(target, ""))
        return
    if of_two.times_the_other(s, n, found):
        return
    m = n + 1
    while m < len(s.atoms) and m not in s.mentions and (s.atoms[m].text in _BEFORE_A_NAME or _is_ranked(s, m)):
        m += 1
    if (sided := s.mentions.get(m + 1) or s.mentions.get(m + 2)) is not None and m not in s.mentions:
        between = [atom for atom in s.atoms[m : sided.start] if atom.text != "sided"]
        m = sided.start if all(one.kind == "place" for one in between) else m  # "The size of the left one."
    other, target = s.mentions.get(m), s.subject
    if s.atoms[n].text.split(" ")[-2:-1] == ["its"]:
        other = _whose(s, target)
    if other is not None and len(other.regions) == 1 and target is None:
        s.used.update(range(m, other.end))
        s.say_of(n, lambda one: found.claim(one, other.regions[0]), end=other.end)
        return  # "Three times larger than the cyst, the tumour is …"
    if other is None or target is None or not other.regions:
        s.unlicensed(s.atoms[n].text)
        return
    s.used.update(range(n + 1 if len(other.regions) == 1 else m, other.end))
    negated = s.take_denial() != s.denies(target)
    if other.name:
        s.say(c.Finding(regions=other.regions, every=other.several, name=other.name), negated=False)
    s.say(found.claim(target, other.regions[0]), negated=negated)


def _is_ranked(s: Sentence, m: int) -> bool:
    """'As the largest focus': its noun is of that one alone."""
    named = s.mentions.get(m + 1)
    return s.atoms[m].kind == "rank" and named is not None and len(named.regions) == 1


def _whose(s: Sentence, target: Mention | None) -> Mention | None:
    """What 'its' stands for in 'three times its size': what was named beside the subject."""
    other = s.resumed or s.spoken_of
    if target is not None and (other is None or other.regions == target.regions):
        named = (*s.phrases.earlier, *(one for start, one in sorted(s.mentions.items()) if start < s.at))
        rest = [one for one in pair_of(named) if one != target.regions]
        other = Mention(rest[0], "", True, False, 0, 0) if len(rest) == 1 else None
    apart = other is not None and target is not None and other.regions != target.regions
    return replace(other, start=0, end=0) if other is not None and apart and len(other.regions) == 1 else None


def _of_what(s: Sentence, n: int) -> str:
    """What 'twice that of r2' compares, by the noun before it."""
    before = {word for atom in s.atoms[:n] for word in atom.text.split(" ")}
    if before & {"area", "size", "extent", "surface"}:
        return "area"
    return "length" if before & {"length", "diameter", "long", "longest"} else "level"


def relation(s: Sentence, n: int) -> None:
    """How a region lies to one that is named behind it."""
    atom = s.atoms[n]
    noun = n and s.atoms[n - 1].text in ("the", "its", "their", "a", "whose", "with")
    if noun and atom.text in ("border", "borders"):
        return
    if n == 0 and atom.text in ("apart from", "separate from"):
        return
    if s.subject is None and atom.value == ("inside", True):
        return  # "This image contains a nodule."
    if atom.value == ("inside", False) and s.subject is not None and not s.subject.regions:
        return  # "No nodule was detected inside the lungs."
    if atom.value[0] == "inside" and not atom.value[1] and not s.phrases.mentioned_soon(n + 1):
        return
    if atom.value in (("inside", False), ("outside", False)) and n and s.atoms[n - 1].text in _PARTLY:
        atom = replace(atom, value=("partly inside", False))
    if atom.value == ("inside", False) and n and s.atoms[n - 1].text in _MOSTLY:
        atom = replace(atom, value=("mostly inside", False))
    if atom.value[0] == "larger than" and of_two.than_all(s, n, "smallest" if atom.value[1] else "largest"):
        return
    if atom.value[0] == "larger than" and of_two.one_of_two(s, n, "smallest" if atom.value[1] else "largest"):
        return
    if atom.value == ("inside", False) and n and s.subject is None and s.atoms[n - 1].kind == "measure":
        return  # "The peak inside the hot spot" is one of it.
    if atom.value == ("inside", True) and n + 1 < len(s.atoms) and s.atoms[n + 1].kind in ("share", "quantity"):
        return  # "Encloses nearly all of it."
    if s.relation is not None and s.atoms[n - 1].text in ("and", ",") and s.relation.subject == s.subject:
        s.also.append(s.relation)  # "Above and to the left of r2."
    elif s.relation is not None:
        s.unlicensed(s.relation.atom.text)
    if n + 1 < len(s.atoms) and s.atoms[n + 1].text in ("it", "them") and s.subject and s.spoken_of:
        s.relation = Open(atom, s.subject, s.take_denial())
        s.mention(s.spoken_of)
    elif s.phrases.mentioned_soon(n + 1):
        s.relation = Open(atom, s.subject, s.take_denial())
    elif atom.text not in ("contain", "contains", "containing", "surround"):
        s.unlicensed(atom.text)


def bound(s: Sentence, n: int) -> None:
    """'above', 'below' without a number: a relation, or a word that claims something."""
    if s.atoms[n].text.startswith(("exceed", "surpass")) and comparisons.exceeds(s, n):
        return
    m = n + 2 if n + 1 < len(s.atoms) and s.atoms[n + 1].text == "a" else n + 1
    if m < len(s.atoms) and s.atoms[m].kind == "how many" and s.phrases.counted(m + 1) is not None:
        return  # "More than twenty nuclei", "at least a dozen".
    if comparisons.longer(s, n) or _off_the_centre(s, n):
        return
    larger = next((rank for start, rank in _SIZED.items() if s.atoms[n].text.startswith(start)), "")
    if of_two.one_of_two(s, n, larger):
        return
    found = next((one for one in s.atoms[n].others if one.kind == "relation"), None)
    if of_two.than_all(s, n, larger) or _larger_than_the_other(s, n, larger):
        return
    if found is not None:
        s.atoms[n] = replace(s.atoms[n], kind="relation", value=found.value)
        relation(s, n)
    elif not any(one.kind == "neutral" for one in s.atoms[n].others):
        s.unlicensed(s.atoms[n].text)


def _larger_than_the_other(s: Sentence, n: int, word: str) -> bool:
    """'The lung field on the left is larger than the other one.'"""
    m = n + 1
    while m < len(s.atoms) and m not in s.mentions and (s.atoms[m].text == "the" or s.atoms[m].kind == "place"):
        m += 1
    other, subject = s.mentions.get(m), s.subject
    if not word or not s.atoms[n].text.endswith(" than") or other is None or subject is None:
        return False
    if len(other.regions) != 1 or len(subject.regions) != 1 or other.regions == subject.regions:
        return False
    s.used.update(range(n + 1, other.end))
    negated = s.take_denial() != s.denies(subject)
    s.relate(subject, "larger than", other, turned=word == "smallest", negated=negated)
    return True


def _off_the_centre(s: Sentence, n: int) -> bool:
    """'Below and to the right of the centre', of a picture that tells no axes of the patient."""
    behind = s.atoms[n + 1 : n + 3]
    text = s.atoms[n].text
    centre = len(behind) > 1 and behind[0].text == "and" and behind[1].kind == "place"
    if text not in ("above", "below") or not centre or behind[1].text.split(" ")[-1] not in ("centre", "middle"):
        return False
    if s.facts.metadata.orientation is not None:
        s.unlicensed(text)
        return True
    made = c.Place(regions=(), axis="image down", end="low" if text == "above" else "high", frame="shown")
    s.say_of(n, lambda target: replace(made, regions=target.regions, every=target.every), n + 1)
    return True


def mutual(s: Sentence, n: int) -> None:
    """How two regions that are named together lie or compare: 'r1 and r2 are similar in size'."""
    subject = s.subject
    pair = [(one,) for one in subject.regions] if subject is not None and subject.several else _joined(s, n)
    related = any(isinstance(one, c.Relation) for one in s.said)
    if subject is not None and len(subject.regions) == 1 and len(pair) != 2 and related and s.spoken_of is not None:
        pair = [subject.regions, s.spoken_of.regions]  # "r2 lies within r1 and is of nearly identical size."
    if len(pair) != 2 or any(len(one) != 1 for one in pair):
        s.unlicensed(s.atoms[n].text)
        return
    (first,), (second,) = pair
    s.say(c.Relation(regions=(first,), predicate=s.atoms[n].value, object=second))


def _joined(s: Sentence, n: int) -> list[tuple[str, ...]]:
    """Two regions that are named one after the other before n, joined by 'and': 'the tumour and the cyst overlap'."""
    named = [one for start, one in sorted(s.mentions.items()) if start < n][-2:]
    joint = {atom.text for atom in s.atoms[named[0].end : named[1].start]} if len(named) == 2 else set[str]()
    return [one.regions for one in named] if "and" in joint and all(len(one.regions) == 1 for one in named) else []
