"""Compressed pixel data stored natively: Explicit VR Little Endian, RGB where it was YBR.

Knows nothing of why.
"""

from collections.abc import Callable

import numpy as np
from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from models.imaging.codecs import Samples
from models.imaging.dicom import PixelData

_LOSSY = frozenset(UID(f"1.2.840.10008.1.2.4.{number}") for number in (50, 51, 53, 55, 81))
"""JPEG and JPEG-LS that lose something (PS3.5 8.2.1, 8.2.3). Of JPEG 2000 only the header tells."""


def store_decoded(
    dataset: Dataset,
    syntax: UID,
    pixels: PixelData,
    fill: Callable[[int, Samples], Samples] = lambda _index, samples: samples,
) -> None:
    """Store each frame as it was decoded and filled, in place, and have the header say so (PS3.3 C.7.6.3).

    Args:
        dataset: of compressed pixels.
        syntax: their transfer syntax.
        pixels: the frames.
        fill: what becomes of the samples of a frame.
    """
    raster = pixels.raster
    decoded = [pixels.samples(index) for index in range(pixels.frames)]
    stored = np.stack([fill(index, samples) for index, (samples, _) in enumerate(decoded)])
    value = stored.astype(stored.dtype.newbyteorder("<")).tobytes()
    element = dataset["PixelData"]
    element.VR, element.value, element.is_undefined_length = "OW", value + bytes(len(value) % 2), False
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.PhotometricInterpretation = decoded[0][1]
    dataset.BitsAllocated = stored.dtype.itemsize * 8
    dataset.BitsStored, dataset.HighBit = raster.stored, raster.stored - 1
    if raster.samples > 1:
        dataset.PlanarConfiguration = 0
    if syntax in _LOSSY:
        dataset.LossyImageCompression = "01"
    for table in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if table in dataset:
            del dataset[table]
