"""Text burned into a whole object's pixels, masked in the samples as they are stored.

Which images are looked at, and what is masked in them, burned_in settles, as for the pipeline. Knows nothing of names.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import UID

from models.imaging.burned_in import BurnedInPolicy, Cleaner, evidence_of
from models.imaging.codecs import Raster, Samples
from models.imaging.deidentify.decoded import store_decoded
from models.imaging.deidentify.files import Masked
from models.imaging.dicom import PixelData, cleaner_of, pixel_data
from models.imaging.header import Header
from models.imaging.masking import covered, masked, median
from models.imaging.slides import refuse_labels
from models.imaging.text import Box

_POLICY = BurnedInPolicy("mask")


class _Hidden(NamedTuple):
    """What is masked in one frame; px, or pairs of them where two share their colour."""

    boxes: list[Box]
    darkest: tuple[int, int] | None
    """Row and column of what fills the outside of ultrasound regions; None: that stays."""
    complete: bool


def clean_pixels(dataset: Dataset, header: Header, data: bytes, at: int) -> Masked | None:
    """Mask the text that is found in a dataset's pixels, in place. None: no reason to look, and nothing was decoded.

    Native pixels keep their form. Compressed ones in which something is masked become Explicit VR Little Endian, in RGB
    where they were YBR; where nothing is, they stay. A CleanPixels.

    Raises:
        One of models.imaging.errors: IdentifyingPixels, where the header says that
        there is text and none was found, SlideLabel, or that the pixels are damaged.
    """
    refuse_labels(header)
    evidence = evidence_of(header)
    if at >= len(data) or evidence.reason == "not suspected":
        return None
    pixels = pixel_data(header, data, at)
    cleaner, raster = cleaner_of(header, pixels, _POLICY), pixels.raster
    pair = 2 if _subsampled(raster) and not header.syntax.is_encapsulated else 1
    regions = covered((raster.rows, raster.columns), (), evidence.ultrasound_regions)
    outside: NDArray[np.bool_] = np.logical_or.reduce(regions.reshape(raster.rows, -1, pair), axis=2)
    frames = [_hidden(cleaner, index, outside, pair) for index in range(pixels.frames)]
    found = Masked(
        sum(len(one.boxes) + (one.darkest is not None) for one in frames), all(one.complete for one in frames)
    )
    level = _commonest if raster.photometric == "PALETTE COLOR" else median

    def fill(index: int, samples: Samples) -> Samples:
        boxes, darkest, _ = frames[index]
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


def _hidden(cleaner: Cleaner, index: int, outside: NDArray[np.bool_], pair: int) -> _Hidden:
    found = cleaner.quantities(index)
    stored, cleaning = cleaner.cleaned(found, _POLICY)
    # Outwards to whole pairs.
    boxes = [Box(box.left // pair, box.top, -(-box.right // pair), box.bottom, box.score) for box in cleaning.boxes]
    darkest = None
    if cleaning.outside_ultrasound_regions:
        bright = stored.reshape(*outside.shape, -1).sum(axis=2, dtype=np.int64) * (-1 if found.inverted else 1)
        # In whatever colour space, the darkest pixel that stays is black, or next to it.
        bright[covered(outside.shape, boxes, ())] = bright.max() + 1
        bright[outside] = bright.max() + 1
        row, column = np.unravel_index(bright.argmin(), bright.shape)
        darkest = int(row), int(column)
    return _Hidden(boxes, darkest, cleaning.complete)


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
