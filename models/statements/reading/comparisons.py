"""How two regions compare where no phrase holds both: 'compared with r2, r1 is smaller', 'they differ in size'."""

from models.statements import claims as c
from models.statements.reading import of_two
from models.statements.reading.figures import Factor, Quantity
from models.statements.reading.mentions import ANY, DIRECTIONS, OPPOSING, VERBS, Mention
from models.statements.reading.sentence import Sentence
from models.statements.table import table

_SIZES = {"size", "area", "extent", "sizes", "areas"}
_LEVELS = {
    "brightness", "density", "signal", "attenuation", "echogenicity", "uptake", "intensity", "opacity", "activity",
    "tone", "brightnesses", "densities", "intensities",
}  # fmt: skip


def off_another(s: Sentence, n: int, found: Quantity) -> bool:
    """'…, about 67 mm below r1': how far the subject lies from another in a direction, which is then read too."""
    way = s.atoms[n + 1] if n + 1 < len(s.atoms) else None
    others = [one for one in (way, *(way.others if way is not None else ())) if one is not None]
    predicate = next((one.value for one in others if one.kind == "relation"), None)
    other = s.phrases.next_mention(n + 2)
    if not found.unit or predicate is None or predicate[0] not in DIRECTIONS or other is None or other.start > n + 4:
        return False
    target = s.subject
    if target is None or len(target.regions) != 1 or len(other.regions) != 1 or len(found.values) != 1 or s.denied:
        s.unlicensed("a distance")
        return True
    s.say(c.Distance(
        regions=target.regions, object=other.regions[0], value=found.values[0], unit=found.unit, bound=found.bound,
        loose=found.loose, decimals=found.decimals, along=predicate[0],
    ))  # fmt: skip
    return True


def front(s: Sentence, n: int) -> None:
    """'Compared with r2, …', 'Unlike r2, …', and behind what is said: '…, in contrast to r2'."""
    m = n + 1
    while m < len(s.atoms) and (s.atoms[m].text in ("to", "with", "the", "region", "what", "a")):
        m += 1
    mention, word = s.mentions.get(m), s.atoms[n].text
    apart = mention is not None and (mention.end == len(s.atoms) or s.atoms[mention.end].kind == "mark")
    opposed = word in OPPOSING or s.atoms[n].kind == "against"
    if mention is None or not mention.regions or not apart:
        if opposed:
            s.unlicensed(word)
        return
    first = all(isinstance(one, c.Finding) for one in s.said)
    if opposed and not first:
        if not s.repeat(mention):
            s.unlicensed(word)
    elif opposed:
        s.instead = mention
    elif first and s.subject is None:
        s.fronted = mention
    else:
        return
    s.used.update(range(n, mention.end))


def pair(s: Sentence) -> None:
    """'Of r1 and r2, …', 'Among the nodules, …' at the beginning."""
    mention = next((s.mentions[m] for m in (1, 2, 3) if m in s.mentions), None)
    if mention is not None and mention.name and mention.several and not mention.explicit:
        s.among = mention.name
    if mention is not None and len(mention.regions) == 2:
        s.pair = mention.regions
    if mention is not None and mention.explicit and len(mention.regions) == 2:
        s.used.update(range(mention.end))
    if mention is None and len(s.facts.regions) == 2 and (end := _of_the_two(s)):
        s.pair = tuple(s.facts.regions)
        s.used.update(range(end))


def _of_the_two(s: Sentence) -> int:
    """Where 'of the two outlined areas' ends at the beginning; 0 where it does not stand there."""
    m = 2 if [atom.text for atom in s.atoms[1:2]] == ["the"] else 1
    if m >= len(s.atoms) or s.atoms[m].kind != "how many" or s.atoms[m].value != 2:
        return 0
    m += 1
    while m < len(s.atoms) and s.atoms[m].text in ("outlined", "marked", "annotated", "delineated", "segmented", *ANY):
        m += 1
    return m if m < len(s.atoms) and (s.atoms[m].text == "," or m in s.mentions or s.atoms[m].text == "the") else 0


def exceeds(s: Sentence, n: int) -> bool:
    """'r1 exceeds r2 in size and in brightness'; False where no region is named behind it."""
    m = next((m for m in range(n + 1, n + 5) if m in s.mentions), None)
    subject = s.subject
    if m is None or subject is None or not s.mentions[m].regions:
        return False
    other = s.mentions[m]
    end = next((k for k in range(other.end, len(s.atoms)) if s.atoms[k].text in (";", ",", "but", "while")), None)
    behind = range(other.end, len(s.atoms) if end is None else end)
    negated, told = s.take_denial(), False
    for k in behind:
        text = s.atoms[k].text.removeprefix("in ")
        claim: c.Claim | None = None
        if text in _SIZES:
            claim = c.Relation(regions=subject.regions, predicate="larger than", object=other.regions[0])
        elif text in _LEVELS:
            claim = c.Level(regions=subject.regions, scale=_scale(s, text), direction="high", against=other.regions[0])
        elif text not in ("in", "both", "and", "signal"):
            break
        if claim is not None:
            s.say(claim, negated=negated)
            s.used.add(k)
            told = True
    if told:
        s.used.update(range(n, other.end))
    return told


def against(s: Sentence, n: int) -> None:
    """'unlike'."""
    front(s, n)


def compared(s: Sentence, n: int) -> None:
    """'larger', 'smaller', of what is named before or behind it."""
    predicate, turned = s.atoms[n].value

    def as_said(first: str, second: str) -> c.Claim:
        first, second = (second, first) if turned else (first, second)
        return c.Relation(regions=(first,), predicate=predicate, object=second)

    if of_two.between_sides(s, n, as_said):
        return
    if predicate == "larger than" and of_two.one_of_two(s, n, "smallest" if turned else "largest"):
        return
    if s.inverted is not None and (head := s.phrases.next_mention(n + 1)) is not None and head.regions:
        s.relate(head, predicate, s.inverted[1], turned=turned, negated=s.take_denial())
        return  # "Inside the lesion lies a smaller patch."
    subject = s.subject
    if _is_told_beside(s, n, predicate, turned=turned):
        return
    other = _object(s, n + 1) or s.fronted
    if other is None and subject is not None and len(subject.regions) == 1:
        other = s.opposite(subject.regions[0]) or _related_before(s, subject) or s.twin(subject)
        other = other or _other_of_two(s, n, subject)
    if other is None or not other.regions or subject is None or not subject.regions:
        s.unlicensed(s.atoms[n].text)
        return
    s.fronted = None
    s.used.update(range(other.start, other.end) if other.start > n else ())
    negated = s.take_denial() != s.denies(subject)
    s.relate(subject, predicate, other, turned=turned, negated=negated)


def _is_told_beside(s: Sentence, n: int, predicate: str, *, turned: bool) -> bool:
    """'The tumour overlaps a larger region', 'a nodule and a smaller cyst': of what stands behind it."""
    head, subject = s.phrases.next_mention(n + 1), s.subject
    if head is None or subject is None or len(head.regions) != 1 or len(subject.regions) != 1:
        return False
    than = head.end < len(s.atoms) and " than" in f" {s.atoms[head.end].text}"
    if n < 1 or s.atoms[n - 1].text not in ("a", "the") or head.regions == subject.regions or than:
        return False
    if s.phrases.behind_copula(n, subject) or s.atoms[n].text.endswith(" than"):
        return False
    s.relate(head, predicate, subject, turned=turned, negated=False)
    return True


def _other_of_two(s: Sentence, n: int, subject: Mention) -> Mention | None:
    """The other of two that were named together: 'two opacities, r6 being the larger'."""
    named = (*s.phrases.earlier, *(one for start, one in sorted(s.mentions.items()) if start < n))
    pair = next((one for one in reversed(named) if len(one.regions) == 2), None)
    if s.atoms[n - 1].text != "the" or pair is None or not set(subject.regions) < set(pair.regions):
        return None
    rest = tuple(one for one in pair.regions if one not in subject.regions)
    return Mention(rest, "", True, False, 0, 0)


def _related_before(s: Sentence, subject: Mention) -> Mention | None:
    """What the subject was related to in this sentence: 'coincides with the tumour and is slightly smaller'."""
    related = any(isinstance(one, c.Relation) and one.regions == subject.regions for one in s.said)
    other = s.spoken_of
    return other if related and other is not None and other.regions != subject.regions else None


_LONGER = {"longer than": ("above", 1.04), "shorter than": ("below", 0.96)}
"""How much longer is plainly so."""


def longer(s: Sentence, n: int) -> bool:
    """'r1 is longer than r2': of their longest diameters."""
    bound, value = _LONGER.get(s.atoms[n].text, ("", 0.0))
    subject = s.subject
    m = n + 2 if n + 1 < len(s.atoms) and s.atoms[n + 1].text in ("the", "region") else n + 1
    other = s.mentions.get(m)
    if not bound or other is None or subject is None or len(other.regions) != 1 or not subject.regions:
        return False
    s.used.update(range(n + 1, other.end))
    if other.name:
        s.say(c.Finding(regions=other.regions, name=other.name), negated=False)
    factor = Factor("length", value, bound, False, 2)
    s.say(factor.claim(subject, other.regions[0]), negated=s.take_denial() != s.denies(subject))
    return True


def _object(s: Sentence, n: int) -> Mention | None:
    """What stands behind 'than', or 'compared with', in the clause."""
    behind = False
    for m in range(n, min(n + 9, len(s.atoms))):
        atom = s.atoms[m]
        if m in s.mentions:
            return s.mentions[m] if behind else None
        behind |= atom.text in ("than", "to", "with", "compared", "relative")
        if atom.text in VERBS or atom.text == ";" or atom.kind == "unknown":
            return None
    return None


def _parts_clauses(s: Sentence, m: int) -> bool:
    """Whether a clause ends here, before another verb too: '… differs from r2 and is round'."""
    verb = m + 1 < len(s.atoms) and s.atoms[m + 1].text in VERBS
    return s.atoms[m].text in (";", ",", "but", "while", "whereas") or (s.atoms[m].text == "and" and verb)


def differs(s: Sentence, n: int) -> None:
    """'r1 differs from r2 in size', 'r1 and r2 differ in brightness'."""
    subject = s.subject
    end = next((m for m in range(n + 1, len(s.atoms)) if _parts_clauses(s, m)), len(s.atoms))
    clause = range(n + 1, end)
    other = next((s.mentions[m] for m in clause if m in s.mentions), None)
    around = any(s.atoms[m].kind == "around" or (s.atoms[m].kind == "organ" and s.phrases.beside(m)) for m in clause)
    of_size = any(atom.text.removeprefix("in ") in _SIZES for atom in s.atoms[: clause.stop])
    scale = next((_scale(s, atom.text) for atom in s.atoms[: clause.stop] if atom.text in _LEVELS), None)
    pair = list(subject.regions) if subject is not None else []
    if other is not None and other.regions:
        pair.append(other.regions[0])
    if not ((around and len(pair) == 1 and scale is not None) or (len(pair) == 2 and (of_size or scale is not None))):
        s.unlicensed(s.atoms[n].text)
        return
    s.used.update(clause)
    negated = s.take_denial() != bool(s.atoms[n].value)
    if of_size:
        s.say(c.Relation(regions=(pair[0],), predicate="similar in size to", object=pair[1]), negated=negated)
        return
    assert scale is not None
    beside = "" if around else pair[1]
    s.say(c.Level(regions=(pair[0],), scale=scale, direction="alike", against=beside), negated=negated)


_BEHIND_A_LEVEL = {"and", "but", "relative", "compared", "with", "in", "against", "than", "over", "within"}


def heightened(s: Sentence, n: int) -> None:
    """'Its density is slightly raised'."""
    noun = next((atom.text for atom in reversed(s.atoms[max(0, n - 8) : n]) if atom.text in _LEVELS), None)
    behind = s.atoms[n + 1].kind if n + 1 < len(s.atoms) else "mark"
    degree, s.degree = s.degree, ""
    goes_on = behind == "around" or (n + 1 < len(s.atoms) and s.atoms[n + 1].text in _BEHIND_A_LEVEL)
    if noun is None or (behind != "mark" and not goes_on):
        s.unlicensed(s.atoms[n].text)
        return
    scale = _scale(s, noun)
    direction = str(s.atoms[n].value)
    s.say_of(
        n,
        lambda target: c.Level(
            regions=target.regions, every=target.every, scale=scale, direction=direction, degree=degree
        ),
        n + 1,
    )


def _scale(s: Sentence, noun: str) -> str:
    """What a noun of `_LEVELS` is measured on: what is displayed, or the scale of the modality."""
    return "shown" if noun in ("tone", "brightness") else table().scale(s.facts.metadata.modality).scale


def ordinal(s: Sentence, n: int) -> None:
    """'second', before a superlative, or of one more: 'a second nodule'."""
    if n + 1 < len(s.atoms) and s.atoms[n + 1].kind == "rank":
        return
    head = s.phrases.next_mention(n + 1)
    if head is not None and head.name and not head.explicit and not head.several:
        s.say(c.Count(name=head.name, n=int(s.atoms[n].value) - 1, further=True), negated=False)
    else:
        s.unlicensed(s.atoms[n].text)
