"""What an operator tells the workers. Knows nothing of how they do it."""

from datetime import datetime

from pydantic import Field

from schemas.base import Message
from schemas.dead_letters import Stage


class Resume(Message):
    """Workers of a stage that dead letters have paused shall go on, as their cause is mended."""

    stage: Stage = Field(description="Whose workers are meant")
    told_at: datetime = Field(description="Workers that paused later are not meant")
