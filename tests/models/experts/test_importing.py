"""Exports of common families as experts: what their own files tell, and what is refused, and how."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.experts.adapters import look
from models.experts.checking import check
from models.experts.contracts import HounsfieldWindow, ZScore
from models.experts.decodings import Boxes, Classifier, Semantic, Volumetric
from models.experts.importing import CannotImport, Told, import_expert
from models.experts.manifest import Manifest, parse
from models.experts.running import Expert, Sight
from models.experts.volumes import Given
from tests.models.experts import exports, onnx_bytes

PICTURES = Told(modality="endoscopy")


def imported(path: Path, out: Path, told: Told = PICTURES) -> Manifest:
    """The manifest, all of whose promises are kept."""
    written = import_expert(path, out, told)
    assert [one for one in check(written) if not one.kept] == []
    return parse(written.read_text(encoding="utf-8"))


def test_ultralytics(tmp_path: Path) -> None:
    """Size, names and layout by the file's metadata; a box is found where the graph tells one."""
    manifest = imported(exports.ultralytics(tmp_path / "given"), tmp_path)
    assert (manifest.name, manifest.version, manifest.modalities) == ("best", "8.3.100", ("endoscopy",))
    assert manifest.licence.startswith("AGPL-3.0")
    assert isinstance(manifest.decoding, Boxes)
    assert (manifest.decoding.layout, manifest.decoding.output, manifest.input.name) == ("yolo", "output0", "images")
    assert (manifest.input.size.policy, manifest.input.size.anchor) == ("letterbox", "centre")
    assert [label.name for label in manifest.labels] == ["polyp", "instrument"]
    (found,) = look(Expert.load(tmp_path / "best.toml"), Sight(np.zeros((128, 128, 3), np.float32))).candidates
    assert (found.label, found.component.x, found.component.y) == ("polyp", 48, 56)


def test_a_classifier_of_ultralytics(tmp_path: Path) -> None:
    """Its graph gives probabilities; that the image is not cut as in training is told among the limits."""
    graph = onnx_bytes.classifier("images", "output0", (64, 64), {**exports.ULTRALYTICS, "task": "classify"})
    path = exports.ultralytics(tmp_path / "given", graph)
    written = import_expert(path, tmp_path, PICTURES)
    manifest = parse(written.read_text(encoding="utf-8"))
    assert isinstance(manifest.decoding, Classifier)
    assert manifest.decoding.activation == "none"
    assert any("stretched" in limit for limit in manifest.limits)
    assert [one.what for one in check(written) if not one.kept] == ["output0 lies within 0 and 1"]


def test_hugging_face(tmp_path: Path) -> None:
    """Labels through the vocabulary, mean and deviation of channels, the licence of the card."""
    manifest = imported(exports.hugging_face(tmp_path / "given"), tmp_path, Told(modality="dermoscopy"))
    assert (manifest.name, manifest.licence, manifest.source) == ("skin-vit", "apache-2.0", "somebody/skin-vit")
    assert isinstance(manifest.decoding, Classifier)
    assert (manifest.decoding.activation, manifest.input.mean) == ("softmax", (0.5, 0.5, 0.5))
    assert [label.name for label in manifest.labels] == ["melanocytic naevus", "melanoma"]
    red = np.zeros((32, 32, 3), np.float32)
    red[..., 0] = 255.0
    first, second = look(Expert.load(tmp_path / "skin-vit.toml"), Sight(red)).opinions
    # Normalised to 1 and -1: logits 14 and -18.
    assert (first.told, second.told) == (True, False)
    assert first.score == pytest.approx(1.0)


def test_a_segmenter_of_hugging_face(tmp_path: Path) -> None:
    """Logits of every pixel, with several labels and a background; sizes by the shortest edge are told as a limit."""
    manifest = imported(
        exports.hugging_face(
            tmp_path / "given",
            exports.segmenter((1, 3, 32, 32), 3),
            {"size": {"shortest_edge": 32}},
            architectures=["SegformerForSemanticSegmentation"],
            id2label={"0": "background", "1": "optic disc", "2": "Optic_Cup"},
        ),
        tmp_path,
        Told("disc", "fundus photography"),
    )
    assert isinstance(manifest.decoding, Semantic)
    assert manifest.decoding.background == (0,)
    assert [label.name for label in manifest.labels] == ["optic disc", "optic cup"]
    assert any("stretched" in limit for limit in manifest.limits)


def test_nnunet_in_three_dimensions(tmp_path: Path) -> None:
    """Patch, spacing and normalisation of its plans, the modality of its channel, codes of its labels; it segments."""
    manifest = imported(exports.nnunet(tmp_path / "given"), tmp_path, Told())
    assert (manifest.name, manifest.modalities, manifest.input.units) == ("dataset003-liver", ("CT",), ("HU",))
    assert isinstance(manifest.decoding, Volumetric)
    volume = manifest.input.volume
    assert volume is not None
    assert (volume.axes, volume.spacing_mm, volume.patch) == (None, (1.0, 0.75, 0.75), (16, 24, 24))
    assert manifest.input.normalisation == ZScore(kind="z-score", mean=99.5, deviation=37.1, low=-15.0, high=197.0)
    assert [(one.name, one.code.value if one.code else None) for one in manifest.labels] == [
        ("liver", "10200004"),
        ("liver tumour", "108369006"),
    ]
    values = np.full((16, 24, 24), -15.0, np.float32)
    values[4:8, 6:12, 6:12] = 180.0
    given = Given("0" * 32, 5, (16, 24, 24), (1.0, 0.75, 0.75), (None, None, None), lambda: values)
    found = look(Expert.load(tmp_path / "dataset003-liver.toml"), Sight(values[5], volume=given))
    assert [(one.label, one.component.x, one.component.crop.shape) for one in found.candidates] == [
        ("liver tumour", 6, (6, 6))
    ]
    assert found.volumes[0].voxels == 4 * 6 * 6


def test_nnunet_in_two_dimensions_and_by_regions(tmp_path: Path) -> None:
    """The configuration is that of the graph's rank; overlapping regions have a channel each and a sigmoid."""
    graph = exports.segmenter((1, 1, 32, 32), 2)
    told = {"labels": {"background": 0, "whole tumor": [1, 2], "tumor core": [2]}, "channel_names": {"0": "FLAIR"}}
    manifest = imported(exports.nnunet(tmp_path / "given", graph, dataset=told), tmp_path, Told(licence="CC0-1.0"))
    assert isinstance(manifest.decoding, Semantic)
    assert (manifest.decoding.activation, manifest.decoding.background) == ("sigmoid", ())
    assert (manifest.input.size.policy, manifest.input.spacing_mm, manifest.modalities) == ("tiles", 0.75, ("MR",))
    assert [(one.index, one.name) for one in manifest.labels] == [(0, "whole tumour"), (1, "tumour core")]


def test_nnunet_turned(tmp_path: Path) -> None:
    """Axes that it exchanged are written in its order."""
    plans = {"image_reader_writer": "NibabelIOWithReorient", "transpose_forward": [2, 0, 1]}
    manifest = imported(exports.nnunet(tmp_path / "given", plans=plans), tmp_path, Told())
    assert manifest.input.volume is not None
    assert manifest.input.volume.axes == "RSA"


def test_monai(tmp_path: Path) -> None:
    """Orientation, spacing by reference, window and roi of its configurations; the licence of its file."""
    manifest = imported(exports.monai(tmp_path / "spleen_ct"), tmp_path, Told())
    assert (manifest.name, manifest.version, manifest.licence) == ("spleen-ct", "0.5.7", "Apache-2.0")
    volume = manifest.input.volume
    assert volume is not None
    assert (volume.axes, volume.spacing_mm, volume.patch, volume.overlap) == (
        "RAS", (1.5, 1.5, 2.0), (16, 16, 16), 0.5,
    )  # fmt: skip
    assert manifest.input.normalisation == HounsfieldWindow(kind="window", low=-57.0, high=164.0)
    assert [label.name for label in manifest.labels] == ["spleen"]


def test_sequences_of_monai(tmp_path: Path) -> None:
    """As brats_mri_segmentation of the model zoo: four channels by their names, axes that only a person can tell."""
    path = exports.monai(
        tmp_path / "brats",
        exports.segmenter((1, 4, 16, 16, 16), 3),
        takes={
            "modality": "MR",
            "num_channels": 4,
            "spatial_shape": ["8*n", "8*n", "8*n"],
            "channel_def": {"0": "T1c", "1": "T1", "2": "T2", "3": "FLAIR"},
        },
        gives={"num_channels": 3, "channel_def": {"0": "Tumor core", "1": "Whole tumor", "2": "Enhancing tumor"}},
        transforms=[
            {"_target_": "LoadImaged", "keys": "image"},
            {"_target_": "NormalizeIntensityd", "keys": "image", "nonzero": True, "channel_wise": True},
        ],
        inference={"postprocessing": {"transforms": [{"_target_": "Activationsd", "sigmoid": True}]}},
    )
    manifest = imported(path, tmp_path, Told(axes="LPS"))
    assert (manifest.input.channels, manifest.modalities) == (("T1ce", "T1", "T2", "FLAIR"), ("MR",))
    assert manifest.input.normalisation == ZScore(kind="z-score", positive=True)
    assert manifest.input.volume is not None
    assert manifest.input.volume.axes == "LPS"
    assert [one.name for one in manifest.labels] == ["tumour core", "whole tumour", "enhancing tumour"]


def test_ct_and_pet_of_nnunet(tmp_path: Path) -> None:
    """Each channel is normalised in its own way; one of no known name goes by its number, and a limit says which."""
    path = exports.nnunet(
        tmp_path / "given",
        exports.segmenter((1, 3, 16, 24, 24), 3),
        dataset={"channel_names": {"0": "CT", "1": "PET", "2": "prior"}},
        plan={
            "normalization_schemes": ["CTNormalization", "ZScoreNormalization", "ZScoreNormalization"],
            "use_mask_for_norm": [False, False, False],
        },
    )
    manifest = imported(path, tmp_path, Told())
    assert (manifest.input.channels, manifest.modalities) == (("CT", "PET", "channel 3"), ("CT", "PET"))
    assert manifest.input.normalisation == ZScore(kind="z-score")
    assert manifest.input.volume is not None
    assert manifest.input.volume.normalisations == {
        "CT": ZScore(kind="z-score", mean=99.5, deviation=37.1, low=-15.0, high=197.0)
    }
    assert any("channel 3 is what the export calls 'prior'" in limit for limit in manifest.limits)


def test_a_classifier_of_monai(tmp_path: Path) -> None:
    """Pictures of three channels, brought to one size; classes without a place."""
    path = exports.monai(
        tmp_path / "density",
        onnx_bytes.classifier(sides=(32, 32)),
        takes={"num_channels": 3, "modality": "XRAY", "spatial_shape": [32, 32]},
        gives={"format": "classes", "channel_def": {"0": "nodule", "1": "mass"}},
        transforms=[
            {"_target_": "LoadImageD"},
            {"_target_": "monai.transforms.ScaleIntensityDict", "minv": -1.0, "maxv": 1.0},
            {"_target_": "Resized", "spatial_size": [32, 32]},
        ],
        inference={"inferer": {"_target_": "SimpleInferer"}},
    )
    manifest = imported(path, tmp_path, Told())
    assert isinstance(manifest.decoding, Classifier)
    assert manifest.input.size.policy == "stretch"
    assert manifest.input.normalisation.kind == "min-max"
    assert any("rows and columns" in limit for limit in manifest.limits)


def without(made: Callable[[Path], Path], *files: str) -> Callable[[Path], Path]:
    """An export that lacks files."""

    def make(folder: Path) -> Path:
        path = made(folder)
        for name in files:
            (folder / name).unlink()
        return path

    return make


def of(make: Callable[..., Path], *given: Any, **changes: Any) -> Callable[[Path], Path]:
    return lambda folder: make(folder, *given, **changes)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (of(exports.ultralytics, task="depth"), "its task is 'depth', of which nothing can be imported"),
        (of(exports.ultralytics, task="segment"), "it has no second output of masks"),
        (of(exports.ultralytics, task="pose", kpt_shape="?"), "metadata 'kpt_shape' cannot be read"),
        (
            of(exports.ultralytics, names="{0: 'polyp'}"),
            "neither (1, 5, boxes) nor (1, boxes, 6): export it again with 'yolo export",
        ),
        (of(exports.ultralytics, names="polyp"), "metadata 'names' cannot be read"),
        (of(exports.hugging_face, architectures=["DetrForObjectDetection"]), "not 'logits' and 'pred_boxes'"),
        (of(exports.hugging_face, architectures=["ZoeDepthForDepthEstimation"]), "it is a ZoeDepthForDepthEstimation"),
        (of(exports.hugging_face, architectures=["SamModel"]), "it is a SamModel, of an encoder and a decoder"),
        (of(exports.hugging_face, how={"image_mean": None}), "'image_mean' of preprocessor_config.json is not 3"),
        (of(exports.hugging_face, how={"size": {"longest_edge": 9}}), "tells no height and width"),
        (of(exports.hugging_face, id2label={}), "it tells of nothing but no labels"),
        (without(exports.hugging_face, "onnx/model.onnx"), "optimum-cli export onnx"),
        (without(exports.hugging_face, "preprocessor_config.json"), "preprocessor_config.json cannot be read"),
        (without(exports.nnunet, "fold_0/model.onnx"), "torch.onnx.export(network"),
        (
            of(exports.nnunet, exports.segmenter((1, 2, 32, 32), 3), dataset={"channel_names": {"0": "T1", "1": "T2"}}),
            "it takes 2 channels (T1, T2) in two dimensions",
        ),
        (
            of(exports.nnunet, dataset={"channel_names": {"0": "T1", "1": "T1w"}}),
            "two of its channels (T1, T1w) are called the same here",
        ),
        (of(exports.nnunet, plans={"transpose_forward": [2, 0, 1]}), "its axes are exchanged ([2, 0, 1])"),
        (of(exports.nnunet, plan={"normalization_schemes": ["Mine"]}), "its normalisation 'Mine' is none of"),
        (of(exports.nnunet, plans={"configurations": {}}), "no configuration '3d_fullres'"),
        (of(exports.nnunet, plan={"patch_size": [16, 24]}), "patch_size is not 3 numbers but [16, 24]"),
        (without(exports.monai, "models/model.onnx"), "python -m monai.bundle onnx_export network_def"),
        (without(exports.monai, "configs/inference.json"), "there is no inference.json"),
        (of(exports.monai, inference={"preprocessing": "$f()"}), "'preprocessing' of inference.json is no list"),
        (of(exports.monai, transforms=[{"_target_": "GaussianSmoothd"}]), "its transform 'GaussianSmoothd'"),
        (
            of(exports.monai, transforms=[{"_target_": "ScaleIntensityd"}, {"_target_": "NormalizeIntensityd"}]),
            "normalised more than once",
        ),
        (of(exports.monai, takes={"num_channels": 17}), "it takes 17 channels in 5 axes"),
        (
            of(exports.monai, takes={"num_channels": 2}, transforms=[{"_target_": "NormalizeIntensityd"}]),
            "its transform 'NormalizeIntensityd' normalises all channels as one",
        ),
        (of(exports.monai, transforms=[{"_target_": "LoadImaged"}]), "give --axes, x first, as LPS of BraTS's files"),
        (of(exports.monai, transforms=[{"_target_": "Resized"}]), "whole volumes brought to one size"),
        (of(lambda folder: folder.mkdir() or folder), "it is none of: a MONAI bundle"),
    ],
)
def test_refused(tmp_path: Path, make: Callable[[Path], Path], told: str) -> None:
    """By what is missing or cannot be fed, and what to do; nothing is written."""
    path = make(tmp_path / "given")
    with pytest.raises(CannotImport, match=re.escape(told)):
        import_expert(path, tmp_path / "out", PICTURES)
    assert not (tmp_path / "out").exists()


def test_what_nothing_tells(tmp_path: Path) -> None:
    """Modality and licence are asked for by the options that tell them."""
    folder = exports.hugging_face(tmp_path / "given")
    with pytest.raises(CannotImport, match="give --modality"):
        import_expert(folder, tmp_path, Told())
    (folder / "README.md").unlink()
    with pytest.raises(CannotImport, match="give --licence"):
        import_expert(folder, tmp_path, PICTURES)


def test_names_that_the_vocabulary_takes_for_one(tmp_path: Path) -> None:
    """Stay apart in the export's own words."""
    folder = exports.hugging_face(tmp_path / "given", id2label={"0": "nv", "1": "Nevus"})
    assert [label.name for label in imported(folder, tmp_path).labels] == ["nv", "nevus"]


def test_external_data_comes_along(tmp_path: Path) -> None:
    """Weights in files of their own lie beside the graph as they did."""
    from tests.models.experts.external_graphs import WEIGHTS, graph_naming

    folder = exports.hugging_face(
        tmp_path / "given", graph_naming("model.onnx_data"),
        architectures=["XForSemanticSegmentation"], id2label={"0": "background", "1": "lung"},
    )  # fmt: skip
    (folder / "onnx" / "model.onnx_data").write_bytes(WEIGHTS)
    import_expert(folder, tmp_path / "out", Told("lungs", "X-ray"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["lungs.onnx", "lungs.toml", "model.onnx_data"]
