"""A segmenter of several MR sequences whose right answer is known, and a head of four that it is given."""

import hashlib
import json
from pathlib import Path

import nibabel as nib
import numpy as np

from tests.models.experts.onnx_bytes import model, node, tensor, value

TAKES = ("T1ce", "T1", "T2", "FLAIR")
SPACING = (1.0, 1.0, 3.0)
SIDE, SLICES = 48, 7
MANIFEST = """
name = "glioma"
version = "1.0.0"
title = "Bright in FLAIR, and brighter in T1 with an agent than without"
licence = "CC0-1.0"
made = "by hand"
source = "a test"
modalities = ["MR"]
organs = ["brain"]
limits = []
sha256 = "{sha256}"

[input]
name = "image"
units = []
channels = {channels}
polarity = "value"
shortest_side = 16
longest_side = 512
size = {{ policy = "keep" }}
normalisation = {{ kind = "window", low = 0.0, high = 1000.0 }}

[input.volume]
axes = "LPS"
patch = [32, 32, 8]

[decoding]
kind = "volume"
output = "logits"
activation = "sigmoid"

[[labels]]
index = 0
name = "whole tumour"

[[labels]]
index = 1
name = "enhancing tumour"
"""


def glioma() -> bytes:
    """(1, 4, d, h, w) to logits of FLAIR above a half, and of T1ce above T1 by a fifth."""
    weights = np.zeros((2, 4, 1, 1, 1), np.float32)
    weights[0, 3], weights[1, 0], weights[1, 1] = 80, 80, -80
    return model(
        [node("Conv", ["image", "weights", "bias"], ["logits"])],
        [tensor("weights", weights), tensor("bias", np.array([-40, -16], np.float32))],
        [value("image", (1, 4, "d", "h", "w"))],
        [value("logits", (1, 2, "d", "h", "w"))],
    )


def write(folder: Path, channels: tuple[str, ...] = TAKES) -> Path:
    """The expert's files. Returns its manifest."""
    folder.mkdir(exist_ok=True)
    data = glioma()
    (folder / "glioma.onnx").write_bytes(data)
    manifest = folder / "glioma.toml"
    manifest.write_text(MANIFEST.format(sha256=hashlib.sha256(data).hexdigest(), channels=json.dumps(channels)))
    return manifest


def head(*names: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Sequences of a head in order (side, side, slices, channels), and what is of each label in it.

    Voxels run to the left, the back and the head; the tumour lies in the left, and its core lights up in T1ce.
    """
    x, y, z = np.mgrid[:SIDE, :SIDE, :SLICES]
    brain = (x - 24) ** 2 + (y - 24) ** 2 < 21**2
    tumour = (x - 32) ** 2 + (y - 20) ** 2 + (3 * (z - 3)) ** 2 < 9**2
    core = (x - 33) ** 2 + (y - 20) ** 2 + (3 * (z - 3)) ** 2 < 4**2
    values = {
        "FLAIR": 300 * brain + 500 * tumour,
        "T1": 400 * brain - 100 * tumour,
        "T1ce": 400 * brain - 100 * tumour + 600 * core,
        "T2": 350 * brain + 350 * tumour,
    }
    cube = np.stack([values[name] for name in names], axis=-1).astype(np.int16)
    return cube, {"whole tumour": tumour, "enhancing tumour": core}


def put(path: Path, cube: np.ndarray, sidecar: dict[str, object]) -> Path:
    """A NIfTI file of these voxels and the sidecar beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([-SPACING[0], -SPACING[1], SPACING[2], 1.0])
    image = nib.Nifti1Image(cube, affine, dtype=np.int16)
    image.header.set_xyzt_units("mm")
    path.write_bytes(image.to_bytes())
    path.with_name(f"{path.name}.json").write_text(json.dumps({"modality": "MR", "organ": "brain", **sidecar}))
    return path
