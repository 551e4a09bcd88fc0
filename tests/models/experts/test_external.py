"""External data of ONNX files: read from below the graph's folder, and from nowhere else."""

from pathlib import Path

import numpy as np
import pytest

from models.experts.external import named_in
from models.experts.manifest import BrokenExpert
from models.experts.packaged import LIBRARY
from models.experts.registry import Registry
from models.experts.running import Expert
from tests.models.experts.external_graphs import WEIGHTS, graph_naming, write_expert


@pytest.mark.parametrize("location", ["bright.onnx.data", "weights/of it/w.bin", "./w"])
def test_weights_are_read_from_below_the_graphs_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    """Wherever the process runs; a file of that name there is not taken."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "bright.onnx.data").write_bytes(bytes(16))
    monkeypatch.chdir(elsewhere)
    expert = Expert.load(write_expert(tmp_path, location=location))
    (logits,) = expert.run(np.array([[[[1.0, -1.0]]]], np.float32), ["logits"])
    np.testing.assert_array_equal(logits, [[[[-7, 11]], [[7, -11]]]])


@pytest.mark.parametrize("location", ["../w.data", "sub/../../w.data", "/tmp/w.data", "linked.data", "linked/w.data"])
def test_weights_outside_the_folder_are_refused_by_name(tmp_path: Path, location: str) -> None:
    """By dots, from the root, or by a link."""
    folder = tmp_path / "experts"
    manifest = write_expert(folder, location="bright.onnx.data")
    (tmp_path / "w.data").write_bytes(WEIGHTS)
    (folder / "sub").mkdir()
    (folder / "linked.data").symlink_to(tmp_path / "w.data")
    (folder / "linked").symlink_to(tmp_path)
    graph = folder / "bright.onnx"
    old, new = graph.read_bytes(), graph_naming(location)
    graph.write_bytes(new)
    _rewrite_digest(manifest, old, new)
    with pytest.raises(BrokenExpert, match=f"outside its folder .*{location}"):
        Expert.load(manifest)


def test_weights_that_are_not_there_or_too_short_are_told(tmp_path: Path) -> None:
    """What is to be put where; and ONNX Runtime finds what is cut."""
    manifest = write_expert(tmp_path)
    data = tmp_path / "bright.onnx.data"
    data.write_bytes(WEIGHTS[:12])
    with pytest.raises(BrokenExpert, match="cannot load"):
        Expert.load(manifest)
    data.unlink()
    with pytest.raises(BrokenExpert, match=r"not there: put 'bright\.onnx\.data' beside it"):
        Expert.load(manifest)


def test_other_weights_are_another_version(tmp_path: Path) -> None:
    """The manifest holds no digest of them, and lineage must tell."""
    write_expert(tmp_path)
    first = Registry.load(own=tmp_path).version
    assert Registry.load(own=tmp_path).version == first
    (tmp_path / "bright.onnx.data").write_bytes(WEIGHTS[::-1])
    assert Registry.load(own=tmp_path).version != first


def test_graphs_that_keep_their_weights_name_no_files() -> None:
    """All packaged ones; and neither does what is no ONNX file, or a cut one."""
    for path in LIBRARY.glob("*.onnx"):
        assert named_in(path.read_bytes()) == []
    graph = graph_naming("w")
    assert named_in(graph) == ["w"]
    assert named_in(b"\xff" * 100) == named_in(graph[:40]) == named_in(b"") == []


def _rewrite_digest(manifest: Path, old: bytes, new: bytes) -> None:
    from hashlib import sha256

    manifest.write_text(manifest.read_text().replace(sha256(old).hexdigest(), sha256(new).hexdigest()))
