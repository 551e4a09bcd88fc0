"""Whether a triplet holds together: a line can have a triplet's fields, and a text of regions that it lacks.

What does not is left out and counted. What a picture shows, and whether a measurement is right, is not looked at.
"""

import binascii
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
import pybase64

from models.datasets.lines import statements
from models.imaging.codestreams import PNG_SIGNATURE
from schemas.failures import InvalidInput
from schemas.regions import Region
from schemas.shapes import Mask
from schemas.triplets import Description, Statement, Triplet

PICTURE, OTHER, SHAPE, TWICE, LACKING, TOKEN, UNTOLD = (
    "its picture is no whole PNG of its size", "its perceptual hash is of another picture",
    "a mask or a box that is not of its picture",
    "two regions of one name", "a text or a relation of a region that it lacks", "a text with a token of a model",
    "a text that is not of its statements",
)  # fmt: skip
REGION_ID = re.compile(r"\b(r\d+)\b")
"""How a text names a region."""
_TOKEN = re.compile(r"<[|/]?[A-Za-z_][^<>\s]*>|\[/?INST\]")
"""What stands for a picture, a box or a speaker in what models read: `<image>` in an answer were one picture more."""
_LONGEST = 6
"""Characters of a run: more than any picture has pixels."""
_CHUNK = struct.Struct(">I4s")
_SIZE = struct.Struct(">II")


class Flawed(InvalidInput):
    """A triplet that does not hold together; its text is a reason that can be counted."""


def sound_picture(triplet: Triplet) -> bytes:
    """The PNG of a triplet that holds together.

    Raises:
        Flawed: it does not.
    """
    try:
        png = pybase64.b64decode(triplet.image.data or "", validate=True)
    except binascii.Error:
        raise Flawed(PICTURE) from None
    if not _is_whole(png, triplet.image.rows, triplet.image.columns):
        raise Flawed(PICTURE)
    outlined = [region for region in triplet.regions if region.kind != "whole image"]
    known = {region.region_id for region in outlined}
    if len(known) < len(outlined):
        raise Flawed(TWICE)
    rows, columns = triplet.image.rows, triplet.image.columns
    if not all(_lies_in(region, rows, columns) for region in triplet.regions) or not _cover(
        [region.mask for region in triplet.regions], rows * columns
    ):
        raise Flawed(SHAPE)
    texts = [text for text in _texts(triplet) if text]
    named = chain(
        *(REGION_ID.findall(text) for text in texts), *((one.subject, one.object) for one in triplet.relations)
    )
    if not known.issuperset(named):
        raise Flawed(LACKING)
    if any("<" in text or "[" in text for text in texts) and any(_TOKEN.search(text) for text in texts):
        raise Flawed(TOKEN)
    if not _is_of_its_statements(triplet.description):
        raise Flawed(UNTOLD)
    return png


def _is_of_its_statements(said: Description) -> bool:
    """Whether the running text holds nothing that no statement of it says: what was verified is the statements."""
    left = said.description
    # The longest first: one sentence can stand in another one.
    texts = {one.text for one in statements(said) if isinstance(one, Statement) and one.text}
    for text in sorted(texts, key=len, reverse=True):
        left = left.replace(text, "")
    return not left.strip()


def _texts(triplet: Triplet) -> Iterator[str | None]:
    """All that can come into a conversation."""
    said = triplet.description
    yield said.description
    yield said.caption.text if said.caption else None
    yield triplet.metadata.organ
    yield triplet.metadata.disease
    for region in triplet.regions:
        yield region.label
        yield region.phrase
        yield region.position


def _is_whole(png: bytes, rows: int, columns: int) -> bool:
    """Whether it is a PNG of this size whose chunks all have their checksums (ISO/IEC 15948, 5.3); not unpacked."""
    if not png.startswith(PNG_SIGNATURE):
        return False
    view, place, kind = memoryview(png), len(PNG_SIGNATURE), b""
    while kind != b"IEND":
        if place + 12 > len(png):
            return False
        length, kind = _CHUNK.unpack_from(png, place)
        end = place + 12 + length
        if end > len(png) or zlib.crc32(view[place + 4 : end - 4]) != int.from_bytes(view[end - 4 : end]):
            return False
        if place == len(PNG_SIGNATURE) and (kind != b"IHDR" or _SIZE.unpack_from(png, place + 8) != (columns, rows)):
            return False
        place = end
    return place == len(png)


def _lies_in(region: Region, rows: int, columns: int) -> bool:
    box = region.box
    return box.x + box.width <= columns and box.y + box.height <= rows and region.mask.size == (rows, columns)


def _cover(masks: Sequence[Mask], pixels: int) -> bool:
    """Whether the runs of each mask are those of as many pixels: decoders trust that they are.

    Five bits a character, low ones first, 32 where another follows; from the fourth run of a mask on each is told as
    what it is more than the last but one (pycocotools, maskApi.c). All masks at once: each step costs more than its
    numbers do.
    """
    texts = [mask.counts.encode() for mask in masks]
    if not all(texts):
        return False
    digits = (np.frombuffer(b"".join(texts), np.uint8) - 48).astype(np.uint8)
    ends = np.cumsum([len(text) for text in texts])
    goes_on = digits & 32 != 0
    if digits.max() > 63 or goes_on[ends - 1].any():
        return False
    last = np.flatnonzero(~goes_on)
    first = np.concatenate(([0], last[:-1] + 1))
    lengths = last - first + 1
    if lengths.max() > _LONGEST:
        return False
    places = np.arange(len(digits)) - np.repeat(first, lengths)
    told = np.add.reduceat((digits & 31).astype(np.int64) << (5 * places), first)
    told -= np.where(digits[last] & 16, 1 << (5 * lengths), 0)
    ends = np.searchsorted(last, ends)  # from here on in runs, and not in characters
    starts = np.concatenate(([0], ends[:-1]))
    counts = np.diff(ends, prepend=0)
    run = np.arange(len(told)) - np.repeat(starts, counts)
    # By mask, and in it first the first run, then those after it by twos.
    sums = np.repeat(3 * np.arange(len(texts)), counts) + np.where(run == 0, 0, 1 + run % 2)
    order = np.argsort(sums, kind="stable")
    told, sums = told[order], sums[order]
    begins = np.flatnonzero(np.diff(sums, prepend=-1))
    runs = np.cumsum(told)
    runs -= np.repeat(np.concatenate(([0], runs[begins[1:] - 1])), np.diff(begins, append=len(told)))
    return bool(runs.min() >= 0 and (np.add.reduceat(runs, starts) == pixels).all())
