"""A sentence is written until it reads back: of a plan's wordings the first that says exactly what it was made of."""

from dataclasses import replace

from models.describers.plans import Plan
from models.statements.claims import Claim, Finding, OfRegions
from models.statements.facts import Facts
from models.statements.reading import read
from models.statements.voice import Voice
from models.statements.writing import Piece, sentence
from schemas.triplets import Evidence, Statement

TRIES = 24
"""Wordings of a sentence that are tried until one reads back to its claims."""
OVERHANG = 15
"""Words by which the last sentence may go beyond what is left."""


class Budget:
    """Words that are left."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, statement: Statement | None) -> Statement | None:
        """The statement, where there is room for it."""
        if statement is None or self.left <= 0 or length_of(statement) > self.left + OVERHANG:
            return None
        self.left -= length_of(statement)
        return statement


def length_of(statement: Statement) -> int:
    """Words."""
    return len(statement.text.split())


def written(plan: Plan, facts: Facts, seed: str) -> Statement | None:
    """A sentence by a plan, in the first wording that reads back to exactly what it was written from."""
    for attempt in range(TRIES):
        piece = plan(Voice(f"{seed}:{attempt}"))
        if piece is None:
            continue
        text = sentence(piece.text)
        if reads_back(text, piece, facts):
            evidence = evidence_of(piece, facts)
            if evidence:
                return Statement(text=text, evidence=evidence)
    return None


def reads_back(text: str, piece: Piece, facts: Facts) -> bool:
    """Whether a text is read as the claims that it was written from, all of which the facts bear out.

    An indefinite noun is read as one of all that are called so; it was written of one of them.
    """
    reading = read(text, facts)
    return (
        not reading.unlicensed
        and {_meant(claim, piece) for claim in reading.claims} == set(piece.claims)
        and all(claim.judge(facts).truth is True for claim in (*reading.claims, *piece.claims))
    )


def _meant(claim: Claim, piece: Piece) -> Claim:
    """A claim of one of several, as 'a nodule' makes, as the claim of the one that it was written of."""
    # A name fits each that it is said of: "nuclei" names all of them, though one mark of many was meant.
    if not isinstance(claim, OfRegions) or len(claim.regions) < 2 or (claim.every and not isinstance(claim, Finding)):
        return claim
    for one in piece.claims:
        if isinstance(one, OfRegions) and set(one.regions) <= set(claim.regions):
            every = one.every if isinstance(claim, Finding) else claim.every
            if replace(claim, regions=one.regions, every=every) == one:
                return one
    return claim


def evidence_of(piece: Piece, facts: Facts) -> tuple[Evidence, ...]:
    """Every fact that the claims of a piece rest on, and beside the name of a region who says that it is there."""
    pointers: dict[str, None] = {}
    for pointer in (pointer for claim in piece.claims for pointer in claim.judge(facts).pointers):
        pointers[pointer] = None
        if pointer.startswith("/regions/") and pointer.endswith("/label"):
            pointers[f"{pointer.removesuffix('label')}expert"] = None
    return tuple(item for pointer in pointers if (item := facts.evidence(pointer)) is not None)
