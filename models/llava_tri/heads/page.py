"""The result as one HTML page that needs nothing beside it: a row a head, with its controls."""

from pathlib import Path

from models.llava_tri.evaluation.page import templates
from models.llava_tri.heads.result import Worth


def page(worth: Worth) -> str:
    """The page of a result."""
    return templates(Path(__file__).parent).get_template("worth.html.jinja").render(worth=worth)
