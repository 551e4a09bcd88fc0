"""Text in every place of pixel data that holds no sample: what an exporter, or somebody with intent, may leave there.

Each function gives what it was given with the text in one place, by the name of the place. Samples stay. Used by the
tests and by `benchmarks.identities`.
"""

import struct
from collections.abc import Callable

Places = dict[str, bytes]
_SOF = (0xC0, 0xC1, 0xC2, 0xC3, 0xF7)
_LIMIT = 60000


def in_jpeg(stream: bytes, text: bytes) -> Places:
    """A JPEG or JPEG-LS codestream (ISO/IEC 10918-1, B.1 and B.2; 14495-1, C.1)."""
    parts = _segments(stream)
    ls = any(marker == 0xF7 for marker, _, _ in parts)
    found = {
        f"application segment {number}": _with(stream, parts, 0, _segment(0xE0 + number, text)) for number in range(16)
    }
    found |= {
        f"{name}": _with(stream, parts, 0, _segment(marker, content))
        for name, marker, content in (
            ("comment", 0xFE, text),
            ("thumbnail of JFIF", 0xE0, b"JFIF\0\1\2\0\0\1\0\1\4\1" + text[:12]),
            ("tail of JFIF", 0xE0, b"JFIF\0\1\2\0\0\1\0\1\0\0" + text),
            ("JFXX", 0xE0, b"JFXX\0\x10" + text),
            ("Exif", 0xE1, b"Exif\0\0" + text),
            ("SPIFF", 0xE8, b"SPIFF\0" + text.ljust(26, b"\0")),
            ("colour transform of JPEG-LS", 0xE8, b"mrfx" + text),
            ("other segment of Adobe", 0xEE, b"Photoshop " + text),
        )
    }
    found["comment behind fill bytes"] = _with(stream, parts, 0, b"\xff\xff\xff" + _segment(0xFE, text))
    found["between segments"] = _with(stream, parts, 1, text)
    found["before the codestream"] = b"\0\0" + text + stream
    found["behind the codestream"] = stream + text
    found["a second image"] = stream + stream[:2] + _segment(0xFE, text) + stream[2:]
    found["comment behind the scan"] = stream[: parts[-1][1]] + _segment(0xFE, text) + stream[parts[-1][1] :]
    if not ls:
        found["coded data behind the last sample"] = stream[: parts[-1][1]] + text + stream[parts[-1][1] :]
        found["quantization table of no component"] = _with(
            stream, parts, 0, _segment(0xDB, b"\3" + text.ljust(64, b"\1"))
        )
        huffman = bytes([0] * 7 + [len(text)] + [0] * 8)
        found["code table of no scan"] = _with(stream, parts, 0, _segment(0xC4, b"\x13" + huffman + text))
    for marker, start, end in parts:
        if marker in (*_SOF, 0xDA):
            longer = struct.pack(">H", end - start - 2 + len(text))
            found[f"tail of segment {marker:02X}"] = (
                stream[: start + 2] + longer + stream[start + 4 : end] + text + stream[end:]
            )
    return found


def _segments(stream: bytes) -> list[tuple[int, int, int]]:
    """Marker, start and end of each segment; the last is the end of the image, and of scans the header alone."""
    at, found = 2, list[tuple[int, int, int]]()
    while True:
        at = stream.index(b"\xff", at)
        marker = stream[at + 1]
        if marker == 0xD9:
            return [*found, (marker, at, at + 2)]
        if marker in (0, 0xFF) or 0xD0 <= marker <= 0xD7 or marker < 0xC0:
            at += 1 if marker == 0xFF else 2
            continue
        end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        found.append((marker, at, end))
        at = end


def _with(stream: bytes, parts: list[tuple[int, int, int]], place: int, added: bytes) -> bytes:
    at = parts[place][1]
    return stream[:at] + added + stream[at:]


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def in_j2k(stream: bytes, text: bytes) -> Places:
    """A JPEG 2000 or HTJ2K codestream with one tile-part of known length (ISO/IEC 15444-1, annexes A and I)."""
    size = 4 + int.from_bytes(stream[4:6], "big")
    tile = stream.index(b"\xff\x90\x00\x0a")
    length = int.from_bytes(stream[tile + 6 : tile + 10], "big") or len(stream) - 2 - tile
    data = stream.index(b"\xff\x93", tile)

    def longer(added: bytes, at: int) -> bytes:
        head = stream[: tile + 6] + struct.pack(">I", length + len(added))
        return head + stream[tile + 10 : at] + added + stream[at:]

    segments = {
        "comment": (0x64, b"\0\1" + text),
        "component registration": (0x63, text),
        "lengths of tile-parts": (0x55, b"\0\x40" + text),
        "lengths of packets": (0x57, b"\0" + text),
        "corresponding profile": (0x59, text),
    }
    found = {
        f"{name} in the main header": stream[:size] + _segment(marker, content) + stream[size:]
        for name, (marker, content) in segments.items()
    }
    found["comment in a tile-part header"] = longer(_segment(0x64, b"\0\1" + text), data)
    found["lengths of packets in a tile-part header"] = longer(_segment(0x58, b"\0" + text), data)
    found["coded data behind the last packet"] = longer(text, tile + length)
    found["behind the codestream"] = stream + text
    box = struct.pack(">I", len(text) + 8)
    boxes = b"\0\0\0\x0cjP  \r\n\x87\n" + box + b"xml " + text + struct.pack(">I", len(text) + 24) + b"uuid" + bytes(16)
    found["boxes of a JP2 file"] = boxes + text + struct.pack(">I", len(stream) + 8) + b"jp2c" + stream
    for marker in (b"\xff\x52", b"\xff\x5c"):
        at = stream.index(marker, size)
        end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        found[f"tail of segment {marker[1]:02X}"] = (
            stream[: at + 2] + struct.pack(">H", end - at - 2 + len(text)) + stream[at + 4 : end] + text + stream[end:]
        )
    return found


def in_rle(frame: bytes, text: bytes) -> Places:
    """An RLE frame (PS3.5 Annex G)."""
    count, *offsets = struct.unpack_from("<16I", frame)
    found = {"behind the last segment": frame + b"\x80" + text}
    room = 4 * (15 - count)
    found["unused offsets"] = frame[: 64 - room] + text[:room].ljust(room, b"\0") + frame[64:]
    if count > 1:
        moved = [offsets[0], *(offset + len(text) for offset in offsets[1:count])]
        header = struct.pack("<16I", count, *moved, *offsets[count:])
        found["between segments"] = header + frame[64 : offsets[1]] + text + frame[offsets[1] :]
    return found


Planter = Callable[[bytes, bytes], Places]
