"""Phrases that say nothing by themselves: verbs, marks, denials, counts of a following noun, and unknown words."""

from dataclasses import replace

from models.statements import claims as c
from models.statements.measures import looked_for_level
from models.statements.reading import comparisons, ellipsis
from models.statements.reading.mentions import COMPARING, OPPOSING, PREPOSITIONS, VERBS, Mention
from models.statements.reading.saying import Open
from models.statements.reading.sentence import Sentence, is_mere_name
from models.statements.tokens import FRACTIONS

_COMPARED = {"level", "word", "relation", "ratio", "bound", "share", "not"}
"""Phrases that 'than' goes with; behind others it compares what cannot be read."""
_FILLED = {"filled", "covered", "occupied", "taken", "full", "made", "replaced", "inside", "within", "outside", "in"}
_FURTHER = {"further", "another", "additional", "second"}


_SCARCELY, _FEW = {"hardly", "barely", "scarcely", "almost", "virtually", "practically", "nearly", "next"}, 2
_COMPARATIVES = {"more", "less"}
_BEHIND_MORE = {"or", "than", "precisely", "specifically", "exactly", "x", "probably", "likely"}
_GOES_ON = {
    "that", "which", "covering", "occupying", "measuring", "spanning", "having", "showing", "exhibiting", "displaying",
    "located", "situated", "lying", "constituting", "comprising", "containing", "marked", "outlined", "annotated",
}  # fmt: skip
"""Words behind a noun by which more is told of it."""


def _one_more(s: Sentence, n: int) -> None:
    """'A further nodule', 'another nodule': there is more than one."""
    head = s.phrases.next_mention(n + 1)
    if head is not None and head.name and not head.explicit and not head.several:
        s.say(c.Count(name=head.name, n=1, further=True))


def neutral(s: Sentence, n: int) -> None:
    """Words of the neutral list: some end a denial."""
    atom = s.atoms[n]
    if atom.text in FRACTIONS and n and s.atoms[n - 1].text in ("a", "one", "two", "three", "nearly", "almost"):
        s.unlicensed(atom.text)  # A part that no number was made of.
    if atom.text in FRACTIONS and n + 1 < len(s.atoms) and s.atoms[n + 1].text.split(" ")[0] in _FILLED:
        s.unlicensed(atom.text)  # "Half filled by r1."
    if atom.text == "half" and n and s.atoms[n - 1].text == "other":
        s.unlicensed("the other half")
    if atom.text == "between" and n and s.phrases.next_mention(n + 1) is not None:
        s.unlicensed(atom.text)  # "Lies between r1 and r2."
    if atom.text == "than" and not any(one.kind in _COMPARED for one in s.atoms[:n]):
        s.unlicensed(atom.text)
    if atom.text in _COMPARATIVES and (n + 1 == len(s.atoms) or s.atoms[n + 1].text not in _BEHIND_MORE):
        s.unlicensed(atom.text)  # "Less contrast than before".
    if atom.text == "so" and n and s.atoms[n - 1].kind == "degree":
        s.unlicensed(s.atoms[n - 1].text)  # "…, and strikingly so": of what was said before.
    if atom.text == "none" and s.subject is not None and _is_placed(s, n + 1):
        s.denied_next = True  # "An opacity on the left but none on the right."
    if atom.text in ("former", "latter"):
        s.unlicensed(atom.text)
    if atom.text == "only" and s.atoms[n - 1].text == "the" and s.phrases.is_any_noun(n + 1):
        s.only, s.only_next = s.subject, s.subject is None
    sole = s.phrases.next_mention(n + 1) if atom.text == "only" and s.atoms[n - 1].text == "the" else None
    if sole is not None and sole.name and not sole.several:
        s.say(c.Count(name=sole.name, n=1), negated=False)
    if atom.text in _FURTHER and (atom.text == "another" or (n and s.atoms[n - 1].text in ("a", "an"))):
        _one_more(s, n)
    if atom.text == "which" and n and s.atoms[n - 1].text == ",":
        s.turn_to_the_last(n - 1)
    elif atom.text in _GOES_ON and n:
        s.turn_to_the_object(n)
    elif atom.text == "," and s.resumed is not None:
        s.subject, s.resumed = s.resumed, None
    if n == 0 and atom.text in ("of", "between", "among"):
        comparisons.pair(s)
    if atom.text in COMPARING | OPPOSING:
        comparisons.front(s, n)
    if atom.text in ellipsis.AUXILIARIES:
        ellipsis.after_all(s, n)
    if atom.text in ellipsis.TOO:
        ellipsis.too(s, n)
    if atom.text in (";", "but", "while", "whereas", "although", "though", "however"):
        s.drop_denial()
        s.denied = False
    elif atom.text in (",", "and"):
        s.denied = False
    elif atom.text in VERBS and s.denied_next and s.atoms[n - 1].kind != "no":
        s.drop_denial()


def _is_placed(s: Sentence, n: int) -> bool:
    """Whether a place follows: 'on the right'."""
    behind = [atom for atom in s.atoms[n : n + 3] if atom.text not in ("the", "patient")]
    return len(behind) > 1 and behind[0].text in PREPOSITIONS and behind[1].kind == "place"


def mark(s: Sentence, n: int) -> None:
    """Commas and semicolons end clauses."""
    if s.atoms[n].text in (";", ","):
        neutral(s, n)


def nothing(s: Sentence, n: int) -> None:
    """What other phrases look at."""


_DIMENSIONS = {"long", "wide", "thick"}


def measure(s: Sentence, n: int) -> None:
    """What a number is of; without any 'long' and 'wide' claim something that no number tells."""
    if s.atoms[n].text in _DIMENSIONS and not any(one.kind in ("quantity", "ratio", "bound") for one in s.atoms):
        s.unlicensed(s.atoms[n].text)


def about(s: Sentence, n: int) -> None:
    """'about', before no number: 'a solid component' is none of 'a solid third'."""
    if s.atoms[n].text in ("a good", "a full", "a solid"):
        s.unlicensed(s.atoms[n].text)
    neutral(s, n)


def unknown(s: Sentence, n: int) -> None:
    """A word that no phrase licenses."""
    s.unlicensed(s.atoms[n].text)
    s.denied_next = False


def unread(s: Sentence, n: int) -> None:
    """A number that nothing belongs to."""
    s.unlicensed(s.atoms[n].text)


def unit(s: Sentence, n: int) -> None:
    """A unit without a number; of pixels it may be told how wide they are."""
    near = s.atoms[max(0, n - 1) : n + 8]
    if s.atoms[n].value == "px" and any(one.kind == "quantity" and one.value.unit not in ("", "px") for one in near):
        return
    if s.atoms[n].text not in ("t", "hounsfield"):
        s.unlicensed(s.atoms[n].text)


def deny(s: Sentence, n: int) -> None:
    """'not': what follows, up to the end of the clause."""
    behind = s.atoms[n + 1] if n + 1 < len(s.atoms) else None
    if s.atoms[n].text.endswith("far from") and behind is not None and behind.text == "the":
        s.unlicensed(s.atoms[n].text)  # "Far from the polyp": how far is not said.
        return
    related = behind is not None and behind.kind == "relation"  # "Is not inside r1."
    m = n + 2 if behind is not None and not related and behind.text in PREPOSITIONS | {"for"} else n + 1
    mention = s.mentions.get(m)
    if mention is not None and mention.explicit and not mention.name and s.said:
        s.repeat(mention)
        s.used.update(range(mention.start, mention.end))
        return
    behind = mention is not None and mention.end < len(s.atoms) and s.atoms[mention.end].text == ","
    if mention is not None and mention.explicit and not mention.name and s.subject and behind:
        s.instead = mention
        s.used.update(range(mention.start, mention.end))
        return
    if s.atoms[n].text == "neither" and mention is not None and _lies_in_neither(s, n, mention):
        return
    if s.atoms[n].text == "neither" and (both := _neither(s, n)) is not None:
        s.deny_of(both)
        return
    if s.atoms[n].text == "neither" and mention is not None and mention.name and len(mention.regions) == 2:
        s.deny_of(mention)  # "Neither lung field contains an opacity."
        s.used.update(range(n + 1, mention.end))
        return
    bare = ellipsis.bare_subject(s, n)
    if bare is not None and ellipsis.ends_clause(s, n + 1) and s.repeat(bare):
        return
    s.denied = s.idle = True


def _lies_in_neither(s: Sentence, n: int, mention: Mention) -> bool:
    """'The opacity lies in neither lung field'."""
    if s.subject is None or not n or s.atoms[n - 1].text not in ("in", "inside", "within") or not mention.regions:
        return False
    inside = replace(s.atoms[n], kind="relation", value=("inside", False))
    s.related(Open(inside, s.subject, True), s.subject, replace(mention, several=True, every=True))
    s.used.update(range(n + 1, mention.end))
    return True


def _neither(s: Sentence, n: int) -> Mention | None:
    """What 'neither … nor …' names, together."""
    starts = [m for m in sorted(s.mentions) if n < m <= n + 8][:2]
    if len(starts) < 2 or not any(s.atoms[m].text == "nor" for m in range(s.mentions[starts[0]].end, starts[1])):
        return None
    first, second = (s.mentions[m] for m in starts)
    if first.start > n + 2 or not first.regions or not second.regions:
        return None
    s.used.update(range(n, second.end))
    return Mention((*first.regions, *second.regions), "", True, True, n, second.end, True)


def untrue(s: Sentence, n: int) -> None:
    """'It is not true that': the whole of what follows."""
    s.untrue = not s.untrue


def deny_next(s: Sentence, n: int) -> None:
    """'no': the next thing; 'no other' counts."""
    s.denied_next = True
    text = s.atoms[n].text
    if text.split(" ")[0] in _SCARCELY:
        s.unlicensed(text)  # How few there are is not told: where there are several it is false, else left open.
        head = s.phrases.next_mention(n + 1)
        s.denied_next = head is not None and len(head.regions) > _FEW
        return
    if text in ("no", "none of", "neither of") and (head := _told_of(s, n)) is not None:
        s.used.update(range(n + 1, head.end))
        if not head.name and not _tells(s, head.end, "finding", "disease"):
            s.denied_next = False
            s.say(c.Count(name="", n=0), negated=False)
        else:
            s.deny_of(head)
        return
    if (name := _level_of_none(s, n)) is not None:
        s.denied_next = False
        s.say_none(name, negated=False)
        return
    behind = s.atoms[n + 1].text if n + 1 < len(s.atoms) else ""
    if text == "nothing" and not s.facts.regions and not s.mentions and (n or behind not in PREPOSITIONS):
        s.denied_next = False
        s.say(c.Count(name="", n=0), negated=False)
        return
    if text == "nothing" and not n and behind in PREPOSITIONS:
        s.unlicensed(text)  # "Nothing in this image is a brain": a denial of what stands behind the verb.
    if text in ("no other", "no further", "no additional", "no second", "no more"):
        head = s.phrases.next_mention(n + 1)
        if head is not None and head.name and head.regions and not head.explicit:
            s.denied_next = False
            if not s.is_report and not any(s.facts.region(one).kind == "source annotation" for one in head.regions):
                s.unlicensed(text)  # An expert may have missed it.
            s.say(c.Count(name=head.name, n=1), negated=False)
            s.subject = head
            s.used.update(range(head.start, head.end))


def _level_of_none(s: Sentence, n: int) -> str | None:
    """What there is none of where a level is all that is named: 'no increased uptake is seen'."""
    if s.subject is not None or any(start > n for start in s.mentions):
        return None
    m = next((m for m in range(n + 1, min(n + 5, len(s.atoms))) if s.atoms[m].kind == "level"), None)
    if m is None or any(s.atoms[k].kind in ("unknown", "disease") for k in range(n + 1, len(s.atoms))):
        return None
    scale, direction, _ = s.atoms[m].value
    name = looked_for_level(s.facts, scale, direction)
    s.used |= {m} if name else set()
    return name


_TELLING = {
    "word", "level", "share", "place", "quantity", "relation", "rank", "spread", "sides", "goes on", "marks", "pieces",
    "crowding", "gradient", "ratio", "mutual",
}  # fmt: skip


def _told_of(s: Sentence, n: int) -> Mention | None:
    """What 'no' stands before, where something is then told of it: 'no nodule is round'; else there is none of it."""
    m = n + 1
    while m < len(s.atoms) and (
        s.atoms[m].text in ("of", "the", "these", "those", "marked", "outlined") or s.atoms[m].kind == "how many"
    ):
        m += 1
    head = s.mentions.get(m)
    if head is None or not head.regions or head.explicit or (head.name and not _tells(s, head.end)):
        return None
    return head


def _tells(s: Sentence, n: int, *further: str) -> bool:
    """Whether something is told of regions from here to the end of the clause; `further`: kinds that tell too."""
    for atom in s.atoms[n:]:
        if atom.text in (";", "but", "while", "whereas"):
            return False
        if atom.kind in _TELLING or atom.kind in further:
            return True
    return False


def _named_last(s: Sentence, n: int) -> Mention | None:
    """What was named last before n, where 'none' can stand for it."""
    before = [one for start, one in sorted(s.mentions.items()) if start < n]
    return before[-1] if before and before[-1].name and not before[-1].explicit else None


def absent(s: Sentence, n: int) -> None:
    """'absent', 'has been excluded': of what was named before it, else as 'no' of what comes next."""
    last = s.reading.claims[-1] if s.reading.claims else None
    if s.subject is not None and s.subject.name and not s.subject.explicit:
        s.reading.claims[:] = [one for one in s.reading.claims if not is_mere_name(one, s.subject.name)]
        s.say_none(s.subject.name)
    elif isinstance(last, c.Disease) and not last.negated and last in s.said:
        s.say(last.turned())
    elif (named := _named_last(s, n)) is not None:
        s.say_none(named.name, negated=False)  # "Neither field contains an opacity, and none was found."
    else:
        s.denied_next = True
