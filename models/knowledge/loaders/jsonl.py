"""Passages ready made: one JSON object a line, in the fields of schemas.knowledge.Passage."""

from collections.abc import Iterator
from pathlib import Path

from models.knowledge.loaders.records import Loaded, Rejected
from models.knowledge.passages import InvalidCorpus, passage_of


def load(file: Path, name: str) -> Iterator[Loaded]:
    """The passages of a file, UTF-8. Blank lines are nothing."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield passage_of(line, number)
                except InvalidCorpus as error:
                    yield Rejected(file.name, number, str(error).partition(": ")[2])
