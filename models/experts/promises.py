"""What a manifest promises of its graph's outputs, and whether they keep it. Knows no ONNX Runtime and no files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from models.experts.decodings import (
    Boxes,
    Classifier,
    Embedder,
    Flows,
    Heatmap,
    Hover,
    Instances,
    Semantic,
    Stardist,
    Volumetric,
)
from models.experts.inputs import Floats
from models.experts.manifest import Manifest
from models.experts.points import Contours, Landmarks

_NUMBERED = (Volumetric, Heatmap, Classifier, Landmarks, Contours, Semantic)
"""Decodings whose every channel is a label or background."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One thing that a manifest promises, whether it is kept, and what was seen; where it is broken, what to write."""

    what: str
    kept: bool
    seen: str
    remedy: str = ""

    def __str__(self) -> str:
        after = f". {self.remedy}" if self.remedy and not self.kept else ""
        return f"{'kept  ' if self.kept else 'BROKEN'}  {self.what}: {self.seen}{after}"


def wanted(manifest: Manifest) -> set[str]:
    """Names of the outputs that are read; of an expert that is asked with prompts none, for it gives all it has."""
    decoding = manifest.decoding
    if decoding is None:
        within = {manifest.foreground.output} if manifest.foreground else set[str]()
        return {output.name for output in manifest.outputs} | within
    if isinstance(decoding, Semantic | Volumetric | Classifier | Embedder | Flows | Contours):
        return {decoding.output}
    if isinstance(decoding, Landmarks):
        return {decoding.output, *([decoding.scores] if decoding.scores else [])}
    if isinstance(decoding, Boxes):
        return set(decoding.named)
    if isinstance(decoding, Instances):
        return {*decoding.named, decoding.masks}
    if isinstance(decoding, Heatmap):
        return {decoding.output, decoding.scores}
    if isinstance(decoding, Hover):
        return {decoding.nuclei, decoding.offsets, *([decoding.types] if decoding.types else [])}
    if isinstance(decoding, Stardist):
        return {decoding.probabilities, decoding.distances}
    return set()


def shapes(manifest: Manifest, outputs: Mapping[str, Floats], batch: Floats) -> Iterator[Promise]:
    """Whether the outputs for one tensor are finite, and of the shape and range that their decoding needs."""
    kept = True
    for one in _shapes(manifest, outputs, batch):
        kept &= one.kept
        yield one
    # As many as there are channels, and yet one beyond them: then another has no label.
    background = cast(tuple[int, ...], getattr(manifest.decoding, "background", ()))
    channels = len(manifest.labels) + len(background)
    beyond = [label for label in manifest.labels if label.index >= channels]
    numbered = isinstance(manifest.decoding, _NUMBERED) and not getattr(manifest.decoding, "numbers", False)
    if kept and beyond and numbered:
        yield Promise(
            f"its {channels} channels are numbered from 0", False, f"{beyond[0].name!r} has index {beyond[0].index}",
            "Channels that are no label stand in background of [decoding]",
        )  # fmt: skip


def _shapes(manifest: Manifest, outputs: Mapping[str, Floats], batch: Floats) -> Iterator[Promise]:
    decoding, labels = manifest.decoding, len(manifest.labels)
    for name, one in outputs.items():
        yield Promise(
            f"{name} is finite", bool(np.isfinite(one).all()), f"{one.min(initial=0):.4g} … {one.max(initial=0):.4g}"
        )
    classes = labels + len(cast(tuple[int, ...], getattr(decoding, "background", ())))
    if decoding is None:
        for output in manifest.outputs:
            one = outputs[output.name]
            yield Promise(
                f"{output.name} is a map of the input's size", one.shape == (1, 1, *batch.shape[2:]), str(one.shape)
            )
            yield _within(output.name, one)
    elif isinstance(decoding, Semantic) and decoding.numbers:
        one = outputs[decoding.output]
        yield Promise(
            f"{decoding.output} is the number of each px's class",
            one.ndim == 3 or (one.ndim == 4 and one.shape[1] == 1),
            str(one.shape),
            "Scores of each class, (1, classes, rows, columns), are read without numbers = true",
        )
    elif isinstance(decoding, Semantic):
        told = _channels(decoding.output, outputs, 4, classes)
        yield told
        if told.kept:
            yield _same_shape(decoding.output, outputs[decoding.output], batch, manifest.input.size.margin)
        if decoding.activation == "none":
            yield _within(decoding.output, outputs[decoding.output])
    elif isinstance(decoding, Volumetric):
        yield _channels(decoding.output, outputs, 5, classes)
        if decoding.activation == "none":
            yield _within(decoding.output, outputs[decoding.output])
    elif isinstance(decoding, Heatmap):
        yield _channels(decoding.scores, outputs, 2, classes)
        maps = outputs[decoding.output]
        yield Promise(
            f"{decoding.output} has a map of each class, or one",
            maps.ndim == 4 and maps.shape[1] in (1, classes),
            str(maps.shape),
        )
        if decoding.activation == "none":
            yield _within(decoding.scores, outputs[decoding.scores])
    elif isinstance(decoding, Classifier):
        one = outputs[decoding.output]
        told = one.ndim >= 2 and one.shape[1] == one.size == classes
        yield Promise(
            f"{decoding.output} tells of {classes} classes, labels and background", told, str(one.shape),
            "Each score is the index of one of [[labels]], or stands in background of [decoding]",
        )  # fmt: skip
        if decoding.activation == "none":
            yield _within(decoding.output, one)
    elif isinstance(decoding, Landmarks) and decoding.layout == "heatmaps":
        yield _channels(decoding.output, outputs, 4, labels)
    elif isinstance(decoding, Landmarks):
        one = outputs[decoding.output]
        yield Promise(f"{decoding.output} is x and y of {labels} points", one.size == 2 * labels, str(one.shape))
        if decoding.scores:
            yield _within(decoding.scores, outputs[decoding.scores])
    elif isinstance(decoding, Contours):
        told, outlines = outputs[decoding.output].size, len(decoding.points)
        yield Promise(
            f"{decoding.output} is x and y of {sum(decoding.points)} points", told == 2 * sum(decoding.points),
            str(outputs[decoding.output].shape), f"Write how many points each of the {outlines} outlines has as points",
        )  # fmt: skip
        yield Promise(
            f"each of {outlines} outlines is a label or background", classes == outlines, f"{classes} are told of",
            "Each outline's number, from 0, is the index of one of [[labels]], or stands in background of [decoding]",
        )  # fmt: skip
    elif isinstance(decoding, Embedder):
        one = outputs[decoding.output]
        ranks, what = {
            "none": ((1, 2, 3, 4), "one vector"),
            "mean": ((3, 4), "tokens or a map of features"),
            "first": ((3,), "tokens"),
        }[decoding.pooling]
        alone = decoding.pooling != "none" or (one.ndim >= 2 and one.shape[1] == one.size > 1)
        yield Promise(f"{decoding.output} is {what}", one.ndim in ranks and alone, str(one.shape))
    elif isinstance(decoding, Boxes | Instances):
        yield from _detected(decoding, outputs, classes)
    elif isinstance(decoding, Hover):
        yield _channels(decoding.offsets, outputs, 4, 2)
        nuclei = 2 if decoding.activation == "softmax" else 1
        yield _channels(decoding.nuclei, outputs, 4, nuclei)
        if decoding.types:
            yield _channels(decoding.types, outputs, 4, classes)
        margin = manifest.input.size.margin
        expected = tuple(side - 2 * margin for side in batch.shape[2:])
        yield Promise(
            f"maps leave out the margin of {margin} px",
            outputs[decoding.nuclei].shape[2:] == expected,
            str(outputs[decoding.nuclei].shape),
        )
    elif isinstance(decoding, Flows):
        yield _channels(decoding.output, outputs, 4, 3)
    elif isinstance(decoding, Stardist):
        yield _channels(decoding.probabilities, outputs, 4, 1)
        yield _within(decoding.probabilities, outputs[decoding.probabilities])
        expected = tuple(-(-side // decoding.grid) for side in batch.shape[2:])
        shape = outputs[decoding.distances].shape
        yield Promise(
            f"distances are told every {decoding.grid} px", shape[2:] == expected and shape[1] >= 3, str(shape)
        )


def _detected(decoding: Boxes | Instances, outputs: Mapping[str, Floats], classes: int) -> Iterator[Promise]:
    first = outputs[decoding.named[0]]
    if decoding.layout == "torchvision":
        numbers, scores = outputs[decoding.labels], outputs[decoding.scores]
        yield Promise("boxes, labels and scores belong together", first.size == 4 * numbers.size == 4 * scores.size,
                      f"{first.shape}, {numbers.shape}, {scores.shape}")  # fmt: skip
        yield _within(decoding.scores, scores)
    elif decoding.layout == "queries":
        scores = outputs[decoding.scores]
        yield Promise(
            f"{decoding.scores} tells of {classes} classes, labels and background",
            first.ndim == scores.ndim == 3 and first.shape[1:] == (scores.shape[1], 4) and scores.shape[2] == classes,
            f"{first.shape}, {scores.shape}",
            "One more than there are labels is that of nothing: background = [its index], with softmax",
        )
        if decoding.activation == "none":
            yield _within(decoding.scores, scores)
    elif decoding.layout == "rows":
        yield Promise(
            f"{decoding.output} is rows of {6 + decoding.further} numbers: a box, score and class first",
            first.ndim == 3 and first.shape[2] == 6 + decoding.further,
            str(first.shape),
            'Numbers after these are told as further = …; what is not suppressed in the graph has layout = "yolo"',
        )
        if first.ndim == 3 and first.shape[2] > 4:
            yield _within(decoding.output, first[:, :, 4])
    else:
        start, axis = (4, 1) if decoding.layout == "yolo" else (5, 2)
        told = first.shape[axis] - start - decoding.further if first.ndim == 3 else -1
        suppressed = first.ndim == 3 and first.shape[2] < first.shape[1]
        remedy = (
            'A graph that suppresses by itself has layout = "rows"' if suppressed and axis == 1
            else f"What follows the classes is further = {max(0, told - classes)} in [decoding]"
        )  # fmt: skip
        yield Promise(
            f"{decoding.output} tells of {classes} classes, labels and background", told == classes, str(first.shape),
            remedy,
        )  # fmt: skip
        if told > 0:
            end = start + told
            yield _within(decoding.output, first[:, start:end] if axis == 1 else first[:, :, start:end])
    if isinstance(decoding, Instances):
        masks = outputs[decoding.masks]
        whole = masks.ndim == 4 and masks.shape[1] == decoding.further if decoding.further else masks.ndim in (3, 4)
        yield Promise(
            f"{decoding.masks} is {f'{decoding.further} masks' if decoding.further else 'a mask of each box'}",
            whole, str(masks.shape), "Masks that all boxes share are as many as further",
        )  # fmt: skip


def _channels(name: str, outputs: Mapping[str, Floats], rank: int, channels: int) -> Promise:
    shape = outputs[name].shape
    kept = len(shape) == rank and shape[1] == channels
    remedy = "Each channel is the index of one of [[labels]], or stands in background of [decoding]"
    if len(shape) == rank - 1:
        remedy = "The axis of channels was squeezed away: export it without, as (1, 1, …) where there is one"
    elif len(shape) == rank and shape[rank - 1] == channels:
        remedy = (
            'The channels are last: write layout = "NHWC" in [input] where the input has them so, or export both so'
        )
    return Promise(f"{name} has {channels} channels", kept, str(shape), remedy)


def _same_shape(name: str, maps: Floats, batch: Floats, margin: int) -> Promise:
    """Maps lie on their whole input: of its size, or of a whole part of it, rounded up or down."""
    (height, width), (rows, columns) = maps.shape[2:], (side - 2 * margin for side in batch.shape[2:])
    part = max(1, round(rows / height))
    lies = all(many in (side // part, -(-side // part)) for many, side in ((height, rows), (width, columns)))
    return Promise(
        f"{name} lies on the whole input", lies, f"{height} × {width} of {rows} × {columns} px",
        'What valid convolutions leave out along each edge is told as margin, of size = { policy = "tiles", … }',
    )  # fmt: skip


def _within(name: str, values: Floats) -> Promise:
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    return Promise(
        f"{name} lies within 0 and 1", low >= -1e-4 and high <= 1 + 1e-4, f"{low:.4g} … {high:.4g}",
        'What the graph gives before a sigmoid or softmax needs activation = "sigmoid" or "softmax" in [decoding]',
    )  # fmt: skip
