"""A U-Net learns phantoms, and becomes an expert that the registry runs. Runs in the export environment."""

import tomllib
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the export environment: make test-export")

from models.experts.checking import check  # noqa: E402
from models.experts.datasets import BadDataset, Dataset, open_dataset, split, write_phantoms  # noqa: E402
from models.experts.manifest import Manifest, parse  # noqa: E402
from models.experts.packaged import LIBRARY  # noqa: E402
from models.experts.phantoms import draw  # noqa: E402
from models.experts.registry import Registry  # noqa: E402
from models.experts.toml_text import toml  # noqa: E402
from models.experts.training import package as packaging  # noqa: E402
from models.experts.training.augment import Augment, cut  # noqa: E402
from models.experts.training.card import Report  # noqa: E402
from models.experts.training.loop import Epoch, OtherRun, Progress, evaluate, train  # noqa: E402
from models.experts.training.package import UnlikeTorch, checked, difference  # noqa: E402
from models.experts.training.packaged import LUNGS  # noqa: E402
from models.experts.training.prepare import Prepared, prepare  # noqa: E402
from models.experts.training.quantise import NotQuantised, quantise  # noqa: E402
from models.experts.training.run import UnfitName, train_expert  # noqa: E402
from models.experts.training.settings import Normalisation, Settings, Subject  # noqa: E402
from models.experts.training.unet import Expert, Normalise, UNet  # noqa: E402

pytestmark = pytest.mark.xdist_group("training")
"""One process makes what all of them look at."""
GRAPHS = Path(__file__).parents[1] / "models" / "experts" / "graphs"
SETTINGS = Settings(side=128, patch=64, width=6, depth=2, epochs=12, batch=4, learning_rate=1e-2)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("phantoms") / "cells"
    write_phantoms(folder, "microscopy", count=20, side=128)
    return open_dataset(folder)


@pytest.fixture(scope="module")
def data(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(dataset, tmp_path_factory.mktemp("arrays"), 128, Subject())


@pytest.fixture(scope="module")
def trained(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    out = tmp_path_factory.mktemp("trained") / "cell-net.onnx"
    return train_expert(dataset, out, SETTINGS, Subject(licence="CC0-1.0", source="drawn")), out


def test_learns(trained: tuple[Report, Path]) -> None:
    """In a dozen epochs on twenty phantoms, Dice on those held out rises above 0.7."""
    report, _ = trained
    (score,) = report.scores
    assert score.label == "cells"
    assert score.dice > 0.7
    assert report.history[-1].loss < report.history[0].loss


def test_manifest(trained: tuple[Report, Path]) -> None:
    """The manifest beside the graph is the one reported, and says what the data said."""
    report, out = trained
    written = Manifest.model_validate(tomllib.loads(out.with_suffix(".toml").read_text(encoding="utf-8")))
    assert written == report.manifest
    assert (written.name, written.modalities, written.licence) == ("cell-net", ("microscopy",), "CC0-1.0")
    assert written.input.longest_side == 128
    assert [output.label for output in written.outputs] == ["cells"]
    assert written.version == f"1.0.0+{written.sha256[:8]}"


def test_card(trained: tuple[Report, Path]) -> None:
    """The card tells counts, scores, settings, versions and limits, and no name of a file."""
    report, out = trained
    text = out.with_suffix(".md").read_text(encoding="utf-8")
    (score,) = report.scores
    assert f"| cells | {score.dice:.3f} | {score.iou:.3f} | 3 | 0 of 0 |" in text
    for words in (
        "| training | 14 | 14 |",
        "| held out | 3 | 3 |",
        "- seed: 0",
        f"torch {version('torch')}",
        "## Limits",
    ):
        assert words in text
    assert "microscopy-0000" not in text
    assert str(out.parent) not in text


def test_grounds(trained: tuple[Report, Path]) -> None:
    """The registry runs the files as they were written, on phantoms not seen, and finds most of the cells."""
    registry = Registry.load(trained[1].parent)
    phantom = draw("microscopy", seed=500, side=128)
    grounding = registry.ground(phantom.values, phantom.metadata, phantom.unit)
    (run,) = grounding.experts
    assert run.outcome == "regions"
    centres = [tuple(round(x) for x in region.centroid) for region in grounding.regions]
    inside = [phantom.truth["cells"][y, x] for x, y in centres]
    assert len(inside) > 8
    assert np.mean(inside) > 0.8


def test_parity(trained: tuple[Report, Path], data: Prepared) -> None:
    """The graph gives what torch gives, on any batch and size and on every phantom; two runs gave its difference."""
    report, out = trained
    assert report.difference <= 1e-4
    checkpoint = torch.load(out.with_suffix(".training") / "checkpoint.pt", weights_only=True)
    network = UNet(1, 1, SETTINGS.width, SETTINGS.depth)
    network.load_state_dict(checkpoint["best"])
    expert = Expert(network, Normalise(data.normalisation), SETTINGS.depth).eval()
    phantoms = [draw("microscopy", seed=seed, side=side).values[None, None] for seed, side in ((1, 128), (2, 201))]
    assert difference(out.read_bytes(), expert, [*phantoms, np.repeat(phantoms[0], 5, axis=0)]) <= 1e-4


def test_quantised(dataset: Dataset, trained: tuple[Report, Path], tmp_path: Path) -> None:
    """In 8 bits the expert keeps its promises, and finds on images held out what it found before, to an IoU of 0.9."""
    out = tmp_path / "cell-net-int8.onnx"
    new, (found,) = quantise(trained[1].with_suffix(".toml"), dataset, out, images=6)
    assert found.images == 3
    assert found.iou > 0.9
    assert found.dice_int8 == pytest.approx(found.dice, abs=0.02)
    assert out.stat().st_size < 0.6 * trained[1].stat().st_size
    assert [one for one in check(out.with_suffix(".toml")) if not one.kept] == []
    assert new.version.startswith(f"{trained[0].manifest.version}.int8.")
    assert f"| cells | {found.iou:.3f} | 3 |" in out.with_suffix(".md").read_text(encoding="utf-8")
    phantom = draw("microscopy", seed=500, side=128)
    grounding = Registry.load(tmp_path).ground(phantom.values, phantom.metadata, phantom.unit)
    assert [run.outcome for run in grounding.experts] == ["regions"]


def test_not_quantised(dataset: Dataset, trained: tuple[Report, Path], tmp_path: Path) -> None:
    """An expert of two graphs is refused, and so are images in a unit that it does not take; nothing is written."""
    out = tmp_path / "other-int8.onnx"
    with pytest.raises(NotQuantised):
        quantise(GRAPHS / "sam.toml", dataset, out)

    def scaled() -> object:
        return iter([replace(one, unit="HU") for one in dataset.read()])

    told = Manifest.model_validate(tomllib.loads(trained[1].with_suffix(".toml").read_text(encoding="utf-8")))
    manifest = tmp_path / "cell-net.toml"
    manifest.write_text(
        toml(told.model_copy(update={"input": told.input.model_copy(update={"units": ("grey level",)})}))
    )
    manifest.with_suffix(".onnx").write_bytes(trained[1].read_bytes())
    with pytest.raises(BadDataset, match="is in HU, the expert takes grey level"):
        quantise(manifest, replace(dataset, read=scaled), out)
    assert not list(tmp_path.glob("other*"))


@pytest.mark.parametrize("path", [*LIBRARY.glob("*.toml"), *GRAPHS.glob("*.toml")], ids=lambda path: path.stem)
def test_manifest_written_again(path: Path) -> None:
    """What is written of a manifest reads as the same manifest."""
    manifest = parse(path.read_text(encoding="utf-8"))
    assert parse(toml(manifest)) == manifest


def test_unlike_refused(data: Prepared, monkeypatch: pytest.MonkeyPatch, trained: tuple[Report, Path]) -> None:
    """A graph of other weights than torch's is refused."""
    graph = trained[1].read_bytes()
    monkeypatch.setattr(packaging, "graph", lambda *_: graph)
    torch.manual_seed(9)
    other = Expert(UNet(1, 1, SETTINGS.width, SETTINGS.depth), Normalise(data.normalisation), SETTINGS.depth).eval()
    with pytest.raises(UnlikeTorch):
        checked(other, data, "cell-net")


class Stopped(Exception):
    pass


def run(data: Prepared, folder: Path, settings: Settings, *, resume: bool = False, stop: int = 0) -> Progress:
    def tell(epoch: Epoch) -> None:
        if epoch.number == stop:
            raise Stopped

    parts = split(data.groups, settings.seed)
    return train(data, parts, settings, folder, device="cpu", resume=resume, tell=tell)


def test_resumed(data: Prepared, tmp_path: Path) -> None:
    """A run that was stopped and continued ends with the same weights and history as one that was not."""
    settings = replace(SETTINGS, epochs=4)
    folders = [tmp_path / name for name in ("whole", "stopped")]
    for folder in folders:
        folder.mkdir()
    whole = run(data, folders[0], settings)
    with pytest.raises(Stopped):
        run(data, folders[1], settings, stop=2)
    continued = run(data, folders[1], settings, resume=True)
    assert continued.history == whole.history
    assert continued.best_epoch == whole.best_epoch
    for name, value in whole.network.state_dict().items():
        assert torch.equal(continued.network.state_dict()[name], value), name
    with pytest.raises(OtherRun):
        run(data, folders[1], replace(settings, learning_rate=0.1), resume=True)


def test_early_stop(data: Prepared, tmp_path: Path) -> None:
    """Without gain it ends after `patience` epochs, and the best weights are what is kept."""
    settings = replace(SETTINGS, epochs=30, patience=2, learning_rate=1e-9)
    found = run(data, tmp_path, settings)
    assert len(found.history) == found.best_epoch + 2
    (score,) = evaluate(found.network, data, split(data.groups, 0).validation, 4)
    assert score.dice == pytest.approx(found.best_score)


def test_augmented_alike() -> None:
    """Image, masks and inside are turned alike, a cut keeps to the image, and without mirroring sides stay."""
    torch.manual_seed(0)
    masks = torch.zeros((1, 64, 64), dtype=torch.uint8)
    masks[0, 8:24, 40:60] = 1
    image, inside = masks.float() * 10, torch.ones((1, 64, 64), dtype=torch.bool)
    for settings in (SETTINGS, replace(SETTINGS, mirror=False)):
        for _ in range(10):
            other, moved, _ = Augment(settings)(*cut(image, masks, inside, 48))
            assert other.shape == (1, 48, 48)
            assert set(moved.unique().tolist()) <= {0, 1}
            agreement = ((other > 5) == (moved > 0)).float().mean()
            assert agreement > 0.95
            if not settings.mirror and moved.any():
                rows, columns = torch.nonzero(Augment(settings)(image, masks, inside)[1][0], as_tuple=True)
                assert rows.float().mean() < 32 < columns.float().mean()


@pytest.mark.parametrize(
    ("unit", "channels", "values", "wanted"),
    [
        ("HU", 1, [-1000.0, 40.0, 240.0], [-1, 0, 1]),
        ("SUVbw", 1, [0.0, 5.0, 99.0], [-1, 0, 1]),
        ("stored value", 1, [10.0, 20.0, 30.0], [-1.2247, 0, 1.2247]),
        ("grey level", 3, [0.0, 127.5, 255.0], [-1, 0, 1]),
        ("grey level", 3, [0.0, 32767.5, 65535.0], [-1, 0, 1]),
    ],
)
def test_normalised(unit: str, channels: int, values: list[float], wanted: list[float]) -> None:
    """Absolute units are windowed, colours are brought from their range, other values to the image's own spread."""
    image = torch.tensor(values).reshape(1, 1, 1, 3).repeat(1, channels, 1, 1)
    found = Normalise(Normalisation.fit(unit, channels))(image)[0, 0, 0]
    assert found.tolist() == pytest.approx(wanted, abs=1e-3)


def test_refused(dataset: Dataset, data: Prepared, tmp_path: Path) -> None:
    """A name that regions cannot carry, images of another modality and settings that do not divide are refused."""
    with pytest.raises(UnfitName):
        train_expert(dataset, tmp_path / "My Net.onnx", SETTINGS, Subject())
    with pytest.raises(ValueError, match="multiples of 16"):
        Settings(side=100)

    def mixed() -> object:
        first, second, *_ = dataset.read()
        return iter([first, replace(second, modality="CT")])

    with pytest.raises(BadDataset, match=r"microscopy-00001.*modality is CT"):
        prepare(replace(dataset, read=mixed), tmp_path, 128, Subject())
    assert data.labels == ("cells",)


def test_packaged_tells_of_real_images(trained: tuple[Report, Path], dataset: Dataset) -> None:
    """What a packaged network says of itself names the source of real images, where it learnt from any."""
    told = LUNGS.told(trained[0].manifest, None)
    assert told.made.endswith("All of them were drawn, none is of a patient.")
    assert told.limits[0].startswith("It learnt from drawn films alone.")
    other = LUNGS.told(trained[0].manifest, replace(dataset, files=1200, source="films of A, CC BY 4.0"))
    assert "1,200 are real: films of A, CC BY 4.0." in other.made
    assert "films of A, CC BY 4.0" in other.limits[0]
    assert other.limits[1:] == told.limits[1:]
