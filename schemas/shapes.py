"""Where in an image something is: masks and boxes. Knows nothing of what is there."""

from pydantic import Field

from schemas.base import Message


class Mask(Message):
    """A binary mask in COCO compressed run-length encoding (column-major), as pycocotools reads it."""

    size: tuple[int, int] = Field(description="rows, columns")
    counts: str = Field(repr=False)


class Box(Message):
    """Smallest upright rectangle around a region; px, origin at the top left pixel."""

    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(ge=1)
    height: int = Field(ge=1)
