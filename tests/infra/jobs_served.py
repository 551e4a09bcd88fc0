"""What stands in for a chain in the processes of tests/infra/test_jobs.py: an object's key says what becomes of it."""

import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

from infra.results import Result, result_of
from infra.serving import Word
from infra.variables import from_environment
from schemas.objects import ObjectReference
from streams.dead_letters import Subject, dead_letter


def serve(fd: int, parent: int, image: bool, ground: int, limits: object) -> None:
    """Answer each object with an outcome; die of some."""
    connection, identity = Connection(fd), from_environment().identity
    folder = Path(os.environ["TRISTREAM_TEST_FOLDER"])
    if (folder / "broken").exists():
        connection.send(Word("the experts cannot be loaded", last=True))
        return
    connection.send(Word(""))
    while True:
        try:
            reference: ObjectReference = connection.recv()
        except EOFError:
            return
        name = reference.key
        with (folder / "taken").open("a") as file:
            file.write(f"{os.getpid()} {name}\n")
        if name.startswith("kills always") or (name.startswith("kills once") and not (folder / name).exists()):
            (folder / name).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if name.startswith("waits"):
            connection.send(Word("the server is away"))
            connection.send(Word("the server is away"))
        frames = 2 if name.startswith("two") else 1
        for frame in range(frames):
            connection.send(_outcome(identity.object_id(reference), frame, frames))


def _outcome(object_id: str, frame: int, frames: int) -> Result:
    result = result_of(dead_letter("ground", Subject(object_id, None, frame, frames), "Fine", "done", None))
    assert result is not None
    return result


def reference(name: str) -> ObjectReference:
    """An object of this name."""
    return ObjectReference(bucket="file:///", key=name, etag="0", size=1)
