"""The packaged network for lung fields, trained anew: `python -m models.experts.training.packaged [FOLDER]`.

Films are drawn (`models.experts.phantoms.films`): no image of a patient has part in it. Half an hour on one core.
"""

import sys
import tempfile
from pathlib import Path

import torch

from models.experts.datasets import open_dataset
from models.experts.datasets.films import write_films
from models.experts.manifest import Manifest, read
from models.experts.registry import PACKAGED
from models.experts.toml_text import toml
from models.experts.training.loop import Epoch
from models.experts.training.quantise import quantise
from models.experts.training.run import train_expert
from models.experts.training.settings import Settings, Subject

NAME, VERSION = "chest-lungs", "1.0.0"
FILMS, CALIBRATED_ON = 3600, 300
SETTINGS = Settings(
    side=96, width=8, depth=4, epochs=8, batch=16, learning_rate=3e-3, mirror=False, rotate=10.0, validation=0.1,
    held_out=0.05,
)  # fmt: skip
LEAST_PART = 0.02
"""Of the image: what is smaller is a mark, a fold or gas."""
LIMITS = (
    "It learnt from drawn films alone: how it does on children, after surgery or on other devices is not known.",
    "A lung that is white throughout is guessed by the other, or missed.",
    "Gas below the left half of the diaphragm may be taken for lung.",
    "A lateral film may get regions where its view is not told.",
)


def train_packaged(folder: Path) -> None:
    """Draw films, learn, and write NAME.onnx, .toml and .md into `folder`, in 8 bits."""
    # As many threads, as many sums in another order: one thread gives the same weights on every CPU of a kind.
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        drawn, learnt = Path(place) / "films", Path(place) / "learnt"
        write_films(drawn, count=FILMS, side=SETTINGS.side)
        subject = Subject(version=VERSION, licence="Apache-2.0", source="the drawing itself, no reader")
        train_expert(open_dataset(drawn), learnt / f"{NAME}.onnx", SETTINGS, subject, tell=_told)
        package(learnt / f"{NAME}.toml", folder)


def package(learnt: Path, folder: Path) -> None:
    """The manifest says what the network is for; the graph in 8 bits, calibrated on films of other seeds."""
    manifest, _ = read(learnt)
    learnt.write_text(toml(_for_chests(manifest)), encoding="utf-8")
    with tempfile.TemporaryDirectory() as drawn:
        write_films(Path(drawn) / "films", count=CALIBRATED_ON, side=SETTINGS.side, first_seed=FILMS)
        quantise(learnt, open_dataset(Path(drawn) / "films"), folder / f"{NAME}.onnx", images=CALIBRATED_ON)


def _for_chests(manifest: Manifest) -> Manifest:
    (lung,) = manifest.outputs
    lung = lung.model_copy(update={"min_area_fraction": LEAST_PART, "max_regions": 2})
    changed = {
        "title": "Lung fields of frontal chest radiographs",
        "organs": ("chest", "lung"),
        "views": ("AP", "PA"),
        "limits": LIMITS,
        "made": f"{manifest.made} All of them were drawn, none is of a patient.",
        "outputs": (lung,),
    }
    return manifest.model_copy(update=changed)


def _told(epoch: Epoch) -> None:
    sys.stdout.write(f"epoch {epoch.number}: loss {epoch.loss:.3f}, validation Dice {epoch.validation_dice:.3f}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    train_packaged(Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGED)
