"""Slices beside a slice: from the file to the message, and from the message to what is told of them."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from agents.describe import describe
from agents.ground import ground
from agents.preprocess import preprocess
from agents.reading import Reading
from models.describers import Composer
from models.experts.registry import Registry
from models.imaging import BurnedInPolicy, FramePolicy, from_pixels
from models.imaging.errors import CorruptPixels
from models.imaging.neighbours import Beside, with_neighbours
from models.statements import Facts, judge, read
from models.statements.claims import Continues
from schemas.experts import ExpertRuntime
from schemas.images import MedicalImage
from schemas.knowledge import EnrichedImage
from schemas.limits import Limits
from schemas.regions import GroundedImage
from schemas.triplets import Triplet
from streams.buckets.references import reference_to
from streams.dead_letters import FrameFailed
from streams.identity import Identity
from streams.isolation import Isolated
from streams.payloads import Payloads

READING = Reading(FramePolicy(), BurnedInPolicy(), Limits(), neighbours=1)
SPACING = (1.0, 2.0, 5.0)
RADII = (0, 5, 9, 9, 0)
"""px of the lesion, slice by slice towards the patient's left, the back or the head."""
SIDES = {0: ("patient left", "patient right"), 1: ("posterior", "anterior"), 2: ("head", "feet")}


class Here:
    """Calls where it is asked, and counts: for speed, where nothing is said of isolation."""

    def __init__(self) -> None:
        self.read: list[int] = []

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if len(arguments) > 2:
            self.read.append(arguments[2])
        return function(*arguments)


def volume(axes: tuple[int, int, int], signs: tuple[int, int, int]) -> bytes:
    """HU: a body in air with a lesion of air in it, that grows towards the patient's left, the back or the head.

    Stored so that voxel axis n runs along patient axis axes[n], towards its L, P or S end where signs[n] is 1.
    """
    down, across = np.mgrid[:72, :72]
    cube = np.full((72, 72, 5), -1000, np.int16)
    for index, radius in enumerate(RADII):
        section = np.where((down - 36) ** 2 + (across - 36) ** 2 < 32**2, 40, -1000).astype(np.int16)
        section[(down - 30) ** 2 + (across - 40) ** 2 < radius**2] = -1000
        cube[:, :, index] = section
    cube = cube[tuple(slice(None, None, sign) for sign in signs)]
    affine = np.eye(4)
    affine[:3, :3] = 0
    for voxel, (patient, sign, size) in enumerate(zip(axes, signs, SPACING, strict=True)):
        # NIfTI counts to the right, the front and the head.
        affine[patient, voxel] = sign * size * (1 if patient == 2 else -1)
    image = nib.Nifti1Image(cube, affine, dtype=np.int16)
    image.header.set_xyzt_units("mm")
    return image.to_bytes()


def write(folder: Path, data: bytes, name: str = "volume.nii") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    (folder / f"{name}.json").write_text('{"modality": "CT", "unit": "HU"}')
    return folder / name


def sent(
    path: Path, reading: Reading = READING, isolated: object | None = None, inline_limit: int = 10**6
) -> list[MedicalImage | FrameFailed]:
    """The messages of a file, as they come off the wire."""
    payloads = Payloads((path.parent / "payloads").as_uri(), inline_limit)

    async def all_of_them() -> list[Any]:
        messages = preprocess(
            reference_to(path, path.parent),
            isolated=cast(Isolated, isolated or Here()),
            identity=Identity(b"0" * 16),
            payloads=payloads,
            reading=reading,
        )
        return [one async for one in messages]

    return [
        one if isinstance(one, FrameFailed) else MedicalImage.model_validate_json(one.model_dump_json())
        for one in asyncio.run(all_of_them())
    ]


def images(path: Path, **changes: Any) -> list[MedicalImage]:
    found = sent(path, replace(READING, **changes))
    assert all(isinstance(one, MedicalImage) for one in found)
    return [one for one in found if isinstance(one, MedicalImage)]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


def grounded(image: MedicalImage, registry: Registry, folder: Path) -> GroundedImage:
    async def one() -> GroundedImage:
        payloads = Payloads((folder / "payloads").as_uri(), 10**6)
        return await anext(ground(image, registry=registry, payloads=payloads))

    return asyncio.run(one())


def told(image: MedicalImage, registry: Registry, folder: Path) -> Triplet:
    """As of a user's own expert of nodules: what packaged rules single out is in no text."""
    found = grounded(image, registry, folder)
    regions = tuple(
        one.model_copy(update={"expert": "users-own@1.0.0", "label": "nodule"}) for one in found.grounding.regions
    )
    grounding = found.grounding.model_copy(update={"regions": regions})
    enriched = EnrichedImage(**{**dict(found), "grounding": grounding}, passages=(), knowledge_snapshot="none@0")

    async def one() -> Triplet:
        return await anext(describe(enriched, describer=Composer()))

    triplet = asyncio.run(one())
    for statement in triplet.description.relations:
        verdict = judge(statement.text, Facts.of(enriched)).verdict
        assert verdict.outcome == "supported", (statement.text, verdict.reason)
    return triplet


def test_without_the_setting_nothing_is_sent(tmp_path: Path) -> None:
    """The message, its metadata and so its identity are those of before there were neighbours."""
    for image in images(write(tmp_path, volume((0, 1, 2), (1, 1, 1))), neighbours=0):
        assert "neighbours" not in image.model_dump_json()


def test_a_frame_is_sent_with_those_before_and_after_it(tmp_path: Path) -> None:
    """Their pixels are those of their own messages, and the metadata name them; the frame itself is as without."""
    path = write(tmp_path, volume((0, 1, 2), (1, 1, 1)))
    alone, together = images(path, neighbours=0), images(path, neighbours=2)
    for plain, image in zip(alone, together, strict=True):
        assert (plain.image_id, plain.pixels) == (image.image_id, image.pixels)
        near = image.metadata.neighbours
        assert [one.steps for one in near] == [n for n in (-2, -1, 1, 2) if 0 <= image.frame + n < 5]
        assert [(one.frame, one.image_id) for one in near] == [(one.frame, alone[one.frame].image_id) for one in near]
        assert [one.towards for one in near] == ["head" if one.steps > 0 else "feet" for one in near]
        assert [one.distance_mm for one in near] == [5.0 * abs(one.steps) for one in near]
        assert list(image.neighbours) == [alone[one.frame].pixels for one in near]


def test_neighbours_need_not_be_taken(tmp_path: Path) -> None:
    """Of every second frame those between are its neighbours, in no message of their own; each is read once."""
    path, here = write(tmp_path, volume((0, 1, 2), (1, 1, 1))), Here()
    found = sent(path, replace(READING, frames=FramePolicy("every", 2)), here)
    assert [[one.frame for one in image.metadata.neighbours] for image in found if isinstance(image, MedicalImage)] == [
        [1], [1, 3], [3],
    ]  # fmt: skip
    assert sorted(here.read) == [0, 1, 2, 3, 4]


def test_the_same_message_in_whatever_order(tmp_path: Path) -> None:
    """Taken alone, in the middle of others, or in a process of its own: the work done twice is the same."""
    path = write(tmp_path, volume((2, 0, 1), (-1, 1, -1)))
    isolated = Isolated(Limits(), modules=("agents.preprocess",))
    try:
        elsewhere = sent(path, READING, isolated)
    finally:
        isolated.close()
    assert elsewhere == sent(path)
    (alone,) = images(path, frames=FramePolicy("spread", 1))
    beside = sent(path)[alone.frame]
    assert isinstance(beside, MedicalImage)
    assert alone == beside.model_copy(update={"frames_taken": 1, "frames_skipped": 4})


def test_together_they_are_held_to_the_inline_limit(tmp_path: Path) -> None:
    """The frame's own pixels stay, neighbours that no longer fit travel by reference, and are found again."""
    path = write(tmp_path, volume((0, 1, 2), (1, 1, 1)))
    (plain,) = images(path, neighbours=0, frames=FramePolicy("spread", 1))
    size = len(plain.pixels.data or "") // 4 * 3
    (image,) = sent(path, replace(READING, frames=FramePolicy("spread", 1)), inline_limit=size + 10)
    assert isinstance(image, MedicalImage)
    assert image.pixels.data is not None
    assert all(one.reference is not None for one in image.neighbours)
    near = [asyncio.run(Payloads((tmp_path / "payloads").as_uri(), 1).fetch(one)) for one in image.neighbours]
    assert [from_pixels(one).shape for one in near] == [(72, 72), (72, 72)]


def test_a_damaged_frame_is_nobodys_neighbour(tmp_path: Path) -> None:
    """It fails alone, is read once, and those beside it are sent without it and what lies beyond."""

    class Damaged(Here):
        async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
            result = await super().call(function, *arguments)
            if arguments[2:3] == (2,):
                raise CorruptPixels
            return result

    damaged = Damaged()
    found = sent(write(tmp_path, volume((0, 1, 2), (1, 1, 1))), replace(READING, neighbours=2), damaged)
    assert isinstance(found[2], FrameFailed)
    assert [[near.frame for near in one.metadata.neighbours] for one in found if isinstance(one, MedicalImage)] == [
        [1], [0], [4], [3],
    ]  # fmt: skip
    assert damaged.read.count(2) == 1


def test_an_enhanced_ct_is_sent_by_place(tmp_path: Path) -> None:
    """pydicom's own: two frames, 10 mm apart; each is the other's neighbour. Nothing but pixels and places is told."""
    name = get_testdata_file("eCT_Supplemental.dcm", download=False)
    assert isinstance(name, str)
    path = tmp_path / "eCT.dcm"
    path.write_bytes(Path(name).read_bytes())
    first, second = images(path)
    for image, other, side in ((first, second, "head"), (second, first, "feet")):
        (near,) = image.metadata.neighbours
        assert (near.frame, near.image_id, near.towards, near.distance_mm) == (other.frame, other.image_id, side, 10.0)
    uid = pydicom.dcmread(path).SOPInstanceUID
    assert uid not in first.model_dump_json()
    assert "-159" not in first.metadata.model_dump_json(), "where in the scanner a frame lies is not told"


def test_text_is_masked_in_neighbours_as_in_frames(tmp_path: Path) -> None:
    """Their pixels come from the same door; what is masked in them is told, and nothing is said of a place there."""
    first, second = images(write(tmp_path, volume((0, 1, 2), (1, 1, 1))), neighbours=0)[:2]
    cleaning = second.metadata.pixel_cleaning
    assert cleaning is not None
    box = {"left": 1, "top": 2, "right": 30, "bottom": 40, "score": 0.9}
    other = second.model_copy(
        update={
            "metadata": second.metadata.model_copy(
                update={"pixel_cleaning": cleaning.model_validate({**cleaning.model_dump(), "boxes": [box]})}
            )
        }
    )
    image = with_neighbours(first, [(Beside(1, 1, "head", 5.0), other)])
    (near,) = image.metadata.neighbours
    assert [one.model_dump() for one in near.masked] == [box]
    assert image.neighbours == (second.pixels,)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0)], ids=["axial", "coronal", "sagittal"])
@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
def test_a_lesion_goes_on_where_it_does(tmp_path: Path, registry: Registry, axes, signs) -> None:
    """In all planes, whichever way the voxels run: it grows towards the known side, then stays, then ends."""
    path = write(tmp_path, volume(axes, signs))
    onwards, back = SIDES[axes[2]]
    pixel = SPACING[0] * SPACING[1]
    found: list[list[tuple[object, ...]]] = []
    # The cube is drawn along the patient's axes, which a negative sign stores the other way round.
    for image in images(path)[1:4]:
        grounding = grounded(image, registry, tmp_path).grounding
        lesion = max(grounding.regions, key=lambda one: one.area_px)
        ways = {one.towards: one for one in grounding.continuations if one.region == lesion.region_id}
        assert set(ways) == {onwards, back}
        found.append([
            (ways[side].outcome, ways[side].change, ways[side].distance_mm, ways[side].area_mm2)
            for side in (onwards, back)
        ])  # fmt: skip
    small, large = (float(f"{pixel * count:.4g}") for count in (69, 249))
    gone = ("not seen", None, 5.0, None)
    assert found == [
        [("continues", "grows", 5.0, large), gone],
        [("continues", "similar in size", 5.0, large), ("continues", "shrinks", 5.0, small)],
        [gone, ("continues", "similar in size", 5.0, large)],
    ]


def test_it_is_put_into_words_that_hold(tmp_path: Path, registry: Registry) -> None:
    """In the triplet and in its description, with evidence; the triplet is another than without neighbours."""
    path = write(tmp_path, volume((0, 1, 2), (1, 1, 1)))
    triplet = told(images(path)[1], registry, tmp_path)
    claims = read(" ".join(one.text for one in triplet.description.relations), Facts.of_triplet(triplet)).claims
    ways = {(one.outcome, one.way) for one in claims if isinstance(one, Continues)}
    assert ways == {("continues", "head"), ("not seen", "feet")}
    again = told(images(path)[1], registry, tmp_path)
    assert again == triplet
    ids = {told(images(path, neighbours=n)[1], registry, tmp_path).triplet_id for n in (0, 1, 3)}
    assert len(ids) == 3
    assert triplet.triplet_id in ids
    assert told(images(path, neighbours=3)[1], registry, tmp_path).continuations[0].slices == 2


def test_other_neighbours_make_another_triplet(tmp_path: Path, registry: Registry) -> None:
    """The same frame in another volume: the image is the same, what lies beside it is not."""
    data = volume((0, 1, 2), (1, 1, 1))
    cube = nib.Nifti1Image.from_bytes(data)
    array = np.array(cube.dataobj)
    array[:, :, 2] = 40
    other = nib.Nifti1Image(array.astype(np.int16), cube.affine, header=cube.header).to_bytes()
    one, two = (
        told(images(write(tmp_path / name, each))[1], registry, tmp_path) for name, each in (("a", data), ("b", other))
    )
    assert one.image_id == two.image_id
    assert one.triplet_id != two.triplet_id


def test_batched_experts_say_the_same(tmp_path: Path, registry: Registry) -> None:
    """Slices that go through a graph together are told of as those that go one by one."""
    image = images(write(tmp_path, volume((0, 1, 2), (1, 1, 1))), neighbours=2)[2]
    batched = Registry.load(runtime=ExpertRuntime(batch=4, batch_wait_ms=50))
    assert grounded(image, batched, tmp_path).grounding == grounded(image, registry, tmp_path).grounding
