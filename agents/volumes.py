"""The volume that a frame is a slice of, for preprocess: each of its slices is read once, and sent with all of them.

What a volume is depends on what lies in the object, or beside it: the same for each of its slices.
"""

import hashlib
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from models.imaging.neighbours import is_alike
from schemas.failures import InvalidInput
from schemas.images import ChannelVolume, InVolume, MedicalImage, Pixels, Side
from streams.last_read import LastRead
from streams.payloads import Payloads

MOST_SLICES = 2048
MOST_VOXELS = 2**27
"""Of a volume that is sent: 512 slices of 512 × 512 px."""
KEPT = 2
"""Volumes of which is known what is sent: slices of so many may come in turn. All channels of one count once."""


@dataclass(frozen=True, slots=True)
class Member:
    """A slice of a stack.

    Args:
        key: of it; the same whichever slice is asked of.
        read: it, its pixels inline. Raises InvalidInput.
    """

    key: Hashable
    read: Callable[[], Awaitable[MedicalImage]]


_Referred = tuple[str, Pixels]
"""A slice by its image_id, and where its pixels lie."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Slices one behind the other that could be read and are alike, of each channel at the same places."""

    places: range
    digests: tuple[str, ...]
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
        self,
        image: MedicalImage,
        channels: Mapping[str, Sequence[Member]],
        own: str,
        at: int,
        step_mm: float | None,
        towards: Side | None,
    ) -> MedicalImage:
        """A frame's message with its volume in it; without one where no other slice lies beside it.

        Where all channels together are too much, its own alone is sent.

        Args:
            image: its message, pixels inline.
            channels: the slices of its stack in their order, by channel; of a stack without any under an empty name.
            own: of which the frame is.
            at: which slice of it.
            step_mm: from one to the next.
            towards: where the next ones lie.

        Raises:
            Unavailable: the payload store did not take the slices.
        """
        slices = len(channels[own])
        px = image.pixels.rows * image.pixels.columns
        if not _fits(slices * len(channels), px):
            channels = {own: channels[own]}
        if slices < 2 or not _fits(slices * len(channels), px) or image.pixels.channels != 1:
            return image
        members = tuple(channels.values())
        keys = tuple(tuple(member.key for member in of_one) for of_one in members)
        runs = await self._last.get(keys, lambda: self._runs(members))
        run = next((one for one in runs if at in one.places), None)
        if run is None or len(run.places) < 2:
            return image
        names = list(channels)
        volume = InVolume(
            digest=run.digests[names.index(own)],
            slices=len(run.places),
            place=at - run.places.start,
            spacing_mm=step_mm,
            towards=towards,
            channels=tuple(
                ChannelVolume(name=name, digest=one) for name, one in zip(names, run.digests, strict=True) if name
            ),
        )
        metadata = image.metadata.model_copy(update={"volume": volume})
        return image.model_copy(update={"metadata": metadata, "volume": run.pixels})

    async def _runs(self, channels: Sequence[Sequence[Member]]) -> tuple[_Run, ...]:
        """A slice that cannot be read, or is unlike the one before, ends a volume: nobody knows what lies between."""
        runs: list[list[tuple[int, list[_Referred]]]] = [[]]
        before: list[MedicalImage] = []
        for place, members in enumerate(zip(*channels, strict=True)):
            try:
                images = [await member.read() for member in members]
            except InvalidInput:  # of its own message too, where it is taken
                runs.append([])
                before = []
                continue
            if before and not all(map(is_alike, before, images)):
                runs.append([])
            runs[-1].append((place, [(image.image_id, await self._payloads.refer(image.pixels)) for image in images]))
            before = images
        return tuple(_run(run) for run in runs if run)


def _fits(slices: int, px: int) -> bool:
    return slices <= MOST_SLICES and slices * px <= MOST_VOXELS


def _run(run: list[tuple[int, list[_Referred]]]) -> _Run:
    channels = list(zip(*(slices for _, slices in run), strict=True))
    ids = ("".join(image_id for image_id, _ in slices) for slices in channels)
    return _Run(
        range(run[0][0], run[-1][0] + 1),
        tuple(hashlib.sha256(one.encode()).hexdigest()[:32] for one in ids),
        tuple(pixels for slices in channels for _, pixels in slices),
    )
