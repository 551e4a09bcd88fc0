"""Where in an image something is: masks and boxes. Knows nothing of what is there."""

from typing import Any

from pydantic import Field

from schemas.base import Message


class Mask(Message):
    """A binary mask in COCO compressed run-length encoding (column-major), as pycocotools reads it."""

    size: tuple[int, int] = Field(description="rows, columns")
    counts: str = Field(repr=False, description="Run lengths, compressed as pycocotools does")

    @property
    def rle(self) -> Any:
        """As pycocotools takes it: its stubs know no plain dictionary."""
        return {"size": list(self.size), "counts": self.counts.encode()}


class Box(Message):
    """Smallest upright rectangle around a region; px, origin at the top left pixel."""

    x: int = Field(ge=0, description="Column of its left pixels")
    y: int = Field(ge=0, description="Row of its upper pixels")
    width: int = Field(ge=1, description="px")
    height: int = Field(ge=1, description="px")
