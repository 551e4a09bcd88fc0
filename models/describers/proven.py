"""What of an expert's is told in a text: by how often it was right on real pictures. Knows nothing of words.

The rest stays where it was measured: among regions, with their phrases and measurements.
"""

from models.statements.facts import Facts
from models.statements.table import table
from schemas.regions import Region

SURE = 0.8
"""Least part of an expert's regions of a label that are right, sure by the 95 % interval."""


def is_proven(region: Region) -> bool:
    """Whether a text may tell of it: the source marked it, or an expert found it whose findings are mostly right.

    Of experts that do not come with Tristream whoever added them answers for what they tell.
    """
    if region.kind != "candidate":
        return region.kind == "source annotation"
    for expert in (region.expert, *region.agreeing):
        record = table().record(expert, region.label)
        if record is None or record.sure >= SURE:
            return True
        if record.least is not None and region.intensity.maximum >= record.least:
            return True
    return False


def may_be_denied(facts: Facts, expert: str, label: str) -> bool:
    """Whether it may be told that an expert found none: where nothing in the whole picture is so high."""
    record = table().record(expert, label)
    below = record.denied_below if record is not None else None
    return below is not None and facts.grounding.intensity.maximum < below
