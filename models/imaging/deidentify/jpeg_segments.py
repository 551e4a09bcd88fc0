"""Marker segments of JPEG (ISO/IEC 10918-1) and JPEG-LS (14495-1) codestreams: read into their meaning, and written.

Tables stand where they are used, application data is rebuilt from its meaning, and everything else stays behind:
comments, thumbnails, fill bytes, tables that no scan names, and what lies before, between or behind. Knows nothing of
what is coded.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from models.imaging.codestreams import segment_content
from models.imaging.errors import CorruptPixels, TruncatedFile, UnsupportedPixels

_START, _END = b"\xff\xd8", b"\xff\xd9"
SEQUENTIAL, PROGRESSIVE, LOSSLESS, JPEG_LS = (0xC0, 0xC1), 0xC2, 0xC3, 0xF7
_PROCESSES = (*SEQUENTIAL, PROGRESSIVE, LOSSLESS, JPEG_LS)
DHT, _SOS, DQT, _DNL, DRI, _LSE = 0xC4, 0xDA, 0xDB, 0xDC, 0xDD, 0xF8
_APP0, _APP8, _APP14, _APP15, _COM = 0xE0, 0xE8, 0xEE, 0xEF, 0xFE

# Within coded data FF is followed by 00, in JPEG-LS by a byte below 80, and by fill bytes (FF) and a marker else.
_MARKER = re.compile(rb"\xff+[\x01-\xfe]")
_MARKER_LS = re.compile(rb"\xff+[\x80-\xfe]")

# Version 1.02, pixels square, no thumbnail; and version 100, no flags, then the transform.
_JFIF, _ADOBE = b"JFIF\0\1\2\0\0\1\0\1\0\0", b"Adobe\0\x64\0\0\0\0"
_HP_COLOUR = b"mrfx"
"""APP8 of JPEG-LS, as HP's and CharLS's encoders write it: which colour transform was taken."""


@dataclass(frozen=True, slots=True)
class Component:
    identifier: int
    across: int
    down: int
    quantization: int


@dataclass(frozen=True, slots=True)
class JpegFrame:
    process: int
    precision: int
    rows: int
    columns: int
    components: tuple[Component, ...]

    def content(self) -> bytes:
        parts = (bytes((one.identifier, one.across << 4 | one.down, one.quantization)) for one in self.components)
        return struct.pack(">BHHB", self.precision, self.rows, self.columns, len(self.components)) + b"".join(parts)


@dataclass(frozen=True, slots=True)
class Scan:
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
class Parsed:
    application: list[tuple[int, bytes]]
    frame: JpegFrame
    scans: list[Scan]


def parsed_jpeg(data: bytes) -> Parsed:
    """A codestream, from the first SOI to the EOI that ends its image.

    Raises:
        TruncatedFile: it ends early.
        CorruptPixels: its markers make no sense.
        UnsupportedPixels: a form that is not read here: arithmetic coding, hierarchical.
    """
    return _Parser(data).read()


class _Parser:
    """Reads marker segments (10918-1, B.2) into their meaning."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = data.find(b"\xff\xd8\xff")
        self._frame: JpegFrame | None = None
        self._scans: list[Scan] = []
        self._application: dict[int, bytes] = {}
        self._tables: dict[tuple[int, int], bytes] = {}
        self._written: dict[tuple[int, int], bytes] = {}
        self._interval = self._written_interval = 0
        self._preset = b""

    def read(self) -> Parsed:
        if self._at < 0:
            raise CorruptPixels
        self._at += 2
        while (marker := self._marker()) != _END[1]:
            content = self._content()
            if marker == _SOS:
                self._read_scan(content)
            elif marker in _PROCESSES:
                self._read_frame(marker, content)
            elif marker == DHT:
                self._read_huffman(content)
            elif marker == DQT:
                self._read_quantization(content)
            elif marker == DRI:
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
        return Parsed(application, self._frame, self._scans)

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
        components = tuple(Component(one, factors >> 4, factors & 15, table) for one, factors, table in triples)
        sound = all(1 <= one.across <= 4 and 1 <= one.down <= 4 and one.quantization <= 3 for one in components)
        if not sound or not rows or not columns or not 1 <= count <= 4 or len(set(identifiers)) < count:
            raise CorruptPixels
        self._frame = JpegFrame(marker, precision, rows, columns, components)

    def _read_quantization(self, content: bytes) -> None:
        at = 0
        while at < len(content):
            wide, number = content[at] >> 4, content[at] & 15
            table = content[at : at + 65 + 64 * wide]
            if wide > 1 or number > 3 or len(table) != 65 + 64 * wide:
                raise CorruptPixels
            self._tables[DQT, number] = table
            at += len(table)

    def _read_huffman(self, content: bytes) -> None:
        at = 0
        while at < len(content):
            kind, number, counts = content[at] >> 4, content[at] & 15, content[at + 1 : at + 17]
            values = content[at + 17 : at + 17 + sum(counts)]
            if kind > 1 or number > 3 or len(counts) < 16 or len(values) != sum(counts):
                raise CorruptPixels
            self._tables[DHT, content[at]] = content[at : at + 17] + values
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
        if frame.process == JPEG_LS:
            if any(tables) or self._interval or last > 2:
                raise UnsupportedPixels("its JPEG-LS codestream has mapping tables or restart intervals")
        elif frame.process == LOSSLESS:
            tables, last = bytes(one & 0xF0 for one in tables), 0
            needed = [(DHT, one >> 4) for one in tables]
        elif frame.process == PROGRESSIVE:
            direct = first == 0
            tables = bytes(one & (0xF0 if direct else 0x0F) for one in tables)
            # Refinements of DC coefficients are bits without a code.
            needed = [(DHT, one >> 4 if direct else 0x10 | one) for one in tables]
            if direct and approximation >> 4:
                tables, needed = bytes(count), []
        else:
            first, last, approximation = 0, 63, 0
            needed = [(DHT, number) for one in tables for number in (one >> 4, 0x10 | one & 15)]
        if frame.process not in (LOSSLESS, JPEG_LS):
            needed = [(DQT, frame.components[one].quantization) for one in components] + needed
        before = self._unwritten(needed)
        if self._preset:
            before, self._preset = [(_LSE, self._preset), *before], b""
        if self._interval != self._written_interval:
            before.append((DRI, struct.pack(">H", self._interval & 0xFFFF)))
            self._written_interval = self._interval
        final = (first, last, approximation)
        self._scans.append(Scan(components, tuple(tables), final, tuple(before), self._interval, self._coded(frame)))

    def _unwritten(self, needed: Sequence[tuple[int, int]]) -> list[tuple[int, bytes]]:
        found: list[tuple[int, bytes]] = []
        for key in dict.fromkeys(needed):
            if key not in self._tables:
                raise CorruptPixels
            if self._written.get(key) != self._tables[key]:
                values = self._tables[key][17:]
                # A table that names a value twice, or a difference of more than 16 bits, was not made by an encoder.
                if key[0] == DHT and (len(set(values)) < len(values) or (key[1] < 16 and max(values, default=0) > 16)):
                    raise CorruptPixels
                self._written[key] = self._tables[key]
                found.append((key[0], self._tables[key]))
        return found

    def _coded(self, frame: JpegFrame) -> tuple[bytes, ...]:
        """Coded data from here to the next marker that is no restart."""
        pattern = _MARKER_LS if frame.process == JPEG_LS else _MARKER
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


def written(application: Sequence[tuple[int, bytes]], frame: JpegFrame, scans: Sequence[Scan]) -> bytes:
    found = bytearray(_START)

    def add(marker: int, content: bytes) -> None:
        found.extend(struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content)

    for marker, content in application:
        add(marker, content)
    for number, scan in enumerate(scans):
        for marker, content in scan.before:
            if number or marker == DQT:
                add(marker, content)
        if number == 0:
            add(frame.process, frame.content())
            for marker, content in scan.before:
                if marker != DQT:
                    add(marker, content)
        chosen = (frame.components[one].identifier for one in scan.components)
        pairs = bytes(value for pair in zip(chosen, scan.tables, strict=True) for value in pair)
        add(_SOS, bytes((len(scan.components),)) + pairs + bytes(scan.last))
        for place, part in enumerate(scan.parts):
            if place:
                found.extend((0xFF, 0xD0 + (place - 1) % 8))
            found.extend(part)
    return bytes(found + _END)
