"""What every message type shares: frozen, JSON-ready, tolerant of fields added later. Knows no particular message."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="32 hexadecimal digits (128 bits)")]


class Message(BaseModel):
    """Base of all types on the wire.

    Unknown fields are ignored, so that a producer may add fields before its consumers know them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null")


class FrameMessage(Message):
    """A message about one frame of one object: the key under which work is accounted for."""

    image_id: Digest = Field(description="Hash of the de-identified quantitative pixels and the frame index")
    object_id: Digest = Field(description="Keyed hash of bucket, key and etag; never the key itself")
    frame: int = Field(ge=0, description="Index of the frame in its object, from 0")
    frames_taken: int = Field(ge=1, description="Frames of this object that were sent on")
    frames_skipped: int = Field(ge=0, default=0, description="Frames of this object left out by the frame policy")

    @classmethod
    def following(cls, message: "FrameMessage", **found: object) -> Self:
        """The message that follows another on its frame's way: what both types have goes on as it is.

        Args:
            message: of the stage before.
            found: what this stage adds, or says anew.
        """
        carried = {name: getattr(message, name) for name in type(message).model_fields if name in cls.model_fields}
        return cls.model_validate(carried | found)
