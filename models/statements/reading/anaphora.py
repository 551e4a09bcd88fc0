"""Words for what was named before: "the former", "both", "neither", "the other", "the rest". Claims nothing."""

from collections.abc import Sequence
from dataclasses import replace

from models.statements.facts import Facts
from models.statements.reading.atoms import Atom
from models.statements.reading.mentions import VERBS, Mention

_REST = {"rest", "others", "remaining", "remainder"}
_ONES = {"one", "ones", "region", "regions", "area", "areas", "focus", "foci", "lesion", "lesions"}


def referred(atoms: list[Atom], n: int, named: Sequence[Mention], facts: Facts) -> Mention | None:
    """The regions that the word at n stands for, of those that were named before it; None where it stands for none.

    Args:
        atoms: of the sentence.
        n: index of the word.
        named: what was named before it, in order, in the sentence before too.
        facts: of the image.
    """
    text = atoms[n].text
    before = atoms[n - 1].text if n else ""
    pair = pair_of(named)
    if text in ("former", "latter") and before == "the":
        if len(pair) != 2:
            return None
        return _named(pair[0] if text == "former" else pair[1], n, _end(atoms, n))
    if (text in ("both", "neither") or (text == "two" and before == "the")) and _stands_alone(atoms, n):
        regions = tuple(dict.fromkeys(one for regions in pair for one in regions))
        return _named(regions, n, n + 1) if len(regions) == 2 else None
    if (
        text == "other"
        and before == "the"
        and _end(atoms, n) == n + 1
        and (whole := _one_of(atoms, n, named)) is not None
    ):
        return replace(whole, start=n, end=n + 1, several=False, every=False, part=None)
    if (text in _REST or text == "other") and before in ("the", "all"):
        return _others(atoms, n, named, facts)
    return None


def _one_of(atoms: list[Atom], n: int, named: Sequence[Mention]) -> Mention | None:
    """The two of which 'one' was told of before: 'one lies on the left and the other on the right'."""
    last = named[-1] if named else None
    if last is None or last.explicit or not last.name or len(last.regions) != 2:
        return None
    ones = [m for m in range(last.end if last.start >= 0 else 0, n) if atoms[m].text == "one"]
    before = [atom.text for atom in atoms[max(0, last.start - 4) : max(0, last.start)]]
    return last if any(atoms[m + 1].kind != "finding" for m in ones) or before[:2] == ["one", "of"] else None


def pair_of(named: Sequence[Mention]) -> list[tuple[str, ...]]:
    """The two that were named last, in order: two regions named together, or one after the other."""
    # "A lung field" is one, though it fits two.
    last = [one for one in named if one.several or len(one.regions) == 1]
    if last and len(last[-1].regions) == 2:
        return [(one,) for one in last[-1].regions]
    single = list(dict.fromkeys(one.regions for one in last if len(one.regions) == 1))
    return single[-2:]


def _others(atoms: list[Atom], n: int, named: Sequence[Mention], facts: Facts) -> Mention | None:
    """Those that were not named, of what is called as they are, else of all."""
    told = {one for mention in named for one in mention.regions}
    end = _end(atoms, n)
    if not told or (end == n + 1 < len(atoms) and atoms[n + 1].kind not in ("neutral", "mark")):
        return None
    alike = [one for one in facts.regions if one not in told and any(facts.names[one] & facts.names[it] for it in told)]
    left = tuple(one for one in facts.regions if one not in told)
    if atoms[n].text == "other":
        single = alike if len(alike) == 1 else left
        return _named((single[0],), n, end) if len(single) == 1 else None
    return _named(left, n, end) if left else None


def _named(regions: tuple[str, ...], n: int, end: int) -> Mention:
    several = len(regions) > 1
    return Mention(regions, "", True, several, n, end, several)


def _end(atoms: list[Atom], n: int) -> int:
    return n + 2 if n + 1 < len(atoms) and atoms[n + 1].text in _ONES else n + 1


def _stands_alone(atoms: list[Atom], n: int) -> bool:
    """Whether no noun follows: 'both are round', 'both of them lie …'."""
    follows = atoms[n + 1] if n + 1 < len(atoms) else None
    return follows is not None and (follows.text.split(" ")[0] in VERBS or follows.kind == "relation")
