"""What of an expert's is told in a text: by how often it was right on real pictures. Knows nothing of words.

The rest stays where it was measured: among regions, with their phrases and measurements.
"""

from models.experts.packaged import packaged
from models.statements.facts import Facts
from models.statements.measures import at_edge, is_doubtful, is_enough, is_plain_uptake, stated_of
from models.statements.table import table
from schemas.regions import Region, expert_name


def is_proven(facts: Facts, region: Region) -> bool:
    """Whether a text may tell of it: the source marked it, or an expert found it whose findings are mostly right.

    An expert's manifest says how often it was right, and how likely a finding of this score is. Of an expert that a
    user added, and that says nothing of itself, the user answers for what it tells.
    """
    if region.kind != "candidate":
        return region.kind == "source annotation"
    # Fat by its Hounsfield units is a measurement, and no proposal.
    called = table().called(region.label)
    if region.intensity.unit == "HU" and called.role == "tissue":
        return True
    if called.within_the_frame and at_edge(facts, region.region_id, region, "").truth is not False:
        return False
    # Uptake that stands out by itself is a measurement too, whoever's it is: a heart's is told as a tumour's is.
    if is_plain_uptake(region):
        return True
    return not is_doubtful(region) and is_mostly_right(facts, region)


def is_mostly_right(facts: Facts, region: Region) -> bool:
    """Whether who found it is mostly right in its label, whatever this one's own score tells."""
    return any(_is_right(facts, expert, region) for expert in (region.found_by, *region.agreeing))


def is_packaged(expert: str) -> bool:
    """Whether an expert, by name@version, comes with Tristream."""
    return expert_name(expert) in packaged()


def may_be_denied(facts: Facts, expert: str) -> bool:
    """Whether it may be told that an expert found none: where nothing in the whole picture is so high."""
    row = table().expert(expert)
    below = row.denied_below if row is not None else None
    return below is not None and facts.grounding.intensity.maximum < below


def _is_right(facts: Facts, expert: str, region: Region) -> bool:
    told = stated_of(facts, expert, region.label)
    if told is None or told.precision is None:
        return not is_packaged(expert)
    return is_enough(told.precision)
