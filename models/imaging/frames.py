"""A de-identified frame in quantitative pixels, where it came from, and how it travels.

Knows nothing of file formats.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pybase64
from numpy.typing import NDArray

from models.imaging.agreement import sides_contradict
from models.imaging.belonging import Belonging
from models.imaging.errors import CorruptPixels, failing_as
from models.imaging.neighbours import Stack
from models.imaging.perceptual import perceptual_hash
from models.imaging.png import Stored, decode_png, encode_png
from models.imaging.series import Slice
from schemas.images import ImageMetadata, Pixels, SourceAnnotation, Window

if TYPE_CHECKING:
    from models.imaging.planes import Instance
    from models.imaging.quantities import Quantities


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame: what `MedicalImage` says of it, with its pixels as an array."""

    index: int
    stored: Stored = field(repr=False)
    """uint8 or uint16, (rows, columns) grey or (rows, columns, 3) RGB."""
    slope: float
    intercept: float
    unit: str
    window: Window
    inverted: bool
    metadata: ImageMetadata
    image_id: str
    annotations: tuple[SourceAnnotation, ...] = ()

    @property
    def values(self) -> NDArray[np.float32]:
        """stored × slope + intercept, in `unit`; same shape as `stored`."""
        return self.stored.astype(np.float32) * np.float32(self.slope) + np.float32(self.intercept)


@dataclass(frozen=True, slots=True)
class Source:
    """The frames of one object. Any thread may read any of them, in any order; each call decodes one."""

    frames_total: int
    taken: tuple[int, ...]
    """Indices of the frames that the policy took."""
    decode: Callable[[int], Frame] = field(repr=False)
    """One frame with all that its source marks in it, any text still in its pixels. Raises as `read`."""
    clean: Callable[[Frame], Frame] = field(default=lambda frame: frame, repr=False)
    """A decoded frame without its text: last, for what the source marks is not masked unseen. Raises as `read`."""
    stacks: Callable[[], tuple[Stack, ...]] = field(default=tuple[Stack, ...], repr=False)
    """Which frames lie one behind the other in space. Looks at each frame's place, so only where it is asked."""
    in_series: Callable[[], Slice | None] = field(default=lambda: None, repr=False)
    """Which slice of a series of such objects it is; None where it is none."""
    instance: Instance | None = field(default=None, repr=False)
    """Which image it is to DICOM objects that mark regions of it; None where none can."""
    belonging: Belonging = field(default_factory=Belonging, repr=False)
    """What it belongs to. Names persons."""
    volumes: int = 1
    """In register, of as many frames each, one after the other: more than one of a file of four dimensions."""
    channels: tuple[str, ...] = ()
    """What each of these is, where a sidecar names them."""

    def read(self, index: int) -> Frame:
        """Decode one frame, flag it where its source contradicts itself on left and right, and mask its text.

        Raises:
            InvalidInput: one of models.imaging.errors, where only this frame is damaged or refused.
        """
        frame = self.decode(index)
        if sides_contradict(frame.metadata, frame.annotations):
            frame = replace(frame, metadata=frame.metadata.model_copy(update={"sides_contradict": True}))
        return self.clean(frame)

    @property
    def skipped(self) -> int:
        """Frames left out by policy."""
        return self.frames_total - len(self.taken)

    def frames(self) -> Iterator[Frame]:
        """Each taken frame in turn, decoded when it is asked for. Ends at the first damaged one, by its error."""
        return map(self.read, self.taken)


def identify(stored: Stored, slope: float, intercept: float, unit: str, index: int, inverted: bool) -> str:
    """`image_id`: 128 bits of SHA-256 over shape, type, meaning, frame index and little-endian pixels.

    The file's encoding has no part in it: the same image is the same in every lossless transfer syntax.
    """
    little = np.ascontiguousarray(stored, dtype=stored.dtype.newbyteorder("<"))
    fields = (stored.shape, stored.dtype.name, float(slope).hex(), float(intercept).hex(), unit, index, inverted)
    digest = hashlib.sha256(repr(fields).encode())
    digest.update(little.data)
    return digest.hexdigest()[:32]


def frame_of(index: int, found: Quantities, metadata: ImageMetadata) -> Frame:
    """A frame of these pixels, named by them."""
    return Frame(
        index=index,
        stored=found.stored,
        slope=found.slope,
        intercept=found.intercept,
        unit=found.unit,
        window=found.window,
        inverted=found.inverted,
        metadata=metadata,
        image_id=identify(found.stored, found.slope, found.intercept, found.unit, index, found.inverted),
    )


def to_pixels(frame: Frame) -> Pixels:
    """The frame's pixels as they travel: PNG, base64, inline."""
    rows, columns = frame.stored.shape[:2]
    return Pixels(
        rows=rows,
        columns=columns,
        channels=1 if frame.stored.ndim == 2 else 3,
        bits=8 if frame.stored.dtype == np.uint8 else 16,
        slope=frame.slope,
        intercept=frame.intercept,
        unit=frame.unit,
        data=pybase64.b64encode_as_string(encode_png(frame.stored)),
    )


def as_view(view: NDArray[np.uint8]) -> Pixels:
    """A rendered view as it travels: (rows, columns) grey or (rows, columns, 3) RGB, with its perceptual hash.

    The hash is taken here, where the view is at hand: data sets need it of every picture, and unpacking takes longer.
    """
    return Pixels(
        rows=view.shape[0],
        columns=view.shape[1],
        channels=1 if view.ndim == 2 else 3,
        bits=8,
        unit="grey level",
        data=pybase64.b64encode_as_string(encode_png(view)),
        perceptual_hash=f"{perceptual_hash(view):064x}",
    )


def from_pixels(pixels: Pixels) -> Stored:
    """The stored values of inline pixels, uint8 or uint16, (rows, columns) or (rows, columns, 3).

    Raises:
        ValueError: the pixels travel by reference; fetch them first.
        CorruptPixels: the data is not the PNG that the message describes.
    """
    if pixels.data is None:
        raise ValueError("these pixels travel by reference: fetch them from the payload store first")
    with failing_as(CorruptPixels()):
        stored = decode_png(pybase64.b64decode(pixels.data, validate=True))
    shape = (pixels.rows, pixels.columns) if pixels.channels == 1 else (pixels.rows, pixels.columns, 3)
    if stored.shape != shape or stored.dtype.itemsize * 8 != pixels.bits:
        raise CorruptPixels
    return stored
