"""The index of a finished data set in a SQLite file: what an audit counts and looks up, in little memory."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

_TABLES = """
pragma journal_mode=off; pragma synchronous=off; pragma cache_size=-16000;
create table entries (
  n integer primary key, triplet_id text, image_id text, grp text, split text, hash text, source text, licence text,
  lineage text, authors text
);
create table groups (grp text, split text);
create table looked (triplet_id text, format text, primary key (triplet_id, format)) without rowid;
"""
_INDICES = """
create index entries_triplet on entries (triplet_id);
create index groups_group on groups (grp);
"""
_NAMES = ("triplet_id", "image_id", "group", "split", "hash", "source", "licence", "lineage", "authors")


class Entry(NamedTuple):
    """One line of the index, as pictures are held against it."""

    image_id: str
    group: str
    split: str
    hash: str


class Ledger:
    """Of index.jsonl and groups.json, and which pictures were looked at.

    Args:
        path: of the SQLite file, which is made anew.
        index: lines of index.jsonl.
        groups: groups.json, a name and its split a line.

    Raises:
        ValueError: a line is none.
    """

    def __init__(self, path: Path, index: Path, groups: Path) -> None:
        path.unlink(missing_ok=True)
        self._base = sqlite3.connect(path)
        self._base.executescript(_TABLES)
        with index.open("rb") as lines:
            self._base.executemany(
                "insert into entries (triplet_id, image_id, grp, split, hash, source, licence, lineage, authors) "
                "values (?,?,?,?,?,?,?,?,?)",
                (_entry(line) for line in lines),
            )
        with groups.open("rb") as lines:
            self._base.executemany("insert into groups values (?,?)", _groups(lines))
        self._base.executescript(_INDICES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def count(self, column: str, what: str = "*") -> Counter[str]:
        """How many entries, or different values of a column, there are by another column."""
        query = f"select {column}, count({what}) from entries group by {column}"  # noqa: S608 - ours
        return Counter(dict(self._base.execute(query)))

    def _number(self, query: str, *values: str) -> int:
        return self._base.execute(f"select count(*) from ({query})", values).fetchone()[0]  # noqa: S608 - ours

    @property
    def images(self) -> int:
        """How many entries there are."""
        return self._number("select 1 from entries")

    @property
    def groups(self) -> int:
        """How many groups they are of."""
        return self._number("select distinct grp from entries")

    @property
    def torn(self) -> int:
        """Groups that stand in two splits."""
        return self._number("select 1 from entries group by grp having count(distinct split) > 1")

    @property
    def twice(self) -> int:
        """Images that are there more than once."""
        return self._number("select 1 from entries group by image_id having count(*) > 1")

    def misplaced(self) -> Iterator[str]:
        """image_id of those that are not in the split of their group."""
        query = "select image_id from entries left join groups using (grp) where groups.split is not entries.split"
        yield from (image_id for (image_id,) in self._base.execute(query))

    def entry(self, triplet_id: str) -> Entry | None:
        """The first line of a triplet."""
        query = "select image_id, grp, split, hash from entries where triplet_id = ? order by n limit 1"
        row = self._base.execute(query, (triplet_id,)).fetchone()
        return Entry(*row) if row else None

    def look(self, triplet_id: str, name: str) -> bool:
        """Take down that a picture was looked at in a format; whether it had been in none before."""
        known = self._base.execute("select 1 from looked where triplet_id = ?", (triplet_id,)).fetchone()
        self._base.execute("insert or ignore into looked values (?,?)", (triplet_id, name))
        return known is None

    def looked(self, name: str) -> int:
        """Pictures that were looked at in a format."""
        return self._number("select 1 from looked where format = ?", name)

    def missing(self, name: str) -> int:
        """Entries without a picture in a format."""
        there = "select 1 from looked where looked.triplet_id = entries.triplet_id and format = ?"
        return self._number(f"select 1 from entries where not exists ({there})", name)  # noqa: S608 - ours


def _entry(line: bytes) -> tuple[str, ...]:
    found = json.loads(line)
    if not isinstance(found, dict) or not all(isinstance(found.get(name, ""), str) for name in _NAMES):  # pyright: ignore[reportUnknownMemberType]
        raise ValueError("a line of the index is of another kind")
    return tuple(found.get(name, "") for name in _NAMES)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _groups(lines: Iterator[bytes]) -> Iterator[tuple[str, str]]:
    """Of a JSON object that stands on a line a name."""
    for line in lines:
        if (text := line.strip().strip(b"{},").strip()) != b"":
            yield from json.loads(b"{" + text + b"}").items()
