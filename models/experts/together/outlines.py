"""Size and form of the masks of a strip, as `models.experts.shapes` measures them one by one."""

import math
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from models.experts.figures import all_figures
from models.experts.shapes import CORNER, EVEN, ODD, Outline, Pixel
from models.experts.together.runs import Runs
from models.experts.together.strips import Counts, Reals, Strip, split
from schemas.regions import Shape, Size

Corners = npt.NDArray[np.int32]


def outlines(strip: Strip, runs: Runs, pixel: Pixel) -> list[Outline]:
    """Of each region of a strip, and its `runs`."""
    corners, sizes, number = _contours(strip)
    parts = np.cumsum(number) - number
    length, enclosed = (np.add.reduceat(each, parts) for each in _lengths(corners, sizes, pixel))
    around = math.pi * pixel.side
    perimeter = around * number + length
    hulls = [cast(Corners, cv2.convexHull(one)[:, 0]) for one in split(corners, np.add.reduceat(sizes, parts))]
    hull = _hulls(hulls, pixel)
    # A pixel is not a point: it has a second moment of its own.
    xx = (runs.xx + 1 / 12) * pixel.width**2
    yy = (runs.yy + 1 / 12) * pixel.height**2
    xy = runs.xy * pixel.width * pixel.height
    middle, reach = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    major, minor = middle + reach, np.maximum(middle - reach, 0.0)
    area = strip.area * (pixel.width * pixel.height)
    disc = 2 * np.sqrt(area / math.pi)
    columns: list[npt.NDArray[Any]] = [
        hull.longest, np.minimum(hull.across, hull.longest), 4 * np.sqrt(minor), disc, perimeter,
        np.minimum(1.0, math.pi * disc / perimeter), np.minimum(1.0, (disc / hull.longest) ** 2),
        np.minimum(1.0, area / hull.area), np.sqrt(np.maximum(0.0, 1 - minor / major)), np.sqrt(minor / major),
        np.minimum(1.0, strip.area / enclosed), np.maximum(0.0, perimeter / (around + hull.perimeter) - 1),
    ]  # fmt: skip
    return [
        Outline(
            Size(
                unit=pixel.unit, longest_axis=longest, shortest_axis=shortest, minor_axis=least,
                equivalent_diameter=diameter, perimeter=round_it,
            ),
            Shape(
                sphericity=sphericity, roundness=roundness, solidity=solidity, eccentricity=eccentricity,
                elongation=elongation, filling=filling,
            ),
            irregularity,
        )
        for (
            longest, shortest, least, diameter, round_it,
            sphericity, roundness, solidity, eccentricity, elongation, filling, irregularity,
        ) in all_figures(columns)
    ]  # fmt: skip


def _contours(strip: Strip) -> tuple[Corners, Counts, Counts]:
    """Corners (x, y) of the outer outlines, region by region; how many each outline has; how many outlines a region."""
    # Turned back: where outlines begin tells which of two places that are equally far apart are the longest axis.
    found, _ = cv2.findContours(cv2.transpose(strip.mask), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    owner = strip.owners[np.array([one.item(0) for one in found], np.int64)]
    ordered = [found[n] for n in np.argsort(owner, kind="stable").tolist()]
    sizes, number = np.array([len(one) for one in ordered]), np.bincount(owner, minlength=len(strip.parts))
    return np.concatenate(ordered)[:, 0], sizes, number


def _sides(corners: Corners, sizes: Counts) -> tuple[Corners, Counts]:
    """What leads from the corner before, of closed polygons of so many corners, and where each of these begins."""
    starts = np.cumsum(sizes) - sizes
    before = np.empty_like(corners)
    before[1:] = corners[:-1]
    before[starts] = corners[starts + sizes - 1]
    return corners - before, starts


def _areas(corners: Corners, sides: Corners, starts: Counts) -> Reals:
    """Of closed polygons, by the sum of their trapezia."""
    twice = sides[:, 0].astype(np.int64) * (2 * corners[:, 1] - sides[:, 1])
    return 0.5 * np.abs(np.add.reduceat(twice, starts))


@dataclass(frozen=True, slots=True)
class _Hulls:
    """Convex hulls in the pixel's unit. All but the perimeter are of hulls that are half a pixel wider all round."""

    area: Reals
    longest: Reals
    across: Reals
    perimeter: Reals


def _hulls(hulls: list[Corners], pixel: Pixel) -> _Hulls:
    """`hulls`: corners (n, 2) of pixel centres.

    The wider hull is the Minkowski sum with the square that joins the middles of a pixel's sides, as scikit-image
    takes it.
    """
    corners, sizes = np.concatenate(hulls), np.array([len(one) for one in hulls])
    sides, starts = _sides(corners, sizes)
    steps = np.abs(sides)
    level, upright, shorter = (np.add.reduceat(each, starts) for each in (steps[:, 0], steps[:, 1], steps.min(axis=1)))
    area = _areas(corners, sides, starts) + (level + upright - shorter + 1) / 2
    perimeter = np.add.reduceat(np.hypot(sides[:, 0] * pixel.width, sides[:, 1] * pixel.height), starts)
    place = (corners * (pixel.width, pixel.height)).view(np.complex128)[:, 0]
    apart = _farthest(place, starts, sizes)
    x, y = np.abs(np.real(apart)), np.abs(np.imag(apart))
    wider = np.maximum(pixel.width * (2 * x + pixel.width), pixel.height * (2 * y + pixel.height))
    along = np.where(apart == 0, 1.0 + 0j, apart / np.where(apart == 0, 1.0, np.abs(apart)))
    across = np.imag(place * np.repeat(np.conj(along), sizes))
    width = np.maximum.reduceat(across, starts) - np.minimum.reduceat(across, starts)
    return _Hulls(
        area * (pixel.width * pixel.height),
        np.sqrt(x * x + y * y + wider),
        width + np.maximum(pixel.width * np.abs(np.imag(along)), pixel.height * np.abs(np.real(along))),
        perimeter,
    )


def _farthest(place: npt.NDArray[np.complex128], starts: Counts, sizes: Counts) -> npt.NDArray[np.complex128]:
    """What lies between the two places that are farthest apart, of each group of so many."""
    found = np.empty(len(sizes), np.complex128)
    for size in set(sizes.tolist()):
        alike = np.flatnonzero(sizes == size)
        these = place[starts[alike, None] + np.arange(size)]
        apart = (these[:, :, None] - these[:, None]).reshape(len(alike), -1)
        found[alike] = apart[np.arange(len(alike)), np.abs(apart).argmax(axis=1)]
    return found


def _lengths(corners: Corners, sizes: Counts, pixel: Pixel) -> tuple[Reals, Reals]:
    """Lengths of closed outlines through pixel centres, and how many pixels are on or in them (Pick's theorem).

    Between its corners an outline is level, upright or diagonal.
    """
    sides, starts = _sides(corners, sizes)
    steps = np.abs(sides)
    across, down, odd = (np.add.reduceat(each, starts) for each in (steps[:, 0], steps[:, 1], steps.min(axis=1)))
    inside = _areas(corners, sides, starts) + (across + down - odd) / 2 + 1
    diagonal = ODD / math.sqrt(2) * odd * math.hypot(pixel.width, pixel.height)
    even = EVEN * ((across - odd) * pixel.width + (down - odd) * pixel.height)
    corner = CORNER * pixel.side * np.where(sizes > 1, sizes, 0)
    return even + diagonal - corner, inside
