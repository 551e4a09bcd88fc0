"""Tables of collections: comma, semicolon or tab between columns, gzip or not, as publishers' servers hand them out."""

import csv
import gzip
import io
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from models.datasets.sources.collections import Collection
from models.datasets.sources.found import WrongFile

_MOST_SHOWN = 12


def rows_of(path: Path, needed: Iterable[str], collection: Collection) -> Iterator[dict[str, str]]:
    """Rows of a table, by the names of its columns without spaces around them.

    Raises:
        WrongFile: it lacks a column, or cannot be read to its end.
    """
    with readable(path, collection), _text(path) as lines:
        head = lines.readline()
        names = [name.strip() for name in next(csv.reader([head], delimiter=_between(head)), [])]
        if missing := set(needed) - set(names):
            raise WrongFile(
                f"{path.name} of {collection.title} has no column {', '.join(sorted(missing))}; "
                f"it has {', '.join(filter(None, names[:_MOST_SHOWN])) or 'none'}"
            )
        for row in csv.DictReader(lines, fieldnames=names, delimiter=_between(head), restval=""):
            row.pop(None, None)  # pyright: ignore[reportArgumentType]  # its stubs know no cells beyond the head's
            yield row


def lines_of(path: Path, collection: Collection) -> list[str]:
    """Lines of a list. Raises WrongFile where it is none."""
    with readable(path, collection):
        return path.read_text(encoding="utf-8-sig").splitlines()


@contextmanager
def readable(path: Path, collection: Collection) -> Generator[None]:
    """Raises WrongFile, which names the file, where what is done with it finds it damaged or cut off."""
    try:
        yield
    except (UnicodeDecodeError, EOFError, zlib.error, gzip.BadGzipFile, csv.Error) as error:
        raise WrongFile(
            f"{path.name} of {collection.title} is damaged or was not downloaded to its end: {type(error).__name__}"
        ) from None


def _between(head: str) -> str:
    return max(",;\t", key=head.count)


def _text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")
