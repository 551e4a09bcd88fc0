"""Dumps of Wikipedia (pages-articles.xml, .bz2 or .gz), read by mwparserfromhell: one source an article.

Layout: https://www.mediawiki.org/wiki/Help:Export. Taken are articles whose title is a term of models/vocabulary, or
that carry a medical infobox: a dump holds millions on everything else. Text is CC BY-SA 4.0, as each reference says.

What a template would have shown is not in a dump. Units and numbers ({{convert}}, {{val}}) are written out; a sentence
that holds any other template is left out, rather than left with a hole.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.knowledge.loaders.records import Loaded, Part, Rejected, labels_of, passages
from models.knowledge.loaders.xml import BrokenXml, local, records, words
from models.vocabulary import terms_in
from models.vocabulary.terms import words_of

_LEFT_OUT = frozenset({
    "references", "external links", "see also", "further reading", "notes", "bibliography", "sources", "citations",
    "society and culture", "history", "etymology", "notable cases", "in popular culture", "research", "works cited",
})  # fmt: skip
_INFOBOXES = ("infobox medical", "infobox anatomy", "infobox disease", "infobox symptom", "infobox diagnostic",
              "infobox interventions", "infobox brain", "infobox bone", "infobox artery", "infobox muscle")  # fmt: skip
# Templates that show nothing in running text, or only a mark beside it.
_SILENT = frozenset({
    "citation", "citation needed", "cn", "fact", "sfn", "efn", "rp", "r", "refn", "anchor", "short description", "main",
    "further", "see also", "clear", "reflist", "update", "when", "who", "which", "clarify", "medcn",
    "better source needed", "medical citation needed", "portal", "portal bar",
    "authority control", "good article", "featured article", "about",
    "distinguish", "hatnote", "redirect", "toc limit", "medical resources", "page needed", "dubious", "by whom",
})  # fmt: skip
_SILENT_STARTS = ("cite ", "infobox", "use ", "pp-", "commons", "toc")
_HOLE = "\ufffc"
_SPACE = re.compile(r"[ \t\xa0]+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z(])")
_FILES = ("file:", "image:", "category:", "media:")


def load(file: Path, name: str) -> Iterator[Loaded]:
    """The passages of each article that is taken. An article's text is its paragraphs, joined by an empty line."""
    try:
        import mwparserfromhell
    except ModuleNotFoundError:
        yield Rejected(file.name, 0, "Wikipedia needs mwparserfromhell: install Tristream with tristream[books]")
        return
    number = passed = 0
    wiki = "wikipedia"
    try:
        for element in records(file, "siteinfo", "page"):
            if local(element) == "siteinfo":
                wiki = _child(element, "dbname") or wiki
                continue
            number += 1
            title, text = _child(element, "title"), _text(element)
            if _child(element, "ns") != "0" or not _medical(title, text):
                passed += 1
                continue
            revision = next((one for one in element if local(one) == "revision"), None)
            told = [_child(revision, tag) for tag in ("id", "timestamp")] if revision is not None else ["", ""]
            source = f"{wiki}:{_child(element, 'id')}"
            reference = f"{title}, Wikipedia ({wiki}), revision {told[0]} of {told[1][:10]}, CC BY-SA 4.0"
            prose, parts = _prose(mwparserfromhell.parse(text))
            if prose:
                yield from passages(source, title, reference, prose, parts, labels_of(title))
            else:
                yield Rejected(file.name, number, "an article without prose")
    except BrokenXml as error:
        yield Rejected(file.name, number + 1, str(error))
    if passed:
        yield Rejected(
            file.name, 0, "pages that are no article on a term of the vocabulary and have no medical infobox"
        )
    elif number == 0:
        yield Rejected(file.name, 0, "holds no page; is it a dump of pages?")


def _child(element: Any, tag: str) -> str:
    return next((words(one) for one in element if local(one) == tag), "")


def _text(element: Any) -> str:
    """The wikitext of a page, with its line ends; nothing of one that redirects."""
    if any(local(one) == "redirect" for one in element):
        return ""
    return next((one.text or "" for one in element.iter() if local(one) == "text"), "")


def _medical(title: str, text: str) -> bool:
    if not text:
        return False
    whole = re.sub(r"\s*\(.*\)$", "", title)
    named = list(terms_in(whole))
    if len(named) == 1 and words_of(whole) in named[0].phrases:
        return True
    head = text[:20_000].lower().replace("_", " ")
    return any(f"{{{{{box}" in head for box in _INFOBOXES)


def _prose(page: Any) -> tuple[str, list[Part]]:
    """Running text and its sections."""
    text, parts = "", list[Part]()
    above: dict[int, str] = {}
    for section in page.get_sections(flat=True, include_lead=True):
        headings = section.filter_headings(recursive=False)
        if headings:
            level = int(headings[0].level)
            above = {upper: told for upper, told in above.items() if upper < level}
            above[level] = headings[0].title.strip_code().strip()
            section.remove(headings[0])
        if any(told.lower() in _LEFT_OUT for told in above.values()):
            continue
        paragraphs = "\n\n".join(_paragraphs(section))
        if paragraphs:
            text += "\n\n" if text else ""
            names = " › ".join(told for _, told in sorted(above.items()))
            parts.append(Part(names, len(text), len(text) + len(paragraphs)))
            text += paragraphs
    return text, parts


def _paragraphs(section: Any) -> Iterator[str]:
    everywhere = section.RECURSE_OTHERS
    for tag in section.filter_tags(
        recursive=everywhere, matches=lambda one: str(one.tag) in ("ref", "table", "gallery")
    ):
        _drop(section, tag)
    for link in section.filter_wikilinks(matches=lambda one: str(one.title).strip().lower().startswith(_FILES)):
        _drop(section, link)
    for template in section.filter_templates(recursive=everywhere):
        _drop(section, template, _shown(template))
    for line in section.strip_code(normalize=True, collapse=False).splitlines():
        sentences = _SENTENCE.split(_SPACE.sub(" ", line).strip(" *#:;"))
        kept = " ".join(sentence for sentence in sentences if _HOLE not in sentence).strip()
        if kept:
            yield kept


def _drop(section: Any, node: Any, shown: str = "") -> None:
    """Put `shown` in a node's place. One within another that is gone already is nothing to drop."""
    try:
        section.replace(node, shown)
    except ValueError:
        return


def _shown(template: Any) -> str:
    """What a template shows in running text, where that is known."""
    name = str(template.name).strip().lower().replace("_", " ")
    values = [one.value.strip_code().strip() for one in template.params if not one.showkey]
    if name in ("convert", "cvt") and len(values) >= 2:
        # {{convert|3|to|5|cm}}: a range.
        joined = values[:4] if len(values) >= 4 and values[1] in ("to", "-", "–", "and", "x") else values[:2]
        return " ".join(joined)
    if name in ("val", "nowrap", "abbr", "em", "lang", "nobr") and values:
        return values[1] if name == "lang" and len(values) > 1 else values[0]
    if name in ("nbsp", "ndash", "snd", "spaced ndash"):
        return " " if name == "nbsp" else " – "
    return "" if name in _SILENT or name.startswith(_SILENT_STARTS) else _HOLE
