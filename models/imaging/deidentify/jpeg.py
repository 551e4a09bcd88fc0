"""JPEG (ISO/IEC 10918-1) and JPEG-LS (14495-1) codestreams written anew: what decoding needs, and not a byte more.

Tables stand where they are used, application data is rebuilt from its meaning, and everything else stays behind:
comments, thumbnails, fill bytes, tables that no scan names, and what lies before, between or behind. Coefficients pass
as they are coded.
"""

import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import imagecodecs

from models.imaging.codestreams import check_dimensions, segment_content
from models.imaging.deidentify.surplus import without_surplus
from models.imaging.errors import CorruptPixels, TruncatedFile, UnsupportedPixels

_START, _END = b"\xff\xd8", b"\xff\xd9"
_SEQUENTIAL, _PROGRESSIVE, _LOSSLESS, _JPEG_LS = (0xC0, 0xC1), 0xC2, 0xC3, 0xF7
_PROCESSES = (*_SEQUENTIAL, _PROGRESSIVE, _LOSSLESS, _JPEG_LS)
_DHT, _SOS, _DQT, _DNL, _DRI, _LSE = 0xC4, 0xDA, 0xDB, 0xDC, 0xDD, 0xF8
_APP0, _APP8, _APP14, _APP15, _COM = 0xE0, 0xE8, 0xEE, 0xEF, 0xFE

# Within coded data FF is followed by 00, in JPEG-LS by a byte below 80, and by fill bytes (FF) and a marker else.
_MARKER = re.compile(rb"\xff+[\x01-\xfe]")
_MARKER_LS = re.compile(rb"\xff+[\x80-\xfe]")

# Version 1.02, pixels square, no thumbnail; and version 100, no flags, then the transform.
_JFIF, _ADOBE = b"JFIF\0\1\2\0\0\1\0\1\0\0", b"Adobe\0\x64\0\0\0\0"
_HP_COLOUR = b"mrfx"
"""APP8 of JPEG-LS, as HP's and CharLS's encoders write it: which colour transform was taken."""


@dataclass(frozen=True, slots=True)
class _Component:
    identifier: int
    across: int
    down: int
    quantization: int


@dataclass(frozen=True, slots=True)
class _Frame:
    process: int
    precision: int
    rows: int
    columns: int
    components: tuple[_Component, ...]

    def content(self) -> bytes:
        parts = (bytes((one.identifier, one.across << 4 | one.down, one.quantization)) for one in self.components)
        return struct.pack(">BHHB", self.precision, self.rows, self.columns, len(self.components)) + b"".join(parts)


@dataclass(frozen=True, slots=True)
class _Scan:
    components: tuple[int, ...]
    """Places in the frame's list."""
    tables: tuple[int, ...]
    """Of each component: the numbers of its DC and AC tables, or of its mapping table, in one byte."""
    last: tuple[int, int, int]
    before: tuple[tuple[int, bytes], ...]
    """Marker and content of the segments that it needs and no scan before it had."""
    interval: int
    parts: tuple[bytes, ...] = field(repr=False)
    """Coded data, cut at the restart markers."""


@dataclass(slots=True)
class _Parsed:
    application: list[tuple[int, bytes]]
    frame: _Frame
    scans: list[_Scan]


def rewritten_jpeg(data: bytes, dimensions: tuple[int, int] | None = None) -> bytes:
    """A codestream of the same samples, from the first SOI to the EOI that ends its image.

    Args:
        data: the codestream.
        dimensions: rows and columns that it must have; None: any.

    Raises:
        WrongPixelLength: it has others.
        TruncatedFile: it ends early.
        CorruptPixels: its markers make no sense, or it cannot be decoded.
        UnsupportedPixels: a form that is not read here: arithmetic coding, hierarchical, restarts in progressive data.
    """
    parsed = _Parser(data).read()
    check_dimensions((parsed.frame.rows, parsed.frame.columns), dimensions)
    if parsed.frame.process == _PROGRESSIVE:
        _clean_progressive(parsed)
    else:
        parsed.scans = [_clean_scan(parsed, scan) for scan in parsed.scans]
    return _written(parsed.application, parsed.frame, parsed.scans)


class _Parser:
    """Reads marker segments (10918-1, B.2) into their meaning."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = data.find(b"\xff\xd8\xff")
        self._frame: _Frame | None = None
        self._scans: list[_Scan] = []
        self._application: dict[int, bytes] = {}
        self._tables: dict[tuple[int, int], bytes] = {}
        self._written: dict[tuple[int, int], bytes] = {}
        self._interval = self._written_interval = 0
        self._preset = b""

    def read(self) -> _Parsed:
        if self._at < 0:
            raise CorruptPixels
        self._at += 2
        while (marker := self._marker()) != _END[1]:
            content = self._content()
            if marker == _SOS:
                self._read_scan(content)
            elif marker in _PROCESSES:
                self._read_frame(marker, content)
            elif marker == _DHT:
                self._read_huffman(content)
            elif marker == _DQT:
                self._read_quantization(content)
            elif marker == _DRI:
                self._interval = int.from_bytes(content[: 2 if len(content) < 4 else 4], "big")
            elif marker == _LSE:
                self._read_preset(content)
            elif _APP0 <= marker <= _APP15:
                self._read_application(marker, content)
            elif marker not in (_COM, _DNL):
                raise UnsupportedPixels("its JPEG codestream is of a form that is not read here")
        if self._frame is None or not self._scans:
            raise CorruptPixels
        application = [(marker, self._application[marker]) for marker in sorted(self._application)]
        return _Parsed(application, self._frame, self._scans)

    def _marker(self) -> int:
        data = self._data
        # Strays between segments are passed over, as decoders do.
        at = data.find(b"\xff", self._at)
        while 0 <= at < len(data) - 1 and data[at + 1] in (0, 0xFF):
            at = data.find(b"\xff", at + 1)
        if not 0 <= at < len(data) - 1:
            raise TruncatedFile
        self._at = at + 2
        return data[at + 1]

    def _content(self) -> bytes:
        content = segment_content(self._data, self._at)
        self._at += 2 + len(content)
        return content

    def _read_application(self, marker: int, content: bytes) -> None:
        if marker == _APP0 and content.startswith(b"JFIF\0"):
            self._application[marker] = _JFIF
        elif marker == _APP14 and content.startswith(b"Adobe") and len(content) >= 12 and content[11] <= 2:
            self._application[marker] = _ADOBE + content[11:12]
        elif marker == _APP8 and content[:4] == _HP_COLOUR and len(content) == 5 and 1 <= content[4] <= 3:
            self._application[marker] = content

    def _read_frame(self, marker: int, content: bytes) -> None:
        if self._frame is not None or len(content) < 6 or len(content) < 6 + 3 * content[5]:
            raise CorruptPixels
        precision, rows, columns, count = struct.unpack_from(">BHHB", content)
        triples = [content[at : at + 3] for at in range(6, 6 + 3 * count, 3)]
        identifiers = bytes(triple[0] for triple in triples)
        components = tuple(_Component(one, factors >> 4, factors & 15, table) for one, factors, table in triples)
        sound = all(1 <= one.across <= 4 and 1 <= one.down <= 4 and one.quantization <= 3 for one in components)
        if not sound or not rows or not columns or not 1 <= count <= 4 or len(set(identifiers)) < count:
            raise CorruptPixels
        self._frame = _Frame(marker, precision, rows, columns, components)

    def _read_quantization(self, content: bytes) -> None:
        at = 0
        while at < len(content):
            wide, number = content[at] >> 4, content[at] & 15
            table = content[at : at + 65 + 64 * wide]
            if wide > 1 or number > 3 or len(table) != 65 + 64 * wide:
                raise CorruptPixels
            self._tables[_DQT, number] = table
            at += len(table)

    def _read_huffman(self, content: bytes) -> None:
        at = 0
        while at < len(content):
            kind, number, counts = content[at] >> 4, content[at] & 15, content[at + 1 : at + 17]
            values = content[at + 17 : at + 17 + sum(counts)]
            if kind > 1 or number > 3 or len(counts) < 16 or len(values) != sum(counts):
                raise CorruptPixels
            self._tables[_DHT, content[at]] = content[at : at + 17] + values
            at += 17 + len(values)

    def _read_preset(self, content: bytes) -> None:
        if content[:1] != b"\1" or len(content) < 11:
            raise UnsupportedPixels("its JPEG-LS codestream has mapping tables or extended dimensions")
        self._preset = content[:11]

    def _read_scan(self, content: bytes) -> None:
        frame = self._frame
        count = content[0] if content else 0
        if frame is None or not 1 <= count <= len(frame.components) or len(content) < 4 + 2 * count:
            raise CorruptPixels
        identifiers = [one.identifier for one in frame.components]
        try:
            components = tuple(identifiers.index(one) for one in content[1 : 1 + 2 * count : 2])
        except ValueError:
            raise CorruptPixels from None
        first, last, approximation = content[1 + 2 * count : 4 + 2 * count]
        tables = content[2 : 2 + 2 * count : 2]
        needed: list[tuple[int, int]] = []
        if frame.process == _JPEG_LS:
            if any(tables) or self._interval or last > 2:
                raise UnsupportedPixels("its JPEG-LS codestream has mapping tables or restart intervals")
        elif frame.process == _LOSSLESS:
            tables, last = bytes(one & 0xF0 for one in tables), 0
            needed = [(_DHT, one >> 4) for one in tables]
        elif frame.process == _PROGRESSIVE:
            direct = first == 0
            tables = bytes(one & (0xF0 if direct else 0x0F) for one in tables)
            # Refinements of DC coefficients are bits without a code.
            needed = [(_DHT, one >> 4 if direct else 0x10 | one) for one in tables]
            if direct and approximation >> 4:
                tables, needed = bytes(count), []
        else:
            first, last, approximation = 0, 63, 0
            needed = [(_DHT, number) for one in tables for number in (one >> 4, 0x10 | one & 15)]
        if frame.process not in (_LOSSLESS, _JPEG_LS):
            needed = [(_DQT, frame.components[one].quantization) for one in components] + needed
        before = self._unwritten(needed)
        if self._preset:
            before, self._preset = [(_LSE, self._preset), *before], b""
        if self._interval != self._written_interval:
            before.append((_DRI, struct.pack(">H", self._interval & 0xFFFF)))
            self._written_interval = self._interval
        final = (first, last, approximation)
        self._scans.append(_Scan(components, tuple(tables), final, tuple(before), self._interval, self._coded(frame)))

    def _unwritten(self, needed: Sequence[tuple[int, int]]) -> list[tuple[int, bytes]]:
        found: list[tuple[int, bytes]] = []
        for key in dict.fromkeys(needed):
            if key not in self._tables:
                raise CorruptPixels
            if self._written.get(key) != self._tables[key]:
                values = self._tables[key][17:]
                # A table that names a value twice, or a difference of more than 16 bits, was not made by an encoder.
                if key[0] == _DHT and (len(set(values)) < len(values) or (key[1] < 16 and max(values, default=0) > 16)):
                    raise CorruptPixels
                self._written[key] = self._tables[key]
                found.append((key[0], self._tables[key]))
        return found

    def _coded(self, frame: _Frame) -> tuple[bytes, ...]:
        """Coded data from here to the next marker that is no restart."""
        pattern = _MARKER_LS if frame.process == _JPEG_LS else _MARKER
        parts: list[bytes] = []
        while True:
            match = pattern.search(self._data, self._at)
            if match is None:
                raise TruncatedFile
            parts.append(self._data[self._at : match.start()])
            if not 0xD0 <= match[0][-1] <= 0xD7:
                self._at = match.start()
                return tuple(parts)
            if not self._interval:
                raise CorruptPixels
            self._at = match.end()


def _written(application: Sequence[tuple[int, bytes]], frame: _Frame, scans: Sequence[_Scan]) -> bytes:
    found = bytearray(_START)

    def add(marker: int, content: bytes) -> None:
        found.extend(struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content)

    for marker, content in application:
        add(marker, content)
    for number, scan in enumerate(scans):
        for marker, content in scan.before:
            if number or marker == _DQT:
                add(marker, content)
        if number == 0:
            add(frame.process, frame.content())
            for marker, content in scan.before:
                if marker != _DQT:
                    add(marker, content)
        chosen = (frame.components[one].identifier for one in scan.components)
        pairs = bytes(value for pair in zip(chosen, scan.tables, strict=True) for value in pair)
        add(_SOS, bytes((len(scan.components),)) + pairs + bytes(scan.last))
        for place, part in enumerate(scan.parts):
            if place:
                found.extend((0xFF, 0xD0 + (place - 1) % 8))
            found.extend(part)
    return bytes(found + _END)


def _decoder(process: int) -> Callable[[bytes], Any]:
    return imagecodecs.jpegls_decode if process == _JPEG_LS else imagecodecs.jpeg8_decode


def _clean_progressive(parsed: _Parsed) -> None:
    for number, scan in enumerate(parsed.scans):
        if scan.interval:
            raise UnsupportedPixels("its progressive JPEG codestream has restart intervals")

        def decode(coded: bytes, number: int = number, scan: _Scan = scan) -> Any:
            scans = list(parsed.scans)
            scans[number] = replace(scan, parts=(coded,))
            return imagecodecs.jpeg8_decode(_written(parsed.application, parsed.frame, scans))

        parsed.scans[number] = replace(scan, parts=(without_surplus(scan.parts[0], decode),))


def _clean_scan(parsed: _Parsed, scan: _Scan) -> _Scan:
    """Each restart interval starts anew (10918-1, E.1.4, H.1.1), so it can be decoded as an image of its own."""
    frame = parsed.frame
    components = tuple(frame.components[one] for one in scan.components)
    seen = [one for other in parsed.scans for one in other.components]
    if sorted(seen) != list(range(len(frame.components))) or 1 < len(components) < len(frame.components):
        raise CorruptPixels
    unit = 8 if frame.process in _SEQUENTIAL else 1
    widest, highest = (max(getattr(one, way) for one in frame.components) for way in ("across", "down"))
    rows, columns = frame.rows, frame.columns
    if len(components) == 1:
        # Not interleaved: its units are single blocks, and its size that of the component (10918-1, A.2.2).
        rows, columns = -(-rows * components[0].down // highest), -(-columns * components[0].across // widest)
        components, widest, highest = (replace(components[0], across=1, down=1),), 1, 1
    wide, high = unit * widest, unit * highest
    in_row = -(-columns // wide)
    total = in_row * -(-rows // high)
    count = -(-total // scan.interval) if scan.interval else 1
    if len(scan.parts) < count:
        raise TruncatedFile
    tables = _tables_until(parsed, scan)

    def image_of(units: int) -> _Frame:
        size = (-(-units // in_row) * high, columns) if units % in_row == 0 else (high, units * wide)
        if units == total:
            size = (rows, columns)
        if max(size) > 65535 or (units % in_row and unit == 1):
            raise UnsupportedPixels("its JPEG codestream has restart intervals of a length that is not read here")
        return _Frame(frame.process, frame.precision, *size, components)

    def clean(place: int) -> bytes:
        units = min(scan.interval or total, total - place * (scan.interval or total))
        image = image_of(units)

        def decode(coded: bytes) -> Any:
            alone = _Scan(tuple(range(len(components))), scan.tables, scan.last, tables, 0, (coded,))
            return _decoder(frame.process)(_written((), image, [alone]))

        return without_surplus(scan.parts[place], decode)

    return replace(scan, parts=tuple(clean(place) for place in range(count)))


def _tables_until(parsed: _Parsed, scan: _Scan) -> tuple[tuple[int, bytes], ...]:
    """The segments in force at a scan, without restart intervals."""
    found: dict[tuple[int, int], tuple[int, bytes]] = {}
    for other in parsed.scans:
        for marker, content in other.before:
            if marker != _DRI:
                found[marker, content[0] if marker == _DHT else content[0] & 15] = (marker, content)
        if other is scan:
            break
    return tuple(found.values())
