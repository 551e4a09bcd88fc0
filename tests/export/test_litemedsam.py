"""LiteMedSAM's manifest is one that the ground stage takes, and its decoder's wrapper asks for one box."""

from types import SimpleNamespace

import torch

from models.experts.decodings import Promptable
from models.experts.export.litemedsam import Decoder, manifest
from models.experts.manifest import parse
from models.experts.packaged import packaged


def test_manifest_is_valid() -> None:
    """It names both graphs by their digests; it is prompted by what the source marks, and by experts that there are."""
    told = parse(manifest(b"encoder", b"decoder"))
    decoding = told.decoding
    assert isinstance(decoding, Promptable)
    source, *experts = decoding.prompted_by
    assert source == "source"
    assert set(experts) == set(decoding.widened) <= packaged()
    assert told.beside == {"litemedsam-decoder.onnx": decoding.decoder_sha256}
    assert told.sha256 != decoding.decoder_sha256


def test_decoder_gives_the_box_to_the_prompt_encoder() -> None:
    """Two corners become one box (1, 1, 4), and one mask is asked for."""
    asked = {}

    class Prompts(torch.nn.Module):
        def get_dense_pe(self) -> torch.Tensor:
            return torch.zeros(1, 2, 4, 4)

        def forward(self, points, boxes, masks):
            asked["boxes"] = boxes
            return boxes, torch.zeros(1, 2, 4, 4)

    class Masks(torch.nn.Module):
        def forward(self, **given):
            asked.update(given)
            return given["image_embeddings"], torch.ones(1, 1)

    network = SimpleNamespace(prompt_encoder=Prompts(), mask_decoder=Masks())
    corners = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    Decoder(network)(torch.zeros(1, 2, 4, 4), corners)
    assert asked["boxes"].tolist() == [[[1.0, 2.0, 3.0, 4.0]]]
    assert asked["multimask_output"] is False
