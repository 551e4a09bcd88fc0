"""Where a triplet comes from, as splits need it: the group that must not be torn apart, the series, the given split."""

from dataclasses import dataclass

from models.datasets.conversations import Split
from schemas.triplets import Triplet


@dataclass(frozen=True, slots=True)
class Origin:
    """`level` says what the group is of: an object is the least that is known to belong together."""

    group: str
    level: str
    series: str
    given: Split | None = None


def origin_of(triplet: Triplet) -> Origin:
    """What a triplet tells of where it comes from: its patient, where one is known, else study, series or object."""
    told = triplet.provenance
    if told is None:
        return Origin(triplet.object_id, "object", triplet.object_id)
    levels = (
        (told.patient_by if told.patient_by in ("folder", "file") else "patient", told.patient),
        ("study", told.study),
        ("series", told.series),
        ("object", triplet.object_id),
    )
    level, group = next((level, group) for level, group in levels if group is not None)
    return Origin(group, level, told.series or triplet.object_id, told.split)
