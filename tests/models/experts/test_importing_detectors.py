"""Detectors as Ultralytics and transformers export them: whichever way they tell of boxes, what is found lies there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.experts.adapters import look
from models.experts.candidates import Candidate
from models.experts.checking import check
from models.experts.decodings import Boxes, Embedder, Instances, Semantic
from models.experts.importing import Told, import_expert
from models.experts.manifest import Manifest
from models.experts.running import Expert, Sight
from tests.models.experts import exports
from tests.models.experts.adapters.examples import mask_of

IMAGE = np.zeros((128, 128, 3), np.float32)
"""Twice as large as the graphs take it."""
INSIDE = [34.0, 30.0, 8.0, 6.0]
"""A box of the graph by its centre, width and height: (30, 27) to (38, 33), in the image (60, 54) to (76, 66)."""
PLACE = (60, 54, 76, 66)


def table(rows: list[list[float]], count: int = 20) -> np.ndarray:
    """(1, count, numbers) of rows, and zeros."""
    found = np.zeros((1, count, len(rows[0])), np.float32)
    found[0, : len(rows)] = rows
    return found


def found_of(path: Path, out: Path, told: Told, image: np.ndarray = IMAGE) -> tuple[Manifest, list[Candidate]]:
    """What an import finds in the image; all its promises are kept."""
    written = import_expert(path, out, told)
    assert [str(one) for one in check(written) if not one.kept] == []
    expert = Expert.load(written)
    return expert.manifest, look(expert, Sight(image)).candidates


def of_ultralytics(
    folder: Path, outputs: dict[str, np.ndarray], channels: int = 3, image: np.ndarray = IMAGE, **told: str
) -> Any:
    graph = exports.constants(outputs, {**exports.ULTRALYTICS, **told}, channels=channels)
    return found_of(exports.ultralytics(folder / "given", graph), folder, Told(modality="endoscopy"), image)


def place(candidate: Candidate) -> tuple[int, int, int, int]:
    part = candidate.component
    return part.x, part.y, part.x + part.crop.shape[1], part.y + part.crop.shape[0]


@pytest.mark.parametrize("suppressed", [False, True])
def test_masks_that_boxes_share(tmp_path: Path, suppressed: bool) -> None:
    """A mask is the sum of all, weighted by its box's numbers, within the box alone."""
    corners = [30.0, 27.0, 38.0, 33.0]
    protos = np.full((1, 2, 16, 16), -1.0, np.float32)
    protos[0, 0, :, 8:] = 1.0  # the right half; in the image from column 64 on
    protos[0, 1] = 0.0
    if suppressed:
        rows = table([[*corners, 0.9, 1.0, 5.0, -3.0], [*corners, 0.1, 0.0, 5.0, 0.0]])
    else:
        rows = table([[*INSIDE, 0.0, 0.9, 5.0, -3.0], [*INSIDE, 0.0, 0.5, 5.0, 0.0]]).transpose(0, 2, 1)
    outputs = {"output0": np.ascontiguousarray(rows), "output1": protos}
    manifest, (found,) = of_ultralytics(tmp_path, outputs, task="segment")
    assert isinstance(manifest.decoding, Instances)
    assert (found.label, found.component.score) == ("instrument", pytest.approx(0.9))
    right = np.zeros(IMAGE.shape[:2], bool)
    right[54:66, 64:76] = True
    # The map has a quarter of the graph's px and an eighth of the image's: its edge lies between two of them.
    assert (mask_of(found, IMAGE) ^ right).sum() <= 12
    assert not found.boxed


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("Detect", [30.0, 27.0, 38.0, 33.0, 0.9, 1.0]),
        ("RTDETRDecoder", [34 / 64, 30 / 64, 8 / 64, 6 / 64, 0.9, 1.0]),
    ],
)
def test_suppressed_in_the_graph(tmp_path: Path, head: str, row: list[float]) -> None:
    """Rows of corners, score and class; of RT-DETR centres, as parts of the image. Boxes that overlap both stay."""
    lower = [*row[:4], 0.4, 1.0]
    manifest, found = of_ultralytics(tmp_path, {"output0": table([row, lower, [*row[:4], 0.2, 0.0]])}, head=head)
    assert isinstance(manifest.decoding, Boxes)
    assert manifest.decoding.layout == "rows"
    assert [(one.label, place(one), one.component.score) for one in found] == [
        ("instrument", PLACE, pytest.approx(0.9)),
        ("instrument", PLACE, pytest.approx(0.4)),
    ]


@pytest.mark.parametrize("suppressed", [False, True])
def test_turned_boxes(tmp_path: Path, suppressed: bool) -> None:
    """A box of 40 by 8 px that is turned clockwise by 30 degrees covers these pixels, and what resembles it is one."""
    angle, box = np.pi / 6, [32.0, 32.0, 20.0, 4.0]
    twin = [32.3, 32.0, 20.0, 4.0]
    if suppressed:
        rows = table([[*box, 0.9, 0.0, angle]])
    else:
        several = [[*box, 0.9, 0.0, angle], [*twin, 0.8, 0.0, angle], [*box, 0.7, 0.0, angle + np.pi / 2]]
        rows = np.ascontiguousarray(table(several).transpose(0, 2, 1))
    _, found = of_ultralytics(tmp_path, {"output0": rows}, task="obb")
    assert len(found) == (1 if suppressed else 2)
    y, x = np.mgrid[:128, :128] + 0.5 - 64
    along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    right = (np.abs(along) <= 20) & (np.abs(across) <= 4)
    mask = mask_of(found[0], IMAGE)
    assert (mask & right).sum() / (mask | right).sum() > 0.9
    assert mask.sum() == pytest.approx(320, rel=0.1)


def test_turned_boxes_at_the_edge(tmp_path: Path) -> None:
    """What lies beyond the image is cut off, and a box beside it is none."""
    rows = table([[0.0, 32.0, 40.0, 8.0, 0.9, 0.0, 0.1], [-40.0, 32.0, 20.0, 8.0, 0.9, 0.0, 0.1]])
    _, (found,) = of_ultralytics(tmp_path, {"output0": rows}, task="obb")
    assert (found.component.x, found.component.y + found.component.crop.shape[0] <= 128) == (0, True)
    assert found.component.area_px == pytest.approx(40 * 16, rel=0.1)


def test_a_pose(tmp_path: Path) -> None:
    """Boxes are read, points are not, and that is told."""
    row = [[*INSIDE, 0.9, 0.0, *[31.0, 30.0, 0.9] * 2]]
    rows = np.ascontiguousarray(table(row).transpose(0, 2, 1))
    manifest, (found,) = of_ultralytics(tmp_path, {"output0": rows}, task="pose", kpt_shape="[2, 3]")
    assert (found.label, place(found)) == ("polyp", PLACE)
    assert any("points of a pose" in limit for limit in manifest.limits)


def test_numbers_of_classes(tmp_path: Path) -> None:
    """A graph that ends in the class of each px gives regions without a score."""
    numbers = np.zeros((1, 64, 64), np.float32)
    numbers[0, 8:16, 10:30] = 1
    manifest, (found,) = of_ultralytics(
        tmp_path, {"output0": numbers}, task="semantic", names="{0: 'background', 1: 'polyp'}"
    )
    assert isinstance(manifest.decoding, Semantic)
    assert (found.label, place(found), found.component.score) == ("polyp", (20, 16, 60, 32), None)
    assert found.rule == "predicted class polyp"


def test_one_channel(tmp_path: Path) -> None:
    """A model of grey images is given one."""
    row = [[30.0, 27.0, 38.0, 33.0, 0.9, 1.0]]
    manifest, (found,) = of_ultralytics(tmp_path, {"output0": table(row)}, channels=1, image=IMAGE[..., 0])
    assert (manifest.input.channels, found.label) == (1, "instrument")


@pytest.mark.parametrize("nothing", [True, False])
def test_queries(tmp_path: Path, nothing: bool) -> None:
    """Of DETR by a softmax with the class of nothing; without it by a sigmoid, where two labels may be told."""
    logits = np.full((1, 3, 3 if nothing else 2), -8.0, np.float32)
    logits[0, 0, 1] = logits[0, 1, -1] = 4.0
    if not nothing:
        logits[0, 1] = [1.0, 4.0]
    boxes = np.zeros((1, 3, 4), np.float32)
    boxes[0] = np.array(INSIDE, np.float32) / 64
    folder = exports.hugging_face(
        tmp_path / "given",
        exports.constants({"logits": logits, "pred_boxes": boxes}, takes="pixel_values"),
        {"size": {"shortest_edge": 64, "longest_edge": 100}},
        architectures=["DetrForObjectDetection"],
        id2label={"0": "polyp", "1": "instrument"},
    )
    manifest, found = found_of(folder, tmp_path, Told("detr", "endoscopy"))
    assert any("kept their shape" in limit for limit in manifest.limits)
    assert {place(one) for one in found} == {PLACE}
    assert sorted(one.label for one in found) == (["instrument"] if nothing else ["instrument", "instrument", "polyp"])
    best = max(one.component.score or 0.0 for one in found)
    assert best == pytest.approx(1.0 if nothing else 1 / (1 + np.exp(-4)), abs=1e-3)


def test_an_encoder(tmp_path: Path) -> None:
    """Tokens without labels become a vector of the image."""
    tokens = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    folder = exports.hugging_face(
        tmp_path / "given",
        exports.constants({"last_hidden_state": tokens}, takes="pixel_values"),
        {"size": {"height": 64, "width": 64}},
        architectures=["Dinov2Model"],
        id2label={"0": "LABEL_0"},
    )
    written = import_expert(folder, tmp_path, Told("dino", "X-ray"))
    assert [one for one in check(written) if not one.kept] == []
    expert = Expert.load(written)
    assert isinstance(expert.manifest.decoding, Embedder)
    (vector,) = look(expert, Sight(IMAGE)).embeddings
    assert vector.values == pytest.approx(np.array([0, 1, 2, 3]) / np.sqrt(14), abs=1e-4)
