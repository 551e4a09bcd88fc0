"""What a model is asked, word for word, and the version of it. The same for the model and for its controls."""

import hashlib

from models.llava_tri.evaluation.questions import Question
from models.llava_tri.evaluation.scores.answers import YES_NO
from models.llava_tri.evaluation.scores.boxes import Scale

MOST_OPTIONS = 40
"""Labels that are told in a question at most."""
_SCALES: dict[Scale, str] = {
    "parts": "parts of the image's width and height, 0 to 1",
    "thousandths": "thousandths of the image's width and height, 0 to 1000",
    "px": "pixels",
}
_ASK = {
    "yes-no": "{question}\nAnswer yes or no.",
    "closed": "{question}\nAnswer with one of the options in the question, and nothing else.",
    "open": "{question}\nAnswer in a few words.",
    "class": "{question}\nAnswer with one of: {options}.",
    "class-open": "{question}\nAnswer with the name alone.",
    "box": "{question}\nAnswer with one box, as [left, top, right, bottom] in {scale}.",
    "text": "{question}",
}


def prompt_of(question: Question, scale: Scale = "thousandths", *, plain: bool = False) -> str:
    """The text that goes with the picture; `plain`: the question as it stands, as models learn from data sets."""
    if plain:
        return question.text
    key: str = question.kind
    if question.kind == "closed" and question.options == YES_NO:
        key = "yes-no"
    if question.kind == "class" and not 0 < len(question.options) <= MOST_OPTIONS:
        key = "class-open"
    return _ASK[key].format(question=question.text, options=", ".join(question.options), scale=_SCALES[scale])


def version(scale: Scale, *, plain: bool = False) -> str:
    """Of all that decides how a question is put."""
    if plain:
        return "plain"
    return hashlib.sha256(repr((sorted(_ASK.items()), _SCALES[scale], MOST_OPTIONS)).encode()).hexdigest()[:12]
