"""Regions that the source itself marked: label maps and boxes, as COCO masks and boxes with a word of the vocabulary.

Knows nothing of what is measured in them.
"""

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from models.imaging.codestreams import JPEG_START, PNG_SIGNATURE
from models.imaging.errors import InvalidSidecar
from models.imaging.frames import Frame, Source
from models.imaging.vocabulary import label_of
from schemas.codes import Code
from schemas.failures import InvalidInput
from schemas.images import SourceAnnotation
from schemas.shapes import Box, Mask
from schemas.sidecars import Sidecar

MOST_LABELS = 2000
"""Numbers in one frame's mask: more are a photograph, not a label map."""

_GREY, _PALETTE = 0, 3  # PNG colour types


class Annotations:
    """What a sidecar and its mask mark in each frame of an object.

    Raises:
        InvalidSidecar: the mask cannot be read, or does not belong to the image; a box is of no frame.
    """

    def __init__(
        self, sidecar: Sidecar, image: Source, mask: bytes | None, open_mask: Callable[[bytes], Source]
    ) -> None:
        self._boxes = sidecar.boxes
        self._names = {_number(key): label_of(name) for key, name in sidecar.labels.items()}
        self._labels: Source | None = None
        self._scale = 1
        if any(box.frame >= image.frames_total for box in sidecar.boxes):
            raise InvalidSidecar("boxes.frame", "is not below the number of frames")
        if sidecar.mask is None:
            return
        if mask is None:
            raise InvalidSidecar("mask", "names no file below the image's folder")
        if mask.startswith(JPEG_START):
            raise InvalidSidecar("mask", "names a JPEG file, which does not keep numbers")
        try:
            plain, self._scale = _as_numbers(mask) if mask.startswith(PNG_SIGNATURE) else (mask, 1)
            self._labels = open_mask(plain)
        except InvalidInput:
            raise InvalidSidecar("mask", "names a file that cannot be read as PNG, TIFF or NIfTI") from None
        if image.frames_total % self._labels.frames_total:
            raise InvalidSidecar("mask", "has another number of frames than the image")

    def of(self, frame: Frame) -> tuple[tuple[SourceAnnotation, ...], str | None]:
        """The regions marked in a frame, masks first, and a digest of them; None where nothing is marked.

        Raises:
            InvalidSidecar: a mask or box does not fit the frame.
        """
        found = (*self._masks(frame), *self._in_boxes(frame))
        return found, digest_of(found)

    def _masks(self, frame: Frame) -> Iterator[SourceAnnotation]:
        if self._labels is None:
            return
        numbers = self._numbers(self._labels, frame)
        values = np.unique(numbers[numbers > 0])
        if len(values) > MOST_LABELS:
            raise InvalidSidecar("mask", f"holds more than {MOST_LABELS} numbers in one frame")
        for value in values.tolist():
            yield as_annotation(numbers == value, self._names.get(value, label_of(None)))

    def _numbers(self, labels: Source, frame: Frame) -> NDArray[np.int64]:
        metadata = frame.metadata
        try:
            mask = labels.read(frame.index % labels.frames_total)
        except InvalidInput:
            raise InvalidSidecar("mask", "names a file that is damaged") from None
        # Only NIfTI says where its voxels lie, and its slices come in the patient's order, not in the file's.
        volumes = {metadata.source_format, mask.metadata.source_format} == {"NIfTI"}
        if not volumes and "NIfTI" in (metadata.source_format, mask.metadata.source_format):
            raise InvalidSidecar("mask", "must be NIfTI where the image is, and may be only there")
        if not volumes and labels.frames_total != metadata.frames_in_object:
            raise InvalidSidecar("mask", "has another number of frames than the image")
        placed = [(one.plane, one.orientation) for one in (metadata, mask.metadata)]
        if mask.stored.shape != frame.stored.shape[:2] or (volumes and placed[0] != placed[1]):
            raise InvalidSidecar("mask", "is not grey or indexed, not of the image's size, or lies another way")
        values = mask.stored * mask.slope + mask.intercept
        return np.rint(values).astype(np.int64) // self._scale

    def _in_boxes(self, frame: Frame) -> Iterator[SourceAnnotation]:
        rows, columns = frame.stored.shape[:2]
        for box in self._boxes:
            if box.frame != frame.index:
                continue
            if box.x + box.width > columns or box.y + box.height > rows:
                raise InvalidSidecar("boxes", "reach beyond the image")
            shape = Box(x=box.x, y=box.y, width=box.width, height=box.height)
            yield SourceAnnotation(label=label_of(box.label), box=shape)


def as_annotation(mask: NDArray[np.bool_], label: str, code: Code | None = None) -> SourceAnnotation:
    """What is marked in the pixels of a frame, (rows, columns)."""
    encoded = cast(Any, coco.encode(np.asfortranarray(mask, np.uint8)))
    shape = Mask(size=(mask.shape[0], mask.shape[1]), counts=encoded["counts"].decode("ascii"))
    return SourceAnnotation(label=label, code=code, mask=shape)


def digest_of(found: tuple[SourceAnnotation, ...]) -> str | None:
    """A digest of all that is marked in a frame; None where nothing is."""
    if not found:
        return None
    return hashlib.sha256("\n".join(one.model_dump_json() for one in found).encode()).hexdigest()[:32]


def _number(key: str) -> int:
    if not (key.isascii() and key.isdigit() and 0 < int(key) < 2**16):
        raise InvalidSidecar("labels", "has a key that is no whole number from 1 to 65535")
    return int(key)


def _as_numbers(png: bytes) -> tuple[bytes, int]:
    """A PNG whose grey values are the numbers stored: the palette taken away, and by what to divide.

    Samples of fewer than 8 bits are spread over 0 to 255 when they are decoded (ISO/IEC 15948, 13.12).
    """
    depth, colour = png[24], png[25]
    if colour not in (_GREY, _PALETTE):
        return png, 1
    chunks, at = [png[:8]], 8
    while at + 12 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        content = png[at + 8 : at + 8 + length]
        at += 12 + length
        if colour == _PALETTE and kind in (b"PLTE", b"tRNS", b"sBIT", b"bKGD", b"hIST"):
            continue
        if kind == b"IHDR":
            content = content[:9] + bytes([_GREY]) + content[10:]
        chunks.append(struct.pack(">I4s", len(content), kind) + content)
        chunks.append(struct.pack(">I", zlib.crc32(kind + content)))
    return b"".join(chunks), 255 // (2**depth - 1) if depth < 8 else 1
