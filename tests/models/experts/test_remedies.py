"""What `check` says to write where a graph is other than its manifest has it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.experts.checking import check
from tests.models.experts import exports, volume_graphs
from tests.models.experts.adapters.examples import GRAPHS, of_films, write
from tests.models.experts.onnx_bytes import Dims, model, node, tensor, value

SQUARE = {"size": {"policy": "stretch", "height": 64, "width": 64}}
TWO = [{"index": 1, "name": "polyp"}, {"index": 2, "name": "instrument"}]


def broken(path: Path) -> str:
    return "\n".join(str(one) for one in check(path) if not one.kept)


@pytest.mark.parametrize(
    ("decoding", "output", "told"),
    [
        ({"kind": "boxes", "layout": "yolo"}, np.zeros((1, 9, 50), np.float32), "further = 3 in [decoding]"),
        ({"kind": "boxes", "layout": "yolo"}, np.zeros((1, 300, 6), np.float32), 'has layout = "rows"'),
        ({"kind": "boxes", "layout": "rows"}, np.zeros((1, 6, 84), np.float32), 'has layout = "yolo"'),
        ({"kind": "semantic", "numbers": True}, np.zeros((1, 3, 64, 64), np.float32), "without numbers = true"),
    ],
)
def test_an_output(tmp_path: Path, decoding: dict[str, Any], output: np.ndarray, told: str) -> None:
    """Of an output that is laid out otherwise."""
    expert = of_films(
        "odd",
        "An odd one",
        input={"name": "images", "channels": 3, "grey_as_colour": True, **SQUARE},
        decoding={**decoding, "output": "output0"},
        labels=TWO,
    )  # fmt: skip
    path = write(tmp_path, expert, exports.constants({"output0": output}))
    assert told in broken(path)


def constant(takes: Dims) -> bytes:
    """A graph whose answer is its input."""
    return model([node("Add", ["image", "zero"], ["logits"])], [tensor("zero", np.zeros(1, np.float32))],
                 [value("image", takes)], [value("logits", takes)])  # fmt: skip


@pytest.mark.parametrize(
    ("takes", "given", "told"),
    [
        ((1, 64, 64, 3), SQUARE, 'write layout = "NHWC" in [input]'),
        ((1, 3, 64, 64), SQUARE, "Write channels = 3 in [input]"),
        ((1, 5, 64, 64), SQUARE, "Write slices = 5 in [input] where these are neighbouring slices"),
        ((1, 1, 96, 80), SQUARE, "Write height = 96, width = 80 in size"),
        ((1, 1, 96, 80), {}, 'Write size = { policy = "stretch", height = 96, width = 80 }'),
        ((1, 64, 64), SQUARE, 'An input without a batch has layout = "CHW"'),
        ((1, 1, 8, 8, 8), SQUARE, 'has kind = "volume" and a table [input.volume]'),
    ],
)
def test_an_input(tmp_path: Path, takes: Dims, given: dict[str, Any], told: str) -> None:
    """Of an input that takes something else."""
    expert = of_films(
        "odd", "An odd one", input=given,
        decoding={"kind": "semantic", "activation": "sigmoid"}, labels=[{"index": 0, "name": "polyp"}],
    )  # fmt: skip
    assert told in broken(write(tmp_path, expert, constant(takes)))


def test_a_volume(tmp_path: Path) -> None:
    """Of another window."""
    path = volume_graphs.write(tmp_path, graph=volume_graphs.box_filter(sides=(8, 24, 32)))
    assert "Write patch = [8, 24, 32] in [input.volume]" in broken(path)


def test_a_label_that_is_background(tmp_path: Path) -> None:
    """Of a softmax without a class of nothing, or one channel: which it is, and what to write for either."""
    labels = [{"index": 0, "name": "polyp"}, {"index": 1, "name": "instrument"}]
    expert = of_films("odd", "An odd one", decoding={"kind": "semantic"}, labels=labels)
    told = broken(write(tmp_path, expert, constant((1, 2, 64, 64))))
    assert "index 0 stands for 'polyp' and for the background" in told
    assert "write background = [] where no class is nothing" in told
    assert 'activation = "sigmoid"' in told


@pytest.mark.parametrize("path", sorted(GRAPHS.glob("*.toml")), ids=lambda path: path.stem)
def test_nothing_of_what_is_well(path: Path) -> None:
    """Each kind of expert is run on its sample, read, and kept."""
    assert broken(path) == ""
