"""Where a triplet comes from, as splits need it: the group that must not be torn apart, the series, the given split."""

from dataclasses import dataclass

from models.datasets.lines import Glance
from schemas.base import Split


@dataclass(frozen=True, slots=True)
class Origin:
    """`level` says what the group is of: an object is the least that is known to belong together."""

    group: str
    level: str
    series: str
    given: Split | None = None


def origin_of(one: Glance) -> Origin:
    """What a triplet tells of where it comes from: its patient, else its study, series or object."""
    provenance = one.provenance
    if provenance is None:
        return Origin(one.object_id, "object", one.object_id)
    series = provenance.series or one.object_id
    level, group = provenance.together or ("object", one.object_id)
    if level == "patient":
        level = f"patient by {provenance.patient_by}"
    return Origin(group, level, series, provenance.split)
