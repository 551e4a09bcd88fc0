"""The pictures that a model is shown: as they are, grey, or those of other questions. Seeded, so always the same."""

import io
import random
from collections.abc import Sequence
from typing import Literal, TypeAlias

from PIL import Image, UnidentifiedImageError

from models.llava_tri.evaluation.questions import Benchmark, NoPicture

View: TypeAlias = Literal["image", "none", "grey", "shuffled"]
SEED = 20240806
GREY = 128


def shown(data: bytes) -> bytes:
    """A picture as servers take it: PNG or JPEG, grey or RGB; anything else becomes a PNG.

    Raises:
        NoPicture: it cannot be read.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format in ("PNG", "JPEG") and image.mode in ("L", "RGB"):
                return data
            out = io.BytesIO()
            image.convert("RGB").save(out, "PNG")
            return out.getvalue()
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise NoPicture(f"a picture cannot be read: {type(error).__name__}") from None


def size(data: bytes) -> tuple[int, int]:
    """Rows and columns of an encoded picture, px."""
    with Image.open(io.BytesIO(data)) as image:
        return image.height, image.width


def grey(data: bytes) -> bytes:
    """A PNG of the same size that shows nothing."""
    rows, columns = size(data)
    out = io.BytesIO()
    Image.new("L", (columns, rows), GREY).save(out, "PNG")
    return out.getvalue()


def swapped(keys: Sequence[str]) -> dict[str, str]:
    """For each picture another one: a seeded cycle through all, so that none is its own. Empty of fewer than two."""
    if len(keys) < 2:
        return {}
    order = sorted(keys)
    random.Random(SEED).shuffle(order)  # noqa: S311 - a draw that must be the same again
    return dict(zip(order, order[1:] + order[:1], strict=True))


class Shown:
    """Pictures of a benchmark under a view.

    Args:
        benchmark: whose pictures.
        view: how they are shown.
    """

    def __init__(self, benchmark: Benchmark, view: View) -> None:
        self._benchmark, self._view = benchmark, view
        self._swapped = swapped(benchmark.pictures) if view == "shuffled" else {}

    @property
    def possible(self) -> bool:
        """Whether there is such a view: one picture cannot be shuffled."""
        return self._view != "shuffled" or bool(self._swapped)

    def of(self, keys: Sequence[str]) -> list[bytes]:
        """Encoded pictures in the places of these."""
        if self._view == "none":
            return []
        if self._view == "shuffled":
            keys = [self._swapped[key] for key in keys]
        found = [shown(self._benchmark.picture(key)) for key in keys]
        return [grey(one) for one in found] if self._view == "grey" else found
