"""What is said of one of several regions, bound to the same one: 'a nodule in the lower left is round'.

A noun that fits several regions, without 'the' before its plural, means one of them; claims that are each borne out by
another region say nothing true of any. Knows nothing of truth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.statements import claims as c
from models.statements.reading.atoms import Atom
from models.statements.reading.mentions import Mention

_ANOTHER = {"another", "other", "others", "second", "some"}
"""Words by which a sentence turns to another of those that its noun fits."""
_JOINTS = {"and", ",", ";", "while", "whereas", "but"}
_INDEFINITE = {"a", "an", "one"}


@dataclass(frozen=True, slots=True)
class Said:
    """A claim, what it is said of, and the atom by which it was said."""

    claim: c.Claim
    of: Mention | None
    at: int


def bound(said: Sequence[Said], atoms: Sequence[Atom], none: Mention | None) -> list[c.Together]:
    """The claims of each subject that one region must bear out together; those of `none` that none does."""
    denied = [] if none is None else [one for one in said if one.of is not None and one.of.regions == none.regions]
    by_subject: dict[tuple[int, tuple[str, ...]], list[Said]] = {}
    for one in said:
        if one.of is not None and not one.of.explicit and c.scope(one.claim) == (one.of.regions, one.of.part):
            by_subject.setdefault((one.of.start, one.of.regions), []).append(one)
    return [
        c.Together(claims=tuple(one.claim for one in agreeing), outlined=not _is_loose(agreeing))
        for group in by_subject.values()
        for part in _parted(group, atoms)
        if (agreeing := _agreeing(part)) and _is_bound(agreeing, atoms)
    ] + [
        c.Together(claims=tuple(one.claim.turned() for one in part), negated=True)
        for part in _joined([one for one in denied if one.claim.negated and c.scope(one.claim) is not None], atoms)
        if len(part) > 1
    ]


def _joined(denied: list[Said], atoms: Sequence[Atom]) -> list[list[Said]]:
    """What none is at once: 'no nodule is round and dark' denies both of one, with 'or' each of all."""
    found: list[list[Said]] = []
    for one in denied:
        joint = [atom.text for atom in atoms[found[-1][-1].at + 1 : one.at]] if found else ["or"]
        if set(joint) & {"or", "nor", ",", ";"}:
            found.append([])
        found[-1].append(one)
    return found


def _is_bound(part: list[Said], atoms: Sequence[Atom]) -> bool:
    """Whether more than its name is said of it, or that something is not so of one: 'a nodule is not round'."""
    if _is_loose(part):
        return True
    telling = [one for one in part if not _names(one)]
    head = part[0].of
    if len(telling) != 1 or head is None:
        return len(telling) > 1
    if telling[0].at < 0:
        return False
    before = {atom.text for atom in atoms[max(0, head.start - 3) : max(0, head.start)]}
    return telling[0].claim.negated and head.part is None and bool(before & _INDEFINITE)


def _is_loose(part: list[Said]) -> bool:
    return any(one.of is not None and one.of.loose for one in part)


def _names(one: Said) -> bool:
    return isinstance(one.claim, c.Finding) and one.of is not None and one.claim.name == one.of.name


def _parted(group: list[Said], atoms: Sequence[Atom]) -> Iterator[list[Said]]:
    """Claims of the same one: 'one is round, another oval' tells of two, as 'the largest … and the smallest' does."""
    current: list[Said] = []
    for one in group:
        if current and (_turns(atoms, current[-1].at, one.at) or _ranks_another(current, one, atoms)):
            yield current
            current = []
        current.append(one)
    yield current


def _turns(atoms: Sequence[Atom], start: int, end: int) -> bool:
    for n in range(start + 1, end):
        if atoms[n].text in _ANOTHER or (atoms[n].text == "one" and atoms[n - 1].text in _JOINTS):
            return True
    return False


def _ranks_another(current: list[Said], one: Said, atoms: Sequence[Atom]) -> bool:
    before = [atom.text for atom in atoms[max(0, one.at - 2) : max(0, one.at)] if atom.text != "the"]
    if before and before[-1] not in _JOINTS:
        return False  # "The uppermost nodule is the largest."
    ranks = [told.claim for told in current if isinstance(told.claim, c.Rank)]
    return isinstance(one.claim, c.Rank) and any(
        (rank.word, rank.nth) != (one.claim.word, one.claim.nth) and not rank.negated for rank in ranks
    )


def _agreeing(part: list[Said]) -> list[Said]:
    """Without what no one region can be: 'opacities in the left and the right lung' are two, each in one."""
    several = any(one.of is not None and one.of.several for one in part)
    found = [one for one in part if not (several and one.claim.negated)]
    said: dict[tuple[str, ...], set[str]] = {}
    for one in found:
        aspect, value = _aspect(one.claim, several=several)
        said.setdefault(aspect, set()).add(value)
    return [one for one in found if len(said[_aspect(one.claim, several=several)[0]]) < 2]


def _aspect(claim: c.Claim, *, several: bool) -> tuple[tuple[str, ...], str]:
    """What it tells something about, and what it tells; of one region only places are taken for two."""
    if isinstance(claim, c.Place) and not claim.negated:
        return ("place", claim.axis, claim.frame), claim.end
    if several and isinstance(claim, c.Word):
        return ("word", claim.aspect), claim.word
    if several and isinstance(claim, c.Level):
        return ("level", claim.scale, claim.against), claim.direction
    if several and isinstance(claim, c.Size):
        return ("size", claim.measure, claim.unit), str(claim.values)
    return (claim.told(),), ""
