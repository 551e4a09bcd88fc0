"""The result as one HTML page that needs nothing beside it: tables, intervals, the audit, examples with pictures."""

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from PIL import Image

from models.llava_tri.evaluation.pictures import shown
from models.llava_tri.evaluation.questions import Benchmark, Kind, NoPicture
from models.llava_tri.evaluation.result import Answer, Figure, Result, Scores
from models.llava_tri.evaluation.scoring import LABELLED, MEASURES, PRIMARY

_ROOM = Path(__file__).parent
SIDE = 224
"""Of pictures on the page, px at most."""
EXAMPLES = 6
"""Of each sort."""
KIND_NAMES: dict[Kind, str] = {
    "closed": "Closed questions", "open": "Open questions", "class": "Labels", "text": "Captions and reports",
    "box": "Boxes",
}  # fmt: skip
_PLAIN = {"cider"}
"""Measures that are no shares."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure as it is drawn, in parts of the width."""

    name: str
    told: str
    text: str
    figure: Figure
    own: bool


@dataclass(frozen=True, slots=True)
class Example:
    """An answer with its picture, as a data URI; None where that is not there."""

    answer: Answer
    picture: str | None


def page(result: Result, benchmark: Benchmark) -> str:
    """The page of a result. Pictures of examples are read from the benchmark, those that are there."""
    environment = templates()
    environment.filters["figure"] = figure  # pyright: ignore[reportArgumentType]
    return environment.get_template("page.html.jinja").render(
        result=result,
        scores=_scores(result),
        kinds=KIND_NAMES,
        measures=_measure,
        bars=_bars,
        examples=[(title, told, list(_examples(some, benchmark))) for title, told, some in _sorts(result)],
        right=_right,
    )


def templates(*rooms: Path) -> jinja2.Environment:
    """Templates of some folders, and of this one, whose style pages share; with the filter `percent`."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*rooms, _ROOM]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["percent"] = percent
    return environment


def percent(value: float) -> str:
    """A share."""
    return f"{100 * value:.1f}"


def figure(one: Figure, measure: str) -> str:
    """A figure without its interval."""
    return f"{one.value:.2f}" if measure in _PLAIN else percent(one.value)


def _measure(kind: Kind, name: str) -> str:
    return LABELLED if (kind, name) == ("class", "accuracy") else MEASURES.get(name, name)


def _scores(result: Result) -> list[tuple[str, Scores]]:
    """What counts, first."""
    if result.clean is not None and result.leaked is not None:
        return [
            ("Pictures that did not leak", result.clean), ("Pictures that leaked", result.leaked), ("All", result.all),
        ]  # fmt: skip
    return [("All pictures leaked", result.all)] if result.leaked is not None else [("All pictures", result.all)]


def _bars(scores: Scores, kind: Kind) -> list[Bar]:
    measure = PRIMARY[kind]
    return [
        Bar(run.name, run.told, figure(run.figures[kind][measure], measure), run.figures[kind][measure], number == 0)
        for number, run in enumerate(scores.runs)
    ]


def _right(one: Answer) -> bool:
    return one.values.get("exact", one.values[PRIMARY[one.kind]]) >= 0.5


def _sorts(result: Result) -> Iterator[tuple[str, str, Sequence[Answer]]]:
    """Examples: one a picture, evenly over the questions, so that they are the same every time."""
    answered = [one for one in result.answers if one.answer.strip()]
    yield "Right", "", _spread([one for one in answered if _right(one)])
    yield "Wrong", "", _spread([one for one in answered if not _right(one)])
    flattered = [one for one in answered if one.values.get("papers_rule") == 1 and not one.values["accuracy"]]
    yield "Wrong, but right by the published rule", "", _spread(flattered)


def _spread(answers: Sequence[Answer]) -> list[Answer]:
    each = list({one.images: one for one in reversed(answers)}.values())[::-1]
    step = max(1, len(each) // EXAMPLES)
    return each[::step][:EXAMPLES]


def _examples(answers: Sequence[Answer], benchmark: Benchmark) -> Iterator[Example]:
    for one in answers:
        try:
            yield Example(one, _uri(benchmark.picture(one.images[0])))
        except NoPicture:
            yield Example(one, None)


def _uri(data: bytes) -> str:
    with Image.open(io.BytesIO(shown(data))) as image:
        image.thumbnail((SIDE, SIDE))
        out = io.BytesIO()
        image.convert("RGB").save(out, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
