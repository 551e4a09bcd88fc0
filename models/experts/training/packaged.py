"""Packaged networks, trained anew on drawings: `python -m models.experts.training.packaged [NAME …] [--out FOLDER]`.

No image of a patient has part in any of them. Half an hour of one core for the one there is.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from models.experts.datasets import open_dataset
from models.experts.datasets.films import write_films
from models.experts.decodings import Precision
from models.experts.manifest import Manifest, read
from models.experts.packaged import LIBRARY
from models.experts.toml_text import toml
from models.experts.training.loop import Epoch
from models.experts.training.quantise import quantise
from models.experts.training.run import train_expert
from models.experts.training.settings import Settings, Subject

CALIBRATED_ON = 300
"""Drawings of further seeds, for the graph in 8 bits."""


class Draw(Protocol):
    """Writes drawings and their masks as a data set."""

    def __call__(self, out: Path, *, count: int, side: int, first_seed: int = 0) -> None: ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """A network: what it learns from, how, and what its manifest says beyond what training knows.

    `about`: fields of the manifest; `output`: of the one label's table; `units`: of the images that it may be shown.
    """

    name: str
    version: str
    draw: Draw
    drawings: int
    settings: Settings
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])
    output: Mapping[str, Any] = field(default_factory=dict[str, Any])
    units: tuple[str, ...] = ()

    def told(self, manifest: Manifest) -> Manifest:
        """The manifest that training wrote, with what the network is for."""
        (one,) = manifest.outputs
        made = f"{manifest.made} All of them were drawn, none is of a patient."
        changed = {
            **self.about,
            "made": made,
            "input": manifest.input.model_copy(update={"units": self.units}),
            "outputs": (one.model_copy(update=dict(self.output)),),
        }
        return manifest.model_copy(update=changed)


LUNGS = Recipe(
    "chest-lungs", "1.0.0", write_films, 3600,
    Settings(
        side=96, width=8, depth=4, epochs=8, batch=16, learning_rate=3e-3, mirror=False, rotate=10.0, validation=0.1,
        held_out=0.05,
    ),
    {
        "title": "Lung fields of frontal chest radiographs",
        "organs": ("chest", "lung"),
        "views": ("AP", "PA"),
        "limits": (
            "It learnt from drawn films alone: how it does on children, after surgery or elsewhere is not known.",
            "A lung that is white throughout is guessed by the other, or missed.",
            "Gas below the left half of the diaphragm may be taken for lung.",
            "A lateral film may get regions where its view is not told.",
        ),
    },
    # Of the image: what is smaller is a mark, a fold or gas.
    {
        "min_area_fraction": 0.02, "max_regions": 2,
        "precision": Precision(
            value=1.0, images=22, regions=44, interval=(0.92, 1.0),
            of="films with lungs outlined by readers; none was learnt from",
        ),
    },
)  # fmt: skip
RECIPES = (LUNGS,)


def train_packaged(recipe: Recipe, folder: Path, tell: Callable[[Epoch], None] = lambda _: None) -> None:
    """Draw, learn, and write NAME.onnx, .toml and .md into `folder`, in 8 bits."""
    # As many threads, as many sums in another order: one thread gives the same weights on every CPU of a kind.
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        drawn, learnt = Path(place) / "drawn", Path(place) / "learnt" / f"{recipe.name}.onnx"
        recipe.draw(drawn, count=recipe.drawings, side=recipe.settings.side)
        subject = Subject(version=recipe.version, licence="Apache-2.0", source="the drawing itself, no reader")
        train_expert(open_dataset(drawn), learnt, recipe.settings, subject, tell=tell)
        package(recipe, learnt.with_suffix(".toml"), folder)


def package(recipe: Recipe, learnt: Path, folder: Path) -> None:
    """The manifest says what the network is for; the graph in 8 bits, calibrated on drawings of other seeds."""
    manifest, _ = read(learnt)
    learnt.write_text(toml(recipe.told(manifest)), encoding="utf-8")
    with tempfile.TemporaryDirectory() as place:
        drawn = Path(place) / "drawn"
        recipe.draw(drawn, count=CALIBRATED_ON, side=recipe.settings.side, first_seed=recipe.drawings)
        quantise(learnt, open_dataset(drawn), folder / f"{recipe.name}.onnx", images=CALIBRATED_ON)


def _told(epoch: Epoch) -> None:
    sys.stdout.write(f"epoch {epoch.number}: loss {epoch.loss:.3f}, validation Dice {epoch.validation:.3f}\n")
    sys.stdout.flush()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [recipe.name for recipe in RECIPES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all where none is given")
    parser.add_argument("--out", type=Path, default=LIBRARY)
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(names):
        parser.error(f"no packaged network is called {min(unknown)!r}: there are {', '.join(names)}")
    for recipe in RECIPES:
        if recipe.name in (arguments.names or names):
            sys.stdout.write(f"{recipe.name}\n")
            train_packaged(recipe, arguments.out, _told)


if __name__ == "__main__":
    main()
