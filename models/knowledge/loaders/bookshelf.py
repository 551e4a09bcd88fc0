"""Chapters of the NCBI Bookshelf, such as StatPearls, in BITS or JATS XML (.nxml): one source a chapter.

Elements as in https://jats.nlm.nih.gov/extensions/bits/tag-library/. Whether a book may be used is for its licence to
say: it stands in each file.
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from models.knowledge.loaders.records import Loaded, Part, Rejected, labels_of, passages
from models.knowledge.loaders.xml import BrokenXml, local, records, words

_CHAPTERS = ("book-part-wrapper", "book-part", "article")
_PARAGRAPHS = frozenset({"p", "tr", "def-item"})
# Not prose of the chapter, or not its own words.
_LEFT_OUT = frozenset({"ref-list", "fn-group", "xref", "graphic", "sec-meta", "label", "permissions", "contrib-group"})
_QUIZ = "continuing education activity", "review questions", "references", "disclosure"


def load(file: Path, name: str) -> Iterator[Loaded]:
    """The passages of each chapter. A chapter's text is its paragraphs, joined by an empty line."""
    number = 0
    try:
        for element in records(file, *_CHAPTERS):
            number += 1
            yield from _chapter(element, file.name, name, number)
    except BrokenXml as error:
        yield Rejected(file.name, number + 1, str(error))
        return
    if number == 0:
        yield Rejected(file.name, 0, f"holds none of {', '.join(_CHAPTERS)}; is it a Bookshelf file?")


def _chapter(element: Element, file: str, name: str, number: int) -> Iterator[Loaded]:
    meta = next((found for tag in ("book-part-meta", "article-meta") for found in element.iter(tag)), None)
    title = words(meta.find(".//title-group/title") if meta is not None else None) or words(
        element.find(".//title-group/article-title")
    )
    body = element.find(".//body")
    if not title:
        yield Rejected(file, number, "no title")
        return
    text, parts = "", list[Part]()
    for section, paragraph in _paragraphs(body, ()) if body is not None else ():
        text += "\n\n" if text else ""
        if parts and parts[-1].section == section:
            parts[-1] = Part(section, parts[-1].start, len(text) + len(paragraph))
        else:
            parts.append(Part(section, len(text), len(text) + len(paragraph)))
        text += paragraph
    if not text:
        yield Rejected(file, number, "no paragraph outside of quizzes and references")
        return
    source = f"bookshelf:{name.removesuffix('.nxml')}" + (f":{number}" if number > 1 else "")
    yield from passages(source, title, _reference(element, meta, title), text, parts, labels_of(title))


def _paragraphs(element: Element, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(headings, text) of each paragraph, table row and list item that holds no paragraphs, in reading order."""
    for child in element:
        tag = local(child)
        heading = words(child.find("title")) if tag == "sec" else ""
        if tag in _LEFT_OUT or tag == "title" or heading.lower() in _QUIZ:
            continue
        if tag in _PARAGRAPHS or (tag == "list-item" and not any(local(inner) in _PARAGRAPHS for inner in child)):
            parts = [words(cell, _LEFT_OUT) for cell in child] if tag == "tr" else [words(child, _LEFT_OUT)]
            text = " | ".join(part for part in parts if part)
            if text:
                yield " › ".join(above), text
        else:
            yield from _paragraphs(child, (*above, heading) if heading else above)


def _reference(element: Element, meta: Element | None, title: str) -> str:
    names = [words(name) for name in meta.iterfind(".//contrib/name/surname")] if meta is not None else []
    authors = f"{names[0]}{' et al.' if len(names) > 1 else ''}, " if names else ""
    book = words(element.find(".//book-meta//book-title")) or words(element.find(".//journal-title"))
    dates = [words(year) for year in element.iterfind(".//pub-date/year")] + [
        words(year) for year in element.iterfind(".//date/year")
    ]
    rest = ", ".join(part for part in (book, max(dates, default="")) if part)
    return f"{authors}{title}{f', {rest}' if rest else ''}, NCBI Bookshelf"
