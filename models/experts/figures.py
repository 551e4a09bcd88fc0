"""How exactly measurements are told."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

DIGITS = 4
"""Significant ones: what a message needs, and what no measurement here exceeds."""
_EXACT = 22
"""The largest power of ten that a float64 holds exactly."""
_TIE = 1e-6
"""So near to half of a last digit the product with a power of ten, which is rounded itself, may fall on either side."""


def figures(value: float) -> float:
    """`value` to four significant digits."""
    return float(f"{value:.{DIGITS}g}")


def all_figures(columns: Sequence[npt.NDArray[np.float64]]) -> list[list[float]]:
    """Measurements (n) of n regions each, region by region, as `figures` tells them: of many in a tenth of its time."""
    values = np.stack(columns, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        power = DIGITS - 1 - np.floor(np.log10(np.abs(values)))
        up = np.power(10.0, np.minimum(np.maximum(power, 0), _EXACT))
        down = np.power(10.0, np.minimum(np.maximum(-power, 0), _EXACT))
        scaled = values * up / down
        whole = np.rint(scaled)
        plain = (np.abs(power) <= _EXACT) & (np.abs(np.abs(scaled - whole) - 0.5) > _TIE)
        told = (whole / up * down).tolist()
    if not plain.all():
        for row, column in np.argwhere(~plain).tolist():
            told[row][column] = figures(values.item(row, column))
    return told
