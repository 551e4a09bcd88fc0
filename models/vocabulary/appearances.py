"""What a finding or disease may look like, by modality, in the words of the claims table; data in appearances.csv.

A word here says what is usual, never what an image shows: it tells which measured words of a region are telling, and
which passages to prefer. Knows nothing of measurements.
"""

import csv
from functools import cache

from models.vocabulary.terms import TABLES


def may_look_like(name: str, modality: str) -> tuple[str, ...]:
    """Words of the claims table for how a term of the vocabulary may look on a modality; none where none is known."""
    return _rows().get((name, modality), ())


@cache
def _rows() -> dict[tuple[str, str], tuple[str, ...]]:
    with TABLES.joinpath("appearances.csv").open(encoding="utf-8", newline="") as file:
        return {(row["name"], row["modality"]): tuple(row["words"].split("|")) for row in csv.DictReader(file)}
