"""What becomes of an input that cannot be annotated. Holds nothing that identifies a patient."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from schemas.base import Digest, Message

Stage = Literal["watch", "preprocess", "ground", "retrieve", "describe"]


class Origin(Message):
    """Where the message that failed can be read again."""

    topic: str = Field(description="Name of the topic")
    partition: int = Field(ge=0, description="Of the topic")
    offset: int = Field(ge=0, description="In the partition")


class DeadLetter(Message):
    """An outcome, as final as a triplet until somebody replays it."""

    object_id: Digest | None = Field(description="None where the message could not be read at all")
    image_id: Digest | None = Field(default=None, description="None where no frame was read")
    frame: int | None = Field(default=None, ge=0, description="None where the whole object failed")
    frames_taken: int | None = Field(
        default=None, ge=1, description="Frames of the object that were sent on; None where the whole object failed"
    )
    frames_skipped: int = Field(default=0, ge=0, description="Frames of the object left out by the frame policy")
    file_id: Digest | None = Field(
        default=None,
        description="Keyed hash of bucket and key, which a corrected file has too; None where a later stage failed",
    )
    stage: Stage = Field(description="Where it failed")
    error: str = Field(description="Class of the error")
    message: str = Field(description="What is wrong and what to do, for a person")
    origin: Origin | None = Field(description="None where no broker carried the object: by `tristream annotate`")
    replay: str = Field(description="The command that sends it through again")
    failed_at: datetime = Field(description="UTC")
