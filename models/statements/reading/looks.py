"""How regions look: words, shares, levels, spreads, sides."""

from models.statements import claims as c
from models.statements.measures import looked_for_level
from models.statements.reading import covering, of_two, picture
from models.statements.reading.figures import Factor
from models.statements.reading.mentions import EDGES, MOSTLY, VERBS, Mention
from models.statements.reading.phrases import WHOLES
from models.statements.reading.sentence import Sentence
from models.statements.rows import BY_DISPLAY
from models.statements.table import table
from models.statements.tokens import words

_TIMES = {"times", "twice", "thrice", "double", "half", "triple"}
"""Before a level they say how much: levels have no such measure."""
_SIZES = {"area", "size", "extent", "length", "width", "diameter", "perimeter"}
_RANKS_OF = {("shown", "high"): "brightest", ("shown", "low"): "darkest"}
_OF_THAT = (" that of", " that in")


def word(s: Sentence, n: int) -> None:
    """A word for a measurement."""
    aspect, said = s.atoms[n].value
    s.degree = ""
    if n and s.atoms[n - 1].text in ("less", "least"):
        s.unlicensed(s.atoms[n - 1].text)  # "Less irregular than r2": how much of it is not measured.
        return
    if s.atoms[n].text == "thin" and n and s.atoms[n - 1].kind == "quantity":
        return  # "Slices one millimetre thin."
    if s.atoms[n].text in ("thin", "narrow") and n + 1 < len(s.atoms) and s.atoms[n + 1].kind in ("modality", "plane"):
        s.unlicensed(s.atoms[n].text)  # "A thin CT slice."
        return
    s.say_of(n, lambda target: c.Word(regions=target.regions, every=target.every, aspect=aspect, word=said))


def share(s: Sentence, n: int) -> None:
    """A part of the whole, in words."""
    said = s.atoms[n].value
    if (
        s.relation is None
        and s.atoms[n].text in MOSTLY
        and any(m in s.mentions and s.mentions[m].several for m in range(n + 1, n + 4))
    ):
        return  # "Most of the nodules are round" tells of how many.
    row = next(row for row in table().shares if row.word == said)
    if picture.extent(s, n, (row.at_least, row.below), "between", loose=True):
        return
    of, stands = s.phrases.whole(n + 1)
    least = max(row.at_least, 50.0) if said == "most" else row.at_least  # Of what is outlined "most" is over half.
    if not of and covering.part_of(s, n, Factor("covering", least / 100, "above", True, 0)):
        return
    if not of and s.relation is not None and s.relation.atom.value in covering.SHARED:
        whole = s.phrases.next_mention(n + 1)
        if whole is not None and len(whole.regions) == 1 and s.subject is not None and s.subject.regions:
            _takes_up(s, least, whole)
            return
    if not of and n and s.atoms[n - 1].kind == "relation":
        s.unlicensed(s.atoms[n].text)  # "Contains most of the larger focus."
        return
    s.used |= {stands} if stands is not None else set()
    if not of and said == "whole":
        of = _filled(s.atoms[n].text)
    if _is_against_a_whole(s):
        s.unlicensed(s.atoms[n].text)  # "Large for a breast", of which no share is known.
        return
    s.say_of(n, lambda target: c.Share(regions=target.regions, every=target.every, word=said, of=of))


def _filled(text: str) -> str:
    """What 'covers the whole breast' says is covered; "" for the picture."""
    named = text.rpartition("the ")[2].removeprefix("whole ").removeprefix("entire ")
    organ = next((organ for organ, phrases in table().organs.items() if named in phrases), "")
    return organ or (named if named in WHOLES else "")


def _is_against_a_whole(s: Sentence) -> bool:
    """Whether a size is told by what it lies in: 'small compared with the body', 'large relative to the breast'."""
    regions = [s.facts.region(one) for one in (s.subject.regions if s.subject else ()) if one in s.facts.regions]
    told = {one.place.within for one in regions if one.place is not None}
    for m, atom in enumerate(s.atoms):
        if atom.text.split(" ")[0] not in ("compared", "relative", "relation", "proportion"):
            continue
        for behind in s.atoms[m + 1 : m + 5]:
            named = str(behind.value) if behind.kind == "organ" else behind.text
            if (behind.kind == "organ" or named in WHOLES) and named not in told:
                return True
    return False


def _takes_up(s: Sentence, least: float, whole: Mention) -> None:
    """'Overlaps most of the tumour': how much of what stands behind lies in what is spoken of."""
    assert s.subject is not None
    assert s.relation is not None
    negated, s.relation = s.relation.denied, None
    s.used.update(range(whole.start, whole.end))
    if whole.name:
        s.say(c.Finding(regions=whole.regions, name=whole.name), negated=False)
    s.say(Factor("covering", least / 100, "above", True, 0).claim(s.subject, whole.regions[0]), negated=negated)


def degree(s: Sentence, n: int) -> None:
    """'slightly', 'markedly': of the level behind it."""
    s.degree = s.atoms[n].value


def _larger(s: Sentence, n: int, size: str, *, turned: bool) -> None:
    """'Its area exceeds that of r2': of areas, and not of levels."""
    other, subject = _compared(s, n + 1), s.subject
    if size not in ("area", "size", "extent") or other is None or subject is None or not other.regions:
        s.unlicensed(s.atoms[n].text)
        return
    s.used.update(range(other.start, other.end))
    negated = s.take_denial() != s.denies(subject)
    for one in subject.regions:
        first, second = (other.regions[0], one) if turned else (one, other.regions[0])
        s.say(c.Relation(regions=(first,), predicate="larger than", object=second), negated=negated)


def edged(s: Sentence, n: int) -> None:
    """Words that say something of margins only: 'its border is clear'."""
    aspect, said = s.atoms[n].value
    if any(set(s.atoms[m].text.split(" ")) & EDGES for m in range(max(0, n - 8), min(n + 4, len(s.atoms)))):
        s.say_of(n, lambda target: c.Word(regions=target.regions, every=target.every, aspect=aspect, word=said), n + 1)
    else:
        s.unlicensed(s.atoms[n].text)


def level(s: Sentence, n: int) -> None:
    """Brighter, denser or more active: than another region, or than what lies around."""
    scale, direction, comparative = s.atoms[n].value
    if _is_of_its_label(s, n):
        return
    target = s.phrases.target(n + 1, s.subject) if s.atoms[n].text == "pale" else None
    if target is not None and _is_a_structure(s, target):
        s.unlicensed("pale")  # "The optic disc is pale" tells of its health.
        return
    if n and s.atoms[n - 1].text == "less":
        direction, comparative = {"high": "low", "low": "high"}.get(direction, ""), "more"
        if not direction or s.phrases.stands_before_the_unknown(n):
            s.unlicensed("less")
            return
    if s.atoms[n].text.endswith(_OF_THAT) and (size := [one.text for one in s.atoms[:n] if one.text in _SIZES]):
        _larger(s, n, size[-1], turned=direction == "low")
        return
    if n + 1 < len(s.atoms) and s.atoms[n + 1].kind == "around" and s.atoms[n + 1].text.endswith("background"):
        direction = {"high": "low", "low": "high"}.get(str(direction), str(direction))  # "On a darker background."
        comparative = ""
    peak = _RANKS_OF.get((scale, direction), {"high": "highest", "low": "lowest"}.get(direction, ""))
    if comparative == "more" and of_two.than_all(s, n, peak):
        s.degree = ""
        return
    if comparative == "more" and of_two.one_of_two(s, n, _RANKS_OF.get((scale, direction), "")):
        return

    def as_said(first: str, second: str) -> c.Claim:
        return c.Level(regions=(first,), scale=scale, direction=direction, degree=comparative, against=second)

    if comparative == "more" and of_two.between_sides(s, n, as_said):
        s.degree = ""
        return
    said = s.degree or comparative
    s.degree = ""
    if s.atoms[n - 1].text in _TIMES:
        s.unlicensed(s.atoms[n - 1].text)
        return
    if not s.facts.regions and (name := looked_for_level(s.facts, scale, direction)) is not None:
        s.say(
            c.Absence(name=name, reported=True), negated=not s.take_denial()
        )  # "There is increased uptake", where there is none.
        return
    other = _compared(s, n + 1)
    if other is None and s.fronted is not None and comparative == "more":
        other, s.fronted = s.fronted, None
    if other is None and comparative == "more" and s.subject is not None and len(s.subject.regions) == 1:
        other = s.opposite(s.subject.regions[0])
        if other is None and n and s.atoms[n - 1].text == "the":
            other = s.twin(s.subject)  # "Two lung fields, the one on the right being the brighter."
    if other is None or (other.name and not other.explicit and _is_around(s, other)):
        s.say_of(
            n,
            lambda target: c.Level(
                regions=target.regions, every=target.every, scale=scale, direction=direction, degree=said
            ),
        )
        return
    s.used.update(range(other.start, other.end) if other.start > n else ())
    target = s.subject
    negated = s.take_denial() != s.denies(target)
    if target is None or not other.regions:
        s.unlicensed(s.atoms[n].text)
        return
    if other.name:
        s.say(c.Finding(regions=other.regions, every=other.several, name=other.name), negated=False)
    s.spoken_of = other
    for one in other.regions[: None if other.several else 1]:
        s.say(
            c.Level(
                regions=target.regions,
                every=target.every,
                scale=scale,
                direction=direction,
                degree=comparative,
                against=one,
            ),
            negated=negated,
        )


def _is_a_structure(s: Sentence, of: Mention) -> bool:
    return any(table().called(s.facts.region(one).label).role == "structure" for one in of.regions[:1])


def _is_of_its_label(s: Sentence, n: int) -> bool:
    """'The hyperattenuating candidate r10', of a label that begins so: its name, and no level of its own."""
    if n + 1 >= len(s.atoms) or s.atoms[n + 1].kind != "candidate":
        return False
    target = s.phrases.target(n + 2, s.subject)
    labels = [s.facts.region(one).label for one in target.regions if one in s.facts.regions] if target else []
    return bool(labels) and all(words(label)[0] == s.atoms[n].text for label in labels)


def _compared(s: Sentence, n: int) -> Mention | None:
    """The region that a level is compared with, where one is named behind 'than' or 'to'."""
    behind = " than" in s.atoms[n - 1].text or s.atoms[n - 1].text.endswith(_OF_THAT)
    for m in range(n, min(n + 9, len(s.atoms))):
        atom = s.atoms[m]
        if atom.kind == "around":
            return None
        if m in s.mentions:
            around = s.phrases.beside(m) or s.phrases.is_surroundings(s.mentions[m])
            return s.mentions[m] if behind and not around else None
        if atom.text in ("than", "to", "as", "with", "relative", "compared"):
            behind = True
        elif atom.text in VERBS or atom.text in (";", ",") or atom.kind == "unknown":
            return None
    return None


def _is_around(s: Sentence, other: Mention) -> bool:
    """Whether what a level is compared with is the part of the body that its subject lies in."""
    return bool(s.subject and set(other.regions) - set(s.subject.regions) and other.name in table().organs)


def spread(s: Sentence, n: int) -> None:
    """Focal, multifocal, diffuse."""
    said = s.atoms[n].value
    if said == "focal" and s.denied_next and (head := s.phrases.next_mention(n + 1)) is not None and not head.regions:
        return  # "No evidence of focal hypermetabolism" denies all of it.
    s.say_of(n, lambda target: c.Spread(name=target.name, word=said))


def crowding(s: Sentence, n: int) -> None:
    """Densely packed, widely spaced."""
    said = s.atoms[n].value
    s.say_of(n, lambda target: c.Crowding(name=target.name, word=said))


def gradient(s: Sentence, n: int) -> None:
    """Whiter in its lower part than in its upper part."""
    end = s.atoms[n].value
    s.say_of(n, lambda target: c.Gradient(regions=target.regions, every=target.every, end=end))


def sides(s: Sentence, n: int) -> None:
    """On both sides; behind a number each side is one of a pixel: '4.7 mm on each side'."""
    if s.subject is None and any(atom.kind == "quantity" for atom in s.atoms[max(0, n - 2) : n]):
        return
    behind = [atom.text for atom in s.atoms[n + 1 : n + 5]]
    shown = s.facts.metadata.modality in BY_DISPLAY or (
        behind[:1] == ["of"] and any(one in table().placing.shown or one == "film" for one in behind)
    )
    frame = "shown" if shown else "patient"
    s.say_of(n, lambda target: c.Sides(name=target.name or _name_of(s, target), frame=frame))


def _name_of(s: Sentence, target: Mention) -> str:
    first = target.regions[0] if target.regions else ""
    return " ".join(words(s.facts.region(first).label)) if first in s.facts.regions else ""


def goes_on(s: Sentence, n: int) -> None:
    """Whether a region is seen in the slices beside its own."""
    outcome = s.atoms[n].value
    way = next((atom.value for atom in s.atoms[n + 1 : n + 3] if atom.kind == "way"), "")
    s.say_of(n, lambda target: c.Continues(regions=target.regions, every=target.every, outcome=outcome, way=way))


def pieces(s: Sentence, n: int) -> None:
    """'in several separate parts'."""
    s.say_of(n, lambda target: c.Parts(regions=target.regions, every=target.every))
