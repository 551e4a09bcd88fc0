"""An object's pixel data with nothing in it but its samples, in whatever transfer syntax.

Knows nothing of what the samples show: see pixels.
"""

from dataclasses import replace

import numpy as np
from pydicom import Dataset
from pydicom.uid import UID

from models.imaging.allowlist import PIXEL_ELEMENTS
from models.imaging.codecs import NATIVE_SYNTAXES, Raster, Samples, codestreams_of, decode, native_length
from models.imaging.deidentify.decoded import store_decoded
from models.imaging.deidentify.encapsulated import codestreams, store_codestreams
from models.imaging.deidentify.jpeg import rewritten_jpeg
from models.imaging.deidentify.jpeg2000 import rewritten_j2k
from models.imaging.deidentify.native import exact_native, used_bits
from models.imaging.deidentify.rle import rewritten_rle
from models.imaging.dicom import PixelData, pixel_data
from models.imaging.header import Header


def rewrite_pixels(dataset: Dataset, header: Header, data: bytes, at: int) -> bool:
    """Write an object's pixel data anew, in place. True if its bytes changed.

    Frames with something in bits that the header says are unused are stored decoded.

    Args:
        dataset: with the pixels.
        header: as read_header gave it, of the object as it came; `data` and `at` too.
        data: what offsets refer to.
        at: offset of the pixel data element.

    Raises:
        One of models.imaging.errors: the pixels cannot be decoded, or contradict the header.
    """
    if at >= len(data):
        return False
    pixels = pixel_data(header, data, at)
    raster = pixels.raster
    for keyword in PIXEL_ELEMENTS.values():
        if keyword != raster.keyword and keyword in dataset:
            del dataset[keyword]
    before = dataset[raster.keyword].value
    if header.syntax.is_encapsulated and dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        _rewrite_codestreams(dataset, header.syntax, pixels)
    elif header.syntax in NATIVE_SYNTAXES:
        dataset[raster.keyword].value = exact_native(before, raster, header.syntax, pixels.frames)
    return dataset[raster.keyword].value != before


def pixel_element(dataset: Dataset, data: bytes, at: int) -> tuple[bytes, int]:
    """Where a data set's compressed pixels lie once they were written anew: bytes, and the offset of the element.

    Native ones lie where they lay, and so do those that were stored decoded: `data` and `at` as they are.
    """
    if "PixelData" not in dataset or not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return data, at
    return b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + dataset.PixelData + b"\xfe\xff\xdd\xe0\0\0\0\0", 0


def _rewrite_codestreams(dataset: Dataset, syntax: UID, pixels: PixelData) -> None:
    streams = codestreams(dataset, dataset["PixelData"].value, pixels.frames)
    streams = [_rewritten(stream, syntax, pixels.raster) for stream in streams]

    def samples(index: int) -> tuple[Samples, str]:
        return decode(syntax, streams[index], pixels.raster)

    if all(_all_meant(stream, syntax, pixels.raster) for stream in streams):
        store_codestreams(dataset, streams)
    else:
        store_decoded(dataset, syntax, PixelData(pixels.raster, pixels.frames, samples))


def _rewritten(stream: bytes, syntax: UID, raster: Raster) -> bytes:
    match codestreams_of(syntax):
        case "JPEG" | "JPEG-LS":
            return rewritten_jpeg(stream, (raster.rows, raster.columns))
        case "JPEG 2000":
            return rewritten_j2k(stream, (raster.rows, raster.columns))
        case "RLE":
            pixels = raster.rows * raster.columns
            length = -(-pixels // 8) if raster.allocated == 1 else pixels
            return rewritten_rle(stream, raster.samples * max(raster.allocated // 8, 1), length)
        case None:
            return exact_native(stream, raster, syntax, 1)[: native_length(raster, 1)]


def _all_meant(stream: bytes, syntax: UID, raster: Raster) -> bool:
    """Nothing lies in a frame's bits that the header says are unused; also, it can be decoded."""
    colour = "RGB" if raster.samples == 3 else "MONOCHROME2"
    whole = replace(raster, photometric=colour, stored=raster.allocated, high=raster.allocated - 1)
    samples, _ = decode(syntax, stream, whole)
    if raster.stored == raster.allocated:
        return True
    # Only what is stored as bytes can have its bits elsewhere than at the bottom.
    placed = raster if codestreams_of(syntax) in ("RLE", None) else replace(raster, high=raster.stored - 1)
    containers = samples.view(f"u{samples.dtype.itemsize}")
    return np.array_equal(used_bits(containers, placed), containers)
