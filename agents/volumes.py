"""The volume that a frame is a slice of, for preprocess: each of its slices is read once, and sent with all of them.

What a volume is depends on what lies in the object, or beside it: the same for each of its slices.
"""

import hashlib
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass

from models.imaging.neighbours import is_alike
from schemas.failures import InvalidInput
from schemas.images import InVolume, MedicalImage, Pixels, Side
from streams.last_read import LastRead
from streams.payloads import Payloads

MOST_SLICES = 2048
MOST_VOXELS = 2**27
"""Of a volume that is sent: 512 slices of 512 × 512 px."""
KEPT = 2
"""Volumes of which is known what is sent: slices of so many may come in turn."""


@dataclass(frozen=True, slots=True)
class Member:
    """A slice of a stack.

    Args:
        key: of it; the same whichever slice is asked of.
        read: it, its pixels inline. Raises InvalidInput.
    """

    key: Hashable
    read: Callable[[], Awaitable[MedicalImage]]


@dataclass(frozen=True, slots=True)
class _Run:
    """Slices one behind the other that could be read and are alike."""

    keys: tuple[Hashable, ...]
    digest: str
    pixels: tuple[Pixels, ...]


class Volumes:
    """Volumes as they are sent. Those above MOST_SLICES or MOST_VOXELS are not.

    Args:
        payloads: by which slices are referred to.
    """

    def __init__(self, payloads: Payloads) -> None:
        self._payloads = payloads
        self._last: LastRead[Hashable, tuple[_Run, ...]] = LastRead(KEPT)

    async def sent_with(
        self, image: MedicalImage, members: Sequence[Member], at: int, step_mm: float | None, towards: Side | None
    ) -> MedicalImage:
        """A frame's message with its volume in it; without one where no other slice lies beside it.

        Args:
            image: its message, pixels inline.
            members: of its stack, in their order.
            at: which of them the frame is.
            step_mm: from one to the next.
            towards: where the next ones lie.

        Raises:
            Unavailable: the payload store did not take the slices.
        """
        voxels = len(members) * image.pixels.rows * image.pixels.columns
        if not 2 <= len(members) <= MOST_SLICES or voxels > MOST_VOXELS or image.pixels.channels != 1:
            return image
        keys = tuple(member.key for member in members)
        runs = await self._last.get(keys, lambda: self._runs(members))
        run = next((one for one in runs if keys[at] in one.keys), None)
        if run is None or len(run.keys) < 2:
            return image
        volume = InVolume(
            digest=run.digest,
            slices=len(run.keys),
            place=run.keys.index(keys[at]),
            spacing_mm=step_mm,
            towards=towards,
        )
        metadata = image.metadata.model_copy(update={"volume": volume})
        return image.model_copy(update={"metadata": metadata, "volume": run.pixels})

    async def _runs(self, members: Sequence[Member]) -> tuple[_Run, ...]:
        """A slice that cannot be read, or is unlike the one before, ends a volume: nobody knows what lies between."""
        runs: list[list[tuple[Hashable, str, Pixels]]] = [[]]
        before: MedicalImage | None = None
        for member in members:
            try:
                image = await member.read()
            except InvalidInput:  # of its own message too, where it is taken
                runs.append([])
                before = None
                continue
            if before is not None and not is_alike(before, image):
                runs.append([])
            runs[-1].append((member.key, image.image_id, await self._payloads.refer(image.pixels)))
            before = image
        return tuple(
            _Run(
                tuple(key for key, _, _ in run),
                hashlib.sha256("".join(image_id for _, image_id, _ in run).encode()).hexdigest()[:32],
                tuple(pixels for _, _, pixels in run),
            )
            for run in runs
            if run
        )
