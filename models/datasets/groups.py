"""Groups of a data set while it is made: which are one because images are alike, and the split of each.

Those that are joined stand in memory; all else in the file of the scan.
"""

import sqlite3
from collections.abc import Iterator, Mapping

from models.datasets.conversations import Split
from models.datasets.splits import Group, Shares, assign, rank, strictest

DELETED = "deleted from the topic"
"""Why a triplet is left out that is there no more."""
TABLES = """
create table joined (alias text primary key, grp text);
create table groups (grp text primary key, stratum text, images integer, given text, rank blob, split text);
"""
_GATHER = """
insert into groups (grp, stratum, images, given, rank)
with parts as (
  select grp, modality || '/' || disease as stratum, sum(reason = '') as n, min(n) as earliest,
    max(given = 'test') as test, max(given = 'validation') as validation, max(given = 'train') as train
  from seen where reason != :deleted group by 1, 2
), sums as (
  select *, sum(n) over alike as images, max(test) over alike as any_test, max(validation) over alike as any_validation,
    max(train) over alike as any_train, row_number() over (partition by grp order by n desc, earliest) as place
  from parts window alike as (partition by grp)
)
select grp, stratum, images,
  case when any_test then 'test' when any_validation then 'validation' when any_train then 'train' end, rank(grp)
from sums where place = 1 and images > 0
"""
"""A group is of the stratum that most of its images are of; of splits that its collection gives, also to images that
are left out, the strictest holds."""


class Together:
    """Groups that near duplicates join: a forest in which each tree has one name."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}
        self.joined = 0

    def name(self, group: str) -> str:
        """The name of the tree that a group stands in."""
        while (above := self._above.get(group, group)) != group:
            self._above[group] = self._above.get(above, above)
            group = above
        return group

    def join(self, one: str, other: str) -> None:
        """Make two groups one."""
        first, second = sorted((self.name(one), self.name(other)))
        if first != second:
            self._above[second] = first
            self.joined += 1

    def renamed(self) -> Iterator[tuple[str, str]]:
        """Every group that has got another name, and that name."""
        return ((alias, self.name(alias)) for alias in tuple(self._above))


class Groups:
    """Groups and their splits, in the tables of a scan."""

    def __init__(self, base: sqlite3.Connection) -> None:
        self._base = base

    def join(self, together: Together) -> None:
        """Give groups that belong together one name."""
        self._base.executemany("insert into joined (alias, grp) values (?, ?)", together.renamed())
        self._base.execute(
            "update seen set grp = (select grp from joined where alias = seen.grp) "
            "where grp in (select alias from joined)"
        )

    def divide(self, shares: Shares, key: str, kept: Mapping[str, Split]) -> None:
        """Give each group of what is taken its split.

        Args:
            shares: of the images.
            key: of the order in which groups come.
            kept: splits of an earlier data set, by all names that its groups had: where two of them are one by now, the
                stricter one holds.
        """
        self._base.create_function("rank", 1, lambda group: rank(key, group), deterministic=True)
        self._base.execute(_GATHER, {"deleted": DELETED})
        for name, split in kept.items():
            self._keep(name, split)
        totals: dict[str, int] = dict(
            self._base.execute("select stratum, sum(images) from groups where given is null group by stratum")
        )
        # The order is made before the first row comes, so rows may change while they are read.
        rows = self._base.execute("select grp, stratum, images, given from groups order by rank")
        splits = assign((Group(*row) for row in rows), totals, shares)
        self._base.executemany("update groups set split = ? where grp = ?", ((split, group) for group, split in splits))

    def _keep(self, name: str, split: Split) -> None:
        found = self._base.execute(
            "select grp, given from groups where grp = coalesce((select grp from joined where alias = ?), ?)",
            (name, name),
        ).fetchone()
        if found is not None:
            given = strictest(one for one in (found[1], split) if one is not None)
            self._base.execute("update groups set given = ? where grp = ?", (given, found[0]))

    def split_of(self, group: str) -> Split:
        """The split of a group."""
        return self._base.execute("select split from groups where grp = ?", (group,)).fetchone()[0]

    def splits(self) -> Iterator[tuple[str, Split]]:
        """Every name of every group, those that joined another one too, and its split."""
        yield from self._base.execute(
            "select grp as name, split from groups union all "
            "select alias, split from joined join groups using (grp) order by name"
        )
