"""Ten instruction pairs over their images, for docs/datasets.md: of files that pydicom carries, and of phantoms.

    python -m benchmarks.instruction_pictures docs/images/instructions.jpg

Nothing of it is of a person who could be told: the phantoms are drawn, pydicom's files may be given on.
"""

import argparse
import json
import tempfile
import textwrap
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom.data
from click.testing import CliRunner
from PIL import Image, ImageDraw, ImageFont

from infra.cli import main as cli
from models.datasets.conversations import Turn, corners, listed
from models.datasets.instructions import turns_of
from models.experts.phantoms import draw
from models.imaging import from_pixels
from schemas.images import Modality
from schemas.triplets import Triplet

FILES = ("CT_small.dcm", "MR_small.dcm", "US1_J2KR.dcm")
DRAWN: tuple[tuple[Modality, str, str], ...] = (
    ("MR", "brain", "glioma"), ("ultrasound", "breast", "breast cancer"), ("CT", "liver", "hepatocellular carcinoma"),
    ("X-ray", "chest", "pneumonia"), ("dermoscopy", "skin", "melanoma"), ("endoscopy", "colon", "polyp"),
    ("fundus photography", "retina", "diabetic retinopathy"),
)  # fmt: skip
SIDE, TEXT, PAD, COLUMNS = 190, 330, 8, 2
KINDS = (
    "phrase-to-box", "box-to-phrase", "finding", "side", "size", "disease", "place", "not-visible", "relation-closed",
    "not-measurable", "count", "comparison", "absence", "plane", "not-stated", "modality", "organ",
)  # fmt: skip
"""In the order in which they are wanted."""


def place(folder: Path) -> None:
    """The images, of the phantoms with a marked region and what a source would say."""
    for name in FILES:
        data = Path(str(pydicom.data.get_testdata_file(name, download=False))).read_bytes()
        (folder / name).write_bytes(data)
    for seed, (modality, organ, disease) in enumerate(DRAWN):
        drawn = draw(modality, seed=seed)
        values = np.asarray(drawn.values, np.float32)
        grey = np.interp(values, (values.min(), values.max()), (0, 255)).astype(np.uint8)
        path = folder / f"{modality.replace(' ', '-')}.png"
        Image.fromarray(grey).save(path)
        Image.fromarray(drawn.truth[drawn.lesions] * np.uint8(255)).save(path.with_suffix(".mask.png"))
        sidecar = {
            "source": "drawn", "licence": "CC0-1.0", "modality": modality, "organ": organ, "disease": disease,
            "mask": path.with_suffix(".mask.png").name, "labels": {"255": "lesion"},
        }  # fmt: skip
        path.with_name(f"{path.name}.json").write_text(json.dumps(sidecar))


def triplets(folder: Path) -> list[Triplet]:
    """What `annotate` makes of them."""
    source, out = folder / "in", folder / "t.jsonl"
    source.mkdir()
    place(source)
    result = CliRunner().invoke(cli, ["annotate", str(source), "--triplets", str(out), "--frames", "spread:1"])
    assert result.exit_code == 0, result.output
    return [Triplet.model_validate_json(line) for line in out.read_bytes().splitlines()]


def panel(triplet: Triplet, turn: Turn, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> Image.Image:
    """An image with the boxes of a turn, and the turn beside it."""
    stored = from_pixels(triplet.image)
    picture = Image.fromarray(stored if stored.dtype == np.uint8 else (stored >> 8).astype(np.uint8)).convert("RGB")
    scale = SIDE / max(picture.size)
    shown = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    pen = ImageDraw.Draw(shown)
    for box in turn.boxes:
        left, top, right, bottom = (value * scale for value in corners(box))
        pen.rectangle((left, top, right, bottom), outline=(255, 200, 0), width=2)
    sheet = Image.new("RGB", (SIDE + TEXT + 3 * PAD, SIDE + 2 * PAD), "white")
    sheet.paste(shown, (PAD, PAD))
    question, answer = turn.rendered(lambda box: listed(corners(box)))
    lines = [*textwrap.wrap(f"Q: {question}", 50), "", *textwrap.wrap(f"A: {answer}", 50), "", f"({turn.kind})"]
    ImageDraw.Draw(sheet).multiline_text((SIDE + 2 * PAD, PAD), "\n".join(lines), fill="black", font=font, spacing=3)
    return sheet


def chosen(found: list[Triplet]) -> list[tuple[Triplet, Turn]]:
    """A turn of each image, of kinds as different as they can be."""
    taken: Counter[str] = Counter()
    pairs: list[tuple[Triplet, Turn]] = []
    for triplet in found:
        turns = [turn for turn in turns_of(triplet) if turn.kind in KINDS]
        turn = min(turns, key=lambda one: (taken[one.kind], KINDS.index(one.kind)))
        taken[turn.kind] += 1
        pairs.append((triplet, turn))
    return pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    font = ImageFont.load_default(size=13)
    with tempfile.TemporaryDirectory() as place_of:
        panels = [panel(triplet, turn, font) for triplet, turn in chosen(triplets(Path(place_of)))]
    rows = -(-len(panels) // COLUMNS)
    width, height = panels[0].size
    sheet = Image.new("RGB", (COLUMNS * width, rows * height), "white")
    for number, one in enumerate(panels):
        sheet.paste(one, (number % COLUMNS * width, number // COLUMNS * height))
    sheet.save(out, quality=82)
    print(f"{len(panels)} pairs, {out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
