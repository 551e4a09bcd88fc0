"""Slices of a series, one file each: from a folder to messages that hold the slices beside them."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import Dataset as Item

from agents.ground import ground
from agents.preprocess import preprocess
from agents.reading import Reading
from agents.series import Series
from models.experts.registry import Registry
from models.imaging import BurnedInPolicy, FramePolicy, from_pixels
from schemas.images import MedicalImage
from schemas.limits import Limits
from schemas.regions import GroundedImage
from streams.buckets import catalogue
from streams.buckets.references import reference_to
from streams.dead_letters import FrameFailed
from streams.identity import Identity
from streams.isolation import Isolated
from streams.payloads import Payloads
from tests.models.imaging.annotation_objects import AXIAL, SAGITTAL, series, uid, written

READING = Reading(FramePolicy(), BurnedInPolicy(), Limits(), neighbours=1)
RADII = (0, 5, 9, 9, 0)
"""px of the lesion, slice by slice."""


class Here:
    """Calls where it is asked, and notes them: for speed, where nothing is said of isolation."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        self.calls.append((function.__name__, arguments[0]))
        return function(*arguments)

    def headers(self) -> list[str]:
        return [one.key for name, files in self.calls if name == "slices_of" for one in files]


class Stage:
    """preprocess, as a worker has it."""

    def __init__(self, *, looks: bool = True, isolated: object | None = None, **changes: Any) -> None:
        self.here = Here()
        self._isolated = cast(Isolated, isolated or self.here)
        self._reading = replace(READING, **changes)
        self._series = Series(isolated=self._isolated, limits=Limits()) if looks else None

    async def sent(self, path: Path) -> MedicalImage | FrameFailed:
        (found,) = [
            one
            async for one in preprocess(
                reference_to(path, path.parents[1]),
                isolated=self._isolated,
                identity=Identity(bytes(16)),
                payloads=Payloads((path.parents[1] / "payloads").as_uri(), 10**6),
                reading=self._reading,
                series=self._series,
            )
        ]
        return found if isinstance(found, FrameFailed) else MedicalImage.model_validate_json(found.model_dump_json())

    async def image(self, path: Path) -> MedicalImage:
        found = await self.sent(path)
        assert isinstance(found, MedicalImage), found
        return found

    def images(self, paths: list[Path]) -> list[MedicalImage]:
        async def all_of_them() -> list[MedicalImage]:
            return [await self.image(path) for path in paths]

        return asyncio.run(all_of_them())


def lesion(axes: tuple[int, ...] = AXIAL) -> list[Dataset]:
    """A body in air with a lesion of air in it, that grows along the normal."""
    down, across = np.mgrid[:72, :72]
    images = series(len(RADII), axes, 72, 72)
    for number, (image, radius) in enumerate(zip(images, RADII, strict=True)):
        section = np.where((down - 36) ** 2 + (across - 36) ** 2 < 32**2, 40, -1000).astype(np.int16)
        section[(down - 30) ** 2 + (across - 40) ** 2 < radius**2] = -1000
        image.RescaleIntercept, image.RescaleSlope, image.PixelRepresentation = 0, 1, 1
        image.PixelSpacing, image.PixelPaddingValue = [1, 1], -2000
        section[0, 0] = -1000 + number
        image.PixelData = section.tobytes()
    return images


def put(folder: Path, images: list[Dataset], seed: int = 1) -> list[Path]:
    """The files, in the order of the images, under names in another."""
    folder.mkdir(exist_ok=True)
    names = list(range(len(images)))
    random.Random(seed).shuffle(names)
    paths = [folder / f"DOE JANE {name}.dcm" for name in names]
    for path, image in zip(paths, images, strict=True):
        path.write_bytes(written(image))
    return paths


def near(image: MedicalImage) -> list[tuple[int, str, str | None, float | None]]:
    return [(one.steps, one.image_id, one.towards, one.distance_mm) for one in image.metadata.neighbours]


def test_each_slice_is_sent_with_those_beside_it(tmp_path: Path) -> None:
    """Whatever their names; the slice itself and those beside it are as in their own messages, and none names a UID."""
    paths = put(tmp_path / "CT", lesion())
    alone, together = Stage(neighbours=0).images(paths), Stage(neighbours=2).images(paths)
    for number, (plain, image) in enumerate(zip(alone, together, strict=True)):
        steps = [n for n in (-2, -1, 1, 2) if 0 <= number + n < 5]
        assert image.image_id == plain.image_id
        assert near(image) == [
            (n, alone[number + n].image_id, "head" if n > 0 else "feet", 5.0 * abs(n)) for n in steps
        ]
        assert [one.frame for one in image.metadata.neighbours] == [0] * len(steps)
        assert list(image.neighbours) == [alone[number + n].pixels for n in steps]
        assert image.model_copy(update={"metadata": plain.metadata, "neighbours": ()}) == plain
        assert "1.2.826" not in image.model_dump_json()
        assert "DOE" not in image.metadata.model_dump_json()


def test_without_the_setting_messages_are_as_before(tmp_path: Path) -> None:
    """Byte for byte: a stage that is not told that series come whole looks for nothing."""
    paths = put(tmp_path / "CT", lesion())
    plain = [one.model_dump_json() for one in Stage(neighbours=0).images(paths)]
    assert [one.model_dump_json() for one in Stage(looks=False).images(paths)] == plain
    assert [one.model_dump_json() for one in Stage(neighbours=0, looks=True).images(paths)] == plain
    assert not any("neighbours" in one for one in plain)


def enhanced(images: list[Dataset]) -> bytes:
    """The same slices as one object of many frames, in another order."""
    order = [3, 0, 4, 1, 2]
    whole = images[0].copy()
    whole.SOPClassUID = whole.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    whole.NumberOfFrames = len(images)
    whole.PixelData = b"".join(images[n].PixelData for n in order)

    def item(**elements: Any) -> Item:
        found = Item()
        for keyword, value in elements.items():
            setattr(found, keyword, value)
        return found

    whole.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[item(PixelSpacing=list(whole.PixelSpacing), SliceThickness=whole.SliceThickness)],
            PlaneOrientationSequence=[item(ImageOrientationPatient=list(whole.ImageOrientationPatient))],
        )
    ]
    whole.PerFrameFunctionalGroupsSequence = [
        item(PlanePositionSequence=[item(ImagePositionPatient=list(images[n].ImagePositionPatient))]) for n in order
    ]
    return written(whole)


@pytest.mark.parametrize("axes", [AXIAL, SAGITTAL], ids=["axial", "sagittal"])
def test_files_and_frames_tell_the_same(tmp_path: Path, axes: tuple[int, ...]) -> None:
    """A volume as one object or as many: the same slices lie beside each other, and findings go on in the same way."""
    volume = lesion(axes)
    paths = put(tmp_path / "CT", volume)
    (tmp_path / "whole").mkdir()
    whole = tmp_path / "whole/whole.dcm"
    whole.write_bytes(enhanced(volume))

    async def frames() -> list[MedicalImage]:
        messages = preprocess(
            reference_to(whole, tmp_path), isolated=cast(Isolated, Here()), identity=Identity(bytes(16)),
            payloads=Payloads((tmp_path / "payloads").as_uri(), 10**6), reading=READING,
        )  # fmt: skip
        found = [one async for one in messages]
        return [one for one in found if isinstance(one, MedicalImage)]

    registry, payloads = Registry.load(), Payloads((tmp_path / "payloads").as_uri(), 10**6)

    async def grounded(image: MedicalImage) -> GroundedImage:
        return await anext(ground(image, registry=registry, payloads=payloads))

    by_pixels = {one.pixels.data: one for one in asyncio.run(frames())}
    assert len(by_pixels) == len(paths)
    told = 0
    for image in Stage().images(paths):
        twin = by_pixels[image.pixels.data]
        assert [one[0::2] for one in near(image)] == [one[0::2] for one in near(twin)]
        assert near(image)
        assert image.neighbours == twin.neighbours
        one, other = (asyncio.run(grounded(each)).grounding for each in (image, twin))
        assert one.continuations == other.continuations
        told += sum(each.outcome == "continues" for each in one.continuations)
    assert told >= 4


def test_two_series_of_a_folder_are_not_mixed(tmp_path: Path) -> None:
    """Nor are echoes, nor a localizer; a copy of a slice is that slice."""
    one, other = lesion(), lesion()
    for number, image in enumerate(other):
        image.SeriesInstanceUID = uid(800)
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = uid(810 + number)
        image.PixelData = (np.frombuffer(image.PixelData, np.int16) + 7).tobytes()
    (localizer,) = series(1, SAGITTAL, 72, 72)
    localizer.SOPInstanceUID = localizer.file_meta.MediaStorageSOPInstanceUID = uid(820)
    localizer.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    paths = put(tmp_path / "CT", [*one, *other, localizer, one[2]])
    images = Stage().images(paths)
    ids = [image.image_id for image in images]
    for number, image in enumerate(images[:10]):
        steps = [n for n in (-1, 1) if 0 <= number % 5 + n < 5]
        assert [each[:2] for each in near(image)] == [(n, ids[number + n]) for n in steps]
    assert near(images[10]) == []
    assert near(images[11]) == near(images[2])


def test_a_damaged_sibling_is_left_out(tmp_path: Path) -> None:
    """In its pixels or its header; so are those behind it, and it is an object of its own all the same."""
    paths = put(tmp_path / "CT", lesion())
    (tmp_path / "CT/notes.txt").write_text("DOE JANE")
    (tmp_path / "CT/empty.dcm").write_bytes(b"")
    paths[4].write_bytes(paths[4].read_bytes()[:400])
    stage = Stage(neighbours=2)
    assert [one[0] for one in near(asyncio.run(stage.image(paths[2])))] == [-2, -1, 1]
    paths[3].write_bytes(paths[3].read_bytes()[:-2000])
    assert [one[0] for one in near(asyncio.run(Stage(neighbours=2).image(paths[2])))] == [-2, -1]
    paths[1].write_bytes(b"gone")
    assert [one[0] for one in near(asyncio.run(Stage(neighbours=2).image(paths[2])))] == []


def test_a_sibling_that_is_gone_or_another_is_left_out(tmp_path: Path) -> None:
    """What is read is the slice that was found, or none."""
    paths = put(tmp_path / "CT", lesion())

    async def run() -> list[list[int]]:
        found: list[list[int]] = []
        stage = Stage()
        await stage.image(paths[0])
        paths[3].unlink()
        found.append([one[0] for one in near(await stage.image(paths[2]))])
        stage = Stage()
        await stage.image(paths[0])
        paths[2].write_bytes(paths[4].read_bytes())
        found.append([one[0] for one in near(await stage.image(paths[1]))])
        return found

    assert asyncio.run(run()) == [[-1], [-1]]


def test_text_is_masked_in_siblings(tmp_path: Path) -> None:
    """As in their own messages, by the same policy; what is masked in them is told."""
    images = series(3, AXIAL, 128, 128)
    for image in images:
        picture = np.full((128, 128), 200, np.int16)
        image.PixelData, image.BurnedInAnnotation = picture.tobytes(), "NO"
    ink = cv2.putText(np.zeros((128, 128), np.uint8), "DOE JANE", (4, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2)
    picture = np.where(ink > 0, 1500, 200).astype(np.int16)
    images[1].PixelData, images[1].BurnedInAnnotation = picture.tobytes(), "YES"
    paths = put(tmp_path / "CT", images)
    first, second = Stage().images(paths[:2])
    cleaning = second.metadata.pixel_cleaning
    assert cleaning is not None
    assert cleaning.boxes
    (beside,) = first.metadata.neighbours
    assert (beside.image_id, beside.masked) == (second.image_id, cleaning.boxes)
    assert first.neighbours == (second.pixels,)
    hidden = from_pixels(first.neighbours[0])
    assert not np.array_equal(hidden, picture)


def test_headers_are_read_once_and_pixels_seldom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is listed once for all that lies in it, and again only for what is new; a slice is read twice."""
    paths = put(tmp_path / "CT", lesion())
    listed: list[str] = []
    looked = catalogue.files_beside
    monkeypatch.setattr(catalogue, "files_beside", lambda reference: listed.append(reference.key) or looked(reference))
    monkeypatch.setattr(catalogue, "FRESH", 0.0)
    monkeypatch.setattr(catalogue, "TOGETHER", 2)
    stage = Stage(neighbours=2)

    async def run() -> None:
        first = await asyncio.gather(*(stage.image(path) for path in paths))
        assert len(listed) == 1
        assert sorted(stage.here.headers()) == sorted(reference_to(path, tmp_path).key for path in paths)
        assert sum(name == "slice_of" for name, _ in stage.here.calls) == len(paths)
        later = lesion()[0]
        later.SOPInstanceUID = later.file_meta.MediaStorageSOPInstanceUID = uid(830)
        later.ImagePositionPatient = [*later.ImagePositionPatient[:2], 32.0]
        (tmp_path / "CT/later.dcm").write_bytes(written(later))
        assert near(await stage.image(tmp_path / "CT/later.dcm"))[-1][1] == first[4].image_id
        assert [one.partition("/")[2] for one in stage.here.headers()[5:]] == ["later.dcm"]
        assert len(listed) == 2

    asyncio.run(run())


def test_what_was_mended_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file written anew under its name, as the same slice, is another state: nothing of the old one is kept."""
    monkeypatch.setattr(catalogue, "FRESH", 0.0)
    monkeypatch.setattr(catalogue, "STALE", 0.0)
    monkeypatch.setattr(catalogue, "SHARE", 0)
    paths = put(tmp_path / "CT", lesion())
    whole = paths[3].read_bytes()
    paths[3].write_bytes(whole[:-2000])
    stage = Stage()

    async def run() -> list[list[int]]:
        found = [near(await stage.image(paths[2]))]
        paths[3].write_bytes(whole)
        return [[one[0] for one in each] for each in (*found, near(await stage.image(paths[2])))]

    assert asyncio.run(run()) == [[-1], [-1, 1]]
    assert len(stage.here.headers()) == 6


def test_an_isolated_process_does_the_same(tmp_path: Path) -> None:
    """The message does not depend on where it is made, nor on what was made before."""
    paths = put(tmp_path / "CT", lesion())

    async def elsewhere() -> list[MedicalImage]:
        isolated = Isolated(Limits(), modules=("agents.preprocess",))
        try:
            stage = Stage(isolated=isolated)
            return [await stage.image(path) for path in paths]
        finally:
            isolated.close()

    found = asyncio.run(elsewhere())
    assert found == Stage().images(paths)
    assert found[::-1] == Stage().images(paths[::-1])


def test_a_sidecar_of_a_sibling_counts(tmp_path: Path) -> None:
    """A slice that someone says lies otherwise is not compared; of one's own the side is no longer told."""
    paths = put(tmp_path / "CT", lesion())
    said = '{"orientation": {"right": "patient right", "down": "posterior"}}'
    paths[3].with_name(paths[3].name + ".json").write_text(said)
    images = Stage().images([paths[2], paths[3]])
    assert [one[0] for one in near(images[0])] == [-1]
    assert near(images[1]) == []
    for path in paths:
        path.with_name(path.name + ".json").write_text(said)
    assert [one[2] for one in near(Stage().images(paths)[2])] == [None, None]


def test_a_place_of_too_many_files_is_not_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known stays bounded; of places the last are kept."""
    monkeypatch.setattr(catalogue, "MOST", 6)
    monkeypatch.setattr(catalogue, "FRESH", 0.0)
    one, other = put(tmp_path / "A", lesion()), put(tmp_path / "B", lesion())
    stage = Stage()
    for paths in (one, other, one):
        assert near(asyncio.run(stage.image(paths[2])))
    assert len(stage.here.headers()) == 15
    for number in range(3):
        (tmp_path / f"A/{number}").write_bytes(b"")
    assert near(Stage().images(one)[2]) == []
