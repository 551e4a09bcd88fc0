"""Reading XML that others wrote, record by record, in bounded memory. Knows no vocabulary.

Entities that a document declares are refused by defusedxml (no billion laughs, no quadratic blow-up), external ones and
external DTDs are never opened. A document type declaration itself is allowed: PubMed and Bookshelf carry one.
"""

import bz2
import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

RECORD_BYTES = 16 * 1024 * 1024
"""Most bytes of XML between the ends of two records, unpacked: a few kilobytes that unpack to gigabytes stop here."""

_SPACE = re.compile(r"\s+")


class BrokenXml(Exception):
    """The document cannot be read on; the text is ours and says why."""


class _Bounded:
    """A file that stops where one record grows beyond bounds."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.since = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size if size > 0 else 65536)
        self.since += len(data)
        if self.since > RECORD_BYTES:
            raise BrokenXml(f"a record is larger than {RECORD_BYTES // 2**20} MiB of XML; what follows was not read")
        return data


def records(file: Path, *tags: str) -> Iterator[Element]:
    """Yield each element of these names, whole; it is emptied once the next is asked for.

    Raises BrokenXml where the document is no XML, declares entities, or holds too large a record.
    """
    with _opened(file) as opened:
        bounded = _Bounded(opened)
        path: list[Element] = []
        try:
            for event, element in cast(
                "Iterator[tuple[str, Element]]", iterparse(bounded, events=("start", "end"), forbid_entities=True)
            ):
                if event == "start":
                    path.append(element)
                    continue
                path.pop()
                if local(element) in tags and not any(local(above) in tags for above in path):
                    bounded.since = 0
                    yield element
                    element.clear()
                    if path:
                        path[-1].remove(element)
        except ParseError as error:
            raise BrokenXml("the XML breaks off or is not well formed here; what follows was not read") from error
        except DefusedXmlException as error:
            raise BrokenXml("the XML declares entities, which are not read; remove them or unfold them") from error


def root_of(file: Path) -> str:
    """The name of a document's outermost element, without its namespace; "" where it has none that can be read."""
    with _opened(file) as opened:
        try:
            events = iterparse(_Bounded(opened), events=("start",), forbid_entities=True)
            return next((local(element) for _, element in cast("Iterator[tuple[str, Element]]", events)), "")
        except (ParseError, DefusedXmlException, BrokenXml):
            return ""


def _opened(file: Path) -> IO[bytes]:
    name = file.name.lower()
    if name.endswith(".gz"):
        return cast("IO[bytes]", gzip.open(file))
    return cast("IO[bytes]", bz2.open(file)) if name.endswith(".bz2") else file.open("rb")


def local(element: Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def words(element: Element | None, without: frozenset[str] = frozenset()) -> str:
    """All text within an element, but for that of inner elements of the names in `without`; white space folded."""
    return "" if element is None else _SPACE.sub(" ", "".join(_text(element, without))).strip()


def _text(element: Element, without: frozenset[str]) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if local(child) not in without:
            yield from _text(child, without)
        yield child.tail or ""
