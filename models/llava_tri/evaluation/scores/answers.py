"""Scores of short answers: exact match, shared words, and what is chosen of a few options.

An answer that is missing is the empty one, and wrong. Several right answers: the best counts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from models.llava_tri.evaluation.scores.normalise import normalised, words_of

YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Shared:
    """Words that an answer shares with the right one, each as often as it stands in both."""

    precision: float
    recall: float
    f1: float


def exact(answer: str, right: Sequence[str]) -> bool:
    """Whether the normalised answer is a normalised right one. Nothing matches an answer without words."""
    given = normalised(answer)
    return bool(given) and any(given == normalised(one) for one in right)


def shared(answer: str, right: Sequence[str]) -> Shared:
    """Precision, recall and F1 of words; of several right answers the one with the best F1, then recall."""
    given = Counter(words_of(answer))
    return max((_shared(given, Counter(words_of(one))) for one in right), key=lambda one: (one.f1, one.recall))


def _shared(given: Counter[str], right: Counter[str]) -> Shared:
    both = (given & right).total()
    if not both:
        return Shared(0.0, 0.0, 0.0)
    precision, recall = both / given.total(), both / right.total()
    return Shared(precision, recall, 2 * precision * recall / (precision + recall))


def chosen(answer: str, options: Sequence[str]) -> str | None:
    """The option that the answer is, word for word; None where it is none of them, or says more than one."""
    given = normalised(answer)
    return next((one for one in options if given == normalised(one)), None)


def committed(answer: str, options: Sequence[str]) -> str | None:
    """The option that an answer begins with, where it names no other: "No, there is none" is a no.

    Laxer than `chosen`, for models that speak in sentences, but an answer that says two of them says none.
    """
    words, option = words_of(answer), named(answer, options)
    return option if option is not None and words[: len(words_of(option))] == words_of(option) else None


def named(answer: str, options: Sequence[str]) -> str | None:
    """The one option that an answer names anywhere; None where it names none or several.

    Longer options are sought first, and their words are taken: "right lung" does not name "lung" too.
    """
    words: list[str | None] = list(words_of(answer))
    found: list[str] = []
    for option in sorted(options, key=lambda one: -len(words_of(one))):
        part = words_of(option)
        places = [at for at in range(len(words) - len(part) + 1) if part and words[at : at + len(part)] == part]
        if places:
            found.append(option)
        for at in places:
            words[at : at + len(part)] = [None] * len(part)
    return found[0] if len(found) == 1 else None


def papers_rule(answer: str, right: Sequence[str]) -> bool:
    """The rule behind published closed accuracies: the right answer's characters stand anywhere in the answer.

    LLaVA-Med's and MedTrinity-25M's `run_eval` (closed questions: `gt_value in pred_value`). "No" is in "normal" and
    "yes and no" is always right. Reported so that published numbers can be compared, never as a result.
    """
    given = answer.lower()
    return any(one.lower() in given for one in right)
