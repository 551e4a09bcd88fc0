"""The biomedical encoder, on a tiny one of its shape: exported by models/knowledge/export, with random weights."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from models.knowledge import Query, open_embedded, write_index
from models.knowledge.biomedical import BiomedicalEncoder
from models.knowledge.embedded import OtherEncoder
from models.knowledge.folders import BrokenEncoder
from schemas.knowledge import Passage
from tests.export.encoder_inputs import ARTICLES, TEXTS

TINY = Path(__file__).parent / "tiny-encoder"


@pytest.fixture(scope="module")
def encoder() -> BiomedicalEncoder:
    return BiomedicalEncoder(TINY)


def test_vectors_are_those_of_torch(encoder: BiomedicalEncoder) -> None:
    """Queries and articles, short, long beyond the bound, and empty, give what torch gave to within 1e-4."""
    expected = np.load(TINY / "vectors.npz")
    np.testing.assert_allclose(encoder.encode(TEXTS), expected["queries"], atol=1e-4)
    np.testing.assert_allclose(encoder.encode_passages(ARTICLES), expected["articles"], atol=1e-4)


def test_one_vector_does_not_depend_on_the_others(encoder: BiomedicalEncoder) -> None:
    """Padding beside a longer text changes nothing."""
    together = encoder.encode_passages(ARTICLES * 7)
    alone = np.concatenate([encoder.encode_passages([pair]) for pair in ARTICLES])
    np.testing.assert_allclose(together, np.tile(alone, (7, 1)), atol=1e-5)


def test_its_name_follows_its_files(encoder: BiomedicalEncoder) -> None:
    """The snapshot tells which weights ranked: name and digest."""
    assert encoder.name.startswith("tiny@")
    assert encoder.name == BiomedicalEncoder(TINY).name
    assert encoder.dimensions == 16


@pytest.mark.parametrize("damage", ["missing", "changed", "manifest"])
def test_a_damaged_folder_is_refused(tmp_path: Path, damage: str) -> None:
    """A file that is missing or not the manifest's own is named, and nothing is loaded."""
    folder = tmp_path / "encoder"
    shutil.copytree(TINY, folder)
    if damage == "missing":
        (folder / "article.onnx").unlink()
    elif damage == "changed":
        (folder / "query.onnx").write_bytes((folder / "article.onnx").read_bytes())
    else:
        (folder / "encoder.toml").write_text("name = ")
    with pytest.raises(BrokenEncoder) as raised:
        BiomedicalEncoder(folder)
    assert str(tmp_path) not in str(raised.value)


def test_an_index_asks_for_its_encoder(encoder: BiomedicalEncoder, tmp_path: Path) -> None:
    """An index of the encoder's vectors is searched with it under its own snapshot, and says so where it lacks it."""
    passages = [
        Passage(passage_id=title, title=title, text=text or "air", reference="A textbook") for title, text in ARTICLES
    ]
    path = tmp_path / "own.npz"
    snapshot = write_index("own", passages, path, encoder)
    base = open_embedded(path, encoder)
    assert base.snapshot == snapshot != write_index("own", passages, tmp_path / "other.npz")
    assert base.search(Query("renal colic stones"))[0].passage_id == "renal colic"
    with pytest.raises(OtherEncoder, match="TRISTREAM_ENCODER"):
        open_embedded(path)
