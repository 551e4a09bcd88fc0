"""What an expert of three dimensions costs beside a bare sliding window of the same session.

Knows nothing of the pipeline around the stage.

    python -m benchmarks.volumes MANIFEST.toml VOLUME.nii.gz [--side 192] [--rounds 3]

The middle of a NIfTI volume, `--side` voxels along each axis at most, goes through three ways in turn, so that a busy
machine slows all alike. `graph`: the session alone, once for each window. `window`: windows cut, run, weighted by a
Gaussian and summed up, as MONAI's sliding_window_inference does it with torch, here with NumPy and nothing else.
`expert`: all that an expert does, from values to the parts of each label. Times are of this process's processors, with
one thread of ONNX Runtime; what is printed is each round's, and the median of the ratios.
"""

import argparse
import statistics
import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import cast

import numpy as np

from models.experts.adapters import look
from models.experts.contracts import VolumeInput
from models.experts.decodings import Volumetric
from models.experts.inputs import Floats, normalised
from models.experts.running import Expert, Sight
from models.experts.volumes import Ends, Given, gaussian, starts
from models.imaging import FramePolicy, open_source
from schemas.experts import ExpertRuntime

ENDS: Ends = ("posterior", "feet", "patient left")


def middle(path: Path, side: int) -> Floats:
    """At most `side` slices, rows and columns of a NIfTI file, about its middle."""
    source = open_source(path.read_bytes(), FramePolicy())
    start = max(0, (source.frames_total - side) // 2)
    slices: list[Floats] = []
    for index in range(start, min(source.frames_total, start + side)):
        values = source.read(index).values
        top, left = (max(0, (length - side) // 2) for length in values.shape)
        slices.append(values[top : top + side, left : left + side])
    return np.stack(slices)


def corners(shape: tuple[int, ...], volume: VolumeInput) -> list[tuple[slice, ...]]:
    """Where windows lie."""
    ranges = [starts(side, window, volume.overlap) for side, window in zip(shape, volume.patch, strict=True)]
    return [
        tuple(slice(start, start + side) for start, side in zip(corner, volume.patch, strict=True))
        for corner in product(*ranges)
    ]


def graph(expert: Expert, windows: list[Floats]) -> None:
    """The session alone."""
    output, name = cast(Volumetric, expert.manifest.decoding).output, expert.manifest.input.name
    for window in windows:
        expert.session.run([output], {name: window})


def window(expert: Expert, values: Floats, places: list[tuple[slice, ...]], weights: Floats) -> Floats:
    """A bare sliding window: logits (classes, d, h, w)."""
    output, name = cast(Volumetric, expert.manifest.decoding).output, expert.manifest.input.name
    total, weight = None, np.zeros(values.shape, np.float32)
    for at in places:
        (answer,) = expert.session.run([output], {name: np.ascontiguousarray(values[at])[None, None]})
        answer = cast(Floats, answer)[0]
        if total is None:
            total = np.zeros((len(answer), *values.shape), np.float32)
        total[(slice(None), *at)] += answer * weights
        weight[at] += weights
    assert total is not None
    return total / weight


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("volume", type=Path)
    parser.add_argument("--side", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=3)
    said = parser.parse_args()
    expert = Expert.load(said.manifest, ExpertRuntime(threads=1))
    told = expert.manifest.input.volume
    if told is None:
        parser.error(f"{said.manifest} is no expert of three dimensions")
    if expert.manifest.input.named:
        parser.error(f"{said.manifest} takes several channels, and here is one")
    values = middle(said.volume, said.side)
    shape = (values.shape[0], values.shape[1], values.shape[2])
    # Turned and resampled nowhere: both ways see the same windows.
    volume = told.model_copy(update={"axes": None, "spacing_mm": None})
    contract = expert.manifest.input.model_copy(update={"volume": volume})
    expert = replace(expert, manifest=expert.manifest.model_copy(update={"input": contract}))
    if any(side < window for side, window in zip(shape, volume.patch, strict=True)):
        parser.error(f"the volume of {shape} voxels is smaller than a window of {volume.patch}")
    places, weights = corners(shape, volume), gaussian(volume.patch)
    prepared = normalised(values, contract.normalisation)
    windows = [np.ascontiguousarray(prepared[at])[None, None] for at in places]
    print(f"{expert.manifest.expert}: {shape} voxels, {len(places)} windows of {volume.patch}", flush=True)
    ratios: list[tuple[float, float]] = []
    for number in range(said.rounds):
        given = Given(f"{number:032x}", 0, shape, (1.0, 1.0, 1.0), ENDS, lambda: values)
        took: dict[str, float] = {}
        for name in ("graph", "window", "expert"):
            started = time.process_time()
            if name == "graph":
                graph(expert, windows)
            elif name == "window":
                window(expert, prepared, places, weights)
            else:
                look(expert, Sight(values[0], spacing=(1.0, 1.0), volume=given))
            took[name] = time.process_time() - started
        ratios.append((took["window"] / took["expert"], took["graph"] / took["expert"]))
        seconds = ", ".join(f"{name} {one:.2f} s" for name, one in took.items())
        print(f"{seconds}; window / expert {ratios[-1][0]:.3f}, graph / expert {ratios[-1][1]:.3f}", flush=True)
    of_window, of_graph = (statistics.median(one) for one in zip(*ratios, strict=True))
    print(f"median: window / expert {of_window:.3f}, graph / expert {of_graph:.3f}")


if __name__ == "__main__":
    main()
