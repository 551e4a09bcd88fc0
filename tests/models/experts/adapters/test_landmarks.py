"""Points that have a name: from heatmaps and from coordinates, to px of the image, and never a region."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.experts.adapters import look
from models.experts.checking import check
from models.experts.manifest import parse
from models.experts.registry import Registry
from models.experts.running import Expert, Sight
from models.experts.toml_text import tables
from schemas.images import MaskedBox, PixelCleaning
from schemas.regions import Grounding
from tests.models.experts.adapters.examples import FILM, of_films, write
from tests.models.experts.onnx_bytes import model, node, tensor, value

TABLE = of_films(
    "points", "Two points",
    input={"size": {"policy": "letterbox", "height": 128, "width": 128, "anchor": "centre"}},
    decoding={"kind": "landmarks"}, labels=[{"index": 0, "name": "carina"}, {"index": 1, "name": "left apex"}],
)  # fmt: skip


def heatmaps() -> bytes:
    """(n, 1, r, c) to two heatmaps of a quarter of its size: its means, and four tenths of them."""
    return model(
        [
            node("AveragePool", ["image"], ["means"], kernel_shape=[4, 4], strides=[4, 4]),
            node("Mul", ["means", "heights"], ["heatmaps"]),
        ],
        [tensor("heights", np.array([1.0, 0.4], np.float32).reshape(1, 2, 1, 1))],
        [value("image", ("n", 1, 128, 128))],
        [value("heatmaps", ("n", 2, 32, 32))],
    )


def coordinates(points: list[float]) -> bytes:
    """(n, 1, r, c) to the points, whatever it shows, and to scores of 0.9 and 0.2."""
    return model(
        [
            node("GlobalAveragePool", ["image"], ["mean"]),
            node("Flatten", ["mean"], ["features"]),
            node("Gemm", ["features", "none", "points"], ["flat"]),
            node("Reshape", ["flat", "shape"], ["xy"]),
            node("Gemm", ["features", "none_of_scores", "certain"], ["scores"]),
        ],
        [
            tensor("none", np.zeros((1, 4), np.float32)),
            tensor("points", np.array(points, np.float32)),
            tensor("shape", np.array([-1, 2, 2], np.int64)),
            tensor("none_of_scores", np.zeros((1, 2), np.float32)),
            tensor("certain", np.array([0.9, 0.2], np.float32)),
        ],
        [value("image", ("n", 1, 128, 128))],
        [value("xy", ("n", 2, 2)), value("scores", ("n", 2))],
    )


def written(folder: Path, graph: bytes, **changes: dict[str, Any]) -> Path:
    """The expert's files, `changes` in its tables; its manifest."""
    return write(folder, TABLE, graph, **changes)


def film(x: float, y: float, rows: int = 384, columns: int = 192) -> np.ndarray:
    """A bright spot whose middle lies there, 0 being the edge of the first pixel."""
    down, across = np.mgrid[:rows, :columns] + 0.5
    return (240 * np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * 30.0**2))).astype(np.float32)


@pytest.mark.parametrize(("x", "y"), [(96.0, 192.0), (61.3, 250.9), (130.7, 99.2)])
def test_the_peak_of_a_heatmap(tmp_path: Path, x: float, y: float) -> None:
    """To half a px of the image, though a value of the map stands for twelve; one that is too low is not told."""
    (point,) = look(Expert.load(written(tmp_path, heatmaps())), Sight(film(x, y))).landmarks
    assert point.label == "carina"
    assert (point.x, point.y) == pytest.approx((x, y), abs=0.5)
    assert point.score == pytest.approx(0.9, abs=0.05)


def test_coordinates(tmp_path: Path) -> None:
    """Parts of the tensor, whose padding belongs to no image; without scores every point within the image is told."""
    expert = written(
        tmp_path,
        coordinates([0.5, 0.25, 0.1, 0.5]),
        decoding={"layout": "coordinates", "output": "xy", "coordinates": "fraction"},
    )
    (point,) = look(Expert.load(expert), Sight(film(1, 1))).landmarks
    # 384 × 192 px lie in the middle 64 of 128 columns: a tenth of the width is beside them.
    assert (point.label, point.score) == ("carina", None)
    assert (point.x, point.y) == pytest.approx((96.0, 96.0), abs=0.02)


def test_a_score_below_the_threshold(tmp_path: Path) -> None:
    """Is not told, and a label may have a threshold of its own."""
    graph = coordinates([64.0, 32.0, 70.0, 40.0])
    told = {"layout": "coordinates", "output": "xy", "scores": "scores"}
    (point,) = look(Expert.load(written(tmp_path, graph, decoding=told)), Sight(film(1, 1))).landmarks
    assert (point.label, point.score) == ("carina", 0.9)
    both = look(Expert.load(written(tmp_path, graph, decoding={**told, "threshold": 0.1})), Sight(film(1, 1))).landmarks
    assert [one.label for one in both] == ["carina", "left apex"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"scores": "scores"}, "belong to layout 'coordinates'"),
        ({"layout": "coordinates", "activation": "sigmoid"}, "belongs to layout 'heatmaps'"),
        ({"min_area_px": 3}, "decoding.landmarks.min_area_px"),
    ],
)
def test_what_a_manifest_may_not_say(tmp_path: Path, values: dict[str, Any], told: str) -> None:
    """What belongs to the other layout, and what only regions have."""
    with pytest.raises(ValueError, match=told):
        parse(written(tmp_path, heatmaps(), decoding=values).read_text())


def test_check(tmp_path: Path) -> None:
    """It is run on a sample; a graph of fewer maps than labels is a broken promise."""
    promises = list(check(written(tmp_path, heatmaps())))
    assert [one for one in promises if not one.kept] == []
    assert "of 2 landmarks" in promises[-1].seen
    path = written(tmp_path, heatmaps())
    path.write_text(
        tables({**parse(path.read_text()).model_dump(exclude_defaults=True), "labels": TABLE["labels"][:1]})
    )
    broken = [one.what for one in check(path) if not one.kept]
    assert broken == ["heatmaps has 1 channels"]


def test_in_the_message(tmp_path: Path) -> None:
    """Points stand apart from regions, none lies in pixels that were masked, and images without are as before."""
    registry = Registry((Expert.load(written(tmp_path, heatmaps())),))
    grounding = registry.ground(film(61.3, 250.9), FILM, "grey level")
    (region,) = grounding.regions
    assert (region.kind, region.rule) == ("whole image", "experts outlined nothing")
    (run,) = grounding.experts
    assert (run.outcome, run.regions, run.landmarks) == ("nothing found", 0, 1)
    assert Grounding.model_validate_json(grounding.model_dump_json()).landmarks == grounding.landmarks
    box = MaskedBox(left=50, top=240, right=80, bottom=260, score=1.0)
    masked = FILM.model_copy(update={"pixel_cleaning": PixelCleaning.model_construct(boxes=(box,))})
    assert registry.ground(film(61.3, 250.9), masked, "grey level").landmarks == ()
    without = Registry.load().ground(film(61.3, 250.9), FILM, "grey level").model_dump()
    assert "landmarks" not in without
    assert all("landmarks" not in one for one in without["experts"])
