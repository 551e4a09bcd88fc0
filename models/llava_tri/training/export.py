"""A trained model as servers load it: weights in bfloat16, processor, card, lineage; named by what is in it."""

# pyright: reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

from pathlib import Path

import jinja2
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from models.llava_tri.training.bases import family_of
from models.llava_tri.training.lineage import Lineage, read_lineage, weights_digest, write_lineage
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
    model = AutoModelForImageTextToText.from_pretrained(trained, dtype=torch.bfloat16)
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


def card(lineage: Lineage) -> str:
    """The page that stands beside a model."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)  # noqa: S701
    return environment.from_string(CARD.read_text(encoding="utf-8")).render(lineage)
