"""A volume through a graph of three dimensions: windows, axes, spacings, and what is told of the whole."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.experts.adapters import look
from models.experts.checking import check
from models.experts.contracts import VolumeInput
from models.experts.registry import Registry
from models.experts.running import Expert, Sight, UnfitOutput
from models.experts.volumes import Channel, Ends, Given, LastVolumes, Turn, gaussian, resampled, sliding, starts
from schemas.images import ImageMetadata, InVolume, Orientation, Spacing
from schemas.regions import Grounding
from tests.models.experts import channel_graphs
from tests.models.experts.volume_graphs import box_filter, write

AXIAL: Ends = ("head", "posterior", "patient left")
SHAPE = (20, 40, 48)


def cuboid(low: tuple[int, int, int], high: tuple[int, int, int], shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """1000 in a cuboid, 0 around it."""
    values = np.zeros(shape, np.float32)
    values[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = 1000
    return values


def given(values: np.ndarray, place: int = 0, **changes: Any) -> Given:
    """A volume of 5 × 1 × 2 mm, axial."""
    shape = (values.shape[0], values.shape[1], values.shape[2])
    return replace(Given("0" * 32, place, shape, (5.0, 1.0, 2.0), AXIAL, lambda: values), **changes)


def grounded(expert: Expert, values: np.ndarray, place: int, **told: Any) -> Grounding:
    """A slice of it, by the registry."""
    volume = InVolume(digest="0" * 32, slices=len(values), place=place, spacing_mm=5.0, towards="head")
    metadata = ImageMetadata(
        source_format="NIfTI",
        modality="CT",
        volume=volume,
        orientation=Orientation(right="patient left", down="posterior"),
        spacing=Spacing(row_mm=1.0, column_mm=2.0, source="test"),
    ).model_copy(update=told)
    return Registry((expert,)).ground(values[place], metadata, "HU", volume=given(values, place))


def mean_of_27(values: np.ndarray) -> np.ndarray:
    """What the box filter says, worked out without it: 1 where more than half of 27 voxels are bright."""
    padded = np.pad(values > 500, 1)
    shifted = [
        padded[a : a + values.shape[0], b : b + values.shape[1], c : c + values.shape[2]]
        for a in range(3)
        for b in range(3)
        for c in range(3)
    ]
    return np.sum(shifted, axis=0) > 13


def test_windows_cover_a_volume_evenly() -> None:
    """The first begins with it, the last ends with it, and they overlap by no less than was asked for."""
    assert starts(10, 16, 0.5) == [0]
    assert starts(16, 16, 0.5) == [0]
    for length in range(17, 120):
        found = starts(length, 16, 0.5)
        assert (found[0], found[-1]) == (0, length - 16)
        assert max(b - a for a, b in pairwise(found)) <= 8


def test_a_window_counts_most_at_its_centre() -> None:
    """A Gaussian of an eighth of each side, as nnU-Net and MONAI weigh, and nowhere 0."""
    weights = gaussian((16, 8, 33))
    assert weights.shape == (16, 8, 33)
    assert weights.max() == weights[8, 4, 16] == pytest.approx(weights[7, 3, 16])
    assert weights.min() > 0
    assert weights[7, 3, 16 + 4] / weights[7, 3, 16] == pytest.approx(np.exp(-0.5 * (4 / (33 / 8)) ** 2), rel=1e-5)


@pytest.mark.parametrize("shape", [(20, 40, 48), (5, 17, 90), (3, 3, 3)])
def test_windows_say_what_the_whole_says(shape: tuple[int, int, int]) -> None:
    """Of a map that depends on a voxel alone, blending changes nothing, whatever the volume's size."""
    values = np.random.default_rng(1).normal(size=shape).astype(np.float32)

    def run(batch: np.ndarray) -> np.ndarray:
        return np.concatenate([batch, 1 - batch], axis=1)

    found = sliding(values[None], VolumeInput(patch=(16, 16, 16)), run)
    assert found.shape == (2, *shape)
    np.testing.assert_allclose(found, np.stack([values, 1 - values]), atol=1e-5)


def test_an_answer_of_another_size_is_refused() -> None:
    """And one of more classes than memory holds."""
    volume = VolumeInput(patch=(8, 8, 8))
    with pytest.raises(ValueError, match="window"):
        sliding(np.zeros((1, 8, 8, 8), np.float32), volume, lambda batch: batch[..., :4])
    with pytest.raises(ValueError, match="too large"):
        sliding(np.zeros((1, 8, 8, 8), np.float32), volume, lambda batch: np.broadcast_to(batch, (1, 2**20, 8, 8, 8)))


@pytest.mark.parametrize(
    ("axes", "ends"),
    [
        ("RAS", AXIAL),
        ("SAR", ("patient left", "posterior", "feet")),
        ("LPI", ("anterior", "feet", "patient right")),
    ],
)
def test_axes_are_turned_to_those_of_the_graph(axes: str, ends: Ends) -> None:
    """A ramp along each patient axis rises along the tensor's axis of that letter; and back again."""
    turn = Turn.to(axes, ends)
    letters = {"patient left": "L", "patient right": "R", "anterior": "A", "posterior": "P", "head": "S", "feet": "I"}
    for axis, end in enumerate(ends):
        ramp = np.broadcast_to(
            np.arange(4, dtype=np.float32).reshape([-1 if one == axis else 1 for one in range(3)]), (4, 4, 4)
        )
        turned = turn.turned(ramp)
        letter = letters[str(end)]
        pair = next(pair for pair in ("LR", "AP", "SI") if letter in pair)
        along = next(n for n, one in enumerate(axes) if one in pair)
        assert (np.diff(turned, axis=along) == (1 if axes[along] == letter else -1)).all()
        np.testing.assert_array_equal(turn.back(turned), ramp)


def test_resampling_keeps_the_extent() -> None:
    """Halves and doubles lie over each other: the centre of mass and the mean stay where they were."""
    values = cuboid((4, 8, 12), (12, 24, 36))
    smaller = resampled(values, (10, 20, 24))
    assert smaller.mean() == pytest.approx(values.mean(), rel=0.02)
    assert [float(np.average(np.arange(10), weights=smaller.sum((1, 2))))] == pytest.approx([3.5], abs=0.05)


def test_each_slice_is_given_its_part_of_a_solid(tmp_path: Path) -> None:
    """What the box filter says of the volume, slice by slice, with volume, extent and parts told alike in each."""
    values = cuboid((5, 10, 12), (12, 22, 30)) + cuboid((15, 30, 40), (19, 36, 46))
    expert, right = Expert.load(write(tmp_path)), mean_of_27(values)
    findings = set()
    for place in range(len(values)):
        grounding = grounded(expert, values, place)
        regions = [one for one in grounding.regions if one.kind == "candidate"]
        assert sum(one.area_px for one in regions) == right[place].sum()
        assert all(one.label == "bright solid" and "volume of 20 slices" in one.rule for one in regions)
        findings.add(grounding.volumes)
    ((finding,),) = findings
    assert (finding.voxels, finding.parts) == (right.sum(), 2)
    assert finding.volume_ml == pytest.approx(right.sum() * 0.010, rel=1e-3)
    assert finding.largest_part_ml == pytest.approx(right[:13].sum() * 0.010, rel=1e-3)
    assert (finding.first_slice, finding.slices) == (5, 14)
    assert finding.extent_mm == pytest.approx((14 * 5, 26 * 1, 34 * 2))
    assert finding.volume == "0" * 32


def test_a_volume_is_looked_at_once_for_all_its_slices(tmp_path: Path) -> None:
    """Its values are loaded once; a graph that fails on it is not asked again either."""
    loads: list[int] = []
    values = cuboid((5, 10, 12), (12, 22, 30))

    def load() -> np.ndarray:
        loads.append(1)
        return values

    for manifest in (write(tmp_path), write(tmp_path, "wrong", graph=box_filter((1, 1, 2)))):
        expert = Expert.load(manifest)
        loads.clear()
        for place in range(6, 9):
            sight = Sight(values[place], volume=given(values, place, load=load))
            if manifest.stem == "wrong":
                with pytest.raises(ValueError, match="window"):
                    look(expert, sight)
            else:
                assert len(look(expert, sight).candidates) == 1
        assert len(loads) == 1


def test_what_could_not_be_fetched_is_fetched_again() -> None:
    """An error of the store is none of the expert's."""
    kept, answers = LastVolumes(), iter([OSError(), 7])

    def make() -> int:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    with pytest.raises(OSError):  # noqa: PT011 - it has no words
        kept.get("a", make, lambda _: 1)
    assert kept.get("a", make, lambda _: 1) == kept.get("a", make, lambda _: 1) == 7


@pytest.mark.parametrize(("size", "made"), [(60, "abcb"), (30, "abc")])
def test_only_the_last_volumes_are_kept(size: int, made: str) -> None:
    """Memory is bounded, whatever comes: two however large, more where there is room."""
    kept, looked_at = LastVolumes(room=100, least=2), list[str]()
    for digest in "abacab":
        kept.get(digest, lambda digest=digest: looked_at.append(digest), lambda _: size)
    assert "".join(looked_at) == made


def test_slices_of_several_volumes_in_turn(tmp_path: Path) -> None:
    """As a stream has them: each volume is looked at once, not once for each of its slices."""
    expert, loaded = Expert.load(write(tmp_path)), list[int]()
    volumes = [cuboid((5, 10, 12), (12, 22, 20 + 4 * number)) for number in range(5)]
    for place in (6, 7, 8):
        for number, values in enumerate(volumes):
            load = lambda number=number, values=values: (loaded.append(number), values)[1]  # noqa: E731
            one = given(values, place, digest=f"{number:032x}", load=load)
            assert len(look(expert, Sight(values[place], volume=one)).candidates) == 1
    assert loaded == [0, 1, 2, 3, 4]


def test_small_parts_are_left_out_by_their_volume(tmp_path: Path) -> None:
    """In three dimensions: the slice through the smaller solid has nothing then."""
    values = cuboid((5, 10, 12), (12, 22, 30)) + cuboid((15, 30, 40), (19, 36, 46))
    expert = Expert.load(write(tmp_path, decoding="min_volume_ml = 5"))
    assert [one.kind for one in grounded(expert, values, 16).regions] == ["whole image"]
    grounding = grounded(expert, values, 8)
    assert [one.parts for one in grounding.volumes] == [1]
    assert grounding.volumes[0].volume_ml == pytest.approx(mean_of_27(values)[:13].sum() * 0.010, rel=1e-3)


def test_axes_and_spacing_of_the_manifest_are_kept_to(tmp_path: Path) -> None:
    """A filter of 5 voxels along the patient's left and right, in a tensor of RAS: thin is what is thin that way."""
    expert = Expert.load(write(tmp_path, volume='axes = "RAS"', graph=box_filter((5, 1, 1))))
    sideways, deep = cuboid((5, 10, 12), (6, 11, 40)), cuboid((5, 10, 12), (20, 40, 14))
    assert grounded(expert, sideways, 5).regions[0].kind == "candidate"
    assert grounded(expert, deep, 8).regions[0].kind == "whole image"
    coarse = Expert.load(write(tmp_path, "coarse", volume='axes = "SPL"\nspacing_mm = [5.0, 2.0, 2.0]'))
    values = cuboid((5, 10, 12), (15, 30, 36))
    region = grounded(coarse, values, 9).regions[0]
    # Linear resampling by two: an edge of two px at most is not told.
    assert region.area_px == pytest.approx(20 * 24, rel=0.12)


def test_without_what_it_needs_an_expert_is_not_asked(tmp_path: Path) -> None:
    """No volume, no known sides for its axes, no known spacing: the image is not for it, which is no failure."""
    expert = Expert.load(write(tmp_path, volume='axes = "RAS"\nspacing_mm = [1.0, 1.0, 1.0]'))
    values = cuboid((5, 10, 12), (12, 22, 30))
    uneven = InVolume(digest="0" * 32, slices=20, place=8, towards="head")
    for told in ({"volume": None}, {"orientation": None}, {"spacing": None}, {"volume": uneven}):
        grounding = grounded(expert, values, 8, **told)
        assert (grounding.experts, grounding.volumes) == ((), ())
    with pytest.raises(UnfitOutput):
        look(expert, Sight(values[8]))


def test_each_channel_is_normalised_by_itself(tmp_path: Path) -> None:
    """In the graph's order, whatever the volume's; where the graph is given one in place of another it sees it."""
    cube, right = channel_graphs.head("FLAIR", "T1", "T1ce", "T2")
    manifest = channel_graphs.write(tmp_path)
    window = 'normalisations = { FLAIR = { kind = "window", low = 0.0, high = 2000.0 } }'
    manifest.write_text(manifest.read_text().replace("[input.volume]", f"[input.volume]\n{window}"))
    values = {
        name: cube[..., n].transpose(2, 1, 0).astype(np.float32) for n, name in enumerate(("FLAIR", "T1", "T1ce", "T2"))
    }
    one = Given(
        "0" * 32, 3, (7, 48, 48), (3.0, 1.0, 1.0), AXIAL, lambda: values["FLAIR"],
        {name: Channel(f"{n:032x}", lambda name=name: values[name]) for n, name in enumerate(values)},
    )  # fmt: skip
    found = look(Expert.load(manifest), Sight(values["FLAIR"][3], volume=one))
    # At half of its brightness no part of FLAIR is above a half.
    assert [(each.label, each.voxels) for each in found.volumes] == [
        ("enhancing tumour", int(right["enhancing tumour"].sum()))
    ]
    swapped = replace(one, channels={**one.channels, "T1": one.channels["T1ce"], "T1ce": one.channels["T1"]})
    assert look(Expert.load(manifest), Sight(values["FLAIR"][3], volume=swapped)).volumes == ()
    with pytest.raises(UnfitOutput):
        look(Expert.load(manifest), Sight(values["FLAIR"][3], volume=replace(one, channels={})))


def test_a_manifest_names_channels_as_they_are_known(tmp_path: Path) -> None:
    """Other words for them are taken; check says what to write where a number stands, or a name that nobody knows."""
    manifest = channel_graphs.write(tmp_path, ("t1gd", "T1w", "T2w", "flair"))
    assert Expert.load(manifest).manifest.input.named == channel_graphs.TAKES
    assert [one for one in check(manifest) if not one.kept] == []
    text = manifest.read_text()
    for channels, told in (
        ('["t1gd", "T1w", "T2w", "nobody"]', "'nobody' is no channel that is known"),
        ("4", "channels is 1 or 3, or of a volume the name of each"),
        ('["T1", "T1w", "T2w", "flair"]', "each once"),
        ("1", 'Name its 4 channels in their order, as channels = ["FLAIR", "T1", …]'),
        ("[]", "channels is 1 or 3, or of a volume the name of each"),
    ):
        manifest.write_text(text.replace('["t1gd", "T1w", "T2w", "flair"]', channels))
        (broken,) = (one for one in check(manifest) if not one.kept)
        assert told in str(broken)
    manifest.write_text(text.replace("index = 1", "index = 2"))
    (broken,) = (one for one in check(manifest) if not one.kept)
    assert "its 2 channels are numbered from 0: 'enhancing tumour' has index 2" in str(broken)
