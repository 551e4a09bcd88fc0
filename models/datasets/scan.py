"""The first reading of triplets: what is known of each before anything is written, in a file and not in memory."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from models.datasets.conversations import SPLITS, Split
from models.datasets.copies import Originals
from models.datasets.duplicates import Hashes
from models.datasets.groups import DELETED, TABLES, Groups
from models.datasets.kept import KeptImage

SAME = "same image as another"
"""Why a triplet is left out whose image came again, as another frame's: the newest one stands for it."""
OLDER = "an older annotation of its frame"
"""Why a triplet is left out whose object and frame were annotated again later, whatever came of that."""
AGAIN = "a triplet that came before"
"""Why what has the id of a later one is left out: what is sent twice, and what is forged."""
_TABLES = """
create table seen (
  n integer primary key, triplet_id text unique, image_id text, grp text, level text, series text, modality text,
  organ text, disease text, given text, hash blob, reason text, study text, object text, frame integer, at integer,
  written text
);
create index seen_image on seen (image_id);
create table evaluation (n integer primary key, name text, file text);
create table kept (n integer primary key, image_id text, grp text);
create index kept_image on kept (image_id);
"""
_NEWEST_FIRST = "order by at desc, triplet_id"
"""By content where two came at one time: partitions of a topic are read in no order."""
_LEAVE_OLDER = f"""
update seen set reason = '{OLDER}' where reason in ('', '{SAME}') and n not in (
  select n from (
    select n, row_number() over (partition by object, frame {_NEWEST_FIRST}) as place
    from seen where reason not in ('{DELETED}', '{AGAIN}', ?)
  ) where place = 1
)
"""  # noqa: S608 - ours
_STAND_IN = f"""
create temp table heirs as select n from (
  select n, reason, row_number() over (partition by image_id {_NEWEST_FIRST}) as place
  from seen where reason in ('', '{SAME}')
) where place = 1 and reason = '{SAME}';
update seen set reason = '{SAME}' where reason = '' and image_id in (select image_id from seen where n in heirs);
update seen set reason = '' where n in heirs;
"""  # noqa: S608 - ours
"""`heirs` stand for an image where reading had taken another one."""
_EVENLY = """
update seen set reason = :reason where n in (
  select n from (
    select n, row_number() over (partition by {of} order by n) - 1 as place, count(*) over (partition by {of}) as total
    from seen where reason = ''
  ) where total > :most and place > 0 and place * :most / total = (place - 1) * :most / total
)
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One triplet, as splits and filters need it. `level` says what its group is of, `at` when it came."""

    triplet_id: str
    image_id: str
    group: str
    series: str
    modality: str
    organ: str
    disease: str
    given: Split | None
    hash: int
    reason: str = ""
    level: str = ""
    study: str = ""
    object_id: str = ""
    frame: int = 0
    at: int = 0


class Scan:
    """What was seen, in a SQLite file of its own; and of each its hash in memory too: 5 MB at 100,000 triplets.

    Args:
        path: of the file, which is made anew.
    """

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._base = sqlite3.connect(path)
        self._hashes, self._kept, self._evaluation = Hashes(), Hashes(), Originals()
        self._base.executescript(
            "pragma journal_mode=off; pragma synchronous=off; pragma cache_size=-16000;" + _TABLES + TABLES
        )
        self.groups = Groups(self._base)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def add(self, seen: Seen) -> int:
        """Take a triplet down, in the place of one of its id, deleted or not; its number, from 1."""
        again = "update seen set triplet_id = null, reason = ? where triplet_id = ?"
        self._base.execute(again, (AGAIN, seen.triplet_id))
        values = (
            seen.triplet_id, seen.image_id, seen.group, seen.series, seen.modality, seen.organ, seen.disease,
            seen.given, seen.hash.to_bytes(32), seen.reason, seen.level, seen.study, seen.object_id, seen.frame,
            seen.at,
        )  # fmt: skip
        self._base.execute(
            "insert into seen (triplet_id, image_id, grp, series, modality, organ, disease, given, hash, reason, "
            "level, study, object, frame, at) values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            values,
        )
        return self._hashes.add(seen.hash)

    def displace(self, image_id: str) -> str | None:
        """Leave out the triplet that stood for an image until now, for one that came later; the group of that."""
        query = "update seen set reason = ? where image_id = ? and reason = '' returning grp"
        row = self._base.execute(query, (SAME, image_id)).fetchone()
        return row[0] if row else None

    def settle(self, untold: str) -> Iterator[Seen]:
        """Decide what stands for each frame and each image, when all were read: the newest that is not deleted.

        Args:
            untold: a reason for which a triplet is left out as if it had never been, so that an older one stands.

        Yields:
            What was not taken until now.
        """
        self._base.execute(_LEAVE_OLDER, (untold,))
        self._base.executescript(_STAND_IN)
        yield from self._rows("where n in heirs")

    def add_evaluation(self, name: str, file: str, picture: npt.NDArray[np.uint8]) -> None:
        """Take down an image of an evaluation set."""
        self._base.execute("insert into evaluation (name, file) values (?,?)", (name, file))
        self._evaluation.add(picture)

    def add_kept(self, image: KeptImage) -> None:
        """Take down an image of an earlier data set."""
        self._base.execute("insert into kept (image_id, grp) values (?,?)", (image.image_id, image.group))
        self._kept.add(image.hash)

    def near_kept(self, image_id: str, value: int, most: int) -> set[str]:
        """Groups of an earlier data set that hold an image, or nearly that image."""
        same = self._base.execute("select grp from kept where image_id = ?", (image_id,)).fetchall()
        near = self._pairs("select image_id, grp from kept where n = ?", self._kept.near(value, most))
        return {group for (group,) in same} | {group for _, group in near}

    def evaluation(self) -> dict[str, int]:
        """How many images of each evaluation set there are."""
        return dict(self._base.execute("select name, count(*) from evaluation group by name").fetchall())

    def near(self, value: int, most: int) -> Iterator[tuple[str, str]]:
        """triplet_id and group of images that are not left out and whose hash differs in at most `most` bits."""
        query = "select triplet_id, grp from seen where n = ? and reason = ''"
        yield from self._pairs(query, self._hashes.near(value, most))

    def near_evaluation(self, picture: npt.NDArray[np.uint8]) -> list[tuple[str, str]]:
        """Set and file of evaluation images that a picture is a copy of, though edited."""
        found = self._pairs("select name, file from evaluation where n = ?", self._evaluation.near(picture))
        return sorted(set(found))

    def _pairs(self, query: str, places: Iterable[int]) -> Iterator[tuple[str, str]]:
        for place in places:
            # Rows are never taken out, so SQLite numbers them as they came, from 1.
            if (row := self._base.execute(query, (place + 1,)).fetchone()) is not None:
                yield row

    def shared(self) -> Iterator[tuple[str, str]]:
        """Pairs of groups that have a study, series or object in common: of some of its images nothing told whose."""
        for column in ("study", "series", "object"):
            several = (
                f"select {column} as shared, min(grp) as least from seen where {column} != '' "  # noqa: S608 - ours
                f"group by {column} having count(distinct grp) > 1"
            )
            pairs = f"select distinct grp, least from seen join ({several}) on {column} = shared where grp != least"  # noqa: S608 - ours
            yield from self._base.execute(pairs).fetchall()

    def delete(self, triplet_id: str) -> None:
        """Leave out a triplet that was deleted: as if it had never been, but that its groups stay joined."""
        self.leave_out(triplet_id, DELETED)

    def leave_out(self, triplet_id: str, reason: str) -> None:
        """Leave out one triplet."""
        self._base.execute("update seen set reason = ? where triplet_id = ?", (reason, triplet_id))

    def cap(self, of: Literal["series", "grp"], most: int, reason: str) -> None:
        """Leave out, evenly over each series or group, what there is more of than `most`."""
        self._base.execute(_EVENLY.format(of=of), {"most": most, "reason": reason})

    def thin(self, keeps: Callable[[str, str], bool], reason: str) -> None:
        """Leave out triplets that are not kept, by their ids and modalities."""
        self._base.create_function("keeps", 2, keeps, deterministic=True)
        self._base.execute(
            "update seen set reason = ? where reason = '' and not keeps(triplet_id, modality)", (reason,)
        )

    def leave_out_near(self, most: int, reason: str) -> None:
        """Leave out what is nearly an image that came before it and is taken."""
        kept = Hashes()

        def repeats(value: bytes) -> bool:
            if kept.near(number := int.from_bytes(value), most):
                return True
            kept.add(number)
            return False

        self._base.create_function("repeats", 1, repeats)
        # Not `and`: SQLite may ask its terms in any order, and of what is left out nothing must be kept in mind.
        update = "update seen set reason = ? where case reason when '' then repeats(hash) else 0 end"
        self._base.execute(update, (reason,))

    def taken(self) -> dict[int, str]:
        """The group of each triplet that is not left out, by its number."""
        return dict(self._base.execute("select n, grp from seen where reason = ''"))

    def modalities(self) -> dict[str, int]:
        """How many are taken of each."""
        return self._count("modality")

    def shown(self) -> dict[tuple[str, str, str], int]:
        """How many are taken of each modality, organ and disease together; empty where none is told."""
        rows = self._base.execute(
            "select modality, organ, disease, count(*) from seen where reason = '' group by 1, 2, 3"
        )
        return {(modality, organ, disease): n for modality, organ, disease, n in rows}

    def levels(self) -> dict[str, int]:
        """How many were written by what their groups are of."""
        return self._count("level", "written is not null")

    def _count(self, column: str, which: str = "reason = ''") -> dict[str, int]:
        query = f"select {column}, count(*) from seen where {which} group by {column} order by min(n)"  # noqa: S608 - ours
        return dict(self._base.execute(query).fetchall())

    def groups_written(self) -> dict[str, int]:
        """How many groups each split has, of what was written."""
        query = "select written, count(distinct grp) from seen where written is not null group by written"
        found = dict(self._base.execute(query).fetchall())
        return {split: found.get(split, 0) for split in SPLITS}

    def _rows(self, where: str, *values: str) -> Iterator[Seen]:
        rows = self._base.execute(
            "select triplet_id, image_id, grp, series, modality, organ, disease, given, hash, reason, level, study, "  # noqa: S608 - ours
            f"object, frame, at from seen {where} order by n",
            values,
        )
        for triplet_id, image_id, group, series, modality, organ, disease, given, value, *told in rows:
            yield Seen(
                triplet_id, image_id, group, series, modality, organ, disease, given, int.from_bytes(value), *told
            )

    def one(self, triplet_id: str) -> Seen | None:
        """A triplet by its id."""
        return next(self._rows("where triplet_id = ?", triplet_id), None)

    def write_once(self, triplet_id: str, split: Split) -> bool:
        """Whether a triplet is to be written now: False from the second time on."""
        return bool(
            self._base.execute(
                "update seen set written = ? where triplet_id = ? and written is null", (split, triplet_id)
            ).rowcount
        )

    def torn(self) -> tuple[int, int]:
        """Of what was written: groups that stand in two splits, and images that stand there twice."""
        groups = "select grp from seen where written is not null group by grp having count(distinct written) > 1"
        images = "select image_id from seen where written is not null group by image_id having count(*) > 1"
        found = (self._base.execute(f"select count(*) from ({query})").fetchone()[0] for query in (groups, images))  # noqa: S608 - ours
        return next(found), next(found)

    def reasons(self) -> dict[str, int]:
        """How many were left out, by reason."""
        return dict(
            self._base.execute("select reason, count(*) from seen where reason != '' group by reason").fetchall()
        )
