"""Whole volumes: from files to messages that refer to all their slices, and from those to what is told of each."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from agents import volumes as sending
from agents.ground import ground
from agents.preprocess import preprocess
from agents.reading import Reading
from agents.series import Series
from agents.volumes import Volumes
from models.experts.registry import Registry
from models.experts.running import Expert
from models.imaging import BurnedInPolicy, FramePolicy
from schemas.images import MedicalImage
from schemas.limits import Limits
from schemas.regions import GroundedImage
from streams.buckets.references import reference_to
from streams.dead_letters import FrameFailed
from streams.identity import Identity
from streams.isolation import Isolated
from streams.payloads import Payloads
from tests.agents.test_series_sent import Here, enhanced, lesion, put
from tests.agents.test_slices_sent import volume, write
from tests.models.experts import volume_graphs
from tests.models.imaging.annotation_objects import AXIAL, SAGITTAL

READING = Reading(FramePolicy(), BurnedInPolicy(), Limits(), volumes=True)
PIXELS_OF = (0, 69, 249, 249, 0)
"""Of the lesion, slice by slice."""


class Stages:
    """preprocess and ground, one process after the other or both in one."""

    def __init__(self, store: Payloads, expert: Expert | None = None, **changes: Any) -> None:
        self.here, self.store = Here(), store
        self._reading = replace(READING, **changes)
        self._series = Series(isolated=cast(Isolated, self.here), limits=Limits())
        self._volumes = Volumes(store)
        self._registry = Registry((expert,)) if expert is not None else None

    async def messages(self, path: Path) -> list[MedicalImage | FrameFailed]:
        return [
            one
            async for one in preprocess(
                reference_to(path, path.parents[1]),
                isolated=cast(Isolated, self.here),
                identity=Identity(bytes(16)),
                payloads=self.store,
                reading=self._reading,
                series=self._series,
                volumes=self._volumes,
            )
        ]

    def images(self, *paths: Path) -> list[MedicalImage]:
        async def all_of_them() -> list[MedicalImage | FrameFailed]:
            return [one for path in paths for one in await self.messages(path)]

        return [one for one in asyncio.run(all_of_them()) if isinstance(one, MedicalImage)]

    def grounded(self, images: list[MedicalImage]) -> list[GroundedImage]:
        async def all_of_them() -> list[GroundedImage]:
            assert self._registry is not None
            return [await anext(ground(one, registry=self._registry, payloads=self.store)) for one in images]

        return asyncio.run(all_of_them())


def store(folder: Path) -> Payloads:
    return Payloads((folder / "payloads").as_uri(), 10**6)


def air(folder: Path, **changes: str) -> Expert:
    """Finds what is below -500 HU, by the values turned over: here the lesion and what is around the body."""
    folder.mkdir(exist_ok=True)
    manifest = volume_graphs.write(
        folder, "air", patch="8, 32, 32", graph=volume_graphs.box_filter((1, 1, 1)), **changes
    )
    text = manifest.read_text().replace("low = 0.0, high = 1000.0", "low = -1000.0, high = 0.0, to = [1.0, 0.0]")
    manifest.write_text(text)
    return Expert.load(manifest)


def of_the_lesion(image: GroundedImage) -> int:
    """Pixels of the regions that do not reach the image's edge."""
    return sum(
        one.area_px for one in image.grounding.regions if one.kind == "candidate" and one.box.x > 0 and one.box.y > 0
    )


@pytest.mark.parametrize("axes", [AXIAL, SAGITTAL], ids=["axial", "sagittal"])
def test_files_of_a_series_and_frames_of_an_object_are_one_volume(tmp_path: Path, axes: tuple[int, ...]) -> None:
    """Each slice's message tells its place, refers to all, and is given its own part of what is found in three."""
    paths = put(tmp_path / "CT", lesion(axes))
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole/whole.dcm").write_bytes(enhanced(lesion(axes)))
    stages = Stages(store(tmp_path), air(tmp_path / "experts"))
    files = stages.images(*paths)[:: 1 if axes == AXIAL else -1]
    frames = sorted(stages.images(tmp_path / "whole/whole.dcm"), key=lambda one: (3, 0, 4, 1, 2)[one.frame])[
        :: 1 if axes == AXIAL else -1
    ]
    for images in (files, frames):
        (digest,) = {one.metadata.volume.digest for one in images if one.metadata.volume}
        told = [one.metadata.volume for one in images if one.metadata.volume]
        assert [one.place for one in told] == [0, 1, 2, 3, 4]
        assert {(one.slices, one.spacing_mm, one.towards) for one in told} == {
            (5, 5.0, "head" if axes == AXIAL else "patient left")
        }
        assert all(one.reference is not None for image in images for one in image.volume)
        assert "1.2.826" not in "".join(one.model_dump_json() for one in images)
        found = stages.grounded(images)
        assert [of_the_lesion(one) for one in found] == list(PIXELS_OF)[:: 1 if axes == AXIAL else -1]
        (finding,) = {one.grounding.volumes for one in found}
        assert [(one.volume, one.label, one.slices) for one in finding] == [(digest, "bright solid", 5)]


def test_a_nifti_file_is_a_volume_whichever_way_it_is_stored(tmp_path: Path) -> None:
    """Also for an expert that asks for axes of its own, and with all in one process, without a store."""
    expert = air(tmp_path / "experts", volume='axes = "RAS"')
    seen: set[tuple[float | None, ...]] = set()
    for number, (axes, signs) in enumerate([((0, 1, 2), (1, 1, 1)), ((0, 1, 2), (-1, 1, -1)), ((1, 0, 2), (1, -1, 1))]):
        path = write(tmp_path / f"{number}", volume(axes, signs))
        stages = Stages(Payloads.none(), expert)
        images = stages.images(path)
        assert all(one.volume is images[0].volume for one in images)
        found = stages.grounded(images)
        assert sorted(map(of_the_lesion, found)) == sorted(PIXELS_OF)
        ((finding,),) = {one.grounding.volumes for one in found}
        seen.add((finding.voxels, finding.volume_ml))
    assert len(seen) == 1


def test_a_volume_ends_at_a_slice_that_cannot_be_read(tmp_path: Path) -> None:
    """Those on either side are two volumes; one slice alone is none."""
    paths = put(tmp_path / "CT", lesion())
    data = paths[3].read_bytes()
    paths[3].write_bytes(data[:-2000])
    images = Stages(store(tmp_path)).images(*(path for path in paths if path != paths[3]))
    assert [(one.metadata.volume.place, one.metadata.volume.slices) for one in images if one.metadata.volume] == [
        (0, 3), (1, 3), (2, 3),
    ]  # fmt: skip
    assert images[3].metadata.volume is None
    assert "volume" not in images[3].model_dump_json()


def test_each_slice_is_read_for_the_volume_once(tmp_path: Path) -> None:
    """However many messages refer to it, and whatever the order in which they are made: the messages are the same."""
    paths = put(tmp_path / "CT", lesion())
    forwards, backwards = Stages(store(tmp_path)), Stages(store(tmp_path))
    images = forwards.images(*paths)
    assert [name for name, _ in forwards.here.calls].count("slice_of") == 4
    assert backwards.images(*reversed(paths)) == images[::-1]


def test_what_is_too_large_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The messages are those without volumes, byte for byte."""
    paths = put(tmp_path / "CT", lesion())
    plain = Stages(store(tmp_path), volumes=False)
    plain._volumes = cast(Any, None)
    monkeypatch.setattr(sending, "MOST_VOXELS", 5 * 72 * 72 - 1)
    assert Stages(store(tmp_path)).images(*paths) == plain.images(*paths)


def test_a_store_that_lost_a_slice_ends_the_image(tmp_path: Path) -> None:
    """It is no failure of the expert, to be told in a triplet: the message goes where it can be replayed from."""
    from streams.payloads import PayloadMissing

    stages = Stages(store(tmp_path), air(tmp_path / "experts"))
    images = stages.images(*put(tmp_path / "CT", lesion()))
    for path in (tmp_path / "payloads/passing").glob("*.png"):
        path.unlink()
    with pytest.raises(PayloadMissing):
        stages.grounded(images[:1])


def test_the_values_that_experts_see_are_quantitative(tmp_path: Path) -> None:
    """Each slice by its own slope and intercept."""
    from agents.ground import _values

    images = Stages(Payloads.none()).images(write(tmp_path / "n", volume((0, 1, 2), (1, 1, 1))))
    cube = np.stack([_values(one) for one in images[0].volume])
    assert (cube.min(), cube.max()) == (-1000.0, 40.0)
