"""PubMed's baseline and update files: one source an abstract. Terms: https://www.nlm.nih.gov/databases/download.html

Elements as in the DTD (https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd).
"""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from models.knowledge.loaders.records import Loaded, Part, Rejected, labels_of, passages
from models.knowledge.loaders.xml import BrokenXml, local, records, words

_RECORDS = ("PubmedArticle", "PubmedBookArticle", "DeleteCitation")


def load(file: Path, name: str) -> Iterator[Loaded]:
    """The passages of each abstract. An abstract's text is its paragraphs, joined by a line break."""
    number = 0
    try:
        for element in records(file, *_RECORDS):
            number += 1
            if local(element) == "DeleteCitation":
                yield Rejected(file.name, number, "a list of withdrawn citations; leave them out of what is indexed")
            else:
                yield from _article(element, file.name, number)
    except BrokenXml as error:
        yield Rejected(file.name, number + 1, str(error))
        return
    if number == 0:
        yield Rejected(file.name, 0, f"holds none of {', '.join(_RECORDS)}; is it a PubMed file?")


def _article(element: Element, file: str, number: int) -> Iterator[Loaded]:
    pmid = words(element.find(".//PMID"))
    title = words(element.find(".//ArticleTitle")) or words(element.find(".//BookTitle"))
    text, parts = "", list[Part]()
    for paragraph in element.iterfind(".//Abstract/AbstractText"):
        found = words(paragraph)
        if found:
            text += "\n" if text else ""
            parts.append(Part((paragraph.get("Label") or "").capitalize(), len(text), len(text) + len(found)))
            text += found
    if not (pmid.isascii() and pmid.isdigit()):
        yield Rejected(file, number, "no PMID, so that it cannot be cited")
    elif not title:
        yield Rejected(file, number, "no title")
    elif not text:
        yield Rejected(file, number, "no abstract")
    else:
        subjects = [words(heading) for heading in element.iterfind(".//MeshHeading/DescriptorName")]
        reference = _reference(element, title, pmid)
        yield from passages(f"pubmed:{pmid}", title, reference, text, parts, labels_of(title, *subjects))


def _reference(element: Element, title: str, pmid: str) -> str:
    authors = [words(author.find("LastName")) for author in element.iterfind(".//AuthorList/Author")]
    named = [name for name in authors if name]
    first = f"{named[0]}{' et al.' if len(named) > 1 else ''}, " if named else ""
    journal = words(element.find(".//Journal/ISOAbbreviation")) or words(element.find(".//Journal/Title"))
    year = words(element.find(".//PubDate/Year")) or words(element.find(".//PubDate/MedlineDate"))[:4]
    return f"{first}{title.rstrip('.')}, {f'{journal} {year}'.strip()}, PMID {pmid}".replace(", , ", ", ")
