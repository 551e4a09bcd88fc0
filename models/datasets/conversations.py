"""What is trained on: questions and answers about one image, with the boxes they speak of. Knows nothing of formats."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from models.statements.claims import Claim
from schemas.base import Split as Split
from schemas.shapes import Box

SPLITS: tuple[Split, ...] = ("train", "validation", "test")

BOX = "<box>"
"""Stands in a text for a box; the n-th one of a turn, question before answer, is its n-th box."""


@dataclass(frozen=True)
class Turn:
    """A question and its answer.

    `claims` are what the answer says, each with the truth that the facts give it: True for yes, False for no, None
    where the answer is that nothing tells. `core` is what the answer tells, without the words around it; empty where it
    is yes, no or a long text. `named` is what the question calls what it asks about, and `told` the sort of answer,
    where a name could come to tell the answer: it is then to have every sort of answer about as often.
    """

    kind: str
    question: str
    answer: str
    boxes: tuple[Box, ...] = ()
    names: tuple[str, ...] = ()
    claims: tuple[tuple[Claim, bool | None], ...] = field(default=(), repr=False)
    core: str = ""
    named: str = ""
    told: str = ""

    def __post_init__(self) -> None:
        if (self.question + self.answer).count(BOX) != len(self.boxes) or len(self.names) != len(self.boxes):
            raise ValueError(f"a turn of kind {self.kind} has not as many boxes and names as its text has places")

    @cached_property
    def text(self) -> str:
        """Question and answer in lower case."""
        return f"{self.question} {self.answer}".lower()

    def rendered(self, box: Callable[[Box], str]) -> tuple[str, str]:
        """Question and answer, with each box written by `box`."""
        texts: list[str] = []
        boxes = iter(self.boxes)
        for text in (self.question, self.answer):
            head, *tails = text.split(BOX)
            texts.append(head + "".join(box(next(boxes)) + tail for tail in tails))
        return texts[0], texts[1]


@dataclass(frozen=True)
class Conversation:
    """Turns about one image, one after the other."""

    turns: tuple[Turn, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kind of each turn."""
        return tuple(turn.kind for turn in self.turns)


def within_one(box: Box, rows: int, columns: int) -> tuple[float, float, float, float]:
    """A box as left, top, right, bottom in parts of the image's width and height, 0 to 1."""
    return box.x / columns, box.y / rows, (box.x + box.width) / columns, (box.y + box.height) / rows


def corners(box: Box) -> tuple[int, int, int, int]:
    """A box as left, top, right, bottom in px; right and bottom exclusive."""
    return box.x, box.y, box.x + box.width, box.y + box.height


def listed(values: Sequence[float], digits: int = 0) -> str:
    """Numbers in square brackets."""
    return "[" + ", ".join(f"{value:.{digits}f}" for value in values) + "]"
