"""Text burned into a whole object's pixels, masked in the samples as they are stored.

Which images are looked at, and what is masked in them, is what the pipeline's own frames say of themselves. Knows
nothing of names.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import UID

from models.imaging.burned_in import BurnedInPolicy, evidence_of
from models.imaging.codecs import Raster, Samples
from models.imaging.deidentify.decoded import store_decoded
from models.imaging.deidentify.files import Masked
from models.imaging.dicom import PixelData, pixel_data, source_of
from models.imaging.frames import Frame, Source
from models.imaging.header import Header
from models.imaging.masking import covered, masked, median
from models.imaging.mosaics import Mosaic, mosaic_of
from models.imaging.policy import FramePolicy
from models.imaging.slides import refuse_labels
from models.imaging.text import Box
from schemas.images import PixelCleaning

_MASK = BurnedInPolicy()


class _Hidden(NamedTuple):
    """What is masked in one frame; px, or pairs of them where two share their colour."""

    boxes: list[Box]
    darkest: tuple[int, int] | None
    """Row and column of what fills the outside of ultrasound regions; None: that stays."""


def clean_pixels(
    dataset: Dataset,
    header: Header,
    data: bytes,
    at: int,
    *,
    policy: BurnedInPolicy = _MASK,
    marks: Callable[[Source], Source] = lambda source: source,
) -> Masked | None:
    """Mask the text in a dataset's pixels, in place, where the pipeline masks it. None: there was no reason to look.

    Native pixels keep their form. Compressed ones in which something is masked become Explicit VR Little Endian, in RGB
    where they were YBR; where nothing is, they stay. A CleanPixels.

    Args:
        dataset: with the pixels.
        header: as `read_header` gave it.
        data: where they lie.
        at: offset of the pixel data element.
        policy: for what is uncertain, or lies over a region that the source marks.
        marks: the same frames with the regions that sidecars and other objects mark in them.

    Raises:
        One of models.imaging.errors: IdentifyingPixels, where the header says that there is text and none was found;
            UncertainText and TextOverRegion, by policy; SlideLabel; that the pixels are damaged; what `marks` raises.
    """
    refuse_labels(header)
    evidence = evidence_of(header)
    if at >= len(data) or (evidence.reason == "not suspected" and not policy.always):
        return None
    pixels = pixel_data(header, data, at)
    raster = pixels.raster
    source = marks(source_of(header, pixels, FramePolicy(), policy))
    pair = 2 if _subsampled(raster) and not header.syntax.is_encapsulated else 1
    regions = covered((raster.rows, raster.columns), (), evidence.ultrasound_regions)
    outside: NDArray[np.bool_] = np.logical_or.reduce(regions.reshape(raster.rows, -1, pair), axis=2)
    frames, cleanings = list[_Hidden](), list[PixelCleaning]()
    for index in range(source.frames_total):
        frame = source.read(index)
        cleaning = frame.metadata.pixel_cleaning
        assert cleaning is not None  # there is a policy
        frames.append(_hidden(frame, cleaning, outside, pair))
        cleanings.append(cleaning)
    found = _summed(cleanings, policy)
    mosaic = mosaic_of(header, raster, pixels.frames)
    if mosaic is not None:
        frames = [_in_mosaic(mosaic, frames)]
    level = _commonest if raster.photometric == "PALETTE COLOR" else median

    def fill(index: int, samples: Samples) -> Samples:
        boxes, darkest = frames[index]
        if darkest is not None:
            samples = samples.copy()
            samples[outside] = samples[darkest]
        return masked(samples, boxes, level)

    if found.areas and header.syntax.is_encapsulated:
        store_decoded(dataset, header.syntax, pixels, fill)
    elif found.areas:
        _fill_native(dataset, header.syntax, pixels, fill)
    return found


def _subsampled(raster: Raster) -> bool:
    return raster.photometric in ("YBR_FULL_422", "YBR_PARTIAL_422")


def _summed(cleanings: Sequence[PixelCleaning], policy: BurnedInPolicy) -> Masked:
    left = sum(one.left_over_regions_px for one in cleanings)
    return Masked(
        areas=sum(len(one.boxes) + one.outside_ultrasound_regions for one in cleanings),
        complete=all(one.complete for one in cleanings) and not left and policy.uncertain != "pass",
        masked_over_regions_px=sum(one.masked_over_regions_px for one in cleanings),
        left_over_regions_px=left,
    )


def _hidden(frame: Frame, cleaning: PixelCleaning, outside: NDArray[np.bool_], pair: int) -> _Hidden:
    # Outwards to whole pairs.
    boxes = [Box(one.left // pair, one.top, -(-one.right // pair), one.bottom, one.score) for one in cleaning.boxes]
    if not cleaning.outside_ultrasound_regions:
        return _Hidden(boxes, None)
    bright = frame.stored.reshape(*outside.shape, -1).sum(axis=2, dtype=np.int64) * (-1 if frame.inverted else 1)
    # In whatever colour space, the darkest pixel that stays is black, or next to it.
    bright[covered(outside.shape, boxes, ())] = bright.max() + 1
    bright[outside] = bright.max() + 1
    row, column = np.unravel_index(bright.argmin(), bright.shape)
    return _Hidden(boxes, (int(row), int(column)))


def _in_mosaic(mosaic: Mosaic, tiles: Sequence[_Hidden]) -> _Hidden:
    """What is masked in the whole frame."""
    boxes: list[Box] = []
    for index, tile in enumerate(tiles):
        top, left = mosaic.corner(index)
        boxes += [
            Box(one.left + left, one.top + top, one.right + left, one.bottom + top, one.score) for one in tile.boxes
        ]
    return _Hidden(boxes, None)


def _commonest(around: NDArray[Any]) -> Any:
    """Of a palette's indices, between which there is nothing."""
    values, counts = np.unique(around, return_counts=True)
    return values[counts.argmax()]


def _fill_native(dataset: Dataset, syntax: UID, pixels: PixelData, fill: Callable[[int, Samples], Samples]) -> None:
    """Fill each frame where it lies, in any number of bits and order of bytes and planes."""
    raster, element = pixels.raster, dataset[pixels.raster.keyword]
    stored = np.frombuffer(bytearray(element.value), np.uint8)
    # In big endian, 8 bits as words are swapped (PS3.5, 8.2 and annex D).
    words = raster.allocated == 8 and raster.vr == "OW" and not syntax.is_little_endian
    stored = stored.view(np.uint16).byteswap().view(np.uint8) if words else stored
    count = raster.rows * raster.columns * raster.samples * pixels.frames
    if raster.allocated == 1:
        stored = np.unpackbits(stored, bitorder="little")
        samples = stored[:count]
    else:
        count = count // 3 * 2 if _subsampled(raster) else count
        kind = "f" if raster.keyword != "PixelData" else "i" if raster.signed else "u"
        order, size = "<" if syntax.is_little_endian else ">", raster.allocated // 8
        samples = stored[: count * size].view(f"{order}{kind}{size}")
    for index, flat in enumerate(samples.reshape(pixels.frames, -1)):
        frame = _arranged(flat, raster)
        frame[...] = fill(index, frame)
    if raster.allocated == 1:
        stored = np.packbits(stored, bitorder="little")
    element.value = (stored.view(np.uint16).byteswap() if words else stored).tobytes()


def _arranged(flat: Samples, raster: Raster) -> Samples:
    """A view, (rows, columns) or with channels last; of subsampled colour a pair has the channels Y, Y, CB and CR."""
    if _subsampled(raster):
        return flat.reshape(raster.rows, raster.columns // 2, 4)
    if raster.planar and raster.samples > 1:
        return np.moveaxis(flat.reshape(raster.samples, raster.rows, raster.columns), 0, -1)
    return flat.reshape(raster.shape)
