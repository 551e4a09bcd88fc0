"""Questions and answers: MedQuAD's XML files, and JSON of the same content. One source a document, or a record.

Layouts: https://github.com/abachaa/MedQuAD (Ben Abacha & Demner-Fushman 2019, arXiv 1901.08079), and its copies as
tables of `question`, `answer`, `focus` and `source`, under the names that such copies give them. A passage is (a piece
of) an answer; its title names what is asked about, and its section the question.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree.ElementTree import Element

import orjson

from models.knowledge.loaders.records import Loaded, Part, Rejected, labels_of, passages
from models.knowledge.loaders.xml import BrokenXml, records, words

LARGEST_JSON = 1024**3
"""Bytes of a JSON file, which is read as a whole; JSON Lines are read line by line."""

_NO_QUESTION, _NO_ANSWER = "no question", "no answer: some parts of MedQuAD were published without"
_NAMES = {
    "question": ("question", "Question"),
    "answer": ("answer", "Answer"),
    "focus": ("focus", "focus_area", "question_focus", "topic", "title"),
    "source": ("source", "document_source", "url", "document_url"),
    "id": ("id", "qid", "question_id", "document_id"),
}


def load(file: Path, name: str) -> Iterator[Loaded]:
    """The answers of MedQuAD's XML, in order. An answer's text is its own words, white space folded."""
    number = 0
    try:
        for document in records(file, "Document"):
            focus = words(document.find("Focus"))
            for pair in document.iter("QAPair"):
                number += 1
                yield from _pair(document, pair, focus, file.name, number)
    except BrokenXml as error:
        yield Rejected(file.name, number + 1, str(error))
        return
    if number == 0:
        yield Rejected(file.name, 0, "holds no QAPair; is it a file of MedQuAD?")


def load_json(file: Path, name: str) -> Iterator[Loaded]:
    """The answers of a JSON array of objects, or of an object with one such array."""
    if file.stat().st_size > LARGEST_JSON:
        yield Rejected(file.name, 0, f"larger than {LARGEST_JSON // 2**20} MiB; write it as JSON Lines (.jsonl)")
        return
    try:
        found = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError:
        yield Rejected(file.name, 0, "not JSON in UTF-8")
        return
    if isinstance(found, dict):
        found = next((value for value in found.values() if isinstance(value, list)), None)
    if not isinstance(found, list):
        yield Rejected(file.name, 0, "no array of questions and answers")
        return
    for number, each in enumerate(found, start=1):
        yield from answers(each, file.name, name, number)


def answers(each: object, file: str, name: str, number: int) -> Iterator[Loaded]:
    """The passages of one record: an object with a question and its answer."""
    fields = {str(key): value for key, value in each.items()} if isinstance(each, Mapping) else {}
    told = {field: _first(fields, names) for field, names in _NAMES.items()}
    source = f"{name}:{told['id'] or number}"
    yield from _answer(source, told["focus"], told["question"], told["answer"], told["source"], file, number)


def _pair(document: Element, pair: Element, focus: str, file: str, number: int) -> Iterator[Loaded]:
    question = pair.find("Question")
    source = f"medquad:{document.get('source', '')}:{question.get('qid', '') if question is not None else ''}"
    told = document.get("url") or document.get("source") or ""
    yield from _answer(source, focus, words(question), words(pair.find("Answer")), told, file, number)


def _answer(
    source: str, focus: str, question: str, answer: str, published: str, file: str, number: int
) -> Iterator[Loaded]:
    if not question:
        yield Rejected(file, number, _NO_QUESTION)
    elif not answer:
        yield Rejected(file, number, _NO_ANSWER)
    else:
        reference = f"{question}{f', {published}' if published else ''}"
        parts = [Part(question if focus else "", 0, len(answer))]
        yield from passages(source, focus or question, reference, answer, parts, labels_of(focus, question))


def _first(fields: Mapping[str, object], names: tuple[str, ...]) -> str:
    found = next((fields[name] for name in names if fields.get(name) not in (None, "")), "")
    return " ".join(str(found).split()) if isinstance(found, str | int) else ""
