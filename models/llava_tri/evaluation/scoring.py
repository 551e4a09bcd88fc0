"""Answers to questions as figures: each measure by kind of question, with its interval, and in groups.

Missing answers are wrong answers; no question is ever left out of a mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.llava_tri.evaluation.answering import Answered
from models.llava_tri.evaluation.pictures import size, swapped
from models.llava_tri.evaluation.questions import KINDS, Benchmark, Kind, Question
from models.llava_tri.evaluation.scores import answers as words
from models.llava_tri.evaluation.scores.bert import TokenEncoder, bert_score
from models.llava_tri.evaluation.scores.boxes import Scale, dice_as_mask, overlap, read_box
from models.llava_tri.evaluation.scores.encoders import NAMES as ENCODED
from models.llava_tri.evaluation.scores.encoders import encoded_scores
from models.llava_tri.evaluation.scores.intervals import Estimate, mean
from models.llava_tri.evaluation.scores.texts import NAMES, rouge_l, text_scores

PRIMARY: dict[Kind, str] = {
    "closed": "accuracy", "open": "f1", "class": "accuracy", "text": "rouge_l", "box": "iou",
}  # fmt: skip
"""The measure of each kind by which a model is held against its controls."""
MEASURES = {
    "accuracy": "Accuracy: the answer is the right option, word for word",
    "first_word": "Accuracy, laxer: the answer begins with the right option and names no other",
    "exact": "Exact match after normalisation",
    "f1": "F1 of words",
    "recall": "Recall of words (published as open accuracy)",
    "precision": "Precision of words",
    "papers_rule": "Published rule: the right answer's characters stand in the answer; it flatters, see below",
    "iou": "IoU, mean",
    "iou_50": "Boxes with IoU of 0.5 or more",
    "dice": "Dice of the filled box against the mask, mean",
    **NAMES,
    **ENCODED,
}
"""What each measure is, for reports."""
LABELLED = "Accuracy: the answer names the right label and no other"
"""What accuracy is of questions of kind class."""
ENCODED_KINDS: tuple[Kind, ...] = ("open", "text")
"""Kinds that are scored as running text too."""
GROUPS = ("modality", "organ", "topic")
FEWEST = 5
"""Pictures, or patients where they are told, that a group has at least; smaller ones are counted together."""

Values = dict[str, float]


@dataclass(frozen=True)
class Scored:
    """One set of answers to one set of questions.

    Args:
        values: measures of each question, by its id, between 0 and 1.
        figures: measures of each kind.
    """

    values: Mapping[str, Values]
    figures: Mapping[Kind, Mapping[str, Estimate]]


def score(
    benchmark: Benchmark,
    questions: Sequence[Question],
    found: Mapping[str, Answered],
    scale: Scale,
    encoder: TokenEncoder | None = None,
) -> Scored:
    """Score answers.

    Args:
        benchmark: of the questions.
        questions: those that count.
        found: answers by id; a question without one is answered wrongly.
        scale: in which boxes are written.
        encoder: of BERTScore, which is left out without one.
    """
    values: dict[str, Values] = {}
    figures: dict[Kind, dict[str, Estimate]] = {}
    for kind in KINDS:
        asked = [one for one in questions if one.kind == kind]
        if not asked:
            continue
        given = [found[one.id].text if one.id in found else "" for one in asked]
        rows = [_values(one, text, benchmark, scale) for one, text in zip(asked, given, strict=True)]
        units, right = [one.unit for one in asked], [one.answers for one in asked]
        if kind == "text":
            for row, value in zip(rows, rouge_l(given, right), strict=True):
                row["rouge_l"] = value
        values |= {one.id: row for one, row in zip(asked, rows, strict=True)}
        figures[kind] = {name: mean([row[name] for row in rows], units) for name in rows[0]}
        if kind in ENCODED_KINDS:
            figures[kind] |= text_scores(given, right, units) | encoded_scores(given, right, units, encoder)
    return Scored(values, figures)


def by_chance(questions: Sequence[Question], encoder: TokenEncoder) -> dict[Kind, Estimate]:
    """BERTScore of right answers dealt to other questions of their kind, in a seeded cycle: what likeness of language
    is worth by an encoder. Of open questions and texts, where there are two at least.
    """
    found: dict[Kind, Estimate] = {}
    for kind in ENCODED_KINDS:
        some = {one.id: one for one in questions if one.kind == kind}
        dealt = swapped(list(some))
        if dealt:
            each = bert_score(
                [some[dealt[one]].answers[0] for one in some], [one.answers for one in some.values()], encoder
            )
            found[kind] = mean(each, [one.unit for one in some.values()])
    return found


def _values(question: Question, answer: str, benchmark: Benchmark, scale: Scale) -> Values:
    right = question.answers
    match question.kind:
        case "closed":
            options = question.options
            return {
                "accuracy": float(words.chosen(answer, options) == _option(question)),
                "first_word": float(words.committed(answer, options) == _option(question)),
                "papers_rule": float(words.papers_rule(answer, right)),
            }
        case "class":
            return {
                "accuracy": float(words.named(answer, question.options) == right[0]),
                "exact": float(words.exact(answer, right)),
            }
        case "box":
            assert question.box is not None
            # Only px need the picture's size.
            rows, columns = size(benchmark.picture(question.images[0])) if scale == "px" else (1, 1)
            box = read_box(answer, scale, rows, columns)
            iou = overlap(box, question.box)
            dice = {} if question.mask is None else {"dice": dice_as_mask(box, question.mask)}
            return {"iou": iou, "iou_50": float(iou >= 0.5), **dice}
        case "open" | "text":
            both = words.shared(answer, right)
            shared = {"f1": both.f1, "recall": both.recall, "precision": both.precision}
            return shared if question.kind == "text" else {"exact": float(words.exact(answer, right)), **shared}


def _option(question: Question) -> str | None:
    """The right option, as the options name it."""
    return words.chosen(question.answers[0], question.options)


def groups(questions: Sequence[Question], values: Mapping[str, Values], kind: Kind) -> dict[str, dict[str, Estimate]]:
    """The primary measure of a kind by modality, organ and topic, where the benchmark tells them."""
    found: dict[str, dict[str, Estimate]] = {}
    asked = [one for one in questions if one.kind == kind]
    over = "patients" if any(one.patient for one in asked) else "pictures"
    for by in GROUPS:
        sorts: dict[str, list[Question]] = {}
        for one in asked:
            sorts.setdefault(str(getattr(one, by)) or "not told", []).append(one)
        small = [name for name, some in sorts.items() if len({one.unit for one in some}) < FEWEST]
        rest = [one for name in small for one in sorts.pop(name)]
        if rest:
            sorts[f"others, each of fewer than {FEWEST} {over}"] = rest
        if set(sorts) - {"not told"}:
            found[by] = {
                name: mean([values[one.id][PRIMARY[kind]] for one in some], [one.unit for one in some])
                for name, some in sorted(sorts.items())
            }
    return found
