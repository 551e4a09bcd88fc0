"""The result as one HTML page that needs nothing beside it: a row a head, with its controls."""

from pathlib import Path

import jinja2

from models.llava_tri.evaluation.page import ROOM, percent
from models.llava_tri.heads.result import Worth


def page(worth: Worth) -> str:
    """The page of a result."""
    rooms = jinja2.FileSystemLoader([Path(__file__).parent, ROOM])
    environment = jinja2.Environment(
        loader=rooms, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["percent"] = percent
    return environment.get_template("worth.html.jinja").render(worth=worth)
