"""Manifests: what is read, and what is refused."""

import shutil
from pathlib import Path

import pytest

from models.experts import manifest
from models.experts.manifest import BrokenExpert
from models.experts.packaged import LIBRARY
from models.experts.registry import Registry
from schemas.images import ImageMetadata

GRAPHS = Path(__file__).parent / "graphs"
NAMES = sorted(path.stem for path in LIBRARY.glob("*.toml"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for end in ("toml", "onnx"):
        shutil.copy(LIBRARY / f"ct-density.{end}", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_packaged(name: str) -> None:
    """Every packaged manifest is valid, fits its graph, has a card, and claims no diagnosis."""
    read, _ = manifest.read(LIBRARY / f"{name}.toml")
    card = (LIBRARY / f"{name}.md").read_text(encoding="utf-8").lower()
    assert read.name == name
    assert all(output.label.lower() in card for output in read.outputs)
    words = " ".join(f"{output.label} {output.rule}" for output in read.outputs).lower()
    assert not any(word in words for word in ("lesion", "tumour", "tumor", "fracture", "disease", "malignan"))


def test_graph_of_another_manifest(folder: Path) -> None:
    """A graph that differs by one byte from the one the manifest was written for is refused."""
    graph = folder / "ct-density.onnx"
    graph.write_bytes(graph.read_bytes() + b"\0")
    with pytest.raises(BrokenExpert, match="make experts"):
        Registry.load(folder)


def test_missing_graph(folder: Path) -> None:
    """A manifest without its graph is refused."""
    (folder / "ct-density.onnx").unlink()
    with pytest.raises(BrokenExpert):
        Registry.load(folder)


def test_misspelt_field(folder: Path) -> None:
    """A field that no manifest has is refused, so that a misspelt threshold cannot go unseen."""
    path = folder / "ct-density.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("min_area_px", "minimum_area_px"), encoding="utf-8")
    with pytest.raises(BrokenExpert):
        manifest.read(path)


def test_no_experts(tmp_path: Path) -> None:
    """An empty library is a broken installation, not a reason to call every image a whole image."""
    with pytest.raises(BrokenExpert):
        Registry.load(tmp_path)


def test_views() -> None:
    """An expert made for a view or plane takes images of that view, and those that tell none."""
    chest, _ = manifest.read(LIBRARY / "xray-chest.toml")
    image = ImageMetadata(source_format="DICOM", modality="X-ray", organ="chest")
    assert chest.fits(image, "stored value", (64, 64))
    assert chest.fits(image.model_copy(update={"view": "PA"}), "stored value", (64, 64))
    assert not chest.fits(image.model_copy(update={"view": "LL"}), "stored value", (64, 64))
    brain, _ = manifest.read(LIBRARY / "mr-brain.toml")
    slice_ = ImageMetadata(source_format="DICOM", modality="MR", organ="brain", plane="sagittal")
    assert not brain.fits(slice_, "stored value", (64, 64))


def test_fits() -> None:
    """An expert looks only at its modality, unit, channels and sizes."""
    ct, _ = manifest.read(LIBRARY / "ct-density.toml")
    stain, _ = manifest.read(LIBRARY / "stain-separation.toml")
    image = ImageMetadata(source_format="DICOM", modality="CT")
    slide = ImageMetadata(source_format="PNG", modality="histopathology")
    assert ct.fits(image, "HU", (64, 64))
    assert not ct.fits(image, "stored value", (64, 64))
    assert not ct.fits(image, "HU", (64, 16))
    assert not ct.fits(slide, "HU", (64, 64))
    assert stain.fits(slide, "grey level", (64, 64, 3))
    assert not stain.fits(slide, "grey level", (64, 64))


def test_a_sigmoid_of_one_channel_needs_no_background() -> None:
    """The usual U-Net of one channel is told without a word of a background that it does not have."""
    text = (GRAPHS / "slices.toml").read_text(encoding="utf-8").replace("background = []\n", "")
    one = text[: text.rindex("[[labels]]")]
    decoding = manifest.parse(one).decoding
    assert getattr(decoding, "background", None) == ()
    with pytest.raises(ValueError, match="and for the background"):
        manifest.parse(one.replace('"sigmoid"', '"softmax"'))
