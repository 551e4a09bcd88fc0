"""Fields of messages of Protocol Buffers (encoding of proto3). Knows nothing of what they mean."""

from collections.abc import Iterator
from typing import NamedTuple

_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5


class Field(NamedTuple):
    """One field of a message."""

    number: int
    value: memoryview | int
    """Of a varint the number; else the bytes."""
    whole: memoryview
    """As it stands in the message, with its number."""


def fields_of(message: memoryview) -> Iterator[Field]:
    """Each field of a message, in order.

    Raises:
        IndexError, ValueError: it is none.
    """
    at = 0
    while at < len(message):
        start = at
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield Field(key >> 3, value, message[start:at])
            continue
        if kind == _LENGTH:
            length, at = _varint(message, at)
        elif kind in (_EIGHT, _FOUR):
            length = 8 if kind == _EIGHT else 4
        else:
            raise ValueError
        if at + length > len(message):
            raise IndexError
        yield Field(key >> 3, message[at : at + length], message[start : at + length])
        at += length


def field_of(number: int, content: bytes) -> bytes:
    """A field with bytes, a text or another message in it."""
    return _encoded(number << 3 | _LENGTH) + _encoded(len(content)) + content


def number_of(number: int, value: int) -> bytes:
    """A field with a number that is not negative."""
    return _encoded(number << 3 | _VARINT) + _encoded(value)


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        octet = content[at]
        value |= (octet & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if octet < 0x80:
            return value, at
        if shift > 63:
            raise ValueError


def _encoded(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*octets, value))
