"""Triplets read from a file of lines, compressed or not. Knows nothing of what is made of them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from infra.exports import lines_of
from models.datasets.lines import Line
from schemas.triplets import Triplet


class BadTriplet(ValueError):
    """A line that is no triplet. Its text names the line and quotes nothing of it."""

    def __init__(self, line: int, problem: str = "is no triplet of this version") -> None:
        super().__init__(f"line {line} of the triplets {problem}")


def triplets_of(path: Path) -> Iterator[tuple[int, Triplet | BadTriplet]]:
    """The number of each line that is not empty, and the triplet on it, or what is wrong with it.

    Raises:
        CannotWrite: the file cannot be read, or is not compressed as its name says.
    """
    for number, line in enumerate(lines_of(path), 1):
        if line.strip():
            try:
                yield number, Triplet.model_validate_json(line)
            except ValidationError:
                yield number, BadTriplet(number)


def lines_in(paths: Iterable[Path]) -> Iterator[Line]:
    """The lines of files that are not empty, not read yet, each with its place for messages.

    Raises:
        CannotWrite: a file cannot be read, or is not compressed as its name says.
    """
    for file, path in enumerate(paths, start=1):
        for number, text in enumerate(lines_of(path), start=1):
            if text.strip():
                yield Line(f"file {file}, line {number}", text)
