"""Where a triplet comes from, as splits need it: the group that must not be torn apart, the series, the given split."""

from dataclasses import dataclass

from schemas.base import Split
from schemas.triplets import Triplet


@dataclass(frozen=True, slots=True)
class Origin:
    """`level` says what the group is of: an object is the least that is known to belong together."""

    group: str
    level: str
    series: str
    given: Split | None = None


def origin_of(triplet: Triplet) -> Origin:
    """What a triplet tells of where it comes from: its patient, else its study, series or object."""
    provenance = triplet.provenance
    if provenance is None:
        return Origin(triplet.object_id, "object", triplet.object_id)
    series = provenance.series or triplet.object_id
    named = {"patient": provenance.patient, "study": provenance.study, "series": provenance.series}
    level, group = next(((level, key) for level, key in named.items() if key), ("object", triplet.object_id))
    if level == "patient":
        level = f"patient by {provenance.patient_by}"
    return Origin(group, level, series, provenance.split)
