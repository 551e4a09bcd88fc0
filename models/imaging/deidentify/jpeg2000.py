"""JPEG 2000 and HTJ2K codestreams (ISO/IEC 15444-1 and -15) written anew, out of a JP2 file where they lie in one.

Of both kinds of header the segments that decoding needs stay, each cut to the length that its own content gives;
comments, component registration, and pointers to packets do not. Coded data passes as it is.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import imagecodecs

from models.imaging.codestreams import check_dimensions, j2k_start, segment_content
from models.imaging.deidentify.surplus import without_surplus
from models.imaging.deidentify.unused_entries import filled_with, without_text
from models.imaging.errors import LIBRARY_ERRORS, CorruptPixels, TruncatedFile, UnsupportedPixels, failing_as

_SOC, _SIZ, _CAP, _COD, _COC, _TLM = 0xFF4F, 0xFF51, 0xFF50, 0xFF52, 0xFF53, 0xFF55
_QCD, _QCC, _RGN, _POC = 0xFF5C, 0xFF5D, 0xFF5E, 0xFF5F
_SOT, _SOD, _EOC = 0xFF90, 0xFF93, 0xFFD9
# PLM, PLT, CRG, COM, and of part 15 CPF and PRF, which only repeat what others say.
_LEFT = frozenset({0xFF57, 0xFF58, 0xFF63, 0xFF64, 0xFF59, 0xFF56})
_EOC_BYTES = b"\xff\xd9"
_STEP = 0x40
"""A step size of no meaning, whether one has 8 bits or 16."""

_Segment = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class _Size:
    """Of the image and its tiles, on the reference grid (15444-1, A.5.1)."""

    capabilities: int
    right: int
    bottom: int
    left: int
    top: int
    tile_width: int
    tile_height: int
    tile_left: int
    tile_top: int
    components: bytes

    def content(self) -> bytes:
        numbers = (
            self.right, self.bottom, self.left, self.top, self.tile_width, self.tile_height, self.tile_left,
            self.tile_top,
        )  # fmt: skip
        return struct.pack(">H8IH", self.capabilities, *numbers, len(self.components) // 3) + self.components

    @property
    def tiles(self) -> tuple[int, int]:
        """Across and down."""
        across = -(-(self.right - self.tile_left) // self.tile_width)
        return across, -(-(self.bottom - self.tile_top) // self.tile_height)

    def alone(self, tile: int) -> "_Size":
        """An image of that tile alone: all coordinates stay, and so does how it is coded (15444-1, B.3)."""
        across, _ = self.tiles
        left, top = self.tile_left + tile % across * self.tile_width, self.tile_top + tile // across * self.tile_height
        right, bottom = min(left + self.tile_width, self.right), min(top + self.tile_height, self.bottom)
        left, top = max(left, self.left), max(top, self.top)
        return replace(
            self, left=left, top=top, right=right, bottom=bottom, tile_left=left, tile_top=top,
            tile_width=right - left, tile_height=bottom - top,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    """A tile-part."""

    tile: int
    index: int
    parts: int
    segments: tuple[_Segment, ...]
    coded: bytes

    @property
    def length(self) -> int:
        return 12 + sum(4 + len(content) for _, content in self.segments) + 2 + len(self.coded)

    def written(self, tile: int) -> bytes:
        start = struct.pack(">HHHIBB", _SOT, 10, tile, self.length, self.index, self.parts)
        return start + b"".join(map(_segment, self.segments)) + struct.pack(">H", _SOD) + self.coded


def rewritten_j2k(data: bytes, dimensions: tuple[int, int] | None = None) -> bytes:
    """A bare codestream of the same samples, from SOC to the first EOC.

    Args:
        data: the codestream, or the JP2 file that it lies in.
        dimensions: rows and columns that it must have; None: any.

    Raises:
        WrongPixelLength: it has others.
        TruncatedFile: it ends early.
        CorruptPixels: its markers make no sense, or one of several tiles cannot be decoded.
        UnsupportedPixels: it has segments that are not read here: packed packet headers, extensions of part 2.
    """
    size, main, parts, pointed = _Parser(data[j2k_start(data) :]).read()
    check_dimensions((size.bottom - size.top, size.right - size.left), dimensions)
    _clean_steps(size, main, parts)
    last = {part.tile: number for number, part in enumerate(parts)}
    for tile, number in last.items():
        before = [part for part in parts[:number] if part.tile == tile]

        def decode(coded: bytes, number: int = number, tile: int = tile, before: Sequence[_Part] = before) -> Any:
            alone = [*before, replace(parts[number], coded=coded)]
            return imagecodecs.jpeg2k_decode(_written(size.alone(tile), main, alone, pointed=False, tile=0))

        coded = parts[number].coded
        if len(last) > 1:
            # Of one tile, whoever decodes the image finds out.
            with failing_as(CorruptPixels()):
                decode(coded)
        if not _all_in_packets(coded, decode):
            parts[number] = replace(parts[number], coded=without_surplus(coded, decode))
    return _written(size, main, parts, pointed=pointed)


def _wide(components: int) -> int:
    """Bytes of a component's number (15444-1, A.6.2)."""
    return 1 if components < 257 else 2


def _clean_steps(size: _Size, main: list[_Segment], parts: list[_Part]) -> None:
    """Of step sizes that read as text, fill those of subbands in which nothing is."""

    def with_main(segments: list[_Segment]) -> bytes:
        return _written(size, segments, parts, pointed=False)

    wide = _wide(len(size.components) // 3)
    main[:] = _with_clean_steps(main, wide, with_main)
    for number, part in enumerate(parts):

        def with_own(segments: list[_Segment], number: int = number) -> bytes:
            changed = list(parts)
            changed[number] = replace(parts[number], segments=tuple(segments))
            return _written(size, main, changed, pointed=False)

        parts[number] = replace(part, segments=tuple(_with_clean_steps(part.segments, wide, with_own)))


def _with_clean_steps(
    segments: Sequence[_Segment], wide: int, written: Callable[[list[_Segment]], bytes]
) -> list[_Segment]:
    found = list(segments)
    for place, (marker, content) in enumerate(segments):
        start = {_QCD: 1, _QCC: wide + 1}.get(marker)
        if start is None:
            continue
        style = content[:start]
        # An exponent alone stands in the upper five bits: letters as in HHPHHP, which spell nothing.
        if style[-1] & 0x1F == 0 and not any(step & 7 for step in content[start:]):
            continue

        def decode(steps: bytes, place: int = place, marker: int = marker, style: bytes = style) -> Any:
            return imagecodecs.jpeg2k_decode(written([*found[:place], (marker, style + steps), *found[place + 1 :]]))

        found[place] = marker, style + without_text(content[start:], decode, filled_with(_STEP))
    return found


def _all_in_packets(coded: bytes, decode: Callable[[bytes], Any]) -> bool:
    """Whether the last byte belongs to a packet, whose header tells how long it is (15444-1, B.10.7).

    OpenJPEG refuses a tile that lacks it, and does so before it decodes anything.
    """
    try:
        decode(coded[:-1])
    except LIBRARY_ERRORS:
        return True
    return False


def _segment(segment: _Segment) -> bytes:
    marker, content = segment
    return struct.pack(">HH", marker, len(content) + 2) + content


def _written(
    size: _Size, main: Sequence[_Segment], parts: Sequence[_Part], *, pointed: bool, tile: int | None = None
) -> bytes:
    head = [struct.pack(">H", _SOC), _segment((_SIZ, size.content())), *map(_segment, main)]
    if pointed:
        # Lengths of all tile-parts, as some transfer syntaxes of HTJ2K want them: 16 bits of index, 32 of length.
        entries = [struct.pack(">HI", part.tile, part.length) for part in parts]
        for number, start in enumerate(range(0, len(entries), 10000)):
            content = struct.pack(">BB", number & 0xFF, 0x60) + b"".join(entries[start : start + 10000])
            head.append(_segment((_TLM, content)))
    return b"".join((*head, *(part.written(part.tile if tile is None else tile) for part in parts), _EOC_BYTES))


class _Parser:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 2
        self._components = 0
        self._pointed = False

    def read(self) -> tuple[_Size, list[_Segment], list[_Part], bool]:
        marker, content = self._next()
        if marker != _SIZ:
            raise CorruptPixels
        size = self._size(content)
        main = self._header(_SOT, ())
        (across, down), parts = size.tiles, list[_Part]()
        marker = _SOT
        while marker == _SOT:
            parts.append(self._part(across * down, main))
            marker = self._marker()
        if marker != _EOC or not {_COD, _QCD} <= {kind for kind, _ in main}:
            raise CorruptPixels
        return size, main, parts, self._pointed

    def _marker(self) -> int:
        marker = self._data[self._at : self._at + 2]
        if len(marker) < 2:
            raise TruncatedFile
        self._at += 2
        return int.from_bytes(marker, "big")

    def _content(self) -> bytes:
        content = segment_content(self._data, self._at)
        self._at += 2 + len(content)
        return content

    def _next(self) -> _Segment:
        return self._marker(), self._content()

    def _size(self, content: bytes) -> _Size:
        if len(content) < 36:
            raise TruncatedFile
        (capabilities, right, bottom, left, top, width, height, tile_left, tile_top, count) = struct.unpack_from(
            ">H8IH", content
        )
        components = content[36 : 36 + 3 * count]
        size = _Size(capabilities, right, bottom, left, top, width, height, tile_left, tile_top, components)
        sound = (
            1 <= count == len(components) // 3
            and size.tile_width > 0
            and size.tile_height > 0
            and size.tile_left <= size.left < size.right
            and size.tile_top <= size.top < size.bottom
        )
        if not sound:
            raise CorruptPixels
        self._components = count
        return size

    def _part(self, tiles: int, main: Sequence[_Segment]) -> _Part:
        start = self._at - 2
        content = self._content()
        if len(content) != 8:
            raise CorruptPixels
        tile, length, index, parts = struct.unpack(">HIBB", content)
        if tile >= tiles:
            raise CorruptPixels
        segments = self._header(_SOD, main)
        # A length of 0: up to the end, which coded data cannot look like.
        end = start + length if length else self._data.find(_EOC_BYTES, self._at)
        if not self._at <= end <= len(self._data):
            raise TruncatedFile
        coded, self._at = self._data[self._at : end], end
        return _Part(tile, index, parts, tuple(segments), coded)

    def _header(self, end: int, main: Sequence[_Segment]) -> list[_Segment]:
        """Segments up to a marker, those that stay; `main`: what holds in a tile-part beside its own."""
        found: list[_Segment] = []
        while (marker := self._marker()) != end:
            if not 0xFF4F < marker < 0xFF90:
                raise CorruptPixels
            content = self._content()
            self._pointed = self._pointed or marker == _TLM
            if marker != _TLM and marker not in _LEFT:
                found.append((marker, content))
        levels = max((self._levels(*segment) for segment in (*main, *found)), default=0)
        lengths = [self._length(marker, content, levels) for marker, content in found]
        if any(len(content) < length for (_, content), length in zip(found, lengths, strict=True)):
            raise TruncatedFile
        return [(marker, content[:length]) for (marker, content), length in zip(found, lengths, strict=True)]

    def _levels(self, marker: int, content: bytes) -> int:
        """Decomposition levels that a coding style names."""
        at = {_COD: 5, _COC: 1 + _wide(self._components)}.get(marker)
        if at is None:
            return 0
        if len(content) <= at or content[at] > 32:
            raise CorruptPixels
        return content[at]

    def _length(self, marker: int, content: bytes, levels: int) -> int:
        """Of a segment's content, by what it says itself (15444-1, A.5 and A.6)."""
        wide = _wide(self._components)
        if marker == _CAP and len(content) >= 4:
            return 4 + 2 * int.from_bytes(content[:4], "big").bit_count()
        if marker in (_COD, _COC):
            style = 0 if marker == _COD else wide
            own = self._levels(marker, content)
            return style + (10 if marker == _COD else 6) + (own + 1 if content[style] & 1 else 0)
        if marker in (_QCD, _QCC):
            at = 0 if marker == _QCD else wide
            return at + 1 + _steps(content[at] & 31 if len(content) > at else 3, levels, len(content) - at - 1)
        if marker == _RGN:
            return wide + 2
        if marker == _POC:
            return self._progressions(content, 5 + 2 * wide)
        raise UnsupportedPixels("its JPEG 2000 codestream has segments that are not read here")

    def _progressions(self, content: bytes, size: int) -> int:
        """Whole changes of the progression order, each of which must be one (15444-1, A.6.6)."""
        wide = (size - 5) // 2
        whole = len(content) // size * size
        for at in range(0, whole, size):
            first, first_component = content[at], int.from_bytes(content[at + 1 : at + 1 + wide], "big")
            last = content[at + 3 + wide]
            last_component = int.from_bytes(content[at + 4 + wide : at + 4 + 2 * wide], "big")
            orders = content[at + 4 + 2 * wide]
            if not (first < last <= 33 and orders <= 4 and first_component < (last_component or 256)):
                raise CorruptPixels
        return whole


def _steps(style: int, levels: int, room: int) -> int:
    """Bytes of quantization step sizes: one for all subbands, or one for each of the deepest component's."""
    if style not in (0, 1, 2):
        raise CorruptPixels
    return 2 if style == 1 else min(room, (1 + style // 2) * (3 * levels + 1))
