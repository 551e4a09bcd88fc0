"""The sentence encoder: what a text's vector is made of, and what a folder must hold."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from models.knowledge import load_encoder
from models.knowledge.biomedical import BrokenEncoder
from models.knowledge.sentences import FILES, pooled

TINY = Path(__file__).parent / "tiny-encoder"


def test_mean_leaves_padding_out() -> None:
    """The vector is the mean over true tokens, brought to length 1; a text of padding alone gives zeros."""
    hidden = np.array([[[3.0, 0.0], [0.0, 4.0], [9.0, 9.0]], [[1.0, 1.0]] * 3], np.float32)
    vectors = pooled(hidden, np.array([[1, 1, 0], [0, 0, 0]]))
    assert vectors == pytest.approx(np.array([[0.6, 0.8], [0.0, 0.0]]), abs=1e-6)


def folder_with(path: Path, digest: str | None = None) -> Path:
    """A folder of a sentence encoder, with the tokenizer of the tiny encoder and bytes that are no graph."""
    shutil.copy(TINY / "tokenizer.json", path / FILES[1])
    (path / FILES[0]).write_bytes(b"no graph")
    digests = {name: hashlib.sha256((path / name).read_bytes()).hexdigest() for name in FILES}
    digests[FILES[0]] = digest or digests[FILES[0]]
    lines = ['kind = "sentence"', 'name = "tiny"', 'source = "a test"', "dimensions = 8", "length = 16", "[sha256]"]
    lines += [f'"{name}" = "{value}"' for name, value in digests.items()]
    (path / "encoder.toml").write_text("\n".join(lines))
    return path


def test_other_file_is_refused(tmp_path: Path) -> None:
    """A file that is not the one named by the manifest is not run."""
    with pytest.raises(BrokenEncoder, match="not the file that its manifest names"):
        load_encoder(folder_with(tmp_path, digest="0" * 64))


def test_broken_graph_is_told(tmp_path: Path) -> None:
    """A graph that ONNX Runtime cannot read is a fault of the installation, and says what to do."""
    with pytest.raises(BrokenEncoder, match="make encoder"):
        load_encoder(folder_with(tmp_path))
