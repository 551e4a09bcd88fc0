"""Cells that touch, parted by flows whose right answer is known."""

from pathlib import Path

import numpy as np
import pytest

from models.experts.adapters import look
from models.experts.adapters.flows import followed
from models.experts.checking import check
from models.experts.running import Expert, Sight
from tests.models.experts.adapters.examples import disc, iou, mask_of, of_films, write
from tests.models.experts.onnx_bytes import model, node, tensor, value

SHAPE = (96, 120)
CELLS = ((30.0, 30.0, 18.0), (66.0, 32.0, 18.5), (40.0, 70.0, 12.0), (100.0, 80.0, 9.0), (60.0, 66.0, 8.5))
"""x, y, radius: the first two touch each other, and so do the third and the last."""


def scene(noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of cells, and what Cellpose gives of them: five times the unit flow to the middle, and a logit."""
    numbers, maps = np.zeros(SHAPE, int), np.zeros((3, *SHAPE), np.float32)
    maps[2] = -6.0
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    for number, (left, top, radius) in enumerate(CELLS, start=1):
        inside = disc(SHAPE, left, top, radius) & (numbers == 0)
        apart = np.stack([top - y, left - x]).astype(np.float32)
        # Towards the middle the flow shrinks, as that of a diffusion does.
        flow = 5 * apart / np.maximum(np.hypot(*apart), 1.5)
        numbers[inside] = number
        maps[:2, inside], maps[2, inside] = flow[:, inside], 6.0
    maps[:2] += np.random.default_rng(0).normal(0, noise, maps[:2].shape)
    return numbers, maps


@pytest.mark.parametrize("noise", [0.0, 0.8])
def test_cells_that_touch_are_parted(noise: float) -> None:
    """Each as it was drawn, with noise of a sixth of the flow too."""
    numbers, maps = scene(noise)
    found = followed((maps[2] > 0).astype(np.uint8), maps[:2])
    assert found.max() == len(CELLS)
    for number in range(1, len(CELLS) + 1):
        assert max(iou(numbers == number, found == other) for other in range(1, found.max() + 1)) > 0.97


def test_nothing_there() -> None:
    """No cell without a mask, and none where pixels lead nowhere."""
    assert not followed(np.zeros(SHAPE, np.uint8), np.zeros((2, *SHAPE), np.float32)).any()
    assert not followed(np.ones(SHAPE, np.uint8), np.zeros((2, *SHAPE), np.float32)).any()


def test_an_expert(tmp_path: Path) -> None:
    """A graph of that output finds the cells, with their mean probability, and keeps what its manifest promises."""
    numbers, maps = scene(0.0)
    graph = model(
        [
            node("ReduceMean", ["image"], ["mean"], axes=[1, 2, 3], keepdims=1),
            node("Mul", ["mean", "zero"], ["none"]),
            node("Add", ["maps", "none"], ["output"]),
        ],
        [tensor("zero", np.zeros(1, np.float32)), tensor("maps", maps[None])],
        [value("image", (1, 1, *SHAPE))],
        [value("output", (1, 3, *SHAPE))],
    )
    expert = of_films(
        "cells", "Drawn cells",
        input={"size": {"policy": "stretch", "height": SHAPE[0], "width": SHAPE[1]}},
        decoding={"kind": "flows", "min_area_px": 15},
        labels=[{"index": 0, "name": "cell"}],
    )  # fmt: skip
    path = write(tmp_path, expert, graph)
    assert [str(one) for one in check(path) if not one.kept] == []
    image = np.zeros(SHAPE, np.float32)
    found = look(Expert.load(path), Sight(image)).candidates
    assert len(found) == len(CELLS)
    assert iou(mask_of(found[0], image), numbers == 2) > 0.97
    assert found[0].component.score == pytest.approx(1 / (1 + np.exp(-6)), abs=1e-3)
