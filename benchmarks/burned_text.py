"""Text burned into images, with the pixels of each character known. By seed: the same text in the same places again.

Knows nothing of how text is found.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Font = Literal["opencv", "opencv bold", "bitmap", "aileron", "dejavu", "mono", "narrow", "serif"]
Style = Literal[
    "white", "black", "white on black box", "black on white box", "translucent", "grey", "outlined", "colour"
]

FONTS: tuple[Font, ...] = ("opencv", "opencv bold", "bitmap", "aileron")
"""Those that OpenCV and Pillow bring along."""
FILES: dict[Font, str] = {
    "dejavu": "dejavu/DejaVuSans.ttf",
    "mono": "dejavu/DejaVuSansMono.ttf",
    "narrow": "liberation/LiberationSansNarrow-Regular.ttf",
    "serif": "dejavu/DejaVuSerif.ttf",
}
"""Of Debian's fonts-dejavu-core and fonts-liberation."""
STYLES: tuple[Style, ...] = (
    "white", "black", "white on black box", "black on white box", "translucent", "grey", "outlined", "colour",
)  # fmt: skip
SIZES = (8, 10, 12, 16, 24, 32, 48)
"""Height of a capital letter, px."""
TEXTS = (
    "DOE^JANE", "Meier, Hans-Peter", "OKONKWO A.", "Garcia Lopez M", "DOB 12/03/1957", "1957-03-12", "MRN 00482913",
    "ID: 7731-A", "St. Mary's Hospital", "Klinikum Nord", "Dr. Lindqvist", "58Y F", "15:42:07", "ACC 20260117-04",
    "Univ. Hospital 3T", "SMITH/JOHN", "Sex: M Age: 061Y", "J. D.", "Nguyen Thi Hoa", "03 MAR 2024",
)  # fmt: skip
_COLOURS = ((255, 255, 0), (0, 255, 0), (0, 255, 255), (255, 128, 0), (255, 64, 64))
_FOLDER = Path("/usr/share/fonts/truetype")


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line of text as it was burned in."""

    text: str
    font: Font
    size: int
    style: Style
    turned: bool
    """Read from bottom to top."""
    first: int
    """Label of its first character; the others follow. Spaces have none."""
    box: tuple[int, int, int, int]
    """Left, top, right, bottom; right and bottom exclusive."""


@dataclass(frozen=True, slots=True, eq=False)
class Burned:
    """An image with text, and where each character is."""

    image: NDArray[np.uint8]
    labels: NDArray[np.int32]
    """(rows, columns): 0, or the number of the character whose ink lies there."""
    lines: tuple[Line, ...]


def available() -> tuple[Font, ...]:
    """The fonts that can be drawn here."""
    installed: list[Font] = [font for font in FILES if (_FOLDER / FILES[font]).exists()]
    return (*FONTS, *installed)


def burn(
    image: NDArray[np.uint8],
    seed: int,
    *,
    size: int,
    style: Style,
    font: Font,
    turned: bool = False,
    count: int = 2,
) -> Burned:
    """Burn lines of text into a view, (rows, columns) or (rows, columns, 3). A line that finds no place is left out."""
    chance = Random(seed)
    burned, labels = image.copy(), np.zeros(image.shape[:2], np.int32)
    taken, lines, first = np.zeros(image.shape[:2], bool), [], 1
    for _ in range(count):
        text = chance.choice(TEXTS)
        alpha, letters = _drawn(text, font, size)
        if turned:
            alpha, letters = np.rot90(alpha), np.rot90(letters)
        rows, columns = alpha.shape
        if rows > image.shape[0] or columns > image.shape[1]:
            continue
        for _attempt in range(20):
            top, left = _place(chance, image.shape[0] - rows, image.shape[1] - columns)
            where = np.s_[top : top + rows, left : left + columns]
            if not taken[where].any():
                break
        else:
            continue
        taken[where] = True
        burned[where] = _inked(burned[where], alpha, style, chance)
        labels[where] = np.where(letters > 0, letters + first - 1, 0)
        lines.append(Line(text, font, size, style, turned, first, (left, top, left + columns, top + rows)))
        first += len(text.replace(" ", ""))
    return Burned(burned, labels, tuple(lines))


def _place(chance: Random, down: int, right: int) -> tuple[int, int]:
    """A corner or an edge as often as anywhere else, for there the annotations are."""
    if chance.random() < 0.5:
        return chance.randint(0, down), chance.randint(0, right)
    near = [min(span, chance.randint(0, 12)) for span in (down, right)]
    return (
        near[0] if chance.random() < 0.5 else down - near[0],
        near[1] if chance.random() < 0.5 else right - near[1],
    )


def _inked(under: NDArray[np.uint8], alpha: NDArray[np.float32], style: Style, chance: Random) -> NDArray[np.uint8]:
    ink: Any = 255.0
    base, share = under.astype(np.float32), alpha
    match style:
        case "white" | "white on black box":
            base = base * 0 if style == "white on black box" else base
        case "black" | "black on white box":
            ink = 0.0
            base = base * 0 + 255 if style == "black on white box" else base
        case "translucent":
            share = alpha * 0.5
        case "grey":
            # As far from what is behind it as a reader needs on noise: 60 of 255.
            middle = float(np.median(under))
            ink = middle + 60 if middle < 150 else middle - 60
        case "outlined":
            around = cv2.dilate(alpha, np.ones((3, 3), np.uint8))
            base *= 1 - (around if under.ndim == 2 else around[..., None])
        case "colour":
            ink = np.array(chance.choice(_COLOURS), np.float32)
            ink = ink if under.ndim == 3 else float(ink @ np.array((0.299, 0.587, 0.114), np.float32))
    share = share if under.ndim == 2 else share[..., None]
    return np.clip(np.rint(base + (ink - base) * share), 0, 255).astype(np.uint8)


@lru_cache(maxsize=4096)
def _drawn(text: str, font: Font, size: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Ink from 0 to 1, and the number of the character that it belongs to; with a margin."""
    margin = max(2, size // 4)
    draw = _by_opencv if font.startswith("opencv") else _typeset
    ink = draw(text, font, size)
    rows, columns = np.nonzero(ink.max(axis=0) > 0.02)
    ink = ink[:, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    ink = np.pad(ink, ((0, 0), (margin, margin), (margin, margin)))
    letters = np.where(ink.max(axis=0) > 0.4, ink.argmax(axis=0) + 1, 0)
    return ink.max(axis=0).astype(np.float32), letters.astype(np.int32)


def _by_opencv(text: str, font: Font, size: int) -> NDArray[np.float32]:
    face = cv2.FONT_HERSHEY_DUPLEX if font == "opencv bold" else cv2.FONT_HERSHEY_SIMPLEX
    scale, weight = size / 21, max(1, round(size / (10 if font == "opencv bold" else 16)))
    layers: list[NDArray[np.uint8]] = []
    width = cv2.getTextSize(text, face, scale, weight)[0][0] + 4 * size
    for index, letter in enumerate(text):
        if letter != " ":
            layer = np.zeros((3 * size, width), np.uint8)
            at = size + cv2.getTextSize(text[:index], face, scale, weight)[0][0] if index else size
            cv2.putText(layer, letter, (at, 2 * size), face, scale, 255, weight, cv2.LINE_AA)
            layers.append(layer)
    return np.stack(layers).astype(np.float32) / np.float32(255)


def _typeset(text: str, font: Font, size: int) -> NDArray[np.float32]:
    face, times = _face(font, size)
    width = int(face.getlength(text)) + 4 * size
    layers: list[NDArray[np.uint8]] = []
    for index, letter in enumerate(text):
        if letter != " ":
            layer = Image.new("L", (width, 3 * size // times + 24))
            ImageDraw.Draw(layer).text((size + face.getlength(text[:index]), 4), letter, fill=255, font=face)
            layers.append(np.asarray(layer))
    ink = np.stack(layers).astype(np.float32) / np.float32(255)
    return ink.repeat(times, axis=1).repeat(times, axis=2)


@lru_cache(maxsize=256)
def _face(font: Font, size: int) -> tuple[Any, int]:
    """A face whose capitals are `size` px high, and how often each of its pixels is repeated."""
    if font == "bitmap":
        return ImageFont.load_default_imagefont(), max(1, round(size / 8))
    points = size / 0.72
    if font == "aileron":
        return ImageFont.load_default(points), 1
    return ImageFont.truetype(_FOLDER / FILES[font], points), 1


def made_up(seed: int, rows: int = 384, columns: int = 512) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Views without text, named: speckle in a sector, soft tissue with noise, a white page, colour, black."""
    chance = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    soft = cv2.GaussianBlur(chance.normal(0, 1, (rows, columns)).astype(np.float32), (0, 0), 24)
    soft = (soft - soft.min()) / (soft.max() - soft.min())
    sector = (np.abs(np.arctan2(x - columns / 2, y + 1)) < 0.6) & (np.hypot(x - columns / 2, y) < rows * 0.95)
    speckle = cv2.GaussianBlur(chance.rayleigh(40, (rows, columns)).astype(np.float32), (0, 0), 1.2) * (0.4 + soft)
    yield "speckle", np.clip(speckle * sector * 1.6, 0, 255).astype(np.uint8)
    tissue = 40 + 170 * soft + chance.normal(0, 9, (rows, columns))
    yield "tissue", np.clip(tissue, 0, 255).astype(np.uint8)
    yield "white", np.full((rows, columns), 255, np.uint8)
    tint = np.array((200, 120, 90), np.float32) * (0.6 + 0.5 * soft[..., None]) + chance.normal(
        0, 5, (rows, columns, 3)
    )
    yield "colour", np.clip(tint, 0, 255).astype(np.uint8)
    yield "black", np.zeros((rows, columns), np.uint8)
