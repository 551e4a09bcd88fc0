"""Models to begin from: loading, and which of their weights are what. One row a family; knows nothing of data."""

# pyright: reportMissingImports=false, reportPrivateUsage=false, reportUnusedImport=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from models.llava_tri.tiny import tower as _tower  # noqa: F401  # Transformers loads the tiny preset's by it
from models.llava_tri.training.boxes import Size
from models.llava_tri.training.settings import BadRun, Boxes, Run, Stage

LORA = r".*(language_model|text_model).*\.(q|k|v|o|gate|up|down)_proj"
"""Modules of the language model that LoRA adapts: the same names in Llama, Mistral and Qwen."""


@dataclass(frozen=True, slots=True)
class Family:
    """Beginnings of the names of weights, below the model, and how its boxes are written."""

    projector: tuple[str, ...]
    tower: tuple[str, ...]
    boxes: Boxes


_QWEN = ("visual.merger", "visual.deepstack_merger_list")
FAMILIES = {
    "qwen2_vl": Family(_QWEN, ("visual",), "thousandths"),
    "qwen2_5_vl": Family(_QWEN, ("visual",), "resized"),
    "qwen3_vl": Family(_QWEN, ("visual",), "thousandths"),
    "qwen3_vl_moe": Family(_QWEN, ("visual",), "thousandths"),
    # The tiny preset's squares are its tower's; the sentence beside them learns in a stage of its own.
    "llava": Family(("multi_modal_projector", "vision_tower.reader.square"), ("vision_tower",), "unit"),
}
"""By `model_type` of the configuration."""


def load(base: str, run: Run) -> tuple[Any, Any]:
    """The model, all weights frozen, and its processor.

    Raises:
        BadRun: the base is of no family that is known here.
    """
    try:
        processor = AutoProcessor.from_pretrained(base, revision=run.revision)
        model = AutoModelForImageTextToText.from_pretrained(
            base, revision=run.revision, dtype=getattr(torch, run.weights)
        )
    except (OSError, ValueError) as error:
        raise BadRun(f"the base cannot be loaded: {error}") from None
    family_of(model)
    model.requires_grad_(False)
    return model, processor


def family_of(model: Any) -> Family:
    """Raises BadRun where a model is of none."""
    kind = model.config.model_type
    if kind not in FAMILIES:
        raise BadRun(f"models of type {kind!r} are not known: take one of {', '.join(FAMILIES)}")
    return FAMILIES[kind]


def part_of(name: str, family: Family) -> str:
    """projector, tower or language: what a weight belongs to, by its name."""
    bare = name.removeprefix("base_model.model.").removeprefix("model.")
    if bare.startswith(family.projector):
        return "projector"
    return "tower" if bare.startswith(family.tower) else "language"


def set_free(model: Any, stage: Stage) -> Any:
    """The model with the weights of a stage free to learn; with LoRA, inside its adapters.

    The projector learns in every stage but one of adapters alone; with LoRA it is trained whole beside them.
    """
    family = family_of(model)
    model.requires_grad_(False)
    if stage.train in ("lora", "adapters"):
        from peft import LoraConfig, get_peft_model

        adapters = LoraConfig(r=stage.rank, lora_alpha=2 * stage.rank, lora_dropout=0.0, target_modules=LORA)
        model = get_peft_model(model, adapters)
    for name, weight in model.named_parameters():
        part = part_of(name, family)
        learns = part == "projector" or (stage.train == "all" and (part == "language" or stage.tower))
        if learns and stage.train != "adapters":
            weight.requires_grad_(True)
    return model


def merged(model: Any) -> Any:
    """The model without adapters, their weights added to those that they adapt."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


def resizing(processor: Any, boxes: Boxes) -> Callable[[Size], Size]:
    """The size that the processor makes of a picture of some size, where boxes are told in it: Qwen2.5-VL's."""
    if boxes != "resized":
        return lambda size: size
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

    told = processor.image_processor
    factor = told.patch_size * told.merge_size
    least, most = told.size["shortest_edge"], told.size["longest_edge"]

    def resized(size: Size) -> Size:
        height, width = smart_resize(size[1], size[0], factor=factor, min_pixels=least, max_pixels=most)
        return width, height

    return resized
