"""What every message type shares: frozen, JSON-ready, tolerant of fields added later. Knows no particular message."""

from typing import Annotated

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
