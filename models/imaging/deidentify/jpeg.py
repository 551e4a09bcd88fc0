"""JPEG (ISO/IEC 10918-1) and JPEG-LS (14495-1) codestreams written anew: what decoding needs, and not a byte more.

Coefficients pass as they are coded.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import imagecodecs

from models.imaging.codestreams import check_dimensions
from models.imaging.deidentify.jpeg_segments import (
    DHT,
    DQT,
    DRI,
    JPEG_LS,
    PROGRESSIVE,
    SEQUENTIAL,
    JpegFrame,
    Parsed,
    Scan,
    parsed_jpeg,
    written,
)
from models.imaging.deidentify.surplus import without_surplus
from models.imaging.deidentify.unused_entries import filled_with, in_order, without_text
from models.imaging.errors import CorruptPixels, TruncatedFile, UnsupportedPixels


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
    parsed = parsed_jpeg(data)
    check_dimensions((parsed.frame.rows, parsed.frame.columns), dimensions)
    _clean_tables(parsed)
    if parsed.frame.process == PROGRESSIVE:
        _clean_progressive(parsed)
    else:
        parsed.scans = [_clean_scan(parsed, scan) for scan in parsed.scans]
    return written(parsed.application, parsed.frame, parsed.scans)


def _clean_tables(parsed: Parsed) -> None:
    """Of the tables that read as text, the entries that no sample needs."""
    for number, scan in enumerate(parsed.scans):
        for place, (marker, content) in enumerate(scan.before):
            start, fill = {DQT: (1, filled_with(1)), DHT: (17, in_order)}.get(marker, (0, None))
            if fill is None:
                continue

            def put(table: bytes, number: int = number, place: int = place, start: int = start) -> list[Scan]:
                before = list(parsed.scans[number].before)
                before[place] = before[place][0], before[place][1][:start] + table
                scans = list(parsed.scans)
                scans[number] = replace(scans[number], before=tuple(before))
                return scans

            def decode(table: bytes, put: Callable[[bytes], list[Scan]] = put) -> Any:
                return _decoder(parsed.frame.process)(written(parsed.application, parsed.frame, put(table)))

            parsed.scans = put(without_text(content[start:], decode, fill))


def _decoder(process: int) -> Callable[[bytes], Any]:
    return imagecodecs.jpegls_decode if process == JPEG_LS else imagecodecs.jpeg8_decode


def _clean_progressive(parsed: Parsed) -> None:
    for number, scan in enumerate(parsed.scans):
        if scan.interval:
            raise UnsupportedPixels("its progressive JPEG codestream has restart intervals")

        def decode(coded: bytes, number: int = number, scan: Scan = scan) -> Any:
            scans = list(parsed.scans)
            scans[number] = replace(scan, parts=(coded,))
            return imagecodecs.jpeg8_decode(written(parsed.application, parsed.frame, scans))

        parsed.scans[number] = replace(scan, parts=(without_surplus(scan.parts[0], decode),))


def _clean_scan(parsed: Parsed, scan: Scan) -> Scan:
    """Each restart interval starts anew (10918-1, E.1.4, H.1.1), so it can be decoded as an image of its own."""
    frame = parsed.frame
    components = tuple(frame.components[one] for one in scan.components)
    seen = [one for other in parsed.scans for one in other.components]
    if sorted(seen) != list(range(len(frame.components))) or 1 < len(components) < len(frame.components):
        raise CorruptPixels
    unit = 8 if frame.process in SEQUENTIAL else 1
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

    def image_of(units: int) -> JpegFrame:
        size = (-(-units // in_row) * high, columns) if units % in_row == 0 else (high, units * wide)
        if units == total:
            size = (rows, columns)
        if max(size) > 65535 or (units % in_row and unit == 1):
            raise UnsupportedPixels("its JPEG codestream has restart intervals of a length that is not read here")
        return JpegFrame(frame.process, frame.precision, *size, components)

    def clean(place: int) -> bytes:
        units = min(scan.interval or total, total - place * (scan.interval or total))
        image = image_of(units)

        def decode(coded: bytes) -> Any:
            alone = Scan(tuple(range(len(components))), scan.tables, scan.last, tables, 0, (coded,))
            return _decoder(frame.process)(written((), image, [alone]))

        return without_surplus(scan.parts[place], decode)

    return replace(scan, parts=tuple(clean(place) for place in range(count)))


def _tables_until(parsed: Parsed, scan: Scan) -> tuple[tuple[int, bytes], ...]:
    """The segments in force at a scan, without restart intervals."""
    found: dict[tuple[int, int], tuple[int, bytes]] = {}
    for other in parsed.scans:
        for marker, content in other.before:
            if marker != DRI:
                found[marker, content[0] if marker == DHT else content[0] & 15] = (marker, content)
        if other is scan:
            break
    return tuple(found.values())
