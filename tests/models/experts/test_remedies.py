"""What `check` says to write where a graph is other than its manifest has it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.experts.adapters import look
from models.experts.checking import check
from models.experts.running import RUN_ERRORS, Expert, Sight
from tests.models.experts import exports, volume_graphs
from tests.models.experts.adapters.examples import GRAPHS, of_films, write
from tests.models.experts.onnx_bytes import Dims, field, model, node, tensor, value

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
        ({"kind": "semantic"}, np.zeros((1, 64, 64), np.float32), "The axis of channels was squeezed away"),
        ({"kind": "semantic"}, np.zeros((1, 64, 64, 3), np.float32), "The channels are last"),
        ({"kind": "semantic"}, np.zeros((1, 3, 44, 44), np.float32), "What valid convolutions leave out"),
        ({"kind": "classifier"}, np.zeros((1, 5), np.float32), "stands in background of [decoding]"),
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
        ((2, 1, 64, 64), SQUARE, "Export it with a batch of 1"),
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


@pytest.mark.parametrize(
    ("written", "meant", "told"),
    [
        ("polarity =", "polarty =", "input.polarty: this table has no such field: is 'polarity' meant?"),
        ("polarity =", "polarty =", "input.polarity: it is missing"),
        ('kind = "semantic"', "min_area_px = 3", "decoding: its kind is missing"),
        ('modalities = ["X-ray"]', 'modalities = ["XR"]', "modalities.0: Input should be 'CT', 'MR', 'X-ray'"),
        ('size = { policy = "stretch", height = 64, width = 64 }', "size = [64, 64]", 'size = { policy = "keep" }'),
    ],
)
def test_a_field(tmp_path: Path, written: str, meant: str, told: str) -> None:
    """Of a field that is misspelt, left out, or of another type; each fault once."""
    expert = of_films("odd", "An odd one", input=SQUARE, decoding={"kind": "semantic"}, labels=TWO)
    path = write(tmp_path, expert, constant((1, 1, 64, 64)))
    assert written in path.read_text()
    path.write_text(path.read_text().replace(written, meant))
    assert told in broken(path)
    assert broken(path).count("modalities") <= 1


def newer(data: bytes, *, opset: bool) -> bytes:
    """A graph of another version of the format, or of its operations, than any that there is."""
    return data.replace(field(8, field(1, "") + field(2, 17)), field(8, field(1, "") + field(2, 99))) if opset else (
        field(1, 99) + data[2:]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("graph", "told"),
    [
        (b"", "is empty: copy or export it again"),
        (constant((1, 1, 64, 64))[:90], "not the whole of one"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "run 'git lfs pull'"),
        (newer(constant((1, 1, 64, 64)), opset=True), "export it with opset_version="),
        (newer(constant((1, 1, 64, 64)), opset=False), "model.ir_version = "),
        (constant((1, 1, 64, 64)).replace(b"Add", b"Odd"), "needs the operation"),
    ],
    ids=["empty", "cut", "pointer", "opset", "version", "operation"],
)
def test_a_graph_that_is_not_loaded(tmp_path: Path, graph: bytes, told: str) -> None:
    """Why it is not, in a sentence, and what to do; none of what ONNX Runtime tells of its own source."""
    expert = of_films("odd", "An odd one", input=SQUARE, decoding={"kind": "semantic"}, labels=TWO)
    said = broken(write(tmp_path, expert, graph))
    assert told in said
    assert "onnxruntime_src" not in said


@pytest.mark.parametrize(
    ("decoding", "outputs"),
    [
        ({"kind": "semantic", "activation": "none", "background": []}, {"logits": (1, 2, 64, 64)}),
        ({"kind": "semantic", "activation": "softmax"}, {"logits": (1, 3, 64, 64)}),
        ({"kind": "semantic", "numbers": True}, {"logits": (1, 64, 64)}),
        ({"kind": "boxes", "layout": "rows", "output": "logits"}, {"logits": (1, 5, 6)}),
        ({"kind": "heatmap"}, {"logits": (1, 3), "cam": (1, 3, 8, 8)}),
        ({"kind": "landmarks"}, {"heatmaps": (1, 3, 16, 16)}),
    ],
)
def test_no_number_is_no_absence(tmp_path: Path, decoding: dict[str, Any], outputs: dict[str, Dims]) -> None:
    """What a graph gives as NaN, as a mean of nothing, is a failure: 'nothing found' would deny a finding."""
    table = of_films(
        "odd", "An odd one", decoding=decoding, labels=TWO,
        input={"name": "images", "channels": 3, "grey_as_colour": True, **SQUARE},
    )  # fmt: skip
    constants = {name: np.full(shape, np.nan, np.float32) for name, shape in outputs.items()}
    expert = Expert.load(write(tmp_path, table, exports.constants(constants)))
    with pytest.raises(RUN_ERRORS):
        look(expert, Sight(np.zeros((64, 64, 3), np.float32)))


@pytest.mark.parametrize(
    ("decoding", "outputs"),
    [
        ({"kind": "semantic"}, {"logits": (1, 3, 0, 0)}),
        ({"kind": "flows", "output": "logits"}, {"logits": (1, 3, 0, 0)}),
        ({"kind": "heatmap"}, {"logits": (1, 3), "cam": (1, 3, 0, 0)}),
        ({"kind": "hover", "types": None}, {"np": (1, 2, 0, 0), "hv": (1, 2, 0, 0)}),
    ],
)
def test_an_empty_map(tmp_path: Path, decoding: dict[str, Any], outputs: dict[str, Dims]) -> None:
    """It is the expert's own failure, which costs its regions, and not the image's."""
    alone = decoding["kind"] in ("flows", "hover")
    table = of_films(
        "odd", "An odd one", decoding={key: one for key, one in decoding.items() if one is not None},
        labels=TWO[:1] if alone else TWO, input={"name": "images", "channels": 3, "grey_as_colour": True, **SQUARE},
    )  # fmt: skip
    constants = {name: np.ones(shape, np.float32) for name, shape in outputs.items()}
    expert = Expert.load(write(tmp_path, table, exports.constants(constants)))
    with pytest.raises(RUN_ERRORS):
        look(expert, Sight(np.zeros((48, 80, 3), np.float32)))


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
