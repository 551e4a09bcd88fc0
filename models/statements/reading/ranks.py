"""How a region ranks among those that are called alike: the largest, the next brightest, the larger of the two."""

from dataclasses import replace

from models.statements import claims as c
from models.statements.reading.anaphora import pair_of
from models.statements.reading.mentions import Mention
from models.statements.reading.sentence import Sentence

_OF_THEM = {
    "of", "the", "these", "those", "outlined", "marked", "all", "but", "one", "among", "amongst", "them", "which",
}  # fmt: skip
_ORDINALS = {"second": 2, "next": 2, "third": 3, "fourth": 4, "fifth": 5}


def rank(s: Sentence, n: int) -> None:
    """The largest, the brightest of what is outlined."""
    said = s.atoms[n].value
    if said == "longest" and s.phrases.counted(n + 1) is None and not _is_of_them(s, n):
        return  # "… mm in its longest": of what a number is.
    m = n + 1
    while m < len(s.atoms) and (s.atoms[m].text in _OF_THEM or s.atoms[m].kind == "how many"):
        m += 1
    if _of_the_two(s, n, m, said) or _of_a_pair(s, n, said):
        return
    head = s.phrases.counted(m)
    among = head.name if head is not None else ""
    before = next((one for one in reversed(s.said) if isinstance(one, c.Rank)), None)
    if not among and before is not None and s.atoms[n - 1].text == "next":
        among = before.among  # "The largest nodule is r1; the next largest is r3."
    among = among or s.among or _whole_of(s, n, m) or _of_which(s)
    count = next((atom.value for atom in s.atoms[n + 1 : m] if atom.kind == "how many"), None)
    if among and isinstance(count, int):
        s.say(c.Count(name=among, n=count, outlined=True), negated=False)
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
    if head is not None and head.several and not head.explicit and s.subject is not None and _is_of_the_subject(s, n):
        s.used.update(range(n + 1, head.end))
        s.say(c.Rank(regions=s.subject.regions, word=said, among=among, nth=nth))
        return
    _narrow(s, n, head)
    s.say_of(n, lambda target: c.Rank(regions=target.regions, word=said, among=among, nth=nth))


def _is_of_the_subject(s: Sentence, n: int) -> bool:
    """Whether a rank among others is told of what was named before: 'r1 shows the highest uptake of the four foci'."""
    subject = s.subject
    if subject is None or not subject.explicit or len(subject.regions) != 1 or subject.end > n:
        return False
    between = {atom.text for atom in s.atoms[subject.end : n]}
    return not between & {";", "and", "but", "while", "whereas"}


_PEAKED = {
    "uptake", "activity", "signal", "intensity", "density", "attenuation", "echogenicity", "brightness", "opacity",
    "accumulation", "signal intensity", "tracer",
}  # fmt: skip
_SHOWN = {"highest": "brightest", "lowest": "darkest"}


def peak(s: Sentence, n: int) -> None:
    """'Uptake is highest in r1'."""
    word, m = str(s.atoms[n].value), n + 1
    nouns = [atom.text for atom in s.atoms[:n] if atom.text in _PEAKED]
    while m < len(s.atoms) and m not in s.mentions and s.atoms[m].text in ("the", "region"):
        m += 1
    mention = s.mentions.get(m)
    if not nouns or mention is None or len(mention.regions) != 1:
        s.unlicensed(s.atoms[n].text)
        return
    if mention.name:
        s.say(c.Finding(regions=mention.regions, name=mention.name), negated=False)
    word = _SHOWN[word] if nouns[-1] == "brightness" else word
    s.say(c.Rank(regions=mention.regions, word=word), of=mention)
    s.used.update(range(n + 1, mention.end))


def _is_of_them(s: Sentence, n: int) -> bool:
    """Whether 'the longest' stands for one of those that were named: 'four foci, the longest extending over …'."""
    before = s.atoms[n - 1].text if n else ""
    whole = s.subject or s.before
    return before == "the" and whole is not None and whole.several and bool(whole.name)


def _whole_of(s: Sentence, n: int, end: int) -> str:
    """What 'the largest of them' is one of: what was named before in the plural."""
    whole = s.subject or s.before
    if whole is None or not whole.several:
        return ""
    of_them = {atom.text for atom in s.atoms[n + 1 : end]} & {"them", "which", "these", "those"}
    alone = s.phrases.counted(end) is None and not s.phrases.behind_copula(n, s.subject)
    return whole.name if of_them or alone else ""


def _of_which(s: Sentence) -> str:
    """What 'of which r2 is the largest' ranks: what was named before it in the plural."""
    m = s.subject.start - 1 if s.subject is not None else 0
    words = [atom.text for atom in s.atoms[max(0, m - 1) : m + 1]]
    if len(words) < 2 or words[0] not in ("of", "among") or words[1] not in ("which", "these", "them", "those"):
        return ""
    named = [one for start, one in sorted(s.mentions.items()) if start < m]
    return named[-1].name if named and named[-1].several else ""


def _narrow(s: Sentence, n: int, head: Mention | None) -> None:
    """'The largest of the nodules', 'nodules, the largest of which': goes on to speak of one of them."""
    if (
        head is not None
        and head.several
        and not head.explicit
        and (head.start > n + 1 or s.atoms[n].text.endswith("of the two"))
    ):
        of = s.atoms[n].text.endswith((" of", " of the two")) or s.atoms[n + 1].text in ("of", "among", "amongst")
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
        and (_is_apposed(s, n) or not s.phrases.behind_copula(n, s.subject))
    ):
        s.subject = replace(whole, start=-1 - n, end=n, several=False, every=False, part=None)


def _is_apposed(s: Sentence, n: int) -> bool:
    """'Five foci are outlined, the largest measuring 12 cm': not what they are said to be."""
    return [atom.text for atom in s.atoms[max(0, n - 2) : n]] == [",", "the"]


def _of_the_two(s: Sentence, n: int, end: int, said: str) -> bool:
    """'The larger of the two': of what was named last; False where it is no such phrase."""
    two = any(one.kind == "how many" and one.value == 2 for one in s.atoms[n + 1 : end])
    subject = s.subject
    if not two or s.phrases.counted(end) is not None or said not in ("largest", "smallest") or subject is None:
        return False
    named = (*s.phrases.earlier, *(one for start, one in sorted(s.mentions.items()) if start < n))
    rest = [one for one in pair_of(named) if one != subject.regions]
    if (twin := s.twin(subject)) is not None:
        rest = [twin.regions]
    if len(subject.regions) != 1 or len(rest) != 1:
        return False
    first, second = subject.regions[0], rest[0][0]
    first, second = (first, second) if said == "largest" else (second, first)
    s.say(c.Relation(regions=(first,), predicate="larger than", object=second))
    s.used.update(range(n + 1, end))
    return True


def _of_a_pair(s: Sentence, n: int, said: str) -> bool:
    """'The smaller of r4 and r8 is r8'."""
    pair = s.mentions.get(n + 1)
    told = _told_of(s, pair.end) if pair is not None and pair.explicit and len(pair.regions) == 2 else None
    if pair is None or told is None or len(told.regions) != 1 or said not in ("largest", "smallest"):
        return False
    rest = [one for one in pair.regions if one not in told.regions]
    if len(rest) != 1:
        s.unlicensed(s.atoms[n].text)
        return True
    first, second = (told.regions[0], rest[0]) if said == "largest" else (rest[0], told.regions[0])
    denied = any(atom.kind == "not" for atom in s.atoms[pair.end : told.start])
    s.say(c.Relation(regions=(first,), predicate="larger than", object=second), negated=denied)
    s.used.update(range(n + 1, told.end))
    return True


def _told_of(s: Sentence, n: int) -> Mention | None:
    """What is said to be the largest of them, where that stands behind: '… is r3'."""
    while n < len(s.atoms) and s.atoms[n].text in ("outlined", "marked", "annotated"):
        n += 1
    if n >= len(s.atoms) or s.atoms[n].text not in ("is", "being", "was", "remains", "is not"):
        return None
    m = n + 2 if n + 1 < len(s.atoms) and s.atoms[n + 1].text in ("the", "region", "that") else n + 1
    return s.mentions[m] if m in s.mentions and s.mentions[m].regions else None
