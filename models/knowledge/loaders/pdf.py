"""Textbooks and guidelines as PDF with a text layer, read by pypdf: one source a file, one section a page.

A scanned book without a text layer gives nothing: run character recognition over it first. Knows nothing of figures,
tables and formulas, which come as the words that stand in them.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.knowledge.loaders.records import Loaded, Part, Rejected, labels_of, passages

_EDGE_LINES = 2
"""Lines at the head and foot of a page among which running titles are looked for."""
_RUNNING = 0.4
"""Share of the pages from which on a line at their edge is a running title."""
_FEWEST_PAGES = 4
"""Pages from which on running titles can be told."""
_WORDS_OF_PAGE = 8
"""A page with fewer words is a cover, a plate or blank."""
_NUMBER = re.compile(r"\d+")
_HYPHEN = re.compile(r"(?<=[a-z])[-\u00ad]\n(?=[a-z])")
_LINE_END = re.compile(r"[ \t]*\n[ \t]*(?!\n)")


def load(file: Path, name: str) -> Iterator[Loaded]:
    """The passages of each page. The source's text is that of its pages, joined by a form feed.

    Within a page lines are joined, words that were cut at a line's end put together, and running titles left out.
    """
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ModuleNotFoundError:
        yield Rejected(file.name, 0, "PDF needs pypdf: install Tristream with its extra, tristream[books]")
        return
    # What is wrong is told once, by us: pypdf warns of each object, in words of the file.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(file)
        if reader.is_encrypted and not reader.decrypt(""):
            yield Rejected(file.name, 0, "the PDF asks for a password; save it without")
            return
        told = reader.metadata
        title = str(told.title).strip() if told is not None and told.title else ""
        author = str(told.author).strip() if told is not None and told.author else ""
        pages: list[str | None] = [_page(reader, number) for number in range(len(reader.pages))]
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        # pypdf raises whatever a damaged object makes of its own code.
        yield Rejected(file.name, 0, "not a PDF that pypdf can read; save it anew from a PDF viewer")
        return
    yield from _passages(file.name, name, title, author, pages)


def _page(reader: object, number: int) -> str | None:
    """The text of a page; None where it cannot be had, so that the others can."""
    from pypdf.errors import PyPdfError

    try:
        return str(reader.pages[number].extract_text())  # type: ignore[attr-defined]
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return None


def _passages(file: str, name: str, title: str, author: str, pages: Sequence[str | None]) -> Iterator[Loaded]:
    known = title or Path(name).stem.replace("-", " ").replace("_", " ")
    running = _running([page or "" for page in pages])
    text, parts = "", list[Part]()
    for number, page in enumerate(pages, start=1):
        if page is None:
            yield Rejected(file, number, "a page that pypdf cannot read; the others stay")
            continue
        found = _prose(page, running)
        if len(found.split()) >= _WORDS_OF_PAGE:
            text += "\f" if text else ""
            parts.append(Part(f"page {number}", len(text), len(text) + len(found)))
            text += found
    if not parts:
        yield Rejected(file, 0, "no page with words: a scan needs character recognition first")
        return
    reference = f"{f'{author}, ' if author else ''}{known} ({name})"
    for part in parts:
        # What a page is about stands in its own words: a book's title is about everything.
        labels = labels_of(known, text[part.start : part.start + 200].split("\n")[0])
        yield from passages(f"{name}:{part.section.replace(' ', '-')}", known, reference, text, [part], labels)


def _running(pages: Sequence[str]) -> frozenset[str]:
    """Lines, without their numbers, that stand at the edge of many pages."""
    if len(pages) < _FEWEST_PAGES:
        return frozenset()
    counts: Counter[str] = Counter()
    for page in pages:
        lines = [line.strip() for line in page.splitlines() if line.strip()]
        counts.update({_NUMBER.sub("#", line) for line in (*lines[:_EDGE_LINES], *lines[-_EDGE_LINES:])})
    return frozenset(line for line, count in counts.items() if count >= max(2, _RUNNING * len(pages)))


def _prose(page: str, running: frozenset[str]) -> str:
    lines = [line.strip() for line in page.splitlines()]
    kept = "\n".join(line for line in lines if _NUMBER.sub("#", line) not in running)
    return _LINE_END.sub(" ", _HYPHEN.sub("", kept.strip())).replace(" \n", "\n\n").strip()
