"""A whole volume through a graph of three dimensions: turned, resampled, window by window, and back to its own slices.

Knows nothing of regions, nor of where volumes come from.
"""

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from models.experts.contracts import InputContract, VolumeInput
from models.experts.inputs import Floats, normalised
from schemas.images import Side

MOST_VALUES = 2**28
"""Voxels × classes of what a graph gives of a volume, as float32 1 GiB: larger ones are not looked at."""
KEPT_BYTES = 2**28
"""Of what was found in the volumes looked at last. A label takes three bytes a voxel of the box around it."""
_LETTERS: dict[str, Side] = {
    "L": "patient left", "R": "patient right", "A": "anterior", "P": "posterior", "S": "head", "I": "feet",
}  # fmt: skip
_OPPOSITE: dict[str, str] = dict(zip("LRAPSI", "RLPAIS", strict=True))

Ends = tuple[Side | None, Side | None, Side | None]
Spacings = tuple[float | None, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a volume, by the digest of its slices; `load` as of `Given`."""

    digest: str
    load: Callable[[], Floats]


@dataclass(frozen=True, slots=True)
class Given:
    """A volume that an image is a slice of.

    Args:
        digest: of its slices.
        place: of the image among them.
        shape: slices, rows, columns.
        spacing: mm along these axes; None where nothing tells.
        ends: where they lead in the patient; None where nothing tells.
        load: its values, float32 (slices, rows, columns). Called where they are not known from another slice.
        channels: by their names, those of the volume that has several, all as large and in the same place.
    """

    digest: str
    place: int
    shape: tuple[int, int, int]
    spacing: Spacings
    ends: Ends
    load: Callable[[], Floats]
    channels: Mapping[str, Channel] = field(default_factory=dict[str, Channel])

    def of(self, names: Sequence[str]) -> tuple[Channel, ...]:
        """The channels of these names; of none the volume itself. Raises KeyError of one that it does not have."""
        return tuple(self.channels[name] for name in names) or (Channel(self.digest, self.load),)

    def digest_of(self, names: Sequence[str]) -> str:
        """A digest of the channels of these names together; of none that of the volume. Raises as `of`."""
        digests = [one.digest for one in self.of(names)]
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Turn:
    """How a volume's axes become those of a tensor: `order` of its own axes, and which are turned over after that."""

    order: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]

    @classmethod
    def to(cls, axes: str | None, ends: Ends) -> "Turn":
        """The turn to `axes`, as in VolumeInput. Raises ValueError where `ends` are not known, or not of three axes."""
        if axes is None:
            return cls((0, 1, 2), (False, False, False))
        sides = {_LETTERS[letter]: letter for letter in _LETTERS}
        letters = [sides[end] if end is not None else "" for end in ends]
        order: list[int] = []
        flipped: list[bool] = []
        for letter in axes:
            along = letters.index(letter) if letter in letters else letters.index(_OPPOSITE[letter])
            order.append(along)
            flipped.append(letters[along] != letter)
        return cls((order[0], order[1], order[2]), (flipped[0], flipped[1], flipped[2]))

    def turned(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """A view of `values` (slices, rows, columns) along the tensor's axes."""
        return values.transpose(self.order)[self._steps]

    def back(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """A view along the volume's own axes of what lies along the tensor's."""
        return values[self._steps].transpose(tuple(int(n) for n in np.argsort(self.order)))

    @property
    def _steps(self) -> tuple[slice, slice, slice]:
        one, two, three = (slice(None, None, -1 if turned else None) for turned in self.flipped)
        return one, two, three


class LastVolumes:
    """What was made of the volumes looked at last, so that all slices of one share it. Safe to share between threads.

    Slices of several volumes may come in turn, and each of them that is not kept is looked at anew, whole: so there are
    as many as there is room for.

    Args:
        room: bytes of what is kept, together.
        least: volumes that are kept, however large they are.
    """

    def __init__(self, room: int = KEPT_BYTES, least: int = 2) -> None:
        self._room, self._least = room, least
        self._kept: OrderedDict[str, tuple[object, int]] = OrderedDict()
        self._making = threading.Lock()

    def get(self, digest: str, make: Callable[[], object], weigh: Callable[[object], int]) -> object:
        """What `make` gave of a volume; others wait meanwhile. Raises what `make` does, which is then not kept.

        `weigh`: bytes of that.
        """
        with self._making:
            if digest not in self._kept:
                made = make()
                self._kept[digest] = made, weigh(made)
            self._kept.move_to_end(digest)
            while len(self._kept) > self._least and sum(size for _, size in self._kept.values()) > self._room:
                self._kept.popitem(last=False)
            return self._kept[digest][0]


def class_maps(
    given: Given, contract: InputContract, run: Callable[[Floats], Floats], activate: Callable[[Floats], Floats]
) -> Iterator[npt.NDArray[np.float32]]:
    """The probabilities of each class in turn, each (slices, rows, columns) of the volume as it came.

    Values and probabilities are resampled linearly, values of each channel normalised by themselves and loaded one
    after the other. What is asked of the graph, `run`, is (1, channels, d, h, w) in and (1, classes, d, h, w) out;
    `activate` makes probabilities of that.

    Raises:
        ValueError: the answer is of another shape, or with all its classes beyond `MOST_VALUES`; or all channels are.
    """
    volume = contract.volume
    assert volume is not None
    turn = Turn.to(volume.axes, given.ends)
    original = tuple(given.shape[axis] for axis in turn.order)
    shape = _resampled_shape(original, [given.spacing[axis] for axis in turn.order], volume)
    channels = given.of(contract.named)
    if len(channels) * math.prod(shape) > MOST_VALUES:
        raise ValueError("the volume is too large for all channels at a time")
    prepared = np.empty((len(channels), *shape), np.float32)
    for n, channel in enumerate(channels):
        by = contract.normalisation if not contract.named else volume.normalisations.get(contract.named[n])
        values = normalised(np.ascontiguousarray(turn.turned(channel.load())), by or contract.normalisation)
        prepared[n] = resampled(values, shape)
        del values
        if contract.mean or contract.deviation:
            prepared[n] -= np.float32(contract.mean[n] if contract.mean else 0.0)
            prepared[n] /= np.float32(contract.deviation[n] if contract.deviation else 1.0)
    answer = activate(sliding(prepared, volume, run)[None])[0]
    del prepared
    for one in answer:
        yield turn.back(resampled(one, original))


def _resampled_shape(shape: Sequence[int], spacing: Sequence[float | None], volume: VolumeInput) -> tuple[int, ...]:
    wanted = volume.spacing_mm or (None, None, None)
    return tuple(
        side if mm is None or to is None else max(1, round(side * mm / to))
        for side, mm, to in zip(shape, spacing, wanted, strict=True)
    )


def resampled(values: npt.NDArray[np.float32], shape: Sequence[int]) -> npt.NDArray[np.float32]:
    """`values` (d, h, w) at another number of voxels over the same extent, linearly, edges repeated."""
    if tuple(values.shape) == tuple(shape):
        return values
    factors = [to / side for to, side in zip(shape, values.shape, strict=True)]
    return np.asarray(ndimage.zoom(values, factors, order=1, mode="nearest", grid_mode=True), np.float32)


def starts(length: int, window: int, overlap: float) -> list[int]:
    """Where windows begin along an axis: evenly, the first with the volume, the last ending with it."""
    if length <= window:
        return [0]
    step = max(1.0, window * (1 - overlap))
    count = math.ceil((length - window) / step) + 1
    return [round(n * (length - window) / (count - 1)) for n in range(count)]


def gaussian(patch: Sequence[int]) -> Floats:
    """Weights of a window, 1 at its centre: a Gaussian of an eighth of each side, nowhere 0."""
    weights = np.ones((1, 1, 1), np.float32)
    for axis, side in enumerate(patch):
        line = np.exp(-0.5 * ((np.arange(side) - (side - 1) / 2) / (side / 8)) ** 2).astype(np.float32)
        weights = weights * line.reshape([-1 if one == axis else 1 for one in range(3)])
    return np.maximum(weights, np.float32(1e-3) * weights.max())


def sliding(values: Floats, volume: VolumeInput, run: Callable[[Floats], Floats]) -> Floats:
    """What the graph says of a volume (channels, d, h, w), as (classes, d, h, w), windows blended where they overlap.

    A volume smaller than a window is padded with zeros on both sides.

    Raises:
        ValueError: an answer is of another shape than its window, or all together beyond `MOST_VALUES`.
    """
    sides = values.shape[1:]
    short = [max(0, window - side) for side, window in zip(sides, volume.patch, strict=True)]
    before = [missing // 2 for missing in short]
    around = [(one, missing - one) for one, missing in zip(before, short, strict=True)]
    padded = np.pad(values, [(0, 0), *around]) if any(short) else values
    weights = gaussian(volume.patch)
    total: Floats | None = None
    weight = np.zeros(padded.shape[1:], np.float32)
    ranges = [starts(side, window, volume.overlap) for side, window in zip(weight.shape, volume.patch, strict=True)]
    for corner in product(*ranges):
        at = tuple(slice(start, start + side) for start, side in zip(corner, volume.patch, strict=True))
        (answer,) = run(padded[(slice(None), *at)][None])
        if answer.ndim != 4 or answer.shape[1:] != volume.patch:
            raise ValueError("the graph's map is not of the window's size")
        if total is None:
            if len(answer) * weight.size > MOST_VALUES:
                raise ValueError("the volume is too large for all classes at a time")
            total = np.zeros((len(answer), *weight.shape), np.float32)
        total[(slice(None), *at)] += answer * weights
        weight[at] += weights
    assert total is not None
    total /= weight
    inner = tuple(slice(one, one + side) for one, side in zip(before, sides, strict=True))
    return total[(slice(None), *inner)]
