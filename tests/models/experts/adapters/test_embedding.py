"""Vectors of the whole image: from a vector, a map of features or tokens; of length 1, and never a region."""

from pathlib import Path

import numpy as np
import pytest

from models.experts.adapters import look
from models.experts.adapters.embedding import pooled
from models.experts.checking import check
from models.experts.manifest import parse
from models.experts.registry import Registry
from models.experts.running import Expert, Sight, UnfitOutput
from schemas.regions import Grounding
from tests.models.experts.adapters.examples import FILM, of_films, write
from tests.models.experts.onnx_bytes import model, node, tensor, value

TABLE = of_films("vectors", "Mean and gradient", decoding={"kind": "embedding"})


def features() -> bytes:
    """(n, 1, r, c) to a map of two features, the value and its lack, and to the mean of each as a vector."""
    return model(
        [
            node("Conv", ["image", "weights", "level"], ["map"], kernel_shape=[1, 1]),
            node("GlobalAveragePool", ["map"], ["means"]),
            node("Flatten", ["means"], ["embedding"]),
        ],
        [
            tensor("weights", np.array([1.0, -1.0], np.float32).reshape(2, 1, 1, 1)),
            tensor("level", np.array([0.0, 1.0], np.float32)),
        ],
        [value("image", ("n", 1, "rows", "columns"))],
        [value("embedding", ("n", 2)), value("map", ("n", 2, "rows", "columns"))],
    )


def written(folder: Path, **decoding: str) -> Path:
    """The expert's files; its manifest."""
    return write(folder, TABLE, features(), decoding=decoding)


@pytest.mark.parametrize("decoding", [{}, {"output": "map", "pooling": "mean"}])
def test_a_vector_of_length_one(tmp_path: Path, decoding: dict[str, str]) -> None:
    """A fifth of full range and four fifths of its lack."""
    film = np.full((40, 60), 51.0, np.float32)
    (one,) = look(Expert.load(written(tmp_path, **decoding)), Sight(film)).embeddings
    assert one.expert == "vectors@1.0.0"
    assert one.values == pytest.approx(np.array([1, 4]) / np.sqrt(17), abs=1e-5)


def test_tokens() -> None:
    """The first of them, or their mean."""
    tokens = np.array([[[1.0, 2.0], [3.0, 6.0]]], np.float32)
    assert pooled(tokens, "first").tolist() == [1.0, 2.0]
    assert pooled(tokens, "mean").tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    ("shape", "pooling"),
    [((1, 4, 8, 8), "none"), ((2, 4), "none"), ((1, 1), "none"), ((1, 4), "mean"), ((1, 4, 8, 8), "first")],
)
def test_other_shapes(shape: tuple[int, ...], pooling: str) -> None:
    """A map, two images, one number; a vector of which there is no mean; a map that has no first token."""
    with pytest.raises(UnfitOutput):
        pooled(np.ones(shape, np.float32), pooling)


def test_a_vector_without_direction(tmp_path: Path) -> None:
    """What is no number has failed on the image."""
    with pytest.raises(UnfitOutput):
        look(Expert.load(written(tmp_path)), Sight(np.full((40, 60), np.nan, np.float32)))


def test_labels_are_of_other_kinds(tmp_path: Path) -> None:
    """A manifest of an embedding has none, and one of another kind needs some."""
    text = written(tmp_path).read_text()
    with pytest.raises(ValueError, match="without labels"):
        parse(text + '\n[[labels]]\nindex = 0\nname = "lung"\n')
    with pytest.raises(ValueError, match="without labels"):
        parse(text.replace('"embedding"', '"classifier"'))


def test_check(tmp_path: Path) -> None:
    """It is run on a sample; a map where a vector is promised is a broken promise."""
    promises = list(check(written(tmp_path)))
    assert [one for one in promises if not one.kept] == []
    assert "a vector of 2 numbers" in promises[-1].seen
    broken = [one.what for one in check(written(tmp_path, output="map")) if not one.kept]
    assert broken == ["map is one vector"]


def test_in_the_message(tmp_path: Path) -> None:
    """Vectors stand apart from regions; messages without are as they were before there were any."""
    film = np.random.default_rng(0).uniform(0, 255, (64, 64)).astype(np.float32)
    grounding = Registry((Expert.load(written(tmp_path)),)).ground(film, FILM, "grey level")
    (region,) = grounding.regions
    assert (region.kind, region.rule) == ("whole image", "experts outlined nothing")
    assert len(grounding.embeddings) == 1
    assert Grounding.model_validate_json(grounding.model_dump_json()) == grounding
    assert "embeddings" not in Registry.load().ground(film, FILM, "grey level").model_dump()
