"""Annotation objects in a place beside the images: found by what they mean, and read once for each state."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.describe import describe
from agents.given import GivenAnnotations
from agents.ground import ground
from agents.preprocess import preprocess
from agents.reading import Reading
from infra.annotate import find_files, images_among
from models.describers import Composer
from models.experts.registry import Registry
from models.imaging import BurnedInPolicy, FramePolicy
from schemas.failures import Unavailable
from schemas.images import MedicalImage
from schemas.knowledge import EnrichedImage
from schemas.limits import Limits
from schemas.triplets import Triplet
from streams.buckets import catalogue
from streams.buckets.references import reference_to
from streams.identity import Identity
from streams.isolation import Isolated
from streams.payloads import Payloads
from tests.models.imaging.annotation_objects import (
    LIVER,
    segment,
    segmentation,
    series,
    structure_set,
    written,
)

LIMITS = Limits()
READING = Reading(FramePolicy(), BurnedInPolicy(), LIMITS)
IDENTITY = Identity(bytes(32))
MASK = np.zeros((1, 40, 60, 1), np.uint8)
MASK[0, 5:15, 20:30] = 1


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """As an archive gives it: a folder of images, and one beside it of what marks them."""
    for name in ("CT", "SEG"):
        (tmp_path / name).mkdir()
    images = series(2)
    for number, image in enumerate(images):
        (tmp_path / f"CT/{number}.dcm").write_bytes(written(image))
    (tmp_path / "SEG/1.dcm").write_bytes(written(segmentation(images[:1], MASK, [segment(1, LIVER)])))
    (tmp_path / "SEG/LICENSE").write_text("text")
    return tmp_path


@asynccontextmanager
async def reading(place: Path) -> AsyncIterator[Any]:
    """preprocess, of a file, with the annotation objects of a place."""
    isolated = Isolated(LIMITS, modules=("agents.preprocess",))
    annotations = GivenAnnotations(str(place), isolated=isolated, identity=IDENTITY, limits=LIMITS)

    async def read(path: Path) -> MedicalImage:
        (found,) = [
            one
            async for one in preprocess(
                reference_to(path, path.parent),
                isolated=isolated,
                identity=IDENTITY,
                payloads=Payloads((place / "payloads").as_uri(), 10**6),
                reading=READING,
                annotations=annotations,
            )
        ]
        assert isinstance(found, MedicalImage), found
        return found

    try:
        yield read
    finally:
        isolated.close()


async def triplet_of(image: MedicalImage, folder: Path) -> Triplet:
    payloads = Payloads((folder / "payloads").as_uri(), 10**6)
    (grounded,) = [one async for one in ground(image, registry=Registry.load(), payloads=payloads)]
    enriched = EnrichedImage(**dict(grounded), passages=(), knowledge_snapshot="none@0")
    (triplet,) = [one async for one in describe(enriched, describer=Composer())]
    return triplet


async def test_a_segmentation_becomes_a_region_and_a_changed_one_another_triplet(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself, for the image that it names alone; the message is the same each time, until the file changes."""
    monkeypatch.setattr(catalogue, "FRESH", 0.0)
    async with reading(study) as read:
        first, other = await read(study / "CT/0.dcm"), await read(study / "CT/1.dcm")
        assert (other.annotations, other.metadata.annotations_digest) == ((), None)
        assert await read(study / "CT/0.dcm") == first
        triplet = await triplet_of(first, study)
        region = triplet.regions[0]
        assert (region.kind, region.label, region.area_px) == ("source annotation", "liver", 100)
        assert (region.box.x, region.box.y, region.box.width, region.box.height) == (20, 5, 10, 10)
        assert region.code is not None
        assert (region.code.scheme, region.code.value) == ("SCT", "10200004")
        assert "liver" in triplet.description.description
        (study / "SEG/1.dcm").write_bytes(written(segmentation(series(1), np.roll(MASK, 1, 2), [segment(1, LIVER)])))
        again = await triplet_of(await read(study / "CT/0.dcm"), study)
    assert again.image_id == triplet.image_id
    assert again.triplet_id != triplet.triplet_id
    assert again.regions[0].box.x == 21


async def test_each_file_is_read_once_for_each_state(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are no annotation objects too; one that is damaged is left out, and its name is in no log."""
    monkeypatch.setattr(catalogue, "FRESH", 0.0)
    data = written(structure_set([]))
    (study / "SEG/DOE JANE.dcm").write_bytes(data[:-20])
    calls: list[str] = []

    class Counting(Isolated):
        async def call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
            calls.append(function.__name__)
            return await super().call(function, *args, **kwargs)

    isolated = Counting(LIMITS, modules=("agents.preprocess",))
    try:
        annotations = GivenAnnotations(str(study), isolated=isolated, identity=IDENTITY, limits=LIMITS)
        names = frozenset({series(1)[0].SOPInstanceUID})
        found = await asyncio.gather(*(annotations.of(names) for _ in range(3)))
        assert [[one.key for one in each] for each in found] == [["SEG/1.dcm"]] * 3
        assert len(calls) == 5
        os.utime(study / "SEG/1.dcm", (1, 1))
        await annotations.of(names)
        assert len(calls) == 6
        (study / "SEG/1.dcm").unlink()
        assert await annotations.of(names) == ()
        assert await annotations.of(frozenset()) == ()
        with pytest.raises(Unavailable, match="TRISTREAM_ANNOTATIONS"):
            await GivenAnnotations(str(study / "no"), isolated=isolated, identity=IDENTITY, limits=LIMITS).of(names)
    finally:
        isolated.close()


def test_annotation_objects_of_the_place_are_no_objects(study: Path) -> None:
    """Those that are given elsewhere, or not at all, are; so is what lies among them and is none."""
    (study / "report.dcm").write_bytes(written(structure_set([])))
    files = find_files([study])
    assert len(files) == 5
    assert [path.name for path in images_among(files, study)] == ["0.dcm", "1.dcm", "LICENSE"]
    assert len(images_among(files, study / "SEG")) == 4
