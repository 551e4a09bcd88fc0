"""Graphs that take more than the image: where its pixels lie, how large they are, numbers that never change."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.experts.adapters import look
from models.experts.checking import check
from models.experts.manifest import Manifest, parse
from models.experts.running import RUN_ERRORS, Expert, Sight
from models.experts.toml_text import tables, toml
from schemas.experts import ExpertRuntime
from schemas.images import ImageMetadata, Spacing
from tests.models.experts import onnx_bytes

WHERE = {"name": "where", "holds": "coordinates"}
SIZES = {"name": "sizes", "holds": "size"}


def write(folder: Path, *others: dict[str, Any], graph: bytes | None = None, **size: Any) -> Path:
    """An expert of what is bright on the right of the image."""
    data = graph or onnx_bytes.placed()
    (folder / "right.onnx").write_bytes(data)
    given = {
        "units": [], "channels": 1, "polarity": "value", "shortest_side": 16, "longest_side": 512,
        "size": size or {"policy": "keep"}, "normalisation": {"kind": "full range"},
        "others": list(others or (WHERE, SIZES)),
    }  # fmt: skip
    table = {
        "name": "right", "version": "1.0.0", "title": "x", "licence": "CC0-1.0", "made": "x", "source": "x",
        "modalities": ["X-ray"], "organs": [], "limits": [], "sha256": hashlib.sha256(data).hexdigest(),
        "input": given, "decoding": {"kind": "semantic", "activation": "sigmoid"},
        "labels": [{"index": 0, "name": "bright on the right"}],
    }  # fmt: skip
    manifest = folder / "right.toml"
    manifest.write_text(tables(table))
    return manifest


def bright() -> np.ndarray:
    """Two squares, of which one lies on the right."""
    image = np.zeros((64, 96), np.float32)
    image[20:30, 10:20] = image[20:30, 70:80] = 255.0
    return image


@pytest.mark.parametrize(
    "size", [{}, {"policy": "tiles", "height": 32, "width": 32}, {"policy": "stretch", "height": 64, "width": 48}]
)
def test_coordinates_are_those_of_the_image(tmp_path: Path, size: dict[str, Any]) -> None:
    """Of each pixel in the whole image, however it was cut or scaled: what is bright on the left is not told."""
    (found,) = look(Expert.load(write(tmp_path, **size)), Sight(bright())).candidates
    part = found.component
    assert (part.x, part.y, part.crop.shape) == (70, 20, (10, 10))


@pytest.mark.parametrize(("dtype", "rank"), [("float32", 2), ("int64", 2), ("int64", 1)])
def test_numbers_in_the_graph_s_own_type_and_rank(tmp_path: Path, dtype: str, rank: int) -> None:
    """The size of the image, the spacing of what the graph is given, or what the manifest says."""
    graph = onnx_bytes.placed(dtype, rank)
    for other, told in (
        (SIZES, (64, 96)),
        ({"name": "sizes", "holds": "spacing"}, (2, 6)),
        ({"name": "sizes", "holds": "numbers", "values": [3, 7]}, (3, 7)),
    ):
        expert = Expert.load(write(tmp_path, WHERE, other, graph=graph, policy="stretch", height=64, width=48))
        prepared = expert.prepare(Sight(bright(), spacing=(2.0, 3.0)))
        (echo,) = expert.run(prepared.batch, ["echo"], prepared.others)
        assert echo.reshape(-1).tolist() == list(told)


def test_a_spacing_that_is_not_known(tmp_path: Path) -> None:
    """Such an image is not taken, and would be a failure."""
    path = write(tmp_path, WHERE, {"name": "sizes", "holds": "spacing"})
    manifest, plain = parse(path.read_text()), ImageMetadata(source_format="PNG", modality="X-ray")
    assert not manifest.fits(plain, "grey level", (64, 96))
    known = plain.model_copy(update={"spacing": Spacing(row_mm=1.0, column_mm=1.0, source="PixelSpacing")})
    assert manifest.fits(known, "grey level", (64, 96))
    with pytest.raises(RUN_ERRORS):
        look(Expert.load(path), Sight(bright()))


def test_check(tmp_path: Path) -> None:
    """All of the graph's inputs must be told, and no other; it is run with them."""
    promises = list(check(write(tmp_path)))
    assert [one for one in promises if not one.kept] == []
    assert "its inputs are those of the manifest" in [one.what for one in promises]
    for others in ((WHERE,), (WHERE, SIZES, {"name": "age", "holds": "numbers", "values": [40]})):
        (broken,) = (one for one in check(write(tmp_path, *others)) if not one.kept)
        assert (broken.what, broken.seen) == ("its inputs are those of the manifest", "image, where, sizes")


def test_images_of_several_messages_are_not_put_together(tmp_path: Path) -> None:
    """What belongs to one of them would be given to all."""
    assert Expert.load(write(tmp_path), ExpertRuntime(batch=4)).batcher is None


def test_what_a_manifest_may_not_say(tmp_path: Path) -> None:
    """Values of what is not numbers, and inputs beside a volume; a written manifest is read as it was."""
    for others in ({**WHERE, "values": [1]}, {"name": "sizes", "holds": "numbers"}):
        with pytest.raises(ValueError, match="values belong to 'numbers'"):
            parse(write(tmp_path, others).read_text())
    manifest = parse(write(tmp_path).read_text())
    assert parse(toml(manifest)) == manifest
    table = manifest.model_dump()
    table["decoding"] = {
        "kind": "promptable", "decoder": "x.onnx", "decoder_sha256": "0" * 64, "prompts": "grid",
    }  # fmt: skip
    with pytest.raises(ValueError, match="cannot be given to 'promptable'"):
        Manifest.model_validate(table)
