"""What a picture is worth to a model that writes captions: their loss with it, without it, and with another's.

    .venv-llava/bin/python -m models.llava_tri.evaluation.caption_loss MODEL SET --out loss.json

The loss is the mean negative log probability of a token of the caption, in nats, averaged over captions of the test
split: lower is better, and nothing is generated. Differences are paired by picture, their intervals over patients.
"""

# pyright: basic, reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from models.llava_tri.evaluation.benchmarks.held_out import CAPTION
from models.llava_tri.evaluation.in_process import load, pictures_beside
from models.llava_tri.evaluation.scores.intervals import Difference, difference
from models.llava_tri.training.examples import TrainingSet
from models.llava_tri.training.window import answer_loss

VIEWS = ("own picture", "no image", "another's")


def losses(model: Any, processor: Any, pictures: Sequence[Image.Image | None], captions: Sequence[str]) -> list[float]:
    """Of each caption after its picture, or after none: nats a token."""
    return [
        answer_loss(model, processor, picture, CAPTION, caption)
        for picture, caption in zip(pictures, captions, strict=True)
    ]


def measure(folder: Path, data: Path, split: Any = "test") -> dict[str, Any]:
    """Mean losses of three views, and what the picture takes off with 95 % intervals."""
    model, processor = load(folder)
    rows = TrainingSet(data, split=split, cache=pictures_beside(folder))
    asked = list(rows.questions({"caption"}))
    pictures, captions = [rows.picture(one) for one in asked], [one.answer for one in asked]
    groups = rows.groups()
    units = [groups[one.row] for one in asked]
    # Half the split away, since neighbours in a set can be of one kind.
    far = len(pictures) // 2
    own = losses(model, processor, pictures, captions)
    none = losses(model, processor, [None] * len(captions), captions)
    others = losses(model, processor, pictures[far:] + pictures[:far], captions)
    mean = {name: round(sum(some) / len(some), 4) for name, some in zip(VIEWS, (own, none, others), strict=True)}
    less: dict[str, Difference] = {
        "no image": difference(none, own, units),
        "another's": difference(others, own, units),
    }
    return {"captions": len(own), "loss": mean, "taken off": {name: asdict(one) for name, one in less.items()}}


def main() -> None:
    """Measure, write, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("set", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    text = json.dumps(measure(given.model, given.set), indent=1) + "\n"
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
