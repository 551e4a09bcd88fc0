"""Tiny exports of each family, as its own tools lay them out. The graphs are written without the onnx package."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.models.experts.onnx_bytes import classifier, model, node, tensor, value

ULTRALYTICS = {
    "description": "Ultralytics YOLO11n model trained on polyps.yaml",
    "author": "Ultralytics",
    "date": "2026-03-01T10:00:00",
    "version": "8.3.100",
    "license": "AGPL-3.0 License (https://ultralytics.com/license)",
    "docs": "https://docs.ultralytics.com",
    "stride": "32",
    "task": "detect",
    "batch": "1",
    "imgsz": "[64, 64]",
    "names": "{0: 'polyp', 1: 'instrument'}",
}


def segmenter(takes: tuple[str | int, ...], classes: int) -> bytes:
    """(1, channels, …) to logits (1, classes, …): class n is 40 × n × (value - n / 4)."""
    axes = len(takes) - 2
    channels = int(takes[1])
    weights = np.zeros((classes, channels, *[1] * axes), np.float32)
    weights[:, 0] = np.arange(classes, dtype=np.float32).reshape(-1, *[1] * axes) * 40
    bias = np.array([-40 * n * n / 4 for n in range(classes)], np.float32)
    return model(
        [node("Conv", ["image", "weights", "bias"], ["logits"])],
        [tensor("weights", weights), tensor("bias", bias)],
        [value("image", takes)],
        [value("logits", (takes[0], classes, *takes[2:]))],
    )


def yolo(told: dict[str, str], classes: int = 2, boxes: int = 4) -> bytes:
    """(1, 3, 64, 64) to the same boxes for every image."""
    constant = np.full((1, 4 + classes, boxes), 0.0, np.float32)
    constant[:, :4] = np.array([32.0, 32.0, 16.0, 8.0], np.float32).reshape(1, 4, 1)
    constant[:, 4, 0] = 0.9
    return constants({"output0": constant}, told)


def constants(
    outputs: dict[str, np.ndarray], told: dict[str, str] | None = None, takes: str = "images", channels: int = 3
) -> bytes:
    """(1, channels, 64, 64) to the same outputs, by name, for every image."""
    nodes = [node("ReduceMean", [takes], ["mean"], axes=[1, 2, 3], keepdims=0), node("Mul", ["mean", "zero"], ["none"])]
    return model(
        [*nodes, *(node("Add", [f"{name}_is", "none"], [name]) for name in outputs)],
        [tensor("zero", np.zeros(1, np.float32)), *(tensor(f"{name}_is", one) for name, one in outputs.items())],
        [value(takes, (1, channels, 64, 64))],
        [value(name, one.shape) for name, one in outputs.items()],
        told,
    )


def ultralytics(folder: Path, graph: bytes | None = None, **told: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "best.onnx"
    path.write_bytes(graph or yolo({**ULTRALYTICS, **told}))
    return path


def hugging_face(folder: Path, graph: bytes | None = None, how: dict[str, Any] | None = None, **config: Any) -> Path:
    """As optimum writes a ViT; `how`: of its preprocessor."""
    (folder / "onnx").mkdir(parents=True)
    (folder / "onnx" / "model.onnx").write_bytes(graph or classifier("pixel_values", "logits", sides=(32, 32)))
    told = {
        "architectures": ["ViTForImageClassification"],
        "_name_or_path": "somebody/skin-vit",
        "id2label": {"0": "melanocytic_Nevi", "1": "melanoma"},
        "transformers_version": "4.40.0",
        **config,
    }
    (folder / "config.json").write_text(json.dumps(told))
    prepared = {
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "rescale_factor": 1 / 255,
        "size": {"height": 32, "width": 32},
        **(how or {}),
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(prepared))
    (folder / "README.md").write_text("---\nlicense: apache-2.0\ntags:\n- x\n---\n# A card\n")
    return folder


def nnunet(
    folder: Path, graph: bytes | None = None, *, dataset: Any = None, plans: Any = None, plan: Any = None
) -> Path:
    """As nnU-Net v2 writes a trained model; `plan`: in the configuration of three dimensions."""
    (folder / "fold_0").mkdir(parents=True)
    (folder / "fold_0" / "model.onnx").write_bytes(graph or segmenter((1, 1, 16, 24, 24), 3))
    told = {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, "liver": 1, "liver_tumor": 2},
        "numTraining": 131,
        "file_ending": ".nii.gz",
        "licence": "CC-BY-SA-4.0",
        **(dataset or {}),
    }
    (folder / "dataset.json").write_text(json.dumps(told))
    seen = {"mean": 99.5, "std": 37.1, "percentile_00_5": -15.0, "percentile_99_5": 197.0, "median": 101.0}
    whole = {
        "dataset_name": "Dataset003_Liver",
        "plans_name": "nnUNetPlans",
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "foreground_intensity_properties_per_channel": {"0": seen},
        "configurations": {
            "2d": {
                "patch_size": [32, 32],
                "spacing": [0.75, 0.75],
                "normalization_schemes": ["CTNormalization"],
                "use_mask_for_norm": [False],
            },
            "3d_fullres": {
                "patch_size": [16, 24, 24],
                "spacing": [1.0, 0.75, 0.75],
                "normalization_schemes": ["CTNormalization"],
                "use_mask_for_norm": [False],
                **(plan or {}),
            },
        },
        **(plans or {}),
    }
    (folder / "plans.json").write_text(json.dumps(whole))
    return folder


def monai(
    folder: Path,
    graph: bytes | None = None,
    *,
    takes: Any = None,
    gives: Any = None,
    transforms: Any = None,
    inference: Any = None,
) -> Path:
    """As the model zoo lays out spleen_ct_segmentation; parts of its configurations may be others."""
    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    (folder / "models" / "model.onnx").write_bytes(graph or segmenter((1, 1, 16, 16, 16), 2))
    image = {
        "type": "image",
        "format": "hounsfield",
        "modality": "CT",
        "num_channels": 1,
        "spatial_shape": [16, 16, 16],
        **(takes or {}),
    }
    pred = {
        "type": "image",
        "format": "segmentation",
        "num_channels": 2,
        "channel_def": {"0": "background", "1": "spleen"},
        **(gives or {}),
    }
    metadata = {
        "version": "0.5.7",
        "task": "CT Spleen segmentation",
        "description": "A model for the spleen.",
        "authors": "somebody",
        "references": ["A paper. arXiv"],
        "network_data_format": {"inputs": {"image": image}, "outputs": {"pred": pred}},
    }
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata))
    listed = transforms or [
        {"_target_": "LoadImaged", "keys": "image"},
        {"_target_": "EnsureChannelFirstd", "keys": "image"},
        {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
        {"_target_": "Spacingd", "keys": "image", "pixdim": "@pixdim", "mode": "bilinear"},
        {"_target_": "ScaleIntensityRanged", "a_min": -57, "a_max": 164, "b_min": 0, "b_max": 1, "clip": True},
        {"_target_": "EnsureTyped", "keys": "image"},
    ]
    config = {
        "pixdim": [1.5, 1.5, 2.0],
        "preprocessing": {"_target_": "Compose", "transforms": listed},
        "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [16, 16, 16], "overlap": 0.5},
        "postprocessing": {
            "_target_": "Compose",
            "transforms": [{"_target_": "Activationsd", "keys": "pred", "softmax": True}],
        },
        **(inference or {}),
    }
    (folder / "configs" / "inference.json").write_text(json.dumps(config))
    (folder / "LICENSE").write_text("                 Apache License\n           Version 2.0, January 2004\n")
    return folder
