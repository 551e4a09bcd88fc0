"""Native pixel data (PS3.5 8.1) cut to what the header describes, and no bit in it but those of the samples.

Knows nothing of datasets and of what is shown.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import UID

from models.imaging.codecs import Raster, native_length
from models.imaging.errors import TruncatedFile


def exact_native(value: bytes, raster: Raster, syntax: UID, frames: int) -> bytes:
    """The same samples in as many bytes as they need, unused bits and padding zero; signs reach the highest bit.

    A float that is no number becomes the one such that has no payload.

    Raises:
        TruncatedFile: too few bytes.
    """
    length = native_length(raster, frames)
    # In big endian, 8 bits as words are swapped (PS3.5, 8.2 and annex D): the last one can lie behind its padding.
    words = raster.allocated <= 8 and raster.vr == "OW" and not syntax.is_little_endian
    padded = length + length % 2
    if len(value) < (padded if words else length):
        raise TruncatedFile
    octets = np.frombuffer(value[:padded].ljust(padded, b"\0"), np.uint8)
    octets = octets.view(np.uint16).byteswap().view(np.uint8) if words else octets.copy()
    octets[length:] = 0
    if raster.allocated == 1:
        used = raster.rows * raster.columns * raster.samples * frames
        if used % 8:
            octets[length - 1] &= (1 << used % 8) - 1
    else:
        size = raster.allocated // 8
        samples = octets[:length].view(f"{'<' if syntax.is_little_endian else '>'}u{size}")
        if raster.keyword != "PixelData":
            floats = samples.view(samples.dtype.str.replace("u", "f"))
            floats[np.isnan(floats)] = np.nan
        else:
            samples[...] = used_bits(samples, raster)
    return (octets.view(np.uint16).byteswap() if words else octets).tobytes()


def used_bits(samples: NDArray[Any], raster: Raster) -> NDArray[Any]:
    """Unsigned containers with nothing in them but the stored bits, sign-extended where they are signed."""
    wide, low = raster.allocated, raster.high + 1 - raster.stored
    if raster.stored == wide:
        return samples
    kind = samples.dtype.str.replace("u", "i") if raster.signed else samples.dtype.str
    shifted = (samples << (wide - low - raster.stored)).astype(samples.dtype, copy=False).view(kind)
    return (shifted >> (wide - raster.stored) << low).astype(kind, copy=False).view(samples.dtype)
