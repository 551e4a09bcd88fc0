"""Table E.1-1 of PS3.15, and the types of attributes (PS3.5, 7.4) that decide between the actions it leaves open.

Both are data: see README.md beside them. Knows nothing of values.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

Action = Literal["X", "Z", "D", "U", "C", "K"]
"""Remove, empty, replace with a dummy, replace a UID, clean, keep."""

AttributeType = Literal[1, 2, 3]
"""1 and 1C must have a value where they stand; 2 and 2C may be empty; 3 may be left out."""

_FOLDER = files(__package__ or __name__)
_CHOICES: dict[str, dict[AttributeType | None, Action]] = {
    "X/Z": {3: "X", 2: "Z", 1: "Z", None: "Z"},
    "X/D": {3: "X", 2: "D", 1: "D", None: "D"},
    "Z/D": {3: "Z", 2: "Z", 1: "D", None: "D"},
    "X/Z/D": {3: "X", 2: "Z", 1: "D", None: "D"},
    "X/Z/U*": {3: "X", 2: "Z", 1: "U", None: "U"},
}
"""By type; an unknown type (None) is taken as the strictest, which is valid whatever the type is."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: the basic profile's action or choice of actions, and the options that change it."""

    name: str
    basic: str
    clean_descriptors: bool
    dates: bool
    uids: bool

    def action(self, type_: AttributeType | None) -> Action:
        """The basic profile's action on an attribute of this type."""
        if self.basic in _CHOICES:
            return _CHOICES[self.basic][type_]
        found: Any = self.basic
        return found


@lru_cache(maxsize=1)
def rows() -> dict[str, Row]:
    """All rows by their tag as eight digits, `x` for any: 00100010, 50xxxxxx, 60xx3000; and `private`."""
    found: dict[str, Row] = {}
    for row in json.loads((_FOLDER / "table-e.1-1.json").read_text()):
        place = row["id"].lower() if len(row["id"]) == 8 else "private"
        found[place] = Row(
            " ".join(row["name"].split()),
            row["basicProfile"],
            clean_descriptors="cleanDescOpt" in row,
            dates="rtnLongModifDatesOpt" in row,
            uids="rtnUIDsOpt" in row,
        )
    return found


@lru_cache(maxsize=16384)
def row_of(tag: int) -> Row | None:
    """The row of an attribute; repeating groups and private attributes have one for all of theirs."""
    group, element = tag >> 16, tag & 0xFFFF
    if group & 1:
        return rows()["private"]
    if group & 0xFF00 == 0x5000:
        return rows()["50xxxxxx"]
    if group & 0xFF00 == 0x6000:
        return rows().get(f"60xx{element:04x}")
    return rows().get(f"{tag:08x}")


class Types:
    """The types of attributes in the objects of one SOP class.

    Args:
        sop_class: its UID.
    """

    def __init__(self, sop_class: str) -> None:
        self._here = _types_by_class().get(sop_class)

    def choice(self, tag: int, *, nested: bool) -> AttributeType | None:
        """Type of an attribute for which the table leaves a choice; None: not known."""
        if nested or self._here is None:
            return _strictest().get(tag)
        return self._here.get(tag, 3)

    def strictest(self, tag: int) -> AttributeType:
        """The strictest type that the attribute has in any module of PS3.3."""
        return _strictest().get(tag, 3)


@lru_cache(maxsize=1)
def _types() -> Any:
    return json.loads((_FOLDER / "types.json").read_text())


@lru_cache(maxsize=1)
def _strictest() -> dict[int, AttributeType]:
    anywhere = _types()["anywhere"]
    second: dict[int, AttributeType] = {int(tag, 16): 2 for tag in anywhere["2"]}
    first: dict[int, AttributeType] = {int(tag, 16): 1 for tag in anywhere["1"]}
    return second | first


@lru_cache(maxsize=1)
def _types_by_class() -> dict[str, dict[int, AttributeType]]:
    found: dict[str, dict[int, AttributeType]] = {}
    for iod in _types()["iods"].values():
        second: dict[int, AttributeType] = {int(tag, 16): 2 for tag in iod["2"]}
        first: dict[int, AttributeType] = {int(tag, 16): 1 for tag in iod["1"]}
        found |= dict.fromkeys(iod["classes"], second | first)
    return found
