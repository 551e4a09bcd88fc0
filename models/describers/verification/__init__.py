"""Verification: no statement is believed before what it says was held against metadata and measurements.

The sentence itself is read, not only what its author claims of it: modalities, planes, organs, sides, places,
relations, other slices, counts, sizes and intensities are found in the text and checked one by one. What is checked,
and what passes unseen, stands in docs/describing.md. Knows nothing of models or servers.
"""

import re
from collections.abc import Sequence

from models.describers.answer import Claim, Draft
from models.describers.facts import Facts
from models.describers.verification.claims import check_claim
from models.describers.verification.language import check_language
from models.describers.verification.numbers import check_counts, check_counts_of_labels, check_quantities
from models.describers.verification.places import check_places, check_relations, check_surroundings
from models.describers.verification.reading import REGION, Reading, fold
from models.describers.verification.slices import check_slices
from models.describers.verification.words import check_body, check_kind, check_labels
from schemas.triplets import Evidence, Verdict

VERSION = "3"
"""Part of the prompt's version: raise it when the same statement would get another verdict."""

_QUOTED = re.compile(r"“([^”]*)”")
_CITES = re.compile(r"/regions/(\d+)(?:/|$)")


def verify(text: str, pointers: Sequence[str], claims: Sequence[Claim], facts: Facts) -> Verdict:
    """Hold one sentence against the facts.

    Args:
        text: as it is to be published.
        pointers: its evidence.
        claims: what its author says that it claims; () for a sentence written from measurements.
        facts: of its image.
    """
    cited = frozenset(int(match[1]) for pointer in pointers if (match := _CITES.match(pointer)))
    reading = Reading(text, facts, cited)
    for number, pointer in enumerate(pointers, 1):
        if pointer not in facts.values:
            reading.doubt(f"its evidence number {number} points at nothing")
    _quotations(reading, pointers)
    for name in dict.fromkeys(REGION.findall(reading.rest)):
        if name not in facts.regions:
            reading.contradict(f"there is no region {name}")
    check_slices(reading)
    check_counts_of_labels(reading)
    check_labels(reading)
    check_kind(reading)
    check_language(reading)
    check_places(reading)
    check_relations(reading)
    check_surroundings(reading)
    check_quantities(reading)
    check_counts(reading)
    check_body(reading)
    for claim in claims:
        check_claim(reading, claim)
    result = fold(reading.findings)
    return Verdict(outcome=result.outcome, reason=result.reason, pointers=result.pointers)


def verify_draft(draft: Draft, facts: Facts) -> tuple[Verdict, tuple[Evidence, ...]]:
    """The verdict on a model's statement, and that of its evidence which is there."""
    evidence = (facts.evidence(pointer) for pointer in dict.fromkeys(draft.evidence))
    return verify(draft.text, draft.evidence, draft.claims, facts), tuple(one for one in evidence if one is not None)


def _quotations(reading: Reading, pointers: Sequence[str]) -> None:
    """Words in quotation marks must stand in a passage that the sentence cites; then they are the passage's."""
    cited = {int(match[1]) for pointer in pointers if (match := re.match(r"/passages/(\d+)/", pointer))}
    for match in reading.take(_QUOTED):
        words = match[1].rstrip(".")
        source = next(
            (
                index
                for index, passage in enumerate(reading.facts.passages)
                if index in cited and words and (words in passage.title or words in passage.text)
            ),
            None,
        )
        if source is None:
            reading.doubt("it quotes what stands in no passage that it cites")
        else:
            reading.support(f"/passages/{source}/title")
