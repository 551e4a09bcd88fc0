"""The manifests in the docs: each block is one that is taken, alone or behind the lines that all begin with."""

import hashlib
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from models.experts.checking import check
from models.experts.manifest import Manifest
from models.experts.toml_text import toml
from tests.models.experts.onnx_bytes import model, node, tensor, value

DOCS = Path(__file__).parents[3] / "docs"
_BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DIGEST = '"' + "0" * 64 + '"'
FAMILIES = (
    "nnU-Net", "TotalSegmentator", "MONAI bundles", "SAM and MedSAM", "YOLO", "DETR", "torchvision", "HoVer-Net",
    "StarDist", "Cellpose", "Structures of chest films",
    "Points along outlines", "Networks asked in words", "LW-Net", "Classifiers",
)  # fmt: skip


def blocks(text: str) -> list[str]:
    """The blocks of TOML, in their order."""
    return [found[1] for found in _BLOCK.finditer(text)]


def manifest_of(text: str) -> Manifest:
    """Behind the common beginning where it has none, and in front of a classifier's input where it tells none."""
    whole = text if re.search(r"^name = ", text.split("[")[0], re.MULTILINE) else HEAD + text
    if "[input]" not in whole:
        whole += PICTURE
    return Manifest.model_validate(tomllib.loads(whole.replace('"…"', _DIGEST)))


PAGE = (DOCS / "expert-families.md").read_text(encoding="utf-8")
HEAD = blocks(PAGE)[0]
SECTIONS = {section.partition("\n")[0]: blocks(section) for section in PAGE.split("\n## ")[1:]}
(PICTURE,) = [one.split("[decoding]")[0] for one in SECTIONS["Classifiers"]]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family(family: str) -> None:
    """Its blocks are manifests, and the same when they are written anew; the table of models comes behind them all."""
    assert SECTIONS[family]
    for text in SECTIONS[family]:
        manifest = manifest_of(text)
        assert Manifest.model_validate(tomllib.loads(toml(manifest))) == manifest
    assert list(SECTIONS)[: len(FAMILIES)] == list(FAMILIES)


def test_examples_of_the_other_page() -> None:
    """Those of docs/own-experts.md too, whole or the parts that it tells of."""
    found = [manifest_of(text) for text in blocks((DOCS / "own-experts.md").read_text(encoding="utf-8"))]
    kinds = [one.decoding.kind for one in found if one.decoding]
    assert kinds == ["semantic", "classifier", "landmarks", "embedding", "volume", "volume"]


@pytest.mark.parametrize(
    ("family", "takes", "channels", "output", "sides"),
    [
        ("Cellpose", 1, 3, "output", ("r", "c")),
        ("Structures of chest films", 1, 14, "output", (512, 512)),
        ("LW-Net", 3, 1, "logits", (512, 512)),
    ],
)
def test_a_family_runs(
    tmp_path: Path, family: str, takes: int, channels: int, output: str, sides: tuple[str | int, ...]
) -> None:
    """An export of the family's shape keeps what its manifest promises; the other families have graphs elsewhere."""
    weights = np.linspace(-1, 1, channels * takes, dtype=np.float32).reshape(channels, takes, 1, 1)
    graph = model(
        [node("Conv", ["image", "weights"], [output], kernel_shape=[1, 1])],
        [tensor("weights", weights)],
        [value("image", ("n", takes, *sides))],
        [value(output, ("n", channels, *sides))],
    )
    (tmp_path / "mine.onnx").write_bytes(graph)
    manifest = manifest_of(SECTIONS[family][0])
    digest = hashlib.sha256(graph).hexdigest()
    taken = manifest.input.model_copy(update={"name": "image"})
    (tmp_path / "mine.toml").write_text(toml(manifest.model_copy(update={"sha256": digest, "input": taken})))
    promises = list(check(tmp_path / "mine.toml"))
    assert promises[-1].what == "its outputs can be read"
    assert not [str(one) for one in promises if not one.kept]
