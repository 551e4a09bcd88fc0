"""A trained model as servers load it: weights in bfloat16, processor, card, lineage; named by what is in it."""

# pyright: reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

from pathlib import Path
from typing import Any

import jinja2
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from models.llava_tri.digest import weights_digest
from models.llava_tri.training.bases import family_of, merged
from models.llava_tri.training.lineage import Lineage, read_lineage, write_lineage
from models.llava_tri.training.settings import BadRun

NAME = "llava-tri"
CARD = Path(__file__).with_name("card.md.jinja")


def export(trained: Path, out: Path) -> str:
    """Write the model in `trained` into a new folder; returns its name and digest, as `llava-tri@0123456789ab`.

    Raises:
        BadRun: `trained` is no result of training, or `out` holds something.
    """
    lineage = read_lineage(trained)
    if out.exists() and any(out.iterdir()):
        raise BadRun("the folder for the model is not empty: name another one")
    part = out.with_name(out.name + ".part")
    model = _opened(trained)
    processor = AutoProcessor.from_pretrained(trained)
    model.save_pretrained(part)
    processor.save_pretrained(part)
    digest = weights_digest(part)[:12]
    boxes = lineage["settings"]["boxes"] or family_of(model).boxes
    lineage = {**lineage, "model": f"{NAME}@{digest}", "boxes": boxes, "parameters": model.num_parameters()}
    write_lineage(part, lineage)
    (part / "README.md").write_text(card(lineage), encoding="utf-8")
    if out.exists():
        out.rmdir()
    part.rename(out)
    return f"{NAME}@{digest}"


def _opened(trained: Path) -> Any:
    if not (trained / "adapter_config.json").is_file():
        return AutoModelForImageTextToText.from_pretrained(trained, dtype=torch.bfloat16)
    from peft import PeftConfig, PeftModel

    told = PeftConfig.from_pretrained(str(trained))
    try:
        # Added in float32, for bfloat16 would lose of each adapter what is below its step.
        base = AutoModelForImageTextToText.from_pretrained(
            told.base_model_name_or_path, revision=told.revision, dtype=torch.float32
        )
    except (OSError, ValueError) as error:
        raise BadRun(f"the base of these adapters cannot be loaded: {error}") from None
    return merged(PeftModel.from_pretrained(base, str(trained))).to(torch.bfloat16)


def card(lineage: Lineage) -> str:
    """The page that stands beside a model."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)  # noqa: S701
    return environment.from_string(CARD.read_text(encoding="utf-8")).render(lineage)
