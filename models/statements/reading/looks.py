"""How regions look and compare: words, shares, levels, ranks, spreads, sides, relations."""

from dataclasses import replace

from models.statements import claims as c
from models.statements.reading import comparisons, covering
from models.statements.reading.anaphora import pair_of
from models.statements.reading.figures import Factor
from models.statements.reading.mentions import MOSTLY, VERBS, Mention
from models.statements.reading.sentence import Open, Sentence
from models.statements.table import BY_DISPLAY, table
from models.statements.tokens import words

_TIMES = {"times", "twice", "thrice", "double", "half", "triple"}
"""Before a level they say how much: levels have no such measure."""
_SIZES = {"area", "size", "extent", "length", "width", "diameter", "perimeter"}
_EDGES = {
    "margin", "margins", "border", "borders", "edge", "edges", "outline", "outlines", "contour", "contours",
    "boundary", "boundaries", "demarcation", "delineation", "rim", "circumference", "perimeter",
}  # fmt: skip
_RANKS_OF = {("shown", "high"): "brightest", ("shown", "low"): "darkest"}
_SIZED = {"larger": "largest", "bigger": "largest", "greater": "largest", "smaller": "smallest"}
_OF_THAT = (" that of", " that in")
_MOSTLY = {"mostly", "largely", "mainly", "predominantly", "for the most part"}
_ORDINALS = {"second": 2, "next": 2, "third": 3, "fourth": 4}


def word(s: Sentence, n: int) -> None:
    """A word for a measurement."""
    aspect, said = s.atoms[n].value
    s.degree = ""
    s.say_of(n, lambda target: c.Word(regions=target.regions, every=target.every, aspect=aspect, word=said))


def share(s: Sentence, n: int) -> None:
    """A part of the whole, in words."""
    said = s.atoms[n].value
    if s.atoms[n].text in MOSTLY and any(m in s.mentions and s.mentions[m].several for m in range(n + 1, n + 4)):
        return  # "Most of the nodules are round" tells of how many.
    of, stands = s.phrases.whole(n + 1)
    least = next(row.at_least for row in table().shares if row.word == said)
    if not of and covering.part_of(s, n, Factor("covering", least / 100, "above", True, 0)):
        return
    s.used |= {stands} if stands is not None else set()
    s.say_of(n, lambda target: c.Share(regions=target.regions, every=target.every, word=said, of=of))


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
    if any(s.atoms[m].text in _EDGES for m in range(max(0, n - 8), min(n + 4, len(s.atoms)))):
        s.say_of(n, lambda target: c.Word(regions=target.regions, every=target.every, aspect=aspect, word=said), n + 1)
    else:
        s.unlicensed(s.atoms[n].text)


def level(s: Sentence, n: int) -> None:
    """Brighter, denser or more active: than another region, or than what lies around."""
    scale, direction, comparative = s.atoms[n].value
    if s.atoms[n].text.endswith(_OF_THAT) and (size := [one.text for one in s.atoms[:n] if one.text in _SIZES]):
        _larger(s, n, size[-1], turned=direction == "low")
        return
    if n + 1 < len(s.atoms) and s.atoms[n + 1].kind == "around" and s.atoms[n + 1].text.endswith("background"):
        direction = {"high": "low", "low": "high"}.get(str(direction), str(direction))  # "On a darker background."
        comparative = ""
    if comparative == "more" and comparisons.one_of_two(s, n, _RANKS_OF.get((scale, direction), "")):
        return
    said = s.degree or comparative
    s.degree = ""
    if s.atoms[n - 1].text in _TIMES:
        s.unlicensed(s.atoms[n - 1].text)
        return
    other = _compared(s, n + 1)
    if other is None and s.fronted is not None and comparative == "more":
        other, s.fronted = s.fronted, None
    if other is None and comparative == "more" and s.subject is not None and len(s.subject.regions) == 1:
        other = s.opposite(s.subject.regions[0])
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


def rank(s: Sentence, n: int) -> None:
    """The largest, the brightest of what is outlined."""
    said = s.atoms[n].value
    m = n + 1
    while m < len(s.atoms) and (s.atoms[m].text in _OF_THEM or s.atoms[m].kind == "how many"):
        m += 1
    if _of_the_two(s, n, m, said):
        return
    head = s.phrases.counted(m)
    among = head.name if head is not None else ""
    before = next((one for one in reversed(s.said) if isinstance(one, c.Rank)), None)
    if not among and before is not None and s.atoms[n - 1].text == "next":
        among = before.among  # "The largest nodule is r1; the next largest is r3."
    among = among or s.among or _whole_of(s, n, m)
    count = next((atom.value for atom in s.atoms[n + 1 : m] if atom.kind == "how many"), None)
    if among and isinstance(count, int):
        s.say(c.Count(name=among, n=count), negated=False)
    behind = [atom.text for atom in s.atoms[n + 1 : n + 3]]
    nth = 2 if behind == ["but", "one"] else _ORDINALS.get(s.atoms[n - 1].text if n else "", 1)
    if behind == ["but", "one"]:
        s.used |= {n + 1, n + 2}
    if head is not None and not head.name and m == head.start and any(one.text == "of" for one in s.atoms[n:m]):
        s.used.update(range(head.start, head.end))  # "The largest of all regions is r1."
    told = _told_of(s, head.end if head is not None else m)
    if told is not None and (s.subject is not None or told.explicit):  # "The next largest is r3."
        denied = any(atom.kind == "not" for atom in s.atoms[n + 1 : told.start])
        s.say(c.Rank(regions=told.regions, word=said, among=among, nth=nth), negated=denied)
        s.subject = told
        s.used.update(range(n + 1, told.end))
        return
    _narrow(s, n, head)
    s.say_of(n, lambda target: c.Rank(regions=target.regions, word=said, among=among, nth=nth))


_OF_THEM = {
    "of", "the", "these", "those", "outlined", "marked", "all", "but", "one", "among", "amongst", "them", "which",
}  # fmt: skip


def _whole_of(s: Sentence, n: int, end: int) -> str:
    """What 'the largest of them' is one of: what was named before in the plural."""
    whole = s.subject or s.before
    if whole is None or not whole.several:
        return ""
    of_them = {atom.text for atom in s.atoms[n + 1 : end]} & {"them", "which", "these", "those"}
    alone = s.phrases.counted(end) is None and not s.phrases.behind_copula(n, s.subject)
    return whole.name if of_them or alone else ""


def _narrow(s: Sentence, n: int, head: Mention | None) -> None:
    """'The largest of the nodules', 'nodules, the largest of which': goes on to speak of one of them."""
    if head is not None and head.several and not head.explicit and head.start > n + 1:
        of = s.atoms[n].text.endswith(" of") or s.atoms[n + 1].text in ("of", "among", "amongst")
        if of and not s.phrases.behind_copula(n, s.subject):
            s.used.update(range(n + 1, head.end))
            s.speak_of(replace(head, several=False, every=False, part=None))
        return
    whole = s.subject or s.before
    if (
        head is None
        and whole is not None
        and whole.several
        and whole.name
        and not s.phrases.behind_copula(n, s.subject)
    ):
        s.subject = replace(whole, start=-1 - n, end=n, several=False, every=False, part=None)


def _of_the_two(s: Sentence, n: int, end: int, said: str) -> bool:
    """'The larger of the two': of what was named last; False where it is no such phrase."""
    two = any(one.kind == "how many" and one.value == 2 for one in s.atoms[n + 1 : end])
    subject = s.subject
    if not two or s.phrases.counted(end) is not None or said not in ("largest", "smallest") or subject is None:
        return False
    named = (*s.phrases.earlier, *(one for start, one in sorted(s.mentions.items()) if start < n))
    rest = [one for one in pair_of(named) if one != subject.regions]
    if len(subject.regions) != 1 or len(rest) != 1:
        return False
    first, second = subject.regions[0], rest[0][0]
    first, second = (first, second) if said == "largest" else (second, first)
    s.say(c.Relation(regions=(first,), predicate="larger than", object=second))
    s.used.update(range(n + 1, end))
    return True


def _told_of(s: Sentence, n: int) -> Mention | None:
    """What is said to be the largest of them, where that stands behind: '… is r3'."""
    if n >= len(s.atoms) or s.atoms[n].text not in ("is", "being", "was", "remains", "is not"):
        return None
    m = n + 2 if n + 1 < len(s.atoms) and s.atoms[n + 1].text in ("the", "region", "that") else n + 1
    return s.mentions[m] if m in s.mentions and s.mentions[m].regions else None


def ratio(s: Sentence, n: int) -> None:
    """So many times as large as another region, or as long as wide."""
    found = s.atoms[n].value
    if not isinstance(found, Factor):
        s.unlicensed(s.atoms[n].text)
        return
    if found.measure == "itself":
        s.say_of(n, lambda target: found.claim(target, ""))
        return
    if comparisons.times_the_other(s, n, found):
        return
    m = n + 1
    while m < len(s.atoms) and s.atoms[m].text in ("the", "that", "of", "region", "this", "marked"):
        m += 1
    other, target = s.mentions.get(m), s.subject
    if other is None or target is None or not other.regions:
        s.unlicensed(s.atoms[n].text)
        return
    s.used.update(range(m, other.end))
    negated = s.take_denial() != s.denies(target)
    if other.name:
        s.say(c.Finding(regions=other.regions, every=other.several, name=other.name), negated=False)
    s.say(found.claim(target, other.regions[0]), negated=negated)


def spread(s: Sentence, n: int) -> None:
    """Focal, multifocal, diffuse."""
    said = s.atoms[n].value
    s.say_of(n, lambda target: c.Spread(name=target.name, word=said))


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


def marks(s: Sentence, n: int) -> None:
    """That the source marks a region: before its name, or behind it."""

    def marked(target: Mention) -> c.Claim:
        # "The vessels are marked by the source" is so of those that are, beside others that an expert found.
        counted = any(isinstance(one, c.Count) and one.name == target.name and not one.negated for one in s.said)
        every = (target.every and (target.explicit or len(target.regions) == 1)) or (counted and target.several)
        return c.Marked(regions=target.regions, every=every, by="source")

    text = s.atoms[n].text
    before = text.startswith(("source", "the")) and not text.endswith((" by", " in"))
    named = next((one for one in s.mentions.values() if one.end == n and one.regions), s.subject)
    if not before and named is not None and s.subject is not None:
        # "Larger than the tumour marked by the source": what stands right before it.
        s.say(marked(named), negated=s.take_denial() != s.denies(named), of=named)
    else:
        s.pending.append((marked, False))


def expert(s: Sentence, n: int) -> None:
    """An expert by its words: it found what is spoken of, or what is named next."""
    _by(s, s.atoms[n].value)


def candidate(s: Sentence, n: int) -> None:
    """'candidate' before a name: an expert took it for a finding."""
    head = s.phrases.next_mention(n + 1)
    if head is not None:
        s.say_of(n, lambda target: c.Marked(regions=target.regions, every=target.every, by="candidate"))
    else:
        s.take_denial()


def _by(s: Sentence, name: str) -> None:
    def marked(target: Mention) -> c.Claim:
        return c.Marked(regions=target.regions, every=target.every, by=name)

    if s.subject is not None:
        s.say(marked(s.subject), negated=False)
    else:
        s.pending.append((marked, False))


def pieces(s: Sentence, n: int) -> None:
    """'in several separate parts'."""
    s.say_of(n, lambda target: c.Parts(regions=target.regions, every=target.every))


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
    if atom.value[0] == "inside" and not atom.value[1] and not s.phrases.mentioned_soon(n + 1):
        return
    if atom.value == ("inside", False) and n and s.atoms[n - 1].text in _MOSTLY:
        atom = replace(atom, value=("mostly inside", False))
    if atom.value[0] == "larger than" and comparisons.one_of_two(s, n, "smallest" if atom.value[1] else "largest"):
        return
    if s.relation is not None:
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
    if comparisons.longer(s, n):
        return
    larger = next((rank for start, rank in _SIZED.items() if s.atoms[n].text.startswith(start)), "")
    if comparisons.one_of_two(s, n, larger):
        return
    found = next((one for one in s.atoms[n].others if one.kind == "relation"), None)
    if found is not None:
        s.atoms[n] = replace(s.atoms[n], kind="relation", value=found.value)
        relation(s, n)
    elif not any(one.kind == "neutral" for one in s.atoms[n].others):
        s.unlicensed(s.atoms[n].text)


def mutual(s: Sentence, n: int) -> None:
    """How two regions that are named together lie or compare: 'r1 and r2 are similar in size'."""
    subject = s.subject
    pair = [(one,) for one in subject.regions] if subject is not None and subject.several else _joined(s, n)
    if len(pair) != 2:
        s.unlicensed(s.atoms[n].text)
        return
    (first,), (second,) = pair
    s.say(c.Relation(regions=(first,), predicate=s.atoms[n].value, object=second))


def _joined(s: Sentence, n: int) -> list[tuple[str, ...]]:
    """Two regions that are named one after the other before n, joined by 'and': 'the tumour and the cyst overlap'."""
    named = [one for start, one in sorted(s.mentions.items()) if start < n][-2:]
    joint = {atom.text for atom in s.atoms[named[0].end : named[1].start]} if len(named) == 2 else set[str]()
    return [one.regions for one in named] if "and" in joint and all(len(one.regions) == 1 for one in named) else []
