"""Packaged networks, trained anew on drawings, and on real images with masks where a folder of them is given.

python -m models.experts.training.packaged [NAME …] [--data FOLDER] [--out FOLDER]
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import torch

from models.experts.datasets import BadDataset, Dataset, open_dataset, together
from models.experts.datasets.films import write_films
from models.experts.manifest import Manifest, read
from models.experts.packaged import LIBRARY
from models.experts.stated import Calibration, Precision
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

    `beside`: drawings and epochs where it learns from real images too, which take fewer of both. `about`: fields of the
    manifest; `output`: of the one label's table; `units`: of the images that it may be shown.
    """

    name: str
    version: str
    draw: Draw
    drawings: int
    settings: Settings
    beside: tuple[int, int]
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])
    output: Mapping[str, Any] = field(default_factory=dict[str, Any])
    units: tuple[str, ...] = ()

    def told(self, manifest: Manifest, real: Dataset | None) -> Manifest:
        """The manifest that training wrote, with what the network is for."""
        (one,) = manifest.outputs
        if real is None:
            made, learnt = "All of them were drawn, none is of a patient.", "drawn films alone"
        else:
            made = f"Of all, {self.beside[0]:,} were drawn; {real.files:,} are real: {_source(real)}."
            learnt = f"drawn films and real ones: {_source(real)}"
        limit = f"It learnt from {learnt}. How it does on others, after surgery or elsewhere is not known."
        changed = {
            **self.about,
            "limits": (limit, *self.about.get("limits", ())),
            "made": f"{manifest.made} {made}",
            "input": manifest.input.model_copy(update={"units": self.units}),
            "outputs": (one.model_copy(update=dict(self.output)),),
        }
        return manifest.model_copy(update=changed)


LUNGS = Recipe(
    "chest-lungs", "2.1.0", write_films, 3600,
    Settings(
        side=96, width=8, depth=4, epochs=8, batch=16, learning_rate=3e-3, mirror=False, rotate=10.0, validation=0.1,
        held_out=0.05,
    ),
    (600, 10),
    {
        "title": "Lung fields of frontal chest radiographs",
        "organs": ("chest", "lung"),
        "views": ("AP", "PA"),
        "limits": (
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
        "calibration": Calibration(
            slope=0, intercept=3.807, images=22, patients=17, regions=44, brier=0.002, brier_of_share=0.002,
            of="films with lungs outlined by readers; none was learnt from",
        ),
    },
)  # fmt: skip
RECIPES = (LUNGS,)


def _source(real: Dataset) -> str:
    return real.source or "of a source that their folder does not tell"


def train_packaged(
    recipe: Recipe, folder: Path, real: Dataset | None = None, tell: Callable[[Epoch], None] = lambda _: None
) -> None:
    """Draw, learn, and write NAME.onnx, .toml and .md into `folder`, in 8 bits.

    `real`: images with masks of the same label to learn from beside the drawings. Raises BadDataset.
    """
    # As many threads, as many sums in another order: one thread gives the same weights on every CPU of a kind.
    torch.set_num_threads(1)
    count, settings = recipe.drawings, recipe.settings
    if real is not None:
        count, settings = recipe.beside[0], replace(settings, epochs=recipe.beside[1])
    with tempfile.TemporaryDirectory() as place:
        drawn, learnt = Path(place) / "drawn", Path(place) / "learnt" / f"{recipe.name}.onnx"
        recipe.draw(drawn, count=count, side=settings.side)
        dataset, marked = open_dataset(drawn), "the drawing itself, no reader"
        if real is not None:
            dataset, marked = together(dataset, real), f"the drawing itself; of the real images: {_source(real)}"
        subject = Subject(version=recipe.version, licence="Apache-2.0", source=marked)
        train_expert(dataset, learnt, settings, subject, tell=tell)
        package(recipe, learnt.with_suffix(".toml"), folder, real)


def package(recipe: Recipe, learnt: Path, folder: Path, real: Dataset | None = None) -> None:
    """The manifest says what the network is for; the graph in 8 bits, calibrated on drawings of other seeds."""
    manifest, _ = read(learnt)
    learnt.write_text(toml(recipe.told(manifest, real)), encoding="utf-8")
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
    parser.add_argument("--data", type=Path, help="images with masks to learn from beside the drawings")
    parser.add_argument("--out", type=Path, default=LIBRARY)
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(names):
        parser.error(f"no packaged network is called {min(unknown)!r}: there are {', '.join(names)}")
    try:
        real = open_dataset(arguments.data) if arguments.data is not None else None
        for recipe in RECIPES:
            if recipe.name in (arguments.names or names):
                sys.stdout.write(f"{recipe.name}\n")
                train_packaged(recipe, arguments.out, real, _told)
    except BadDataset as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
