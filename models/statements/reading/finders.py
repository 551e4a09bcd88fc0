"""Who found or marked a region: the source, an expert."""

from models.statements import claims as c
from models.statements.reading.mentions import Mention
from models.statements.reading.sentence import Sentence
from models.statements.table import table


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
    if before and (told := _told_before(s, n)) is not None:
        s.say(marked(told), negated=s.take_denial(), of=told)  # "The lesion that the source marks is round."
        return
    if not before and named is not None and s.subject is not None:
        # "Larger than the tumour marked by the source": what stands right before it.
        s.say(marked(named), negated=s.take_denial() != s.denies(named), of=named)
    else:
        s.pending.append((marked, False))


def _told_before(s: Sentence, n: int) -> Mention | None:
    """What stands right before 'the source marks', or 'which the source marks', where nothing stands behind it."""
    m = n - (n > 0 and s.atoms[n - 1].text in ("that", "which"))
    m -= m < n and m > 0 and s.atoms[m - 1].text == ","
    named = next((one for one in s.mentions.values() if one.end == m and one.regions), None)
    return named if s.atoms[n].text.startswith("the source ") and s.phrases.next_mention(n + 1) is None else None


def source(s: Sentence, n: int) -> None:
    """'The source's lung field r1': it marks what is named behind it; in other words others look at it."""
    named = s.phrases.next_mention(n + 1) if s.atoms[n].text.split(" ")[-2:] == ["source", "'s"] else None
    if named is not None and named.regions:
        s.say(c.Marked(regions=named.regions, every=named.every, by="source"), negated=False, of=named)


def expert(s: Sentence, n: int) -> None:
    """An expert by its words: it found what is spoken of, or what is named next."""
    by = str(s.atoms[n].value)
    denied = any(atom.kind in ("not", "no", "absent") for atom in s.atoms)
    if denied and not any(one.regions for one in s.mentions.values()):
        # "The expert on brain signal came across no bright focus."
        for name in {one.name for one in s.mentions.values()} if by != "expert" else ():
            s.say(c.Proposed(by=by, name=name, n=0), negated=False)
        return
    _by(s, by)


def proposed(s: Sentence, n: int) -> None:
    """'proposed', of no one: an expert did; 'proposed as a candidate': for a finding."""
    follows = [atom for atom in s.atoms[n + 1 : n + 5] if atom.text not in ("by", "as", "a")]
    if follows and follows[0].kind == "expert":
        return
    by = "candidate" if "candidate" in s.atoms[n].text and _may_be(s) else "expert"
    if n and s.atoms[n - 1].kind == "source":
        by = "source"  # "The source proposes r2."
    s.say_of(n, lambda target: c.Marked(regions=target.regions, every=target.every, by=by), n + 1)


def _may_be(s: Sentence) -> bool:
    """Whether what is spoken of can be a candidate for a finding, which no structure and no tissue is."""
    regions = s.subject.regions if s.subject is not None else ()
    return any(table().called(s.facts.region(one).label).role == "finding" for one in regions)


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
        s.say(marked(s.subject), negated=s.take_denial() != s.denies(s.subject))
    else:
        s.pending.append((marked, False))
