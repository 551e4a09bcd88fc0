"""What an image belongs to, by its source's own words: patient, study, series, collection, licence, split.

Its identifiers name persons. They are hashed under a key before anything leaves preprocess, and no repr shows them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from models.imaging.header import Header
from schemas.base import PatientBy, PatientPolicy, Provenance, Split
from schemas.objects import ObjectReference

_PLACEHOLDERS = frozenset({
    "", "0", "anon", "anonym", "anonymous", "anonymized", "anonymised", "deidentified", "de-identified", "na", "n/a",
    "noid", "none", "null", "patient", "test", "unknown", "xxx", "xxxx",
})  # fmt: skip
"""Words that stand in the place of a Patient ID and name nobody: images that share one are not of one patient."""

Hash = Callable[[str, str, str], str]
"""Kind of a group, scope and identifier to a keyed hash: streams.identity.Identity.group_id."""


@dataclass(frozen=True, slots=True)
class Identifiers:
    """As the source writes them; None where it does not."""

    patient: str | None = field(default=None, repr=False)
    study: str | None = field(default=None, repr=False)
    series: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Belonging:
    """What the header, the sidecar and the defaults tell."""

    header: Identifiers = field(default_factory=Identifiers)
    sidecar: Identifiers = field(default_factory=Identifiers)
    source: str | None = None
    licence: str | None = None
    split: Split | None = None
    text_from: tuple[str, ...] = ()

    def provenance(self, hashed: Hash, place: tuple[Literal["folder", "file"], str] | None) -> Provenance:
        """What may leave preprocess of it.

        A sidecar goes before the header. Its identifiers are told apart by the collection that it names: those of two
        collections are often the same numbers.

        Args:
            hashed: under the key.
            place: what stands for a patient where nothing tells one, "folder" or "file", and which; None: nothing.
        """
        said, scope = self.sidecar, self.source or ""
        found = {
            kind: hashed(kind, scope, own) if own else hashed(kind, "", read) if read else None
            for kind, own, read in (
                ("patient", said.patient, self.header.patient),
                ("study", said.study, self.header.study),
                ("series", said.series, self.header.series),
            )
        }
        by: PatientBy | None = "sidecar" if said.patient else "header" if self.header.patient else None
        if by is None and place is not None:
            by = place[0]
            found["patient"] = hashed(by, "", place[1])
        return Provenance(
            source=self.source,
            licence=self.licence,
            patient=found["patient"],
            patient_by=by,
            study=found["study"],
            series=found["series"],
            split=self.split,
            text_from=self.text_from,
        )


def told_by(header: Header) -> Belonging:
    """What a DICOM header tells."""
    patient = (header.text("PatientID") or "").strip(" \0^").casefold()
    return Belonging(
        header=Identifiers(
            patient=None if patient in _PLACEHOLDERS else patient,
            study=header.text("StudyInstanceUID"),
            series=header.text("SeriesInstanceUID"),
        ),
        text_from=("header",),
    )


def place_of(reference: ObjectReference, patients: PatientPolicy) -> tuple[Literal["folder", "file"], str] | None:
    """What stands for a patient where nothing tells one: the object's folder, or the object itself."""
    if patients == "none":
        return None
    key = reference.key.rpartition("/")[0] if patients == "folder" else reference.key
    # The same file, whatever folder above it the bucket is.
    return patients, re.sub("/+", "/", f"{reference.bucket}/{key}").rstrip("/")
