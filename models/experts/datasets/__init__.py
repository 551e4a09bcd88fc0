"""Images with masks to train experts on, from a folder. Knows nothing of torch, nor of what is trained."""

from pathlib import Path

from models.experts.datasets.coco import find_instances, open_coco
from models.experts.datasets.examples import BadDataset, Dataset, Example, Split, split, together
from models.experts.datasets.folders import open_folders
from models.experts.datasets.phantoms import write_phantoms
from models.experts.datasets.triplets import find_triplets, open_triplets


def open_dataset(folder: Path) -> Dataset:
    """What lies in `folder`: image and mask folders, COCO, or our own triplets, whichever there is.

    Raises:
        BadDataset: it is none of the three, or two of them, or what describes it cannot be read.
    """
    kinds = {
        "images/ and masks/": (folder / "masks").is_dir(),
        "a COCO file": bool(instances := find_instances(folder)),
        "triplets (.jsonl)": bool(triplets := find_triplets(folder)),
    }
    found = [name for name, there in kinds.items() if there]
    if len(found) != 1:
        raise BadDataset(f"the folder must hold one of {', '.join(kinds)}; it holds {' and '.join(found) or 'none'}")
    if instances:
        return open_coco(folder, instances)
    return open_triplets(triplets) if triplets else open_folders(folder)


__all__ = ["BadDataset", "Dataset", "Example", "Split", "open_dataset", "split", "together", "write_phantoms"]
