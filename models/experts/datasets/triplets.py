"""Our own triplets, as `tristream triplets` and `annotate` write them: the regions' masks on the triplet's image."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from models.experts.annotated import SOURCE
from models.experts.calibration import Scored, is_right
from models.experts.datasets.examples import BadDataset, BinaryImage, Dataset, Example, decoded
from models.imaging import from_pixels
from schemas.failures import InvalidInput
from schemas.images import Modality
from schemas.regions import Region
from schemas.triplets import Triplet


def find_triplets(folder: Path) -> list[Path]:
    """JSON Lines in `folder`."""
    return sorted(folder.glob("*.jsonl"))


def open_triplets(paths: list[Path]) -> Dataset:
    """Regions that the source marked are learnt where there are any in the files, else the experts' candidates.

    Their labels become labels; an image that has none of them teaches what is not one. All images of one patient, or
    where none is told of one study, series or object, stay together in a split. The image of a triplet is the rendered
    view: what is learnt fits images of that look.

    Raises:
        BadDataset: a line is no triplet, or no triplet has a region to learn.
    """
    found: dict[str, set[str]] = {"source annotation": set(), "candidate": set()}
    count, modalities, organs = 0, set[str](), set[str | None]()
    for _, triplet in _triplets(paths):
        count += 1
        modalities.add(triplet.metadata.modality)
        organs.add(triplet.metadata.organ)
        for region in triplet.regions:
            found.setdefault(region.kind, set()).add(region.label)
    kind = "source annotation" if found["source annotation"] else "candidate"
    labels = tuple(sorted(found[kind]))
    if not labels:
        raise BadDataset("no triplet has a region that the source or an expert marked")
    if len(modalities) > 1:
        raise BadDataset(f"the triplets are of {', '.join(sorted(modalities))}: keep one modality in a folder")
    organ = organs.pop() if len(organs) == 1 else None

    def read() -> Iterator[Example]:
        for name, triplet in _triplets(paths):
            yield _example(name, triplet, kind, labels, organ)

    return Dataset(f"triplets, regions of kind {kind}", labels, count, read, None, organ, None)


def _triplets(paths: list[Path]) -> Iterator[tuple[str, Triplet]]:
    for path in paths:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    yield f"{path.name} line {number}", Triplet.model_validate_json(line)
                except ValidationError:
                    raise BadDataset(f"{path.name} line {number}: is no triplet") from None


def judged(
    paths: list[Path], expert: str, marks: Mapping[str, frozenset[str]], *, unmarked: bool = False
) -> dict[str, tuple[int, list[Scored]]]:
    """By label, how many images were looked at, and whether each region that `expert` (name@version) found is right.

    Args:
        paths: JSON Lines of triplets.
        expert: whose candidates are judged. Images on which it failed, or did not look, are left out.
        marks: by label, what the source calls the same, in lower case.
        unmarked: images in which the source marks none of these are looked at too, and whatever is told there is wrong.
            Else they are left out, as are those of which some marks were.

    Raises:
        BadDataset: a line is no triplet, or has a region of another size than its image.
    """
    found: dict[str, tuple[int, list[Scored]]] = {label: (0, []) for label in marks}
    for name, triplet in _triplets(paths):
        ran = any(run.expert == expert and run.outcome != "failed" for run in triplet.experts)
        if (
            not ran
            or triplet.metadata.annotations_left_out
            or any(run.expert == SOURCE and run.left_out for run in triplet.experts)
        ):
            continue
        for label, words in marks.items():
            truth = np.zeros((triplet.image.rows, triplet.image.columns), np.uint8)
            for region in triplet.regions:
                if region.kind == "source annotation" and region.label.lower() in words:
                    truth |= _mask(name, region, truth.shape)
            if not (truth.any() or unmarked):
                continue
            images, scored = found[label]
            scored += [
                Scored(region.score or 0.0, is_right(_mask(name, region, truth.shape), truth), group(triplet))
                for region in triplet.regions
                if region.kind == "candidate" and (region.expert, region.label) == (expert, label)
            ]
            found[label] = (images + 1, scored)
    return found


def _mask(name: str, region: Region, size: tuple[int, ...]) -> BinaryImage:
    if region.mask.size != size:
        raise BadDataset(f"{name}: a region is of another size than the image")
    return decoded(region.mask.size, region.mask.counts)


def group(triplet: Triplet) -> str:
    """What keeps images of one patient together; of one study, series or object where nothing tells whose they are."""
    return ((triplet.provenance and triplet.provenance.together) or ("object", triplet.object_id))[1]


def pictures(path: Path) -> Iterator[tuple[Modality, NDArray[np.float32]]]:
    """The modality and rendered view, (rows, columns) or (rows, columns, 3) in grey levels, of each triplet of a file.

    Raises:
        BadDataset: a line is no triplet, or one without its pixels.
    """
    for name, triplet in _triplets([path]):
        yield triplet.metadata.modality, _stored(name, triplet).astype(np.float32)


def _stored(name: str, triplet: Triplet) -> NDArray[np.integer]:
    if triplet.image.data is None:
        raise BadDataset(f"{name}: its image travels by reference; export it with its pixels")
    try:
        return from_pixels(triplet.image)
    except InvalidInput as error:
        raise BadDataset(f"{name}: {error}") from None


def _example(name: str, triplet: Triplet, kind: str, labels: tuple[str, ...], organ: str | None) -> Example:
    pixels, stored = triplet.image, _stored(name, triplet)
    masks = {label: np.zeros(stored.shape[:2], np.uint8) for label in labels}
    for region in triplet.regions:
        if region.kind != kind:
            continue
        masks[region.label] |= _mask(name, region, stored.shape[:2])
    values = stored.astype(np.float32) * np.float32(pixels.slope) + np.float32(pixels.intercept)
    given = triplet.provenance and triplet.provenance.split
    return Example(name, group(triplet), values, pixels.unit, masks, False, triplet.metadata.modality, organ, given)
