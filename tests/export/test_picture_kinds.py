"""The expert of kinds of pictures: what is written agrees with what was fitted, and says what it is worth."""

import asyncio
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pybase64
import pytest
import torch
from torch import Tensor, nn

from models.experts.decodings import Classifier
from models.experts.export.picture_kinds import TAKES, Pictures, seen, write
from models.experts.inputs import prepare
from models.experts.manifest import parse
from models.experts.picture_kinds import LEAST_TOLD, fit
from models.imaging import encode_png
from tests.models.describers.drawn_images import composed, plain_image


class Colours(nn.Module):
    """Means of 16 x 16 squares: a small thing in the encoder's place."""

    def forward(self, image: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(image, 14).flatten(1)


@pytest.fixture(scope="module")
def found() -> Pictures:
    """Dark and light pictures from three sources, and one kind that a single source shows."""
    chance = np.random.default_rng(0)
    rows, kinds, sources = [], [], []
    for source in "abc":
        for kind, level in (("CT", 60.0), ("X-ray", 180.0), *((("PET", 250.0),) if source == "a" else ())):
            for _ in range(8):
                picture = np.clip(chance.normal(level, 20.0, (64, 48)), 0, 255).astype(np.float32)
                rows.append(Colours()(torch.from_numpy(prepare(picture, TAKES, None).batch)).numpy()[0])
                kinds.append(kind)
                sources.append(source)
    return Pictures(np.stack(rows), kinds, sources)


def test_the_expert_that_is_written(found: Pictures, tmp_path: Path) -> None:
    """Its manifest is one that the ground stage takes, for pictures of unknown modality; its graph gives the logits."""
    write(found, Colours(), tmp_path)
    graph = (tmp_path / "picture-kinds.onnx").read_bytes()
    told = parse((tmp_path / "picture-kinds.toml").read_text())
    assert told.modalities == ("unknown",)
    assert told.input == TAKES
    assert isinstance(told.decoding, Classifier)
    stated = {label.name: label.precision for label in told.labels}
    assert stated["the look of a PET image"] is None
    precision = stated["the look of a CT image"]
    assert precision is not None
    assert precision.images >= LEAST_TOLD
    picture = np.full((300, 400, 3), 70.0, np.float32)
    batch = prepare(picture, told.input, None).batch
    session = ort.InferenceSession(graph, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"image": batch})
    wanted = fit(found.features, found.kinds).logits(Colours()(torch.from_numpy(batch)).numpy())
    np.testing.assert_allclose(logits, wanted, atol=1e-3)
    assert [label.name for label in told.labels][int(np.argmax(logits))] == "the look of a CT image"


def test_features_are_of_the_pictures_of_known_kinds(tmp_path: Path) -> None:
    """As the encoder gives them in torch, each with its kind and its file; a picture of another kind is passed by."""
    triplet = asyncio.run(composed(plain_image(organ="liver")))
    shape, chance = (triplet.image.rows, triplet.image.columns), np.random.default_rng(1)
    pictures: list[np.ndarray] = []
    for file, kinds in (("a.jsonl", ("CT", "unknown", "MR")), ("b.jsonl", ("MR",))):
        lines = []
        for kind in kinds:
            pixels = chance.integers(0, 256, shape, np.uint8)
            data = pybase64.b64encode_as_string(encode_png(pixels))
            metadata = triplet.metadata.model_copy(update={"modality": kind})
            image = triplet.image.model_copy(update={"data": data})
            lines.append(triplet.model_copy(update={"metadata": metadata, "image": image}).model_dump_json())
            pictures += [pixels] if kind != "unknown" else []
        (tmp_path / file).write_text("\n".join(lines))
    told: list[tuple[str, int]] = []
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    found = seen(files, Colours(), lambda file, count: told.append((file.name, count)))
    wanted = [Colours()(torch.from_numpy(prepare(one.astype(np.float32), TAKES, None).batch)) for one in pictures]
    np.testing.assert_allclose(found.features, torch.cat(wanted).numpy(), atol=1e-4)
    assert found.kinds == ["CT", "MR", "MR"]
    assert [Path(one).name for one in found.sources] == ["a.jsonl", "a.jsonl", "b.jsonl"]
    assert told == [("a.jsonl", 2), ("b.jsonl", 1)]
