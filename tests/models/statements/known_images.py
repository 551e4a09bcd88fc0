"""Facts to speak of: images that pydicom carries, and phantoms with what a source would tell of them, grounded."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco
from pydicom.data import get_testdata_file

from benchmarks.statements import files
from models.experts.inputs import Floats
from models.experts.manifest import Manifest
from models.experts.phantoms import draw
from models.experts.registry import Registry
from models.experts.running import Expert
from models.statements import Facts, judge
from models.statements.verdicts import Judged
from schemas.images import Orientation, SourceAnnotation
from schemas.shapes import Mask

RADIOGRAPH_LUNGS = Mask(
    size=(96, 90),
    counts="Xa05b29K5L2H9C=L4N2O2M201O1N10100O1O1O10000O100000O010M3O1002N1O0001K7`NfNo0\\2UO`g0MfXO8IT1nN6J2O0O100000"
    "1O001O1O10O000O2O001O001O1O100O2N3M2N5L7I4L7I7I7HQf0",
)
"""Of pydicom's RG1_UNCR, on the copy that lungs are looked for on."""


class OutlinedLungs(Expert):
    """Tells lungs where they were outlined once: what is said of the radiograph does not change with each training."""

    def run(self, batch: Floats, names: Sequence[str], others: Mapping[str, Floats] | None = None) -> list[Floats]:
        if batch.shape[2:] != RADIOGRAPH_LUNGS.size:
            return super().run(batch, names, others)
        lungs = coco.decode(RADIOGRAPH_LUNGS.rle)
        return [np.asarray(lungs, np.float32)[None, None]]


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The packaged experts, without what keeps some of them from normal places: there are many regions to speak of."""
    return Registry(
        tuple(
            _outlined(one) if one.manifest.name == "chest-lungs" else replace(one, manifest=_talkative(one.manifest))
            for one in Registry.load().experts
        )
    )


def _talkative(manifest: Manifest) -> Manifest:
    outputs = tuple(one.model_copy(update={"rim": 0.0}) for one in manifest.outputs)
    inside = None if manifest.name == "xray-transmission" else manifest.inside
    return manifest.model_copy(update={"except_organs": (), "outputs": outputs, "inside": inside})


def _outlined(expert: Expert) -> OutlinedLungs:
    return OutlinedLungs(**{one.name: getattr(expert, one.name) for one in fields(expert)})


@lru_cache(maxsize=4)
def brain(inverted: bool = False) -> Facts:
    """An axial MR slice of a brain whose source marks a bright oval tumour on the patient's left, 44 × 28 mm."""
    drawn = draw("MR", seed=1, contrast=0)
    metadata = drawn.metadata.model_copy(
        update={
            "plane": "axial",
            "disease": "glioblastoma",
            "orientation": Orientation(right="patient left", down="posterior"),
        }
    )
    rows, columns = drawn.values.shape[:2]
    y, x = np.mgrid[:rows, :columns]
    lesion = (((x - 165) / 24) ** 2 + ((y - 120) / 15) ** 2 <= 1).astype(np.uint8)
    inside = lesion.astype(bool)
    values = drawn.values.copy()
    values[inside] += np.float32(6 * values[~inside & (values > values.mean())].std())
    runs: Any = coco.encode(np.asfortranarray(lesion))
    mark = SourceAnnotation(label="tumour", mask=Mask(size=(rows, columns), counts=runs["counts"].decode()))
    grounding = registry().ground(values, metadata, drawn.unit, annotations=(mark,), inverted=inverted)
    return Facts(metadata, grounding, (), rows, columns)


@lru_cache(maxsize=1)
def pair() -> Facts:
    """An axial MR slice of which nothing tells sides, with two lesions: r1 lower right, r2, half of it, upper left."""
    drawn = draw("MR", seed=1, contrast=0)
    rows, columns = drawn.values.shape[:2]
    y, x = np.mgrid[:rows, :columns]
    metadata = drawn.metadata.model_copy(update={"plane": "axial", "orientation": None})
    values, marks = drawn.values.copy(), list[SourceAnnotation]()
    spread = values[values > values.mean()].std()
    for across, down, width in ((150, 150, 18), (100, 95, 13)):
        lesion = (((x - across) / width) ** 2 + ((y - down) / (0.7 * width)) ** 2 <= 1).astype(np.uint8)
        values[lesion.astype(bool)] += np.float32(6 * spread)
        runs: Any = coco.encode(np.asfortranarray(lesion))
        marks.append(SourceAnnotation(label="lesion", mask=Mask(size=(rows, columns), counts=runs["counts"].decode())))
    grounding = registry().ground(values, metadata, drawn.unit, annotations=tuple(marks))
    return Facts(metadata, grounding, (), rows, columns)


@lru_cache(maxsize=2)
def facts_of(name: str) -> Facts:
    """What is measured of an image that pydicom carries."""
    (found,) = files(registry(), [Path(str(get_testdata_file(name, download=False)))])
    return found.facts


OUTCOMES = {"+": "supported", "-": "contradicted", "?": "unsupported"}


def lined(*of: tuple[str, str]) -> list[tuple[str, str, str]]:
    """Image, wanted outcome, sentence, of lines that begin with a sign of `OUTCOMES`; "", "pair": of drawn brains."""
    return [(name, OUTCOMES[line[0]], line[2:]) for name, lines in of for line in lines.strip().splitlines()]


def judged(name: str, text: str) -> Judged:
    """A sentence held against the facts of an image of `lined`."""
    return judge(text, pair() if name == "pair" else facts_of(name) if name else brain())
