"""From an image to the tensors that a graph takes, and back from its maps and px. Knows no graph and no labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from models.experts.candidates import FloatImage
from models.experts.contracts import (
    AsIs,
    FullRange,
    HounsfieldWindow,
    InputContract,
    MinMax,
    Normalisation,
    OtherInput,
    Pair,
    Percentiles,
)

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image as a graph takes it.

    `batch`: float32 (n, channels, rows, columns), several where it was cut into tiles. `size`: rows and columns of the
    image itself, `working` of its scaled copy that lies in the tensors; `origins`: where in that copy the first pixel
    of each tensor lies (row, column), negative where the tensor is padded before it.
    """

    batch: Floats
    size: tuple[int, int]
    working: tuple[int, int]
    origins: tuple[tuple[int, int], ...]
    tiled: bool = False
    note: str = ""
    """What a rule has to add of how the graph was fed."""
    others: Mapping[str, Floats] = field(default_factory=dict[str, Floats])
    """What the graph takes beside the image, by name: each (n, …)."""

    @property
    def scale(self) -> tuple[float, float]:
        """Image px a px of the tensors, down and across."""
        return self.size[0] / self.working[0], self.size[1] / self.working[1]


def prepare(
    image: FloatImage,
    contract: InputContract,
    spacing: tuple[float, float] | None,
    around: Mapping[int, FloatImage] | None = None,
) -> Prepared:
    """`image` (rows, columns) or (rows, columns, 3) by its contract. `spacing`: mm between rows and between columns.

    `around`: slices beside it, by steps from it, of the same shape: the channels of a 2.5D input, by ascending steps.
    Where one is not known the nearest that is stands for it. All are normalised together.
    """
    size = (image.shape[0], image.shape[1])
    working = _working(size, contract, spacing)
    reach = contract.slices // 2
    slices = {0: image, **{step: one for step, one in (around or {}).items() if abs(step) <= reach}}
    steps = sorted(slices)
    if len(steps) > 1:
        planes = list(normalised(np.stack([slices[step] for step in steps]), contract.normalisation))
    else:
        planes = [normalised(image, contract.normalisation)]
    if working != size:
        smaller = working[0] * working[1] < size[0] * size[1]
        how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        planes = [cast(FloatImage, cv2.resize(one, working[::-1], interpolation=how)) for one in planes]
    if contract.slices > 1:
        nearest = [min(max(step, steps[0]), steps[-1]) for step in range(-reach, reach + 1)]
        channels = np.stack([planes[step - steps[0]] for step in nearest])
    else:
        channels = np.atleast_3d(planes[0]).transpose(2, 0, 1)
    if len(channels) != contract.depth:
        channels = np.repeat(channels, contract.depth, axis=0)
    if contract.mean or contract.deviation:
        mean = np.asarray(contract.mean or 0.0, np.float32).reshape(-1, 1, 1)
        channels = (channels - mean) / np.asarray(contract.deviation or 1.0, np.float32).reshape(-1, 1, 1)
    tensors, origins = _cut(channels, contract)
    tensors, note = np.ascontiguousarray(tensors, np.float32), _note(contract.slices, steps)
    prepared = Prepared(tensors, size, working, origins, contract.size.policy == "tiles", note)
    return replace(prepared, others={one.name: _other(one, prepared, spacing) for one in contract.others})


def _other(one: OtherInput, prepared: Prepared, spacing: tuple[float, float] | None) -> Floats:
    """A further input for each tensor. Raises ValueError where the spacing that it holds is not known."""
    count, (rows, columns) = len(prepared.batch), prepared.batch.shape[2:]
    if one.holds == "coordinates":
        found = np.empty((count, 2, rows, columns), np.float32)
        for n, (top, left) in enumerate(prepared.origins):
            # Centres of pixels: the image's edges are at -1 and 1, and what is padded lies beyond.
            found[n, 0] = 2 * (np.arange(columns) + left + 0.5) / prepared.working[1] - 1
            found[n, 1] = (2 * (np.arange(rows) + top + 0.5) / prepared.working[0] - 1)[:, None]
        return found
    if one.holds == "spacing":
        if spacing is None:
            raise ValueError("the spacing is not known")
        told: tuple[float, ...] = (spacing[0] * prepared.scale[0], spacing[1] * prepared.scale[1])
    else:
        told = prepared.size if one.holds == "size" else one.values
    return np.tile(np.asarray(told, np.float32), (count, 1))


def _note(slices: int, steps: list[int]) -> str:
    """What rules add of a 2.5D input. `steps`: of the slices that are known, the image's own 0 among them."""
    given = [step for step in steps if step]
    missing = [step for step in range(-(slices // 2), slices // 2 + 1) if step not in steps]
    if not given:
        return f"; the slice stood for its {slices - 1} neighbours" if slices > 1 else ""
    note = f"; given with the slice{'s' if given[1:] else ''} at {_listed(given)}"
    return note + (f", the nearest in place of {_listed(missing)}" if missing else "")


def _listed(steps: list[int]) -> str:
    return " and ".join(f"{step:+d}" for step in steps)


def _working(size: tuple[int, int], contract: InputContract, spacing: tuple[float, float] | None) -> tuple[int, int]:
    policy, height, width = contract.size.policy, contract.size.height or 1, contract.size.width or 1
    if policy == "stretch":
        return height, width
    rows, columns = float(size[0]), float(size[1])
    if contract.spacing_mm is not None and spacing is not None:
        rows, columns = rows * spacing[0] / contract.spacing_mm, columns * spacing[1] / contract.spacing_mm
    if policy == "letterbox":
        scale = min(height / rows, width / columns)
    else:
        scale = min(1.0, contract.longest_side / max(rows, columns))
    found = max(1, round(rows * scale)), max(1, round(columns * scale))
    return (min(found[0], height), min(found[1], width)) if policy == "letterbox" else found


def _cut(channels: Floats, contract: InputContract) -> tuple[Floats, tuple[tuple[int, int], ...]]:
    size = contract.size
    rows, columns = channels.shape[1:]
    if size.policy == "tiles":
        return _tiles(channels, contract)
    down, across = -rows % size.multiple, -columns % size.multiple
    top = left = 0
    if size.policy == "letterbox":
        down, across = cast(int, size.height) - rows, cast(int, size.width) - columns
        if size.anchor == "centre":
            top, left = down // 2, across // 2
    if down or across:
        around = ((0, 0), (top, down - top), (left, across - left))
        channels = np.pad(channels, around, constant_values=size.fill)
    return channels[None], ((-top, -left),)


def _tiles(channels: Floats, contract: InputContract) -> tuple[Floats, tuple[tuple[int, int], ...]]:
    size, margin = contract.size, contract.size.margin
    sides = (cast(int, size.height), cast(int, size.width))
    starts: list[Sequence[int]] = []
    after: list[int] = []
    for length, side in zip(channels.shape[1:], sides, strict=True):
        seen = side - 2 * margin
        step = max(1, round(seen * (1 - size.overlap)))
        count = max(1, -(-(length - seen) // step) + 1)
        # The last tile ends with the image, so that no tile is mostly padding.
        starts.append([min(n * step, max(0, length - seen)) for n in range(count)])
        after.append(margin + max(0, seen - length))
    around = ((0, 0), (margin, after[0]), (margin, after[1]))
    # What a graph with valid convolutions needs around its maps is mirrored, as U-Net does it.
    mode = "symmetric" if margin else "constant"
    padded = np.pad(channels, around, mode) if margin else np.pad(channels, around, constant_values=size.fill)
    places = [(top, left) for top in starts[0] for left in starts[1]]
    tensors = np.stack([padded[:, top : top + sides[0], left : left + sides[1]] for top, left in places])
    return tensors, tuple((top - margin, left - margin) for top, left in places)


def whole_map(prepared: Prepared, maps: Floats, margin: int = 0) -> Floats:
    """Maps (n, classes, rows, columns), one a tensor, as one of the working copy: (classes, rows, columns).

    Maps of a reduced size are brought to that of the tensors; where tiles overlap, the nearer a value lies to its
    tile's centre, the more it counts. `margin`: px along each edge of the tensors that the maps leave out.
    """
    rows, columns = prepared.working
    height, width = (side - 2 * margin for side in prepared.batch.shape[2:])
    sized = np.stack([_resized(one, (height, width)) for one in maps])
    if not prepared.tiled:
        top, left = (-place for place in prepared.origins[0])
        return sized[0, :, top : top + rows, left : left + columns]
    near = np.minimum(
        np.minimum(np.arange(height), np.arange(height)[::-1])[:, None] + 1.0,
        np.minimum(np.arange(width), np.arange(width)[::-1])[None, :] + 1.0,
    ).astype(np.float32)
    total = np.zeros((maps.shape[1], rows, columns), np.float32)
    weight = np.zeros((rows, columns), np.float32)
    for one, (top, left) in zip(sized, prepared.origins, strict=True):
        top, left = top + margin, left + margin
        down, across = min(height, rows - top), min(width, columns - left)
        within = np.s_[top : top + down, left : left + across]
        total[:, within[0], within[1]] += one[:, :down, :across] * near[:down, :across]
        weight[within] += near[:down, :across]
    return total / weight


def _resized(maps: Floats, size: tuple[int, int]) -> Floats:
    if maps.size == 0:
        raise ValueError("a map of the graph is empty")
    if maps.shape[1:] == size:
        return maps
    return np.stack([cv2.resize(one, size[::-1], interpolation=cv2.INTER_LINEAR) for one in maps])


def white(image: FloatImage) -> float:
    """The value of white: 255, or 65535 where a value of `image`, which is not empty, is above 255."""
    return 65535.0 if float(image.max()) > 255.5 else 255.0


def normalised(image: FloatImage, by: Normalisation) -> FloatImage:
    """Values as a manifest wants them; colour is taken as a whole."""
    if isinstance(by, AsIs):
        return image
    if isinstance(by, FullRange):
        return _onto(image, 0.0, white(image), by.to)
    if isinstance(by, HounsfieldWindow):
        return _onto(image, by.low, by.high, by.to)
    if isinstance(by, MinMax):
        return _onto(image, float(image.min()), float(image.max()), by.to)
    counted = image[image > 0] if by.positive else image
    if counted.size == 0:
        counted = image
    if isinstance(by, Percentiles):
        low, high = (float(value) for value in np.percentile(counted, (by.low, by.high)))
        return _onto(image, low, high, by.to)
    outside = image <= 0 if by.positive else None
    if by.low is not None or by.high is not None:
        image, counted = np.clip(image, by.low, by.high), np.clip(counted, by.low, by.high)
    mean = float(counted.mean()) if by.mean is None else by.mean
    deviation = float(counted.std()) if by.deviation is None else by.deviation
    found = ((image - np.float32(mean)) / np.float32(max(deviation, 1e-8))).astype(np.float32)
    if outside is not None:
        found[outside] = 0.0  # As MONAI (nonzero) and nnU-Net (use_mask_for_norm) leave what is around a head.
    return found


def _onto(image: FloatImage, low: float, high: float, to: Pair) -> FloatImage:
    part = np.clip((image - np.float32(low)) / np.float32(max(high - low, 1e-8)), 0.0, 1.0)
    return (np.float32(to[0]) + part * np.float32(to[1] - to[0])).astype(np.float32)
