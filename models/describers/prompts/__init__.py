"""The prompts, and the version that stands for all that decides what is asked. Knows nothing of servers.

What is the same for all images comes first, byte for byte: SGLang's radix cache then has it computed already.
"""

import hashlib
from pathlib import Path

import jinja2
import orjson

from models.describers.answer import Answer
from models.statements import Facts

NAME = "describe"
_FOLDER = Path(__file__).parent
_FILES = ("system.md", "image.md.j2", "correction.md.j2")
_SHOWN = {
    "outlines": "each region is outlined in the image, with its name beside it",
    "crops": "the image is on the left; on its right are its largest regions, enlarged, with their names",
    "plain": "regions are not drawn",
}
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_FOLDER),
    autoescape=False,  # noqa: S701 - the text goes to a model, not into a page
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)

SCHEMA = Answer.model_json_schema()
SYSTEM = (_FOLDER / _FILES[0]).read_text() + orjson.dumps(SCHEMA, option=orjson.OPT_SORT_KEYS).decode()
"""The stable prefix: the same for every image of a version."""


def version(**settings: str | int | float) -> str:
    """name@digest of prompts, schema, and the settings that decide what comes of an image."""
    parts = [(_FOLDER / name).read_bytes() for name in _FILES]
    parts += [orjson.dumps(SCHEMA, option=orjson.OPT_SORT_KEYS), orjson.dumps(settings, option=orjson.OPT_SORT_KEYS)]
    return f"{NAME}@{hashlib.sha256(bytes(1).join(parts)).hexdigest()[:12]}"


def of_image(facts: Facts, shown: str) -> str:
    """What is told of one image, after the stable prefix and the picture."""
    template = _TEMPLATES.get_template(_FILES[1])
    unit = facts.grounding.intensity.unit
    return template.render(facts=list(facts.offered.items()), unit=unit, shown=_SHOWN[shown])


def of_correction(refused: list[tuple[str, int, str, str]]) -> str:
    """What is sent back: part, number of the statement in it, outcome and reason of each that was refused."""
    return _TEMPLATES.get_template(_FILES[2]).render(refused=refused)
