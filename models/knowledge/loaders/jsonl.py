"""One JSON object a line: passages ready made, in the fields of schemas.knowledge.Passage, or questions and answers."""

from collections.abc import Iterator
from pathlib import Path

import orjson

from models.knowledge.loaders import medquad
from models.knowledge.loaders.records import Loaded, Rejected
from models.knowledge.passages import InvalidCorpus, passage_of


def load(file: Path, name: str) -> Iterator[Loaded]:
    """The passages of a file, UTF-8. Blank lines are nothing."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                if b'"passage_id"' not in line and (record := _answered(line)) is not None:
                    yield from medquad.answers(record, file.name, name, number)
                    continue
                try:
                    yield passage_of(line, number)
                except InvalidCorpus as error:
                    yield Rejected(file.name, number, str(error).partition(": ")[2])


def _answered(line: bytes) -> dict[str, object] | None:
    """The record of a line that has an answer in place of the fields of a passage."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) and {"answer", "Answer"} & found.keys() else None
