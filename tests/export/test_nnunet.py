"""True U-Nets of nnU-Net v2, from its own package and by plans as it writes them, exported and imported as experts.

Random weights: nothing is found that means anything, but the same as in torch. Needs `make test-nnunet`.
"""

import json
from pathlib import Path
from pydoc import locate
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the export environment: make test-export")
pytest.importorskip("dynamic_network_architectures", reason="needs nnU-Net's networks: make test-nnunet")

from models.experts.adapters import look  # noqa: E402
from models.experts.checking import check  # noqa: E402
from models.experts.importing import Told, import_expert  # noqa: E402
from models.experts.manifest import parse  # noqa: E402
from models.experts.running import Expert, Sight  # noqa: E402
from models.experts.volumes import Given  # noqa: E402

LABELS = {"background": 0, "liver": 1, "liver_tumor": 2}
SEEN = {"max": 1500.0, "mean": 99.5, "median": 101.0, "min": -900.0, "percentile_00_5": -15.0,
        "percentile_99_5": 197.0, "std": 37.1}  # fmt: skip


def architecture(name: str, axes: int) -> dict[str, Any]:
    """As nnU-Net's planner writes it; the first stride of three dimensions is anisotropic, as of thick slices."""
    stages, blocks = 3, "n_blocks_per_stage" if name.startswith("Residual") else "n_conv_per_stage"
    strides = [[1] * axes, *([[1, 2, 2], [2, 2, 2]] if axes == 3 else [[2, 2]] * 2)]
    return {
        "network_class_name": f"dynamic_network_architectures.architectures.unet.{name}",
        "arch_kwargs": {
            "n_stages": stages,
            "features_per_stage": [4, 8, 16],
            "conv_op": f"torch.nn.modules.conv.Conv{axes}d",
            "kernel_sizes": [[3] * axes] * stages,
            "strides": strides,
            blocks: [1, 2, 2],
            "n_conv_per_stage_decoder": [1] * (stages - 1),
            "conv_bias": True,
            "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{axes}d",
            "norm_op_kwargs": {"eps": 1e-05, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }


def configuration(name: str, patch: list[int], spacing: list[float]) -> dict[str, Any]:
    """With all that plans.json tells of one."""
    resampling = {
        f"resampling_fn_{what}{end}": value
        for what in ("data", "seg", "probabilities")
        for end, value in (("", "resample_data_or_seg_to_shape"), ("_kwargs", {"order": 3, "force_separate_z": None}))
    }
    return {
        "data_identifier": f"nnUNetPlans_{len(patch)}d",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": patch,
        "median_image_size_in_voxels": [float(4 * side) for side in patch],
        "spacing": spacing,
        "normalization_schemes": ["CTNormalization"],
        "use_mask_for_norm": [False],
        **resampling,
        "architecture": architecture(name, len(patch)),
        "batch_dice": True,
    }


def network(plan: dict[str, Any]) -> Any:
    """Built as nnU-Net does: names of classes are looked up. For prediction it supervises the last stage alone."""
    told = plan["architecture"]
    given = {
        key: locate(value) if key in told["_kw_requires_import"] and value else value
        for key, value in told["arch_kwargs"].items()
    }
    build: Any = locate(told["network_class_name"])
    torch.manual_seed(1)
    made = build(input_channels=1, num_classes=len(LABELS), deep_supervision=False, **given)
    made.apply(made.initialize)
    return made.eval()


def trained(folder: Path, name: str, patch: list[int], spacing: list[float]) -> Any:
    """The folder of a trained model, exported as docs/own-experts.md says; the network that it holds."""
    kind = "3d_fullres" if len(patch) == 3 else "2d"
    plan = configuration(name, patch, spacing)
    plans = {
        "dataset_name": "Dataset003_Liver",
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": [1.0, 0.75, 0.75],
        "original_median_shape_after_transp": [432, 512, 512],
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": {kind: plan},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": SEEN},
    }
    dataset = {"channel_names": {"0": "CT"}, "labels": LABELS, "numTraining": 131, "file_ending": ".nii.gz"}
    (folder / "fold_0").mkdir(parents=True)
    (folder / "plans.json").write_text(json.dumps(plans))
    (folder / "dataset.json").write_text(json.dumps(dataset))
    made = network(plan)
    torch.onnx.export(
        made, (torch.zeros(1, 1, *patch),), str(folder / "fold_0/model.onnx"), input_names=["image"],
        output_names=["logits"], verbose=False, external_data=False,
    )  # fmt: skip
    return made


def predicted(made: Any, values: np.ndarray) -> np.ndarray:
    """The class of each voxel, as torch has it."""
    told = (np.clip(values, SEEN["percentile_00_5"], SEEN["percentile_99_5"]) - SEEN["mean"]) / SEEN["std"]
    with torch.no_grad():
        return made(torch.from_numpy(told.astype(np.float32))[None, None])[0].argmax(0).numpy()


def drawn(*shape: int) -> np.ndarray:
    """A body with a bright ball in noise, in HU."""
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij"))
    values = np.where((grid**2).sum(0) < 0.9, 60.0, -1000.0) + np.where(((grid - 0.2) ** 2).sum(0) < 0.2, 90.0, 0.0)
    return (values + np.random.default_rng(0).normal(0, 10, shape)).astype(np.float32)


@pytest.mark.parametrize("name", ["PlainConvUNet", "ResidualEncoderUNet"])
def test_in_three_dimensions(name: str, tmp_path: Path) -> None:
    """Every promise is kept; of a volume of one window each class has the voxels that torch says."""
    patch, spacing = [16, 32, 32], [3.0, 0.75, 0.75]
    made = trained(tmp_path / "given", name, patch, spacing)
    written = import_expert(tmp_path / "given", tmp_path, Told(licence="CC0-1.0"))
    assert [one for one in check(written) if not one.kept] == []
    told = parse(written.read_text(encoding="utf-8")).input.volume
    assert told is not None
    assert (told.patch, told.spacing_mm) == (tuple(patch), tuple(spacing))
    values = drawn(*patch)
    classes = predicted(made, values)
    given = Given("0" * 32, 8, (16, 32, 32), (3.0, 0.75, 0.75), (None, None, None), lambda: values)
    found = look(Expert.load(written), Sight(values[8], volume=given))
    assert {one.label: one.voxels for one in found.volumes} == {
        label: int((classes == number).sum())
        for number, label in ((1, "liver"), (2, "liver tumour"))
        if (classes == number).any()
    }
    assert found.volumes


@pytest.mark.parametrize("name", ["PlainConvUNet", "ResidualEncoderUNet"])
def test_in_two_dimensions(name: str, tmp_path: Path) -> None:
    """Every promise is kept; of an image of one tile the regions cover what torch says, but for their smallest."""
    made = trained(tmp_path / "given", name, [64, 64], [0.75, 0.75])
    written = import_expert(tmp_path / "given", tmp_path, Told(licence="CC0-1.0"))
    assert [one for one in check(written) if not one.kept] == []
    values = drawn(64, 64)
    classes = predicted(made, values)
    found = look(Expert.load(written), Sight(values, spacing=(0.75, 0.75)))
    labels = {"liver": 1, "liver tumour": 2}
    assert found.candidates
    for one in found.candidates:
        part = one.component
        height, width = part.crop.shape
        there = classes[part.y : part.y + height, part.x : part.x + width] == labels[one.label]
        assert there[part.crop.astype(bool)].all()
