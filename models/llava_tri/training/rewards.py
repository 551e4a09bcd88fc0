"""What an answer is worth by the facts of its picture: rewards for reinforcement learning, without a model that judges.

A verifier can be pleased by saying little or saying the same again: length counts against an answer, a sentence counts
once, and one that states nothing measured is not borne out. Knows nothing of torch, nor of how answers are made.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from models.llava_tri.evaluation.scores.boxes import Scale, overlap, read_box
from models.llava_tri.training.boxes import Size
from models.llava_tri.training.weights import Weights
from models.statements import Facts, judge_sentence

_END = re.compile(r"(?<=[.!?])\s+")
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in parts of the picture's width and height."""


def supported(answer: str, facts: Facts) -> tuple[float, float]:
    """Shares of an answer's sentences that the facts bear out, and that they contradict: 0 to 1, 0 of an empty one."""
    sentences = [one.strip() for one in _END.split(answer) if one.strip()]
    if not sentences:
        return 0.0, 0.0
    # One that is said again adds to what the shares are of, and to neither of them.
    outcomes = [judge_sentence(one, facts).verdict.outcome for one in dict.fromkeys(sentences)]
    return outcomes.count("supported") / len(sentences), outcomes.count("contradicted") / len(sentences)


def reward(
    answer: str,
    facts: Facts | None,
    box: Box | None,
    *,
    weights: Weights | None = None,
    scale: Scale = "thousandths",
    size: Size = (1, 1),
) -> float:
    """Of one answer: what is borne out less what is contradicted, overlap of its box, less what is too long.

    Args:
        answer: of the model.
        facts: of the picture; None: its sentences are not judged.
        box: that was asked for; None: none was.
        weights: of the parts.
        scale: in which the model writes boxes.
        size: width and height of the picture as the model sees it, where it writes px.
    """
    by = weights or Weights()
    found = -by.longer * max(0, len(answer.split()) - by.length)
    if facts is not None:
        true, false = supported(answer, facts)
        found += by.supported * true - by.contradicted * false
    if box is not None:
        found += by.box * overlap(read_box(answer, scale, size[1], size[0]), box)
    return found


class Rewards:
    """A reward function as TRL's GRPOTrainer calls it.

    The data set has columns `prompt`, `images`, `triplet_id`, `box` and `size`; triplet or box may be None: a question
    for a description is judged by the facts of its triplet, one for a box by the box.

    Args:
        facts: by `triplet_id`.
        weights: of the parts.
        scale: in which the model writes boxes.
    """

    __name__ = "facts"

    def __init__(
        self, facts: Mapping[str, Facts], *, weights: Weights | None = None, scale: Scale = "thousandths"
    ) -> None:
        self._facts, self._weights = facts, weights
        self._scale: Scale = scale

    def __call__(
        self,
        completions: Sequence[Any],
        triplet_id: Sequence[str | None],
        box: Sequence[Box | None],
        size: Sequence[Size],
        **_: object,
    ) -> list[float]:
        """Rewards of completions, which are texts or conversations of one message.

        Raises:
            KeyError: a triplet's facts are not known.
        """
        told = zip(completions, triplet_id, box, size, strict=True)
        by: dict[str, Any] = {"weights": self._weights, "scale": self._scale}
        return [
            reward(_text(said), None if key is None else self._facts[key], asked, size=seen, **by)
            for said, key, asked, seen in told
        ]


def _text(completion: Any) -> str:
    return completion if isinstance(completion, str) else str(completion[-1]["content"])
