"""Which edits hide a picture from the search for near duplicates within a data set.

    python -m benchmarks.edited_copies triplets.jsonl

One picture an object is edited; it is known where its hash is near that of the edited one, as `dataset build` has it.
"""

import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.datasets.duplicates import NEAR, Hashes
from models.datasets.lines import Line
from models.imaging import from_pixels
from models.imaging.perceptual import perceptual_hash

Picture = npt.NDArray[np.uint8]
MOST = 384
"""Rows and columns that pictures are reduced to before they are edited; the hash is made at 64."""


def cut(part: float) -> Callable[[Picture], Picture]:
    """A part of the height and width off each edge."""

    def change(picture: Picture) -> Picture:
        rows, columns = (round(part * n) for n in picture.shape[:2])
        return picture[rows : picture.shape[0] - rows, columns : picture.shape[1] - columns]

    return change


def turned(degrees: float) -> Callable[[Picture], Picture]:
    """About its middle, black where nothing was."""

    def change(picture: Picture) -> Picture:
        rows, columns = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), degrees, 1)
        return np.asarray(cv2.warpAffine(picture, matrix, (columns, rows)), np.uint8)

    return change


def lit(change: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]) -> Callable[[Picture], Picture]:
    """Every grey level another one, 0 to 1."""
    levels = (255 * change(np.linspace(0, 1, 256)).clip(0, 1)).astype(np.uint8)
    return lambda picture: levels[picture]


def as_jpeg(picture: Picture) -> Picture:
    """Of quality 20."""
    saved = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 20])[1]
    return np.asarray(cv2.imdecode(saved, cv2.IMREAD_UNCHANGED), np.uint8)


def written_on(picture: Picture) -> Picture:
    """A box and some words in white."""
    rows, columns = picture.shape[:2]
    drawn = picture.copy()
    cv2.rectangle(drawn, (columns // 3, rows // 3), (columns // 2, rows // 2), (255, 255, 255), 3)
    cv2.putText(drawn, "CASE 12 L", (5, 25), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 2)
    return drawn


EDITS: dict[str, Callable[[Picture], Picture]] = {
    "JPEG of quality 20": as_jpeg,
    "64 x 64": lambda picture: np.asarray(cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA), np.uint8),
    "blurred": lambda picture: np.asarray(cv2.GaussianBlur(picture, (0, 0), 2), np.uint8),
    "mirrored": lambda picture: picture[:, ::-1],
    "upside down": lambda picture: picture[::-1],
    "turned by a quarter": lambda picture: np.rot90(picture),
    "inverted": lambda picture: 255 - picture,
    "inverted and turned by a quarter": lambda picture: 255 - np.rot90(picture),
    "gamma 1.5": lit(lambda level: level**1.5),
    "gamma 2.2": lit(lambda level: level**2.2),
    "contrast by half more": lit(lambda level: 0.5 + 1.5 * (level - 0.5)),
    "the upper 60 % of its grey levels": lit(lambda level: (level - 0.4) / 0.6),
    "box and words": written_on,
    "turned by 2 degrees": turned(2),
    "turned by 5 degrees": turned(5),
    "2 % off each edge": cut(0.02),
    "5 % off each edge": cut(0.05),
    "10 % off each edge": cut(0.1),
    "beside itself": lambda picture: np.concatenate((picture, picture), axis=1),
}


def pictures(path: Path) -> Iterator[tuple[str, Picture]]:
    """Object and first picture of each."""
    with path.open("rb") as lines:
        glances = (Line(f"line {n}", line).glance() for n, line in enumerate(lines, start=1))
        for name, some in groupby(glances, lambda one: one.object_id):
            picture = from_pixels(next(some).image).astype(np.uint8)
            scale = min(1.0, MOST / max(picture.shape[:2]))
            yield (
                name,
                np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8),
            )


def main(path: Path) -> None:
    """Print a row an edit."""
    hashes, found, total = Hashes(), dict.fromkeys(EDITS, 0), 0
    for _, picture in pictures(path):
        value = perceptual_hash(picture)
        # Of a series one slice: those beside it are near it, as they should be.
        if hashes.near(value, NEAR):
            continue
        hashes.add(value)
        for name, edit in EDITS.items():
            changed = perceptual_hash(np.ascontiguousarray(edit(picture)))
            found[name] += total in hashes.near(changed, NEAR)
        total += 1
    for name, n in found.items():
        print(f"{name:36} {n:5} of {total}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
