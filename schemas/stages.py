"""How a worker says what it is doing. Knows nothing of how it does it."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from schemas.base import Message
from schemas.dead_letters import Stage


class StageState(Message):
    """One worker's own word on itself, renewed every few seconds."""

    worker: str = Field(description="Name of the worker, unique in its stage")
    stage: Stage = Field(description="Which it works for")
    state: Literal["running", "paused", "waiting"] = Field(
        description="paused: by dead letters or by backpressure; waiting: something it needs is away"
    )
    cause: Literal["backpressure", "dead letters"] | None = Field(default=None, description="Of a pause")
    reason: str = Field(default="", description="Of a pause or a wait, for a person")
    in_flight: int = Field(ge=0, description="Messages in work now")
    done: int = Field(ge=0, description="Messages finished since the worker started")
    dead_letters: int = Field(ge=0, description="Dead letters written since the worker started")
    updated_at: datetime = Field(description="UTC")
    instance: str = Field(default="", description="Tells one process from the next under the same name of a worker")
    started_at: datetime | None = Field(default=None, description="When that process started")
    passed_by: int = Field(
        default=0, ge=0, description="Of watch: files that the last listing passed by, as companions or by patterns"
    )
    per_second: float | None = Field(
        default=None, ge=0, description="Messages finished a second, over the last minute; null: not known yet"
    )
