"""What is told to hold, or find, nothing, turned to what is denied: 'the right hemisphere contains no tumour'."""

from dataclasses import replace

from models.statements.reading.atoms import Atom
from models.statements.reading.mentions import HOLDING
from models.statements.table import table

_HOLDING = {*HOLDING, "is", "are", "remains", "appears"}
_ARTICLES = {"a", "an", "any", "the", "other"}
_WHO = {"expert", "experts", "one", "reader", "readers", "observer", "detector", "model", "algorithm"}
_FINDING = {"found", "finds", "saw", "sees", "marked", "marks", "outlined", "outlines", "detected", "detects", "noted"}
_JOINTS = {",", ";", "but", "while", "whereas", "and", "or", ":"}


def turned(atoms: list[Atom]) -> list[Atom]:
    """'No tumour in the right hemisphere' for 'the right hemisphere contains no tumour'; any other as it stands.

    So too 'no tumour' for 'no expert found a tumour'.
    """
    if len(atoms) > 3 and atoms[0].kind == "no" and atoms[1].text in _WHO and atoms[2].text in _FINDING:
        rest = atoms[3:]
        while rest and rest[0].text in _ARTICLES:
            rest = rest[1:]
        return atoms if any(atom.kind == "ref" for atom in rest) else [atoms[0], *rest]
    k = _place(atoms)
    if k is None or k >= len(atoms):
        return atoms
    denied = atoms[k].kind == "not"
    verb = k + 1 if denied else k
    free = atoms[k].kind == "no"  # "Is free of", in one phrase.
    if not free:
        if verb >= len(atoms) or atoms[verb].text not in _HOLDING:
            return atoms
        verb += 1
        if not denied and (verb >= len(atoms) or atoms[verb].kind != "no"):
            return atoms
    rest = atoms[verb if denied else verb + 1 :]
    while rest and rest[0].text in _ARTICLES:
        rest = rest[1:]
    if not rest or any(atom.text in _JOINTS or atom.kind in ("place", "no", "not") for atom in rest):
        return atoms
    no = Atom("no", True, atoms[k].start, atoms[k].end, "no")
    inside = Atom("neutral", None, atoms[0].start, atoms[0].start, "in")
    return [no, *rest, inside, *[replace(atom) for atom in atoms[:k]]]


def _place(atoms: list[Atom]) -> int | None:
    """Where the place ends that a sentence begins with."""
    words = {
        "the",
        "this",
        "of",
        "patient",
        "'s",
        "brain",
        "body",
        "lung",
        *table().placing.parts,
        *table().placing.shown,
    }
    k = 0
    while k < len(atoms) and (atoms[k].kind in ("place", "organ") or atoms[k].text in words):
        k += 1
    return k if any(atom.kind == "place" for atom in atoms[:k]) else None
