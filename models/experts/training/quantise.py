"""An expert's graph in 8-bit integers: calibrated on some images, held against its own graph on others. Knows no torch.

Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference", CVPR 2018,
as ONNX Runtime does it.
"""

import hashlib
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from models.experts.adapters import look
from models.experts.datasets import BadDataset, Dataset, Example, split
from models.experts.manifest import Manifest
from models.experts.running import Expert, Sight
from models.experts.slices import Slice, shown
from models.experts.toml_text import toml
from models.experts.training.card import figure
from models.experts.training.package import write
from models.experts.training.run import UnfitName
from schemas.failures import TristreamError

OPERATORS = ["Concat", "Conv", "ConvTranspose", "Gemm", "MatMul", "MaxPool", "Relu", "Resize"]
"""What is computed in 8 bits. Normalisation of the image and what makes probabilities of the outputs stay as they are:
8 bits for all HU from air to metal would be 16 HU each."""

BinaryImage = npt.NDArray[np.uint8]


class NotQuantised(TristreamError):
    """An expert of two graphs, or of several inputs."""

    def __init__(self) -> None:
        super().__init__("experts of two graphs (promptable ones) or of several inputs are not quantised")


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of one label: how alike both graphs' regions are, and each with what is marked; NaN where there is none of it.

    Means over the images held out in which any of the two was.
    """

    label: str
    iou: float
    images: int
    dice: float
    dice_int8: float


def quantise(
    manifest: Path, dataset: Dataset, out: Path, *, images: int = 64, seed: int = 0
) -> tuple[Manifest, tuple[Agreement, ...]]:
    """Write `out` (NAME.onnx) with its manifest and card, and tell how far it agrees with the graph of `manifest`.

    Args:
        manifest: of the expert.
        dataset: images as the expert takes them, at least three patients or objects. By `seed` some are calibrated on
            and some are held out, as `train_expert` does it: an expert's own data and seed give the same parts.
        out: NAME becomes the name of the new expert.
        images: for calibration, at most.
        seed: of the split.

    Raises:
        BadDataset, BrokenExpert, NotQuantised, UnfitName: nothing is written.
    """
    if out.suffix != ".onnx" or not re.fullmatch(r"[a-z0-9-]+", out.stem):
        raise UnfitName
    expert = Expert.load(manifest)
    if expert.decoder is not None or expert.manifest.input.others:
        raise NotQuantised
    groups, given = zip(*((example.group, example.split) for example in dataset.read()), strict=True)
    parts = split(groups, seed, given=given)
    with tempfile.TemporaryDirectory() as folder:
        ready, made = Path(folder, "ready.onnx"), Path(folder, out.name)
        quant_pre_process(str(manifest.with_suffix(".onnx")), str(ready), skip_symbolic_shape=True)
        quantize_static(
            str(ready),
            str(made),
            _Feed(expert, _of(dataset, parts.training[:images])),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=OPERATORS,
        )
        graph = made.read_bytes()
        sha256 = hashlib.sha256(graph).hexdigest()
        told, mark = expert.manifest, "." if "+" in expert.manifest.version else "+"
        count = len(parts.training[:images])
        changed = {
            "name": out.stem,
            "version": f"{told.version}{mark}int8.{sha256[:8]}",
            "title": f"{told.title} (int8)",
            "made": f"{told.made} Quantised by `tristream experts quantise`, calibrated on {count} images.",
            "sha256": sha256,
        }
        new = told.model_copy(update=changed)
        made.with_suffix(".toml").write_text(toml(new), encoding="utf-8")
        found = _agreements(expert, Expert.load(made.with_suffix(".toml")), _of(dataset, parts.held_out))
    card = manifest.with_suffix(".md")
    write(out, graph, new, _card(new, card.read_text(encoding="utf-8") if card.is_file() else "", found))
    return new, found


class _Feed(CalibrationDataReader):
    """What the graph is given of each image."""

    def __init__(self, expert: Expert, examples: Iterator[Example]) -> None:
        name = expert.manifest.input.name
        batches = (expert.prepare(_sight(expert, one)).batch for one in examples)
        self._feeds = ({name: expert.given(batch[n : n + 1])} for batch in batches for n in range(len(batch)))

    def get_next(self) -> dict[str, npt.NDArray[Any]] | None:
        return next(self._feeds, None)


def _of(dataset: Dataset, indices: tuple[int, ...]) -> Iterator[Example]:
    wanted = set(indices)
    return (example for at, example in enumerate(dataset.read()) if at in wanted)


def _sight(expert: Expert, example: Example) -> Sight:
    contract = expert.manifest.input
    if contract.units and example.unit not in contract.units:
        raise BadDataset(f"{example.name}: is in {example.unit}, the expert takes {' or '.join(contract.units)}")
    if contract.channels == 3 and example.values.ndim == 2 and not contract.grey_as_colour:
        raise BadDataset(f"{example.name}: is grey, the expert takes colour")
    image, _ = shown(expert, {0: Slice.of(example.values, None)})
    return Sight(image, example.inverted and contract.polarity == "displayed")


def _agreements(expert: Expert, other: Expert, examples: Iterator[Example]) -> tuple[Agreement, ...]:
    labels = [one.label for one in expert.manifest.outputs] or [one.name for one in expert.manifest.labels]
    iou: dict[str, list[float]] = {label: [] for label in labels}
    dice: dict[str, list[tuple[float, float]]] = {label: [] for label in labels}
    for example in examples:
        before, after = (_masks(one, labels, example) for one in (expert, other))
        for label in labels:
            first, second = before[label], after[label]
            if (first | second).any():
                iou[label].append(float((first & second).sum() / (first | second).sum()))
            truth = example.masks.get(label)
            if truth is not None and truth.any():
                found = (float(2 * (one & truth).sum() / (one.sum() + truth.sum())) for one in (first, second))
                dice[label].append((next(found), next(found)))
    none = float("nan")
    means = {label: np.mean(dice[label], axis=0) if dice[label] else (none, none) for label in labels}
    return tuple(
        Agreement(
            label,
            float(np.mean(iou[label])) if iou[label] else none,
            len(iou[label]),
            float(means[label][0]),
            float(means[label][1]),
        )
        for label in labels
    )


def _masks(expert: Expert, labels: list[str], example: Example) -> dict[str, BinaryImage]:
    """All regions of a label as one mask of the image's size."""
    found = {label: np.zeros(example.values.shape[:2], np.uint8) for label in labels}
    for one in look(expert, _sight(expert, example)).candidates:
        part = one.component
        height, width = part.crop.shape
        found[one.label][part.y : part.y + height, part.x : part.x + width] |= part.crop
    return found


def _card(manifest: Manifest, before: str, found: tuple[Agreement, ...]) -> str:
    rows = [
        f"| {one.label} | {figure(one.iou)} | {one.images} | {figure(one.dice)} | {figure(one.dice_int8)} |"
        for one in found
    ]
    lines = [
        f"# {manifest.name} {manifest.version}: {manifest.title}",
        "",
        manifest.made,
        "",
        "## In 8 bits",
        "",
        "Regions of this graph against those of the one it was made from, on images held out; Dice against the marks.",
        "",
        "| label | IoU of both | images | Dice before | Dice in 8 bits |",
        "| --- | --- | --- | --- | --- |",
        *rows,
    ]
    _, _, rest = before.partition("\n")
    return "\n".join(lines) + "\n" + (f"\n## As it was before\n{rest}" if rest else "")
