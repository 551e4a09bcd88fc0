"""What is said again of another region without its words: 'r1 is oval and so is r2', 'r2 is not', 'r2 likewise'."""

from models.statements import claims as c
from models.statements.reading.mentions import Mention
from models.statements.reading.sentence import Sentence

TOO = {"as well", "too", "likewise", "also", "similarly"}
AUXILIARIES = {"is", "are", "was", "were", "does", "do", "did", "has", "have", "can"}
_ENDS = {",", ";", "but", "while", "whereas", "and", "although", "though", ")"}


def ends_clause(s: Sentence, n: int) -> bool:
    """Whether a clause ends before n."""
    return n >= len(s.atoms) or s.atoms[n].text in _ENDS


def again(s: Sentence, n: int) -> None:
    """'so is r2', 'nor does r2', 'the same holds for r2'."""
    m = n + 1
    while m < len(s.atoms) and s.atoms[m].text in ("the", "region", "of", "for", "with", "a"):
        m += 1
    mention = s.mentions.get(m)
    if mention is None or not mention.regions or not ends_clause(s, mention.end):
        if not s.atoms[n].text.startswith("as "):
            s.unlicensed(s.atoms[n].text)
        return
    if not s.repeat(mention, alike=True):
        s.unlicensed(s.atoms[n].text)
    s.used.update(range(mention.start, mention.end))


def beside(s: Sentence, n: int) -> None:
    """'r1, as well as r4, is oval', and behind what is said: 'r1 is oval, as well as r4'."""
    m = n + 2 if n + 1 < len(s.atoms) and s.atoms[n + 1].text in ("the", "region", "a") else n + 1
    mention = s.mentions.get(m)
    if mention is None or not mention.regions or s.subject is None or not s.subject.regions:
        return
    if mention.name:
        s.say(c.Finding(regions=mention.regions, every=mention.several, name=mention.name), negated=False)
    if not s.repeat(mention, alike=True):
        s.beside = mention
    s.used.update(range(n, mention.end))


def too(s: Sentence, n: int) -> None:
    """'r2 is too', 'r2 likewise': what was said last, of what was named since."""
    mention = bare_subject(s, n)
    if mention is not None and ends_clause(s, n + 1):
        s.repeat(mention, alike=True)


def after_all(s: Sentence, n: int) -> None:
    """'r1 is not oval, whereas r2 is': what was denied last is so of what was named since."""
    subject = s.subject
    if subject is None or n != subject.end or not subject.explicit or not ends_clause(s, n + 1):
        return
    before = s.atoms[subject.start - 1].text if subject.start else ""
    if before in ("whereas", "while", "but", "although", "though", ",", ";") and s.said and s.said[-1].negated:
        s.repeat(subject)


def bare_subject(s: Sentence, n: int) -> Mention | None:
    """The subject, where nothing but an auxiliary stands between it and n."""
    subject = s.subject
    if subject is None or not subject.regions or not 0 <= n - subject.end <= 2:
        return None
    return subject if all(s.atoms[m].text in AUXILIARIES for m in range(subject.end, n)) else None
