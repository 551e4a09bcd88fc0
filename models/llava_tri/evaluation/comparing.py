"""Two results over the same questions: how much better one is, and whether that is more than chance."""

from dataclasses import dataclass

from models.llava_tri.evaluation.questions import KINDS, Kind
from models.llava_tri.evaluation.result import Result
from models.llava_tri.evaluation.scores.intervals import Difference, McNemar, difference, mcnemar
from models.llava_tri.evaluation.scoring import PRIMARY
from schemas.failures import InvalidInput

RIGHT: dict[Kind, str] = {"closed": "accuracy", "open": "exact", "class": "accuracy", "box": "iou_50"}
"""Measures that are right or wrong, for McNemar's test."""


class OtherQuestions(InvalidInput):
    """Two results are of other questions."""


@dataclass(frozen=True)
class Compared:
    """Of one kind of question: first less second.

    Args:
        measure: the primary one, of `gap`.
        right: the measure of McNemar's test; None: there is none that is right or wrong.
    """

    kind: Kind
    measure: str
    first: float
    second: float
    gap: Difference
    right: str | None
    test: McNemar | None


def compare(first: Result, second: Result) -> list[Compared]:
    """By kind of question.

    Raises:
        OtherQuestions: they are not of the same benchmark, split and questions.
    """
    if (first.digest, first.split) != (second.digest, second.split):
        raise OtherQuestions(
            f"one result is of {first.benchmark} {first.split} ({first.n} questions, {first.digest}), the other of "
            f"{second.benchmark} {second.split} ({second.n} questions, {second.digest}): only the same can be compared"
        )
    others = {one.id: one for one in second.answers}
    found: list[Compared] = []
    for kind in KINDS:
        pairs = [(one, others[one.id]) for one in first.answers if one.kind == kind]
        if not pairs:
            continue
        measure, right = PRIMARY[kind], RIGHT.get(kind)
        one, other = ([row[side].values[measure] for row in pairs] for side in (0, 1))
        units = [row.patient or (row.images or (row.id,))[0] for row, _ in pairs]
        test = None
        if right is not None:
            sides = ([row[side].values[right] == 1.0 for row in pairs] for side in (0, 1))
            test = mcnemar(*sides)
        mean = sum(one) / len(one), sum(other) / len(other)
        found.append(Compared(kind, measure, *mean, difference(one, other, units), right, test))
    return found
