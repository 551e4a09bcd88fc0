"""What runs in a process of infra/jobs.py: a chain, fed with objects by a socket.

Imports little by itself, so that the process of its decoder starts at once, beside all that is imported then.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from agents import ISOLATED
from schemas.failures import TristreamError
from schemas.limits import Limits
from schemas.objects import ObjectReference
from streams.isolation import Isolated
from streams.lifeline import die_with_parent


class ChainBroken(TristreamError):
    """The chain cannot be started, whatever the object."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a process has to say: what it waits for; empty: it is ready; `last`: why it cannot work at all."""

    text: str
    last: bool = False


def serve(fd: int, parent: int, image: bool, ground: int, limits: Mapping[str, Any]) -> None:
    """Annotate the objects that come by the socket `fd`, until it is closed. The settings stand in the environment.

    Args:
        fd: of one end of a socket pair.
        parent: process id of who holds the other.
        image: whether triplets are sent with their pixels.
        ground: images that experts look at, at once.
        limits: of schemas.limits.Limits, as a dictionary.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # A signal goes to the whole group; when to end is for the parent to say.
    die_with_parent(parent)
    # First of all: it imports its decoders while this process imports the experts.
    isolated = Isolated(Limits(**limits), modules=ISOLATED)
    connection = Connection(fd)
    try:
        asyncio.run(_serve(connection, isolated, image, ground))
    except TristreamError as error:
        connection.send(Word(str(error), last=True))
    except Exception as error:  # What it was is told, without the error's own words.
        from streams.dead_letters import told

        connection.send(Word(told(error)[1], last=True))
        raise


async def _serve(connection: Connection, isolated: Isolated, image: bool, ground: int) -> None:
    from agents.chain import Chain
    from infra.results import result_of
    from infra.variables import from_environment

    try:
        made = Chain(from_environment(), isolated, ground=ground)
    except ValueError as error:  # A setting that its stage cannot use, in our own words.
        raise ChainBroken(str(error)) from None
    with made as chain:
        connection.send(Word(""))
        async for outcome in chain.run(_objects(connection), lambda text: connection.send(Word(text))):
            result = result_of(outcome, image=image)
            assert result is not None, "the chain knows what each outcome is about"
            connection.send(result)


async def _objects(connection: Connection) -> AsyncIterator[ObjectReference]:
    while True:
        try:
            yield await asyncio.to_thread(connection.recv)
        except (EOFError, OSError):
            return
