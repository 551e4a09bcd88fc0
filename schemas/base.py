"""What every message type shares: frozen, JSON-ready, tolerant of fields added later. Knows no particular message."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="32 hexadecimal digits (128 bits)")]


class Message(BaseModel):
    """Base of all types on the wire.

    Unknown fields are ignored, so that a producer may add fields before its consumers know them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null")


PatientBy = Literal["header", "sidecar", "folder", "file"]
PatientPolicy = Literal["folder", "file", "none"]
"""What stands for a patient where nothing tells one. By folder images of one patient are never torn apart as long as
they lie together; by file each image is a patient's of its own; by none there is no patient then."""
Split = Literal["train", "validation", "test"]


class Provenance(Message):
    """Where an image comes from, so that what is made of it can be split, filtered, forgotten and cited.

    None, or empty, where nothing tells. Patient, study and series are keyed hashes: nobody without the key can tell
    whose they are, and what belongs together has the same.
    """

    source: str | None = Field(default=None, description="Collection and version, as a sidecar or the settings name it")
    licence: str | None = Field(
        default=None, description="SPDX identifier, or name and address of the terms, as a sidecar or the settings say"
    )
    patient: Digest | None = Field(default=None, description="Keyed hash: the same of all images of a patient")
    patient_by: PatientBy | None = Field(
        default=None,
        description="What tells the patient: Patient ID (0010,0020), the sidecar, or by policy the folder or the file; "
        "None where `patient` is",
    )
    study: Digest | None = Field(
        default=None, description="Keyed hash of the Study Instance UID, or the sidecar's word"
    )
    series: Digest | None = Field(
        default=None, description="Keyed hash of the Series Instance UID, or the sidecar's word"
    )
    split: Split | None = Field(default=None, description="The collection's own, where it has one")
    text_from: tuple[str, ...] = Field(
        default=(),
        description="What of the source its words are from: header, fields of the sidecar by their names, annotations",
    )

    def with_texts(self, *more: str) -> Self:
        """A copy that tells of more words of the source."""
        return self.model_copy(update={"text_from": tuple(dict.fromkeys((*self.text_from, *more)))})

    @property
    def together(self) -> tuple[Literal["patient", "study", "series"], str] | None:
        """The most that is told to belong together, and which it is: what no split may tear apart.

        A patient that only the policy made of a file is less than its study or series.
        """
        told = None if self.patient_by == "file" else self.patient
        if told is not None:
            return "patient", told
        if self.study is not None:
            return "study", self.study
        if self.series is not None:
            return "series", self.series
        return None if self.patient is None else ("patient", self.patient)

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields that nothing tells, `split` apart: a collection need have none."""
        return tuple(
            name for name in ("source", "licence", "patient", "study", "series") if getattr(self, name) is None
        )


class FrameMessage(Message):
    """A message about one frame of one object: the key under which work is accounted for."""

    image_id: Digest = Field(description="Hash of the de-identified quantitative pixels and the frame index")
    object_id: Digest = Field(description="Keyed hash of bucket, key and etag; never the key itself")
    frame: int = Field(ge=0, description="Index of the frame in its object, from 0")
    frames_taken: int = Field(ge=1, description="Frames of this object that were sent on")
    frames_skipped: int = Field(ge=0, default=0, description="Frames of this object left out by the frame policy")
    provenance: Provenance | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Where the image comes from; not written of images that an earlier version read",
    )

    @classmethod
    def following(cls, message: "FrameMessage", **found: object) -> Self:
        """The message that follows another on its frame's way: what both types have goes on as it is.

        Args:
            message: of the stage before.
            found: what this stage adds, or says anew.
        """
        carried = {name: getattr(message, name) for name in type(message).model_fields if name in cls.model_fields}
        return cls.model_validate(carried | found)
