"""How much one object may ask for. Knows nothing of who counts it."""

import dataclasses
from dataclasses import dataclass

MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one object, and on the process that reads it. Beyond one, the object is refused and nothing else.

    Args:
        seconds: that one call may take, such as the decoding of one frame; without waiting for a free process.
        cpu_seconds: of processor time, all threads together, that one call may take.
        memory: bytes that the process may hold beyond what it held before its first object. Linux only.
        calls: after which the process is replaced, so that what a native library leaks does not add up.
        file_bytes: of the object as it is stored.
        inflated_bytes: of a deflated DICOM object, inflated.
        inflation: times its size to which a deflated object may inflate, beyond the first 64 MiB. Deflate itself ends
            at 1,032; a blank image is near it.
        pixels: in one frame. The default is 8,192 × 8,192: the largest mammograms have half of it, and whole slides
            come as tiles, each a frame.
        total_pixels: in all frames of an object together, taken or not.
        frames: in one object.
        elements: data elements and items in a DICOM header.
        nesting: sequences within sequences in a DICOM header.
    """

    seconds: float = 120.0
    cpu_seconds: int = 60
    memory: int = 4096 * MEBIBYTE
    calls: int = 1000
    file_bytes: int = 2048 * MEBIBYTE
    inflated_bytes: int = 1024 * MEBIBYTE
    inflation: int = 250
    pixels: int = 2**26
    total_pixels: int = 2**36
    frames: int = 2**17
    elements: int = 2**20
    nesting: int = 32

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if getattr(self, field.name) <= 0:
                raise ValueError(f"the limit {field.name} must be above 0")


DEFAULT_LIMITS = Limits()
