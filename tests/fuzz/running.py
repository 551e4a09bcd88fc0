"""Mutants through preprocess itself, with a real isolated pool, and an account of what became of each."""

import asyncio
import contextlib
import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from agents.preprocess import preprocess
from agents.reading import Reading
from models.imaging import BurnedInPolicy, FramePolicy, open_source
from schemas.failures import InvalidInput
from schemas.limits import MEBIBYTE, Limits
from schemas.objects import ObjectReference
from streams.dead_letters import FrameFailed
from streams.identity import Identity
from streams.isolation import Isolated
from streams.payloads import Payloads
from tests.fuzz.mutations import Mutant
from tests.fuzz.seeds import TOKEN

LIMITS = Limits(
    seconds=100, cpu_seconds=40, memory=1024 * MEBIBYTE, calls=300, pixels=2**24, inflated_bytes=256 * MEBIBYTE
)
"""Lower than the defaults, so that what hangs or swells is found sooner."""
FRAMES = FramePolicy("spread", 2)
COSTLY = ("DecoderCrashed", "TookTooLong", "NeedsTooMuchMemory")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mutant."""

    case: int
    seed: str
    syntax: str
    mutations: tuple[str, ...]
    images: int
    errors: tuple[str, ...]
    """Class names of the dead letters, of the object or of its frames."""
    defect: str
    """What should not have happened; empty: nothing."""
    seconds: float

    @property
    def word(self) -> str:
        """The one word that it is counted under."""
        if self.defect:
            return "defect"
        return next((error for error in COSTLY if error in self.errors), self.errors[0] if self.errors else "images")


@dataclass(slots=True)
class Account:
    """What became of all."""

    outcomes: list[Outcome] = field(default_factory=list)
    parent_bytes: list[int] = field(default_factory=list)
    """Resident memory of the pool's owner, after each case."""
    child_bytes: int = 0
    """The most that a process of the pool held between two calls."""

    def of(self, *words: str) -> list[Outcome]:
        """The outcomes counted under these words."""
        return [outcome for outcome in self.outcomes if outcome.word in words]

    @property
    def words(self) -> Counter[str]:
        """How many ended how."""
        return Counter(outcome.word for outcome in self.outcomes)

    @property
    def parent_growth(self) -> int:
        """Bytes that the owner's resident memory grew by, from the first fifth of the cases to the last."""
        fifth = max(1, len(self.parent_bytes) // 5)
        return min(self.parent_bytes[-fifth:]) - max(self.parent_bytes[:fifth])


async def run(
    mutants: Iterable[Mutant],
    folder: Path,
    *,
    limits: Limits = LIMITS,
    processes: int = 2,
    tell: Callable[[Outcome], None] = lambda _: None,
) -> Account:
    """Put each mutant through preprocess, `processes` + 2 at once. `folder` holds the one being read."""
    isolated = Isolated(limits, processes=processes, modules=("agents.preprocess",))
    payloads = Payloads(folder.joinpath("payloads").resolve().as_uri(), 2**40)
    account = Account()
    owner = psutil.Process()
    rest = iter(mutants)

    async def work() -> None:
        for mutant in rest:
            outcome = await _through(mutant, folder, isolated, payloads, limits)
            account.outcomes.append(outcome)
            account.parent_bytes.append(owner.memory_info().rss)
            if len(account.outcomes) % 20 == 0:
                account.child_bytes = max(account.child_bytes, *_resident(owner))
            tell(outcome)

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(processes + 2):
                tasks.create_task(work())
    finally:
        isolated.close()
    return account


def _resident(owner: psutil.Process) -> Iterator[int]:
    yield 0
    for child in owner.children():
        with contextlib.suppress(psutil.Error):
            yield child.memory_info().rss


async def _through(mutant: Mutant, folder: Path, isolated: Isolated, payloads: Payloads, limits: Limits) -> Outcome:
    path = folder / f"{TOKEN.decode()}-{mutant.case}"
    path.write_bytes(mutant.data)
    reference = ObjectReference(
        bucket=folder.resolve().as_uri(),
        key=path.name,
        etag=hashlib.sha256(mutant.data).hexdigest(),
        size=len(mutant.data),
    )
    images, errors, said, defect = 0, list[InvalidInput](), list[str](), ""
    identity = Identity(bytes(32))
    started = time.perf_counter()
    try:
        async for found in preprocess(
            reference,
            isolated=isolated,
            identity=identity,
            payloads=payloads,
            reading=Reading(FRAMES, BurnedInPolicy(), limits, neighbours=1),
        ):
            if isinstance(found, FrameFailed):
                errors.append(found.cause)
            else:
                images += 1
                said.append(found.model_dump_json(exclude={"pixels", "neighbours"}))
    except InvalidInput as error:
        errors.append(error)
    except Exception as error:  # noqa: BLE001 - a defect is what is looked for
        defect = f"{type(error).__name__} came out of preprocess"
    finally:
        path.unlink()
    said += [str(error) + repr(error) for error in errors]
    if any(TOKEN.decode() in text or os.fspath(folder) in text for text in said):
        defect = "an error or the metadata repeats what the file says"
    if not images and not errors and not defect:
        defect = "neither an image nor a dead letter"
    return Outcome(
        mutant.case, mutant.seed.name, mutant.seed.syntax, mutant.mutations, images,
        tuple(type(error).__name__ for error in errors), defect, time.perf_counter() - started,
    )  # fmt: skip


def in_this_process(data: bytes) -> str:
    """Open and decode a mutant here: for a debugger, and for errors' own words."""
    try:
        frames = list(open_source(data, FRAMES, LIMITS).frames())
    except InvalidInput as error:
        return f"{type(error).__name__}: {error}"
    return f"{len(frames)} images"
