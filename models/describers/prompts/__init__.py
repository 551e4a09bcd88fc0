"""The prompts, and the version that stands for all that decides what is asked. Knows nothing of servers.

What is the same for all images comes first, byte for byte: SGLang's radix cache then has it computed already.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import jinja2
import orjson

from models.describers import choosing, plans, view
from models.describers.answer import SCHEMA, mended_schema
from models.describers.prompts import told as telling
from models.describers.prompts.told import Told
from models.statements.verdicts import Judged

NAME = "describe"
_FOLDER = Path(__file__).parent
_FILES = ("system.md", "image.md.j2", "correction.md.j2")
_DECIDING = (telling, choosing, plans, view)
"""Modules whose constants decide what is asked."""
_SHOWN = {
    "outlines": "each is outlined in the image, with its name beside it",
    "crops": "the image is on the left, and on its right they stand enlarged, with their names",
    "plain": "they are not drawn",
}
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_FOLDER),
    autoescape=False,  # noqa: S701 - the text goes to a model, not into a page
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)

SYSTEM = (_FOLDER / _FILES[0]).read_text() + orjson.dumps(SCHEMA, option=orjson.OPT_SORT_KEYS).decode()
"""The stable prefix: the same for every image of a version."""


def version(**settings: str | int | float) -> str:
    """name@digest of prompts, schemas, what is told and drawn, and the settings that decide what comes of an image."""
    parts = [(_FOLDER / name).read_bytes() for name in _FILES]
    decided = [SCHEMA, mended_schema(1), _SHOWN, *(constants(module) for module in _DECIDING), settings]
    parts += [orjson.dumps(one, option=orjson.OPT_SORT_KEYS) for one in decided]
    return f"{NAME}@{hashlib.sha256(bytes(1).join(parts)).hexdigest()[:12]}"


def constants(module: ModuleType) -> dict[str, Any]:
    """The public constants of a module."""
    return {name: value for name, value in vars(module).items() if name.isupper() and not name.startswith("_")}


def of_image(told: Told, shown: str) -> str:
    """What is told of one image, after the stable prefix and the picture."""
    return _TEMPLATES.get_template(_FILES[1]).render(told=told, shown=_SHOWN[shown]).strip()


def of_correction(refused: Sequence[Judged]) -> str:
    """What is sent back: each sentence that was refused, with the claims that failed and why."""
    told = [
        {
            "text": one.text,
            "failed": [(claim.told(), reason) for claim, reason in one.failed],
            "unlicensed": one.unlicensed,
            "reason": one.verdict.reason,
        }
        for one in refused
    ]
    return _TEMPLATES.get_template(_FILES[2]).render(refused=told).strip()
