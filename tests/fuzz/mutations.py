"""Ways to damage a file, from one flipped bit to a bomb, each decided by a seed and a case number alone.

The same seed, case and seed files give the same bytes, on every machine.
"""

import random
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from pydicom.uid import AllTransferSyntaxes

from tests.fuzz.seeds import Seed

Mutation = Callable[[random.Random, bytes, bytes], bytes]
"""Chance, the file, and another file → the damaged file."""

_VRS = rb"AE|AS|AT|CS|DA|DS|DT|FL|FD|IS|LO|LT|OB|OD|OF|OL|OV|OW|PN|SH|SL|SQ|SS|ST|SV|TM|UC|UI|UL|UN|UR|US|UT|UV"
_ELEMENT = re.compile(rb"[\x00-\x60][\x00\x20]..(" + _VRS + rb")", re.DOTALL)
_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"}
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"
_PIXELS = re.compile(rb"\xe0\x7f\x10\x00")
_NUMBERS = (0, 1, 2, 3, 7, 8, 15, 16, 255, 256, 32767, 32768, 65534, 65535)
_LENGTHS = (0, 1, 3, 8, 255, 4096, 65535, 2**20 + 1, 2**31 - 1, 2**31, 2**32 - 2, _UNDEFINED)
# Image pixel module: samples, planes, frames, rows, columns, bits allocated/stored/high, sign, palettes.
_IMAGE = (0x02, 0x06, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103, 0x1101, 0x1102, 0x1103, 0x3002)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One case: a damaged file, and what it was made of."""

    case: int
    seed: Seed
    mutations: tuple[str, ...]
    data: bytes


def mutant(seed: int, case: int, files: Sequence[Seed]) -> Mutant:
    """The file of a case."""
    chance = random.Random(f"{seed}:{case}")
    chosen, other = _choose(chance, files), _choose(chance, files)
    names = tuple(chance.choice(_NAMES) for _ in range(chance.choice((1, 1, 1, 2, 3))))
    data = chosen.data
    for name in names:
        data = MUTATIONS[name](chance, data, other.data)
    return Mutant(case, chosen, names, data)


def _choose(chance: random.Random, files: Sequence[Seed]) -> Seed:
    """Any file, or as often one of any syntax, so that those with few files have their share."""
    syntax = chance.choice(sorted({file.syntax for file in files}))
    return chance.choice(chance.choice((files, [file for file in files if file.syntax == syntax])))


def flip_bits(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """A few bits anywhere, more often near the start, where the structure is."""
    spoiled = bytearray(data)
    for _ in range(chance.choice((1, 2, 8, 64))):
        at = chance.randrange(min(len(data), chance.choice((400, 4000, 2**31))) or 1)
        if at < len(data):
            spoiled[at] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def flip_pixel_bits(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """A few bits after the pixel data tag, or in the second half: codestreams."""
    found = _PIXELS.search(data)
    start = found.end() + 8 if found else len(data) // 2
    spoiled = bytearray(data)
    for _ in range(chance.choice((1, 3, 20))):
        end = min(len(data), start + chance.choice((80, 600, 2**31)))
        if start < end:
            spoiled[chance.randrange(start, end)] = chance.randrange(256)
    return bytes(spoiled)


def put_numbers(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Numbers at the edges of their types, over 1, 2 or 4 bytes."""
    spoiled = bytearray(data)
    for _ in range(chance.choice((1, 2, 6))):
        number = struct.pack(chance.choice(("<I", ">I")), chance.choice((0, 1, 0x7FFFFFFF, 0x80000000, _UNDEFINED)))
        at = chance.randrange(max(1, min(len(data), chance.choice((600, 6000, 2**31)))))
        spoiled[at : at + 4] = number[: chance.choice((1, 2, 4))].ljust(len(spoiled[at : at + 4]), b"\xff")[:4]
    return bytes(spoiled[: len(data)])


def truncate(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Cut anywhere, more often near an end."""
    return data[: chance.choice((chance.randrange(len(data) + 1), len(data) - chance.randrange(1, 40), 200))]


def lengths(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Lengths of elements: odd, huge, undefined, nothing."""
    spoiled = bytearray(data)
    for at, vr in _some_elements(chance, data, 3):
        length = chance.choice(_LENGTHS)
        if vr in _LONG:
            struct.pack_into("<I", spoiled, at + 8, length) if at + 12 <= len(data) else None
        elif at + 8 <= len(data):
            struct.pack_into("<H", spoiled, at + 6, length & 0xFFFF)
    return bytes(spoiled)


def item_lengths(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Lengths of items and fragments."""
    spoiled = bytearray(data)
    items = [found.start() for found in re.finditer(re.escape(_ITEM), data)]
    for at in chance.sample(items, min(len(items), chance.choice((1, 2, 5)))):
        if at + 8 <= len(data):
            (was,) = struct.unpack_from("<I", data, at + 4)
            struct.pack_into("<I", spoiled, at + 4, chance.choice((*_LENGTHS, was + 2, max(was - 2, 0))) & _UNDEFINED)
    return bytes(spoiled)


def nest(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """A tower of sequences, of known or undefined length, closed or left open."""
    depth = chance.choice((3, 31, 33, 150, 1000, 10_000))
    starts = struct.pack("<HH2s2xI", 0x08, 0x1140, b"SQ", _UNDEFINED) + _ITEM + struct.pack("<I", _UNDEFINED)
    ends = (_ITEM_END + bytes(4) + _SEQUENCE_END + bytes(4)) * chance.choice((0, depth))
    tower = starts * depth + ends
    if chance.random() < 0.3:
        tower = b""
        for _ in range(min(depth, 1000)):
            item = _ITEM + struct.pack("<I", len(tower)) + tower
            tower = struct.pack("<HH2s2xI", 0x5200, 0x9230, b"SQ", len(item)) + item
    return _insert_element(chance, data, tower)


def many_elements(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """A hundred thousand elements of nothing."""
    element = chance.choice((struct.pack("<HH2sH", 0x08, 0x50, b"SH", 0), _ITEM + bytes(4)))
    return _insert_element(chance, data, element * chance.choice((100, 10_000, 100_000)))


def dimensions(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Rows, columns, frames, bits: other numbers, so that sizes overflow or do not fit."""
    spoiled = bytearray(data)
    for number in chance.sample(_IMAGE, chance.choice((1, 2, 3))):
        for order in "<>":
            at = data.find(struct.pack(order + "HH", 0x28, number))
            if 0 <= at <= len(data) - 12:
                explicit = data[at + 4 : at + 6].isalpha()
                (length,) = struct.unpack_from(order + ("H" if explicit else "I"), data, at + (6 if explicit else 4))
                if number == 0x08 or length > 2:
                    text = str(chance.choice((0, -1, 2**31 - 1, 10**9, "1e9"))).encode()
                    spoiled[at + 8 : at + 8 + min(length, 12)] = text[:length].ljust(min(length, 12))
                else:
                    struct.pack_into(order + "H", spoiled, at + 8, chance.choice(_NUMBERS))
    return bytes(spoiled[: len(data)])


def frames(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Another number of frames."""
    text = chance.choice((b"0 ", b"-1", b"2 ", b"9999", b"2147483647", b"1000000000000 ", b"2\\3 ", b"ZQXJ"))
    element = struct.pack("<HH2sH", 0x28, 0x08, b"IS", len(text)) + text
    at = data.find(b"\x28\x00\x08\x00IS")
    if at >= 0 and at + 8 <= len(data):
        (length,) = struct.unpack_from("<H", data, at + 6)
        return data[:at] + element + data[at + 8 + length :]
    at = data.find(b"\x28\x00\x10\x00")
    return data[:at] + element + data[at:] if at >= 0 else data


def relabel(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Another transfer syntax than the one that the pixels are in."""
    at = data.find(b"\x02\x00\x10\x00UI", 0, 4000)
    if at < 0 or at + 8 > len(data):
        return data
    (length,) = struct.unpack_from("<H", data, at + 6)
    syntax = chance.choice((*AllTransferSyntaxes, "1.2.999.1")).encode()
    syntax += b"\0" * (len(syntax) % 2)
    return data[: at + 6] + struct.pack("<H", len(syntax)) + syntax + data[at + 8 + length :]


def swap_pixels(_chance: random.Random, data: bytes, other: bytes) -> bytes:
    """The header of one file with the pixel data of another."""
    mine, theirs = _PIXELS.search(data), _PIXELS.search(other)
    if mine is None or theirs is None:
        return data[: len(data) // 2] + other[len(other) // 2 :]
    return data[: mine.start()] + other[theirs.start() :]


def deflate(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """The object deflated, whole or damaged, or a bomb in its place; as deflate, zlib, gzip or zip would write it."""
    at = data.find(b"\x08\x00", 132)
    body = data[max(at, 132) :]
    if chance.random() < 0.4:
        fuse = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = fuse.compress(body[:2000]) + fuse.flush(zlib.Z_FULL_FLUSH) + _zeros() * chance.choice((1, 80, 2000))
    else:
        squeeze = zlib.compressobj(6, zlib.DEFLATED, chance.choice((-15, -15, 15, 31)))
        packed = squeeze.compress(body) + squeeze.flush()
    if chance.random() < 0.3:
        packed = flip_bits(chance, packed, b"")
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", 22) + b"1.2.840.10008.1.2.1.99"
    start = chance.choice((bytes(128) + b"DICM" + meta,) * 4 + (b"", b"PK\x03\x04", b"\x1f\x8b\x08\0\0\0\0\0\0\3"))
    return start + packed


def bomb_codestream(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Sizes within PNG, JPEG, JPEG-LS and JPEG 2000 headers: huge, none, or other than the header says."""
    spoiled = bytearray(data)
    size = chance.choice((0, 1, 2, 255, 4097, 30_000, 65_535))
    large = chance.choice((size, 10**6, 2**31 - 1, 2**31, 2**32 - 1))
    if data.startswith(b"\x89PNG") and len(data) > 33:
        struct.pack_into(">I", spoiled, chance.choice((16, 20)), large)
        if chance.random() < 0.2:
            spoiled[24:26] = bytes((chance.choice((1, 2, 4, 8, 16, 5)), chance.choice((0, 2, 3, 4, 6, 1))))
        struct.pack_into(">I", spoiled, 29, zlib.crc32(spoiled[12:29]))
    for found in re.finditer(rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xf7]\x00[\x08-\x14]", data):
        if found.start() + 10 <= len(data):
            field = chance.choice((4, 5, 7, 9))
            if field in (4, 9):
                spoiled[found.start() + field] = chance.choice((0, 1, 2, 3, 4, 8, 12, 16, 255))
            else:
                struct.pack_into(">H", spoiled, found.start() + field, size)
    for found in re.finditer(rb"\xff\x4f\xff\x51", data):
        if found.start() + 48 <= len(data):
            if chance.random() < 0.7:
                # size, offset, tile size and tile offset of the image (ISO/IEC 15444-1, A.5.1)
                struct.pack_into(">I", spoiled, found.start() + chance.choice(range(8, 40, 4)), large)
            else:
                at = found.start() + chance.choice((40, 41, 42, 43, 44))
                spoiled[at] = chance.choice((0, 1, 3, 37, 38, 255))
    return bytes(spoiled)


def directory(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """Entries of a TIFF directory (type, count, value), or fields of a NIfTI header."""
    spoiled = bytearray(data)
    if data[344:347] == b"n+1":
        for _ in range(chance.choice((1, 2))):
            field = chance.choice((0, *range(40, 56, 2), 70, 72, *range(76, 124, 4), 252, 254, *range(256, 344, 4)))
            struct.pack_into("<H", spoiled, field, chance.choice(_NUMBERS))
        return bytes(spoiled)
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    big = data[2:4] in (b"+\0", b"\0+")
    try:
        if order is None:
            return put_numbers(chance, data, other)
        (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        (entries,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
        for _ in range(chance.choice((1, 2)) if entries else 0):
            entry = at + (8 + 20 * chance.randrange(entries) if big else 2 + 12 * chance.randrange(entries))
            if chance.random() < 0.2:
                struct.pack_into(order + "H", spoiled, entry + 2, chance.randrange(20))
            else:
                field = chance.choice((4, 12 if big else 8, 12 if big else 8))
                struct.pack_into(
                    order + "I", spoiled, entry + field, chance.choice((*_LENGTHS, *_NUMBERS, at)) & _UNDEFINED
                )
    except (struct.error, OverflowError):
        pass
    return bytes(spoiled)


def duplicate_element(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """An element twice, or a run of them."""
    for at, _ in _some_elements(chance, data, 1):
        run = data[at : at + chance.choice((10, 40, 400))]
        return data[:at] + run + data[at:]
    return data + data


def change_vr(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """Other value representations, so that values are read as what they are not."""
    spoiled = bytearray(data)
    for at, _ in _some_elements(chance, data, 3):
        spoiled[at + 4 : at + 6] = chance.choice(_VRS.split(b"|"))
    return bytes(spoiled)


def splice(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """The start of one file with the end of another."""
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]


def insert_other(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """A piece of another file in the middle of this one."""
    at, start = chance.randrange(len(data) + 1), chance.randrange(len(other) + 1)
    return data[:at] + other[start : start + chance.choice((1, 16, 512))] + data[at:]


def remove(chance: random.Random, data: bytes, _other: bytes) -> bytes:
    """A piece missing from the middle."""
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.choice((1, 2, 16, 512)) :]


MUTATIONS: dict[str, Mutation] = {
    mutation.__name__: mutation
    for mutation in (
        flip_bits, flip_pixel_bits, put_numbers, truncate, lengths, item_lengths, nest, many_elements, dimensions,
        frames, relabel, swap_pixels, deflate, bomb_codestream, duplicate_element, change_vr, splice, insert_other,
        remove, directory,
    )
}  # fmt: skip
# What reaches the native decoders comes more often; what costs seconds, less.
_NAMES = [*MUTATIONS, *["flip_pixel_bits", "bomb_codestream", "dimensions", "relabel", "swap_pixels", "directory"] * 4]
_NAMES = [name for name in _NAMES * 4 if name not in ("many_elements", "deflate")] + ["many_elements", "deflate"] * 2


@cache
def _zeros() -> bytes:
    """A mebibyte of zeros, deflated, that can stand anywhere in a stream."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeeze.compress(bytes(2**20)) + squeeze.flush(zlib.Z_FULL_FLUSH)


def _some_elements(chance: random.Random, data: bytes, most: int) -> list[tuple[int, bytes]]:
    found = [(match.start(), match[1]) for match in _ELEMENT.finditer(data, 0, 20_000)]
    return chance.sample(found, min(len(found), chance.randint(1, most)))


def _insert_element(chance: random.Random, data: bytes, element: bytes) -> bytes:
    found = [at for at, _ in _some_elements(chance, data, 1)] or [min(len(data), 132)]
    return data[: found[0]] + element + data[found[0] :]
