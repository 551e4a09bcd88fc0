"""What can be asked of an image, not judged until it is drawn: so four questions cost four judgements, not seventy.

An offer is of one kind and one sort of answer. Its turns come one by one, in an order of chance that is the same each
time; each holds by the judgement of its claims.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from pycocotools import mask as coco

from models.datasets.conversations import BOX, Turn
from models.datasets.instructions.balance import Balance
from models.describers.proven import is_packaged, is_proven
from models.statements.claims import Claim
from models.statements.facts import Facts
from models.statements.measures.pieces import PART
from models.statements.tokens import words
from models.statements.voice import Voice
from schemas.regions import Region
from schemas.triplets import Triplet

QUESTIONS = Path(__file__).with_name("questions.toml")
MOST_REGIONS = 6
"""Regions that are asked about; the first in the triplet's order."""
TRIES = 8
"""Words that are tried until one is denied."""
_LABELLED, _MOST_STEP = 256, 11
"""Rows or columns that parts of a mask are labelled at; beyond that step a pixel would vanish from a mean of 8 bits."""
SIDES = re.compile(r"\b(left|right)\b")

T = TypeVar("T")
Held = tuple[tuple[Claim, bool | None], ...]


@lru_cache(maxsize=1)
def phrasings() -> dict[str, dict[str, list[str]]]:
    """Of questions and answers, by kind."""
    return tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Offer:
    """Turns of one kind. `answer`: Yes, No, or empty where the question is an open one."""

    kind: str
    answer: str
    turns: Callable[[], Iterator[Turn]]


class Asker:
    """A triplet's facts, with the words for its regions.

    Args:
        triplet: that is asked about.
        balance: what has been answered so far.
        unproven: also of what experts found, or not, that are not known to be mostly right, as descriptions tell
            nothing of.
    """

    def __init__(self, triplet: Triplet, balance: Balance, *, unproven: bool = False) -> None:
        self.triplet = triplet
        self.balance = balance
        self.unproven = unproven
        self.facts = Facts.of_triplet(triplet)
        told = [one for _, one in self.facts.regions.values() if unproven or is_proven(self.facts, one)]
        self.regions = told[:MOST_REGIONS]
        self.labels = tuple(dict.fromkeys(region.label for region in told))
        self._told = {region.region_id for region in told}

    def offer(self, kind: str, answer: str, options: Sequence[T], make: Callable[[Voice, T], Turn | None]) -> Offer:
        """Turns of a kind, one for each option that the facts allow, in an order of chance."""

        def turns() -> Iterator[Turn]:
            voice = Voice(f"{self.triplet.image_id}:{kind}:{answer}")
            left = list(options)
            while left:
                if (turn := make(voice, left.pop(voice.draw(len(left))))) is not None:
                    yield turn

        return Offer(kind, answer, turns)

    def one(self, kind: str, answer: str, make: Callable[[Voice], Turn | None]) -> Offer:
        """One turn of a kind, if the facts allow it."""
        return self.offer(kind, answer, (None,), lambda voice, _: make(voice))

    def turn(
        self,
        kind: str,
        voice: Voice,
        answer: str | None = None,
        *,
        claims: Held = (),
        regions: tuple[Region, ...] = (),
        core: str = "",
        named: str = "",
        told: str = "",
        **parts: str,
    ) -> Turn | None:
        """A turn of a kind; None where the facts do not judge its claims so, or there are enough of its sort.

        Args:
            kind: of questions.toml.
            voice: picks the phrasings.
            answer: as it stands; None: one of the kind's phrasings.
            claims: what the answer says, each with the truth that the facts must give it.
            regions: whose names in `parts` may hold a box, in the order in which the text names them.
            core: what the answer tells, without the words around it.
            named: what the question calls what it asks about, where that name could come to tell the answer.
            told: the sort of answer; empty: `core`, or the answer.
            parts: what stands in the places of the phrasings.
        """
        told = (told or core or answer or "") if named else ""
        if named and self.balance.enough(kind, named, told):
            return None
        if any(claim.judge(self.facts).truth is not truth for claim, truth in claims):
            return None
        rows = phrasings()[kind]
        question = voice.pick(rows["ask"]).format(**parts)
        answer = voice.pick(rows["answer"]).format(**parts) if answer is None else answer
        question, answer = _capital(question), _capital(answer)
        boxes = tuple(region.box for region in regions)[: (question + answer).count(BOX)]
        names = tuple(region.label for region in regions)[: len(boxes)]
        return Turn(kind, question, answer, boxes, names, claims, core, named, told)

    def denied(self, voice: Voice, options: Sequence[str], claim: Callable[[str], Claim]) -> str | None:
        """A word of several with which a claim is false; None where a few tries find none."""
        if not options:
            return None
        tried = (voice.pick(options) for _ in range(TRIES))
        return next((word for word in tried if claim(word).judge(self.facts).truth is False), None)

    def the(self, region: Region) -> str:
        """What a region is called; with its box where others are called so too."""
        return f"the {region.label}" if self.is_alone(region) else f"the {region.label} at {BOX}"

    def are_told(self, label: str) -> bool:
        """Whether all that is called so may be told of, each as one thing, so that it can be counted."""
        named = self.facts.named(name_of(label))
        return self._told.issuperset(named) and all(is_one(self.facts.region(each)) for each in named)

    def is_alone(self, region: Region) -> bool:
        """Whether no other region is called as it is."""
        return len(self.facts.named(name_of(region.label))) == 1


def is_one(region: Region) -> bool:
    """Whether a region can be spoken of as one thing: a mask of all nuclei is not the nucleus, nor one of both lungs
    the lung."""
    if region.kind == "candidate" and is_packaged(region.expert):
        return True  # Our experts outline one part at a time.
    return _is_one(*region.mask.size, region.mask.counts)


@lru_cache(maxsize=256)
def _is_one(rows: int, columns: int, counts: str) -> bool:
    """Whether all but specks of a mask lies in one part; parts nearer than a 256th of its box count as one."""
    rle: Any = {"size": [rows, columns], "counts": counts.encode()}
    x, y, width, height = (int(value) for value in coco.toBbox(rle))
    mask = coco.decode(rle).T[x : x + width, y : y + height]
    if not mask.size:
        return False
    # A large mask is made smaller first: to label its parts takes longer than all else that is asked of an image.
    step = min(_MOST_STEP, max(1, max(width, height) // _LABELLED))
    shape = (max(1, height // step), max(1, width // step))
    small = cv2.resize(np.ascontiguousarray(mask) * np.uint8(255), shape, interpolation=cv2.INTER_AREA)
    _, _, statistics, _ = cv2.connectedComponentsWithStats((small > 0).astype(np.uint8), connectivity=8)
    areas = statistics[1:, cv2.CC_STAT_AREA]
    return bool(areas.size) and int(np.count_nonzero(areas >= PART * areas.max())) == 1


@lru_cache(maxsize=8192)
def name_of(label: str) -> str:
    """What a label is in claims: its words, hyphens opened."""
    return " ".join(words(label))


def with_boxes(pairs: Sequence[tuple[Region, str]]) -> tuple[Region, ...]:
    """Of regions with what they are called, those that are called by their box."""
    return tuple(region for region, name in pairs if BOX in name)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if not text.startswith(BOX) else text
