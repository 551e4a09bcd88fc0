"""A trained network as files that the registry takes: the graph, its manifest and its card. Knows no training."""

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch

from models.experts.manifest import InputContract, Manifest, Output
from models.experts.toml_text import toml
from models.experts.training.prepare import Prepared
from models.experts.training.settings import Settings, Subject
from models.experts.training.unet import Expert
from models.onnx_files import exported
from schemas.failures import TristreamError

TOLERANCE = 1e-4
"""Largest difference of a probability between torch and the exported graph."""
THRESHOLD = 0.5


class UnlikeTorch(TristreamError):
    """The exported graph computes something else than the network that was trained."""

    def __init__(self, difference: float) -> None:
        super().__init__(
            f"the exported graph differs from torch by {difference:.2g}, more than {TOLERANCE:g}: nothing was written; "
            "the checkpoint is kept, so that another version of torch or onnxscript can export it with --resume"
        )


def graph(expert: Expert, channels: int, classes: int, name: str) -> bytes:
    """The ONNX file: batch, rows and columns may be any, from 16 px."""
    axes = {
        0: torch.export.Dim("n", min=1),
        2: torch.export.Dim("rows", min=16),
        3: torch.export.Dim("columns", min=16),
    }
    return exported(
        expert,
        (torch.rand(2, channels, 72, 104),),
        takes=["image"],
        gives=[output_name(at) for at in range(classes)],
        axes=(axes,),
        name=name,
    )


def output_name(at: int) -> str:
    """Of the map of the label at `at`."""
    return f"probability_{at + 1}"


def difference(data: bytes, expert: Expert, images: list[np.ndarray]) -> float:
    """The largest between what ONNX Runtime and torch give for `images`, (n, channels, rows, columns)."""
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    largest = 0.0
    for image in images:
        with torch.no_grad():
            wanted = expert(torch.from_numpy(image))
        for one, other in zip(session.run(None, {"image": image}), wanted, strict=True):
            largest = max(largest, float(np.abs(one - other.numpy()).max()))
    return largest


def samples(data: Prepared) -> list[np.ndarray]:
    """Noise about the values that the network was made for, at odd sizes and in batches."""
    random = np.random.default_rng(0)
    how, channels = data.normalisation, data.images.shape[1]
    low, high = {"window": (how.low, how.high), "full range": (0.0, 255.0), "z-score": (0.0, 1000.0)}[how.kind]
    shapes = ((1, 64, 64), (3, 97, 131), (2, 16, 200))
    return [random.uniform(low, high, (n, channels, rows, columns)).astype(np.float32) for n, rows, columns in shapes]


def checked(expert: Expert, data: Prepared, name: str) -> tuple[bytes, float]:
    """The graph, and by how much it differs from torch. Raises UnlikeTorch."""
    made = graph(expert, data.images.shape[1], len(data.labels), name)
    apart = difference(made, expert, samples(data))
    if not apart <= TOLERANCE:
        raise UnlikeTorch(apart)
    return made, apart


def smallest(areas: tuple[int, ...]) -> int:
    """Least area of a region, px: half of what nearly all marked parts have. What is smaller was never shown."""
    return max(1, round(0.5 * float(np.percentile(areas, 5))))


def manifest(data: Prepared, graph: bytes, name: str, subject: Subject, settings: Settings, made: str) -> Manifest:
    """What the registry reads."""
    sha256 = hashlib.sha256(graph).hexdigest()
    return Manifest(
        name=name,
        version=subject.version or f"1.0.0+{sha256[:8]}",
        title=f"Trained U-Net: {', '.join(data.labels)}",
        licence=subject.licence,
        made=made,
        source=subject.source,
        modalities=(data.modality,),
        organs=(data.organ,) if data.organ else (),
        limits=limits(data, settings),
        sha256=sha256,
        input=InputContract(
            # Where the graph brings values to the image's own scale, their unit has no part in it.
            units=(data.unit,) if data.normalisation.kind == "window" else (),
            channels=3 if data.images.shape[1] == 3 else 1,
            polarity="displayed" if data.normalisation.kind == "z-score" else "value",
            shortest_side=16,
            longest_side=settings.side,
        ),
        outputs=tuple(
            Output(
                name=output_name(at),
                label=label,
                rule=f"a trained network gives {label} a probability of at least {THRESHOLD:g}",
                score="mean probability over the region, as the network gives it; not calibrated",
                threshold=THRESHOLD,
                min_area_px=smallest(data.areas[label]),
                min_area_fraction=0.0,
                max_regions=min(50, max(5, 2 * data.most[label])),
                contrast="any",
            )
            for at, label in enumerate(data.labels)
        ),
    )


def limits(data: Prepared, settings: Settings) -> tuple[str, ...]:
    """What is known not to be known of every network trained here."""
    return (
        f"It learnt from {len(data.sizes)} images: how it does on other scanners, protocols and diseases is not known.",
        "A probability is not calibrated, and a region is a candidate, never a diagnosis.",
        f"Size matters: it was trained at no more than {settings.side} px on the longest side.",
    )


def write(out: Path, graph: bytes, manifest: Manifest, card: str) -> None:
    """The three files, the manifest last: without it the registry sees nothing."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(graph)
    out.with_suffix(".md").write_text(card, encoding="utf-8")
    out.with_suffix(".toml").write_text(toml(manifest), encoding="utf-8")
