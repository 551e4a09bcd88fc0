"""What is said of the whole image: modality, plane, view, contrast agent, organ, disease."""

from models.statements import claims as c
from models.statements.reading.mentions import GROWTHS, Mention
from models.statements.reading.sentence import Sentence


def modality(s: Sentence, n: int) -> None:
    """The kind of image."""
    kind, denied = c.endoscopy(s.atoms[n].text), s.take_denial()
    if kind is None or not denied:
        s.say(c.Modality(word=s.atoms[n].value), negated=denied)
    if kind is not None:
        s.say(kind, negated=denied)  # "This is no colonoscopy" tells nothing of endoscopy.


def plane(s: Sentence, n: int) -> None:
    """The plane of a slice."""
    s.say(c.Plane(word=s.atoms[n].value))


def weighting(s: Sentence, n: int) -> None:
    """What an MR image is weighted for."""
    s.say(c.Weighting(word=s.atoms[n].value))


def view(s: Sentence, n: int) -> None:
    """A radiographic view."""
    s.say(c.View(word=s.atoms[n].value))


def agent(s: Sentence, n: int) -> None:
    """With or without a contrast agent."""
    s.say(c.ContrastAgent(given=s.atoms[n].value))


def organ(s: Sentence, n: int) -> None:
    """An organ or a part of the body."""
    s.say(c.Structure(organ=s.atoms[n].value, beside=s.phrases.beside(n)))


def disease(s: Sentence, n: int) -> None:
    """What the image is said to show; of regions by id, what they are."""
    if s.atoms[n].value == "healthy" and s.phrases.is_compared(n) and _is_of_a_noun(s, n + 1):
        return  # "Brighter than the normal brain", and not "labels the breast as healthy".
    if s.atoms[n].value == "healthy" and n and s.atoms[n - 1].text.split(" ")[-1] == "than":
        s.unlicensed(s.atoms[n].text)  # "Brighter than normal": of what was not measured.
        return
    ids, _ = s.phrases.ids(n + 1, skip=True)
    denied = s.take_denial()
    if ids and s.atoms[n].value != s.facts.metadata.disease:
        s.say(c.Finding(regions=ids, name=s.atoms[n].value), negated=denied)
        return
    claim = c.Disease(name=s.atoms[n].value)
    s.say(claim, negated=denied)
    if not denied and s.subject is None and (marked := _marked(s, claim, n)) is not None:
        s.speak_of(marked)


_NOUNS = {"tissue", "skin", "mucosa", "parenchyma", "part", "parts", "side", "structures", "background", "one"}


def _is_of_a_noun(s: Sentence, n: int) -> bool:
    """Whether a noun stands behind 'normal' for what is compared with."""
    behind = s.atoms[n] if n < len(s.atoms) else None
    return n in s.mentions or (behind is not None and (behind.kind in ("organ", "around") or behind.text in _NOUNS))


def _marked(s: Sentence, claim: c.Disease, n: int) -> Mention | None:
    """The one region that the source marks as what its disease is."""
    if not claim.judge(s.facts).truth:
        return None
    marked = [
        one
        for one, (_, region) in s.facts.regions.items()
        if region.kind == "source annotation" and s.facts.names[one] & GROWTHS
    ]
    return Mention(tuple(marked), "", False, False, n, n + 1) if len(marked) == 1 else None


def localizer(s: Sentence, n: int) -> None:
    """That slices were planned from it."""
    s.say(c.Localizer())
