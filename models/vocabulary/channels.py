"""Channels of one volume, as the sequences of an MR study: what they are called, and what a name says of an image.

A closed list, since what a source calls a channel goes out with its images. Knows nothing of files.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache
from typing import cast

from models.vocabulary.terms import TABLES
from schemas.images import Modality, Weighting
from schemas.sidecars import MOST_CHANNELS

_NO_SIGN = re.compile(r"[^a-z0-9*]+")
_NUMBERED = re.compile(r"channel([1-9]\d?)")


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel by its name here.

    Args:
        name: as it is written here and in messages.
        modality: of its images; None: the name does not tell.
        weighting: of MR images.
        contrast: whether an agent was given for certain.
    """

    name: str
    modality: Modality | None = None
    weighting: Weighting | None = None
    contrast: bool = False


def channel_of(text: str) -> Channel | None:
    """The channel that a source means: of the table, or 'channel 1' to 'channel 16'; None of any other word."""
    bare = _NO_SIGN.sub("", text.lower())
    numbered = _NUMBERED.fullmatch(bare)
    if numbered and int(numbered[1]) <= MOST_CHANNELS:
        return Channel(f"channel {numbered[1]}")
    return _known().get(bare)


def known_channels() -> str:
    """The names that are known, for a message."""
    names = dict.fromkeys(one.name for one in _known().values())
    return f"{', '.join(names)}, or channel 1 to channel {MOST_CHANNELS}"


@cache
def _known() -> dict[str, Channel]:
    found: dict[str, Channel] = {}
    with (TABLES / "channels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            one = Channel(
                row["name"],
                cast(Modality, row["modality"]) or None,
                cast(Weighting, row["weighting"]) or None,
                bool(row["contrast"]),
            )
            for name in (one.name, *filter(None, row["known_as"].split(";"))):
                found[_NO_SIGN.sub("", name.lower())] = one
    return found
