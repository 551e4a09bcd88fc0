"""Volumes of several channels: from one file and its sidecar to what an expert of them all tells of each slice."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco

from agents import volumes as sending
from agents.describe import describe
from models.describers import Composer
from models.experts.running import Expert
from models.imaging.errors import InvalidSidecar
from schemas.knowledge import EnrichedImage
from schemas.regions import GroundedImage
from schemas.triplets import Triplet
from streams.payloads import Payloads
from tests.agents.test_volumes_sent import Stages, store
from tests.models.experts import channel_graphs
from tests.models.experts.channel_graphs import SIDE, SLICES, head, put, write

GIVEN = ("FLAIR", "t1w", "T1gd", "T2")
MEANT = ["FLAIR", "T1", "T1ce", "T2"]


def masks(image: GroundedImage, label: str) -> np.ndarray:
    """Pixels of its regions of a label."""
    found = np.zeros((SIDE, SIDE), bool)
    for region in image.grounding.regions:
        if region.kind == "candidate" and region.label == label:
            found |= coco.decode(region.mask.rle).astype(bool)
    return found


def described(image: GroundedImage) -> Triplet:
    """With no passages, by the composer."""
    enriched = EnrichedImage.following(image, view=image.view, grounding=image.grounding, knowledge_snapshot="none",
                                       grounding_version=image.grounding_version, passages=())  # fmt: skip

    async def first() -> Triplet:
        return await anext(describe(enriched, describer=Composer()))

    return asyncio.run(first())


@pytest.mark.parametrize("kept", [True, False], ids=["by reference", "in one process"])
def test_an_expert_of_four_sequences_outlines_what_they_show_together(tmp_path: Path, kept: bool) -> None:
    """Channels go by their names into the graph's order; each slice of each channel has its picture and its part."""
    cube, right = head("FLAIR", "T1", "T1ce", "T2")
    path = put(tmp_path / "in/head.nii", cube, {"channels": GIVEN})
    stages = Stages(store(tmp_path) if kept else Payloads.none(), Expert.load(write(tmp_path / "experts")))
    images = stages.images(path)
    assert [one.metadata.channel for one in images] == [name for name in MEANT for _ in range(SLICES)]
    assert len({one.metadata.volume.digest for one in images if one.metadata.volume}) == 4
    assert {one.metadata.weighting for one in images} == {"FLAIR", "T1-weighted", "T2-weighted"}
    assert {one.metadata.channel for one in images if one.metadata.contrast_agent} == {"T1ce"}
    found = stages.grounded(images)
    for image in found:
        within = image.metadata.volume
        assert within is not None
        assert [one.name for one in within.channels] == MEANT
        for label, where in right.items():
            # Columns to the patient's left, rows to the back, slices to the head: as the voxels run.
            np.testing.assert_array_equal(masks(image, label), where[:, :, within.place].T)
    (findings,) = {one.grounding.volumes for one in found}
    assert {one.label: one.voxels for one in findings} == {label: int(where.sum()) for label, where in right.items()}
    for one in findings:
        assert one.channels == channel_graphs.TAKES
        assert one.volume_ml == pytest.approx(right[one.label].sum() * 0.003, rel=1e-3)
    triplet = described(found[2 * SLICES + 3])
    assert (triplet.metadata.channel, triplet.volumes, triplet.unasked) == ("T1ce", findings, ())
    assert any("given T1ce, T1, T2, FLAIR" in region.rule for region in triplet.regions)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (None, "this one is a single channel that nobody names."),
        (("FLAIR",), "this one has FLAIR, without T1ce, T1 and T2."),
        (("T1", "T1ce"), "this one has T1 and T1ce, without T2 and FLAIR."),
    ],
)
def test_what_lacks_a_channel_goes_on_and_says_so(tmp_path: Path, names: tuple[str, ...] | None, told: str) -> None:
    """A series of one channel is no failure of the expert, and every slice of it becomes a triplet."""
    cube, _ = head(*(names or ("FLAIR",)))
    path = put(tmp_path / "in/head.nii", cube[..., 0] if cube.shape[3] == 1 else cube, {"channels": names or ()})
    stages = Stages(store(tmp_path), Expert.load(write(tmp_path / "experts")))
    triplets = [described(one) for one in stages.grounded(stages.images(path))]
    assert len(triplets) == SLICES * cube.shape[3]
    for triplet in triplets:
        assert triplet.experts == ()
        ((expert, lacks),) = [(one.expert, one.lacks) for one in triplet.unasked]
        assert expert == "glioma@1.0.0"
        assert lacks == f"It takes the channels T1ce, T1, T2 and FLAIR of one volume, and {told}"


def test_without_volumes_the_message_says_what_to_send(tmp_path: Path) -> None:
    """The expert is told of as one that lacks its volume."""
    cube, _ = head("FLAIR", "T1", "T1ce", "T2")
    stages = Stages(store(tmp_path), Expert.load(write(tmp_path / "experts")))
    (image, *_) = stages.images(put(tmp_path / "in/head.nii", cube, {"channels": GIVEN}))
    bare = image.model_copy(update={"volume": (), "metadata": image.metadata.model_copy(update={"volume": None})})
    (found,) = stages.grounded([bare])
    assert [one.lacks[-43:] for one in found.grounding.unasked] == ["and this image was sent without its volume."]


def test_channels_that_are_too_much_together_are_sent_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: experts of one channel still see the volume, and that of four says what lacks."""
    cube, _ = head("FLAIR", "T1", "T1ce", "T2")
    path = put(tmp_path / "in/head.nii", cube, {"channels": GIVEN})
    monkeypatch.setattr(sending, "MOST_VOXELS", 4 * SLICES * SIDE * SIDE - 1)
    images = Stages(store(tmp_path)).images(path)
    told = [one.metadata.volume for one in images if one.metadata.volume]
    assert [[channel.name for channel in one.channels] for one in told] == [[name] for name in MEANT for _ in range(7)]
    assert {len(one.volume) for one in images} == {SLICES}


def test_a_file_whose_channels_nobody_names_is_as_it_was(tmp_path: Path) -> None:
    """Each of its volumes is one of its own, and nothing of channels stands in the messages."""
    cube, _ = head("FLAIR", "T2")
    images = Stages(store(tmp_path)).images(put(tmp_path / "in/head.nii", cube, {}))
    assert {len(one.volume) for one in images} == {SLICES}
    assert "channel" not in images[0].metadata.model_dump()


@pytest.mark.parametrize(
    ("channels", "told"),
    [
        (["FLAIR"], "channels names 1 where the file holds 2"),
        (["FLAIR", "flair"], r"channels\.1 names FLAIR a second time"),
        (["FLAIR", "Jane Doe"], r"channels\.1 is none that is known: T1, T1ce, T2, FLAIR"),
        (["CT", "PET"], "channels names CT, which is of CT and not of MR"),
    ],
)
def test_what_a_sidecar_says_of_channels_is_held_to_the_file(tmp_path: Path, channels: list[str], told: str) -> None:
    """A dead letter that says what to write, and no word of the sidecar's."""
    cube, _ = head("FLAIR", "T2")
    with pytest.raises(InvalidSidecar, match=told) as caught:
        Stages(store(tmp_path)).images(put(tmp_path / "in/head.nii", cube, {"channels": channels}))
    assert "Jane" not in str(caught.value)


def test_ct_and_pet_of_one_file_are_images_of_their_own_kind(tmp_path: Path) -> None:
    """Each has its modality, and the unit where that measures it."""
    cube, _ = head("FLAIR", "T2")
    path = put(tmp_path / "in/both.nii", cube, {"channels": ["CT", "PET"], "modality": None, "unit": "HU"})
    images = Stages(store(tmp_path)).images(path)
    assert {(one.metadata.channel, one.metadata.modality, one.pixels.unit) for one in images} == {
        ("CT", "CT", "HU"), ("PET", "PET", "stored value"),
    }  # fmt: skip
