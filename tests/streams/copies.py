"""A topic that a stage of tests copies references to, and a broker that takes all at once."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from schemas.objects import ObjectReference
from streams.topics import Topic

COPIES = Topic("copies", ObjectReference, "key", "delete", -1, "Copies of references")


async def send(*_: Any) -> Awaitable[Any]:
    """Acknowledged as soon as it is sent."""
    sent = asyncio.get_running_loop().create_future()
    sent.set_result(None)
    return sent
