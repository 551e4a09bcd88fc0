"""Real chest films with outlined lungs, as image and mask folders: 1,200 children, one film each.

    python -m models.experts.datasets.real_films IMAGES MASKS OUT

`IMAGES` holds the films of Kermany, Zhang and Goldbaum (doi:10.17632/rscbjbr9sj.2, CC BY 4.0), in any folders below it
and of any size; `MASKS` is `annotations/all-images-semantic-masks` of V7 Labs' COVID-19 X-ray dataset
(github.com/v7labs/covid-19-xray-dataset, CC BY 4.0), which names masks by numbers alone. `real_films.csv` tells which
mask is of which film: names in their order were aligned with numbers in theirs by how well each mask agreed with the
outlines of chest-lungs 1.0.0, and only unbroken runs of ten or more were kept.
"""

import argparse
import csv
import sys
from pathlib import Path

import cv2
import numpy as np

from models.experts.datasets.examples import BadDataset
from models.experts.datasets.films import LABEL
from models.experts.datasets.phantoms import begin, describe

TABLE = Path(__file__).with_suffix(".csv")
SOURCE = (
    "chest films of children by Kermany, Zhang and Goldbaum (2018, doi:10.17632/rscbjbr9sj.2, CC BY 4.0), "
    "lungs outlined by V7 Labs (COVID-19 X-ray dataset, CC BY 4.0)"
)
SIDE = 160
"""px on the longest side. A film is given the shape of its mask, since copies of the collection are often square."""
LUNG = 255
"""In the masks; 127 is what hides a lung."""


def write_real_films(images: Path, masks: Path, out: Path) -> int:
    """How many films were written.

    Raises:
        FolderInUse: `out` holds files.
        BadDataset: a film or a mask of the table is not there, or cannot be read.
    """
    films = {path.stem: path for path in sorted(images.rglob("*.jpeg"))}
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    begin(out)
    for row in rows:
        if row["film"] not in films:
            raise BadDataset(f"{images}: holds no {row['film']}.jpeg")
        mask = _read(masks / f"{row['mask']}.png")
        film = _read(films[row["film"]])
        scale = SIDE / max(mask.shape)
        size = (round(mask.shape[1] * scale), round(mask.shape[0] * scale))
        lungs = (cv2.resize((mask == LUNG).astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5).astype(
            np.uint8
        )
        outlines, _ = cv2.findContours(lungs, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        # Devices are cut out of the lungs that they hide; lungs are told behind them too.
        cv2.drawContours(lungs, outlines, -1, 1, cv2.FILLED)
        cv2.imwrite(str(out / "images" / f"{row['film']}.png"), cv2.resize(film, size, interpolation=cv2.INTER_AREA))
        cv2.imwrite(str(out / "masks" / f"{row['film']}.png"), lungs)
    groups = {row["film"]: row["patient"] for row in rows}
    about = {"modality": "X-ray", "organ": "chest", "unit": "stored value", "labels": {"1": LABEL}}
    describe(out, {**about, "groups": groups, "source": SOURCE})
    return len(rows)


def _read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.is_file() else None
    if image is None:
        raise BadDataset(f"{path}: is not there, or no image")
    return image


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("images", "masks", "out"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    try:
        written = write_real_films(arguments.images, arguments.masks, arguments.out)
    except BadDataset as error:
        parser.error(str(error))
    sys.stdout.write(f"{written} films\n")


if __name__ == "__main__":
    main()
