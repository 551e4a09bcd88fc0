"""Could a line be signs at all? A linear probe on the middle of the recogniser, which spares its second half if not.

Knows nothing of what is written. `python -m benchmarks.text_signs` fits its weights (README.md).
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.imaging.text.boxes import Box

WEIGHTS = Path(__file__).parent / "signs.npy"
_MOST_SURE = 0.995
"""Score of the line finder, above which it tells no more."""
_LEAST_ODDS = -2.0

Middle = NDArray[np.float32]
"""(channels, rows, columns)."""


def described(middle: Middle) -> NDArray[np.float32]:
    """What the probe is told of a line: the highest and the mean of each channel."""
    return np.concatenate((middle.max(axis=(1, 2)), middle.mean(axis=(1, 2))))


def placed(box: Box) -> NDArray[np.float32]:
    """What the probe is told of a box: the logarithms of the finder's odds that it is text, and of length by height."""
    odds = np.log(box.score / (1 - min(box.score, _MOST_SURE)))
    return np.array((max(odds, _LEAST_ODDS), np.log(box.length / box.height)), np.float32)


def may_be_signs(middle: Middle, box: Box) -> bool:
    """Whether a line is worth the recogniser's second half."""
    weights = _weights()
    return bool(weights[:-1] @ np.concatenate((described(middle), placed(box))) >= weights[-1])


@lru_cache(maxsize=1)
def _weights() -> NDArray[np.float32]:
    """(channels * 2 + 2 + 1), and in the last place the least sum of something that may be signs."""
    return np.load(WEIGHTS)
