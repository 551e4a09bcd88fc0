"""What 'respectively' deals out: 'r1 and r3 measure 36 mm and 27 mm, respectively'. Claims nothing."""

from dataclasses import replace

from models.statements.reading.mentions import Mention
from models.statements.reading.sentence import Sentence

_DEALT = {"quantity", "word", "level", "place", "share"}


def deal(s: Sentence) -> None:
    """Each of the phrases before 'respectively' to the region that stands at its place; else it is not licensed."""
    at = next((n for n, atom in enumerate(s.atoms) if atom.text == "respectively"), None)
    if at is None:
        return
    named = _named(s, at)
    start = max((one.end for one in named), default=0)
    phrases = [n for n in range(start, at) if s.atoms[n].kind in _DEALT]
    if len(named) < 2 or len(phrases) != len(named) or len({s.atoms[n].kind for n in phrases}) != 1:
        s.unlicensed("respectively")
        return
    s.dealt = dict(zip(phrases, named, strict=True))


def _named(s: Sentence, end: int) -> list[Mention]:
    """The regions that are named before it, one by one."""
    found: list[Mention] = []
    for start, one in sorted(s.mentions.items()):
        if start < end:
            apart = one.explicit or len(one.regions) == 1
            found += (
                [replace(one, regions=(each,), several=False, every=False) for each in one.regions] if apart else []
            )
    return found
