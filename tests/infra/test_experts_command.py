"""`tristream experts`: what it lists, what it finds broken, what it adds."""

import hashlib
import shutil
import tomllib
from pathlib import Path
from typing import cast

import numpy as np
import orjson
import pytest
from click.testing import CliRunner
from pycocotools import mask as coco

from infra.cli import main
from models.experts.registry import Registry
from models.experts.stated import Calibration
from tests.models.experts import exports, volume_graphs
from tests.models.experts.external_graphs import WEIGHTS, write_expert
from tests.models.experts.test_datasets import triplet

GRAPHS = Path(__file__).parents[1] / "models" / "experts" / "graphs"


def run(*arguments: str | Path, own: Path | None = None) -> tuple[int, str]:
    environment = {"TRISTREAM_EXPERTS": str(own) if own else ""}
    result = CliRunner().invoke(main, ["experts", *map(str, arguments)], env=environment)
    return result.exit_code, result.output


@pytest.fixture
def unet(tmp_path: Path) -> Path:
    """A copy of the example's manifest and graph; returns the manifest."""
    for name in ("unet.toml", "unet.onnx"):
        shutil.copy(GRAPHS / name, tmp_path)
    return tmp_path / "unet.toml"


def changed(manifest: Path, old: str, new: str) -> Path:
    text = manifest.read_text()
    assert old in text
    manifest.write_text(text.replace(old, new))
    return manifest


def test_list_and_show(unet: Path) -> None:
    """Packaged experts and one's own stand in one list; a card or a manifest is shown; a wrong name is told."""
    code, output = run("list", own=unet.parent)
    assert code == 0
    lines = {line.split("@")[0]: line for line in output.splitlines()}
    assert lines["ct-density"].endswith("| packaged")
    assert lines["unet"] == "unet@1.0.0 | semantic | CT | any | soft tissue, bone | own"
    assert "## Limits" in run("show", "ct-density")[1]
    assert 'kind = "semantic"' in run("show", "unet", own=unet.parent)[1]
    code, output = run("show", "resnet")
    assert code == 1
    assert "ct-density" in output


@pytest.mark.parametrize("name", sorted(path.stem for path in GRAPHS.glob("*.toml")))
def test_examples_keep_their_promises(name: str) -> None:
    """Every kind of output is checked on a sample, and the latency is told."""
    code, output = run("check", GRAPHS / f"{name}.toml")
    assert code == 0, output
    assert " ms an image" in output
    assert "the outputs are there: \n" not in output


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("multiple = 2", "height = 64", "BROKEN  the manifest is valid: input.size: "),
        ('output = "logits"', 'output = "scores"', "BROKEN  the outputs are there: scores. The graph gives logits"),
        ('licence = "Apache-2.0"', 'licence = "unknown"', "BROKEN  the licence is told"),
        ("background = [0]", "background = []", "Each channel is the index of one of [[labels]]"),
        ('name = "unet"', 'name = "other"', "BROKEN  it is named as its file"),
        ('activation = "softmax"', 'activation = "none"', 'needs activation = "sigmoid" or "softmax"'),
        ("channels = 1", "channels = 3\ngrey_as_colour = true", "BROKEN  it has 3 channels: 1. Write channels = 1"),
        ("longest_side = 2048", 'longest_side = 2048\nname = "picture"', "BROKEN  ONNX Runtime loads it"),
        ("[decoding]", "[decodings]", "BROKEN  the manifest is valid: decodings"),
    ],
)
def test_broken_promises(unet: Path, old: str, new: str, told: str) -> None:
    """Each is told by what was promised and what was seen."""
    code, output = run("check", changed(unet, old, new))
    assert code == 1
    assert told in output


def test_a_digest_that_is_not_there_yet_is_told(unet: Path) -> None:
    """A manifest with a placeholder or nothing for it: `check` says what to write."""
    digest = hashlib.sha256(unet.with_suffix(".onnx").read_bytes()).hexdigest()
    written = unet.read_text()
    for placeholder in ('sha256 = "…"', ""):
        unet.write_text(written.replace(f'sha256 = "{digest}"', placeholder))
        code, output = run("check", unet)
        assert code == 1
        assert f'That of unet.onnx is "{digest}"' in output


def test_an_expert_of_three_dimensions(tmp_path: Path) -> None:
    """It is checked on a window and on a volume of several; of what is wrong it is told what to write."""
    manifest = volume_graphs.write(tmp_path)
    code, output = run("check", manifest)
    assert code == 0, output
    assert "it is NCDHW" in output
    assert "its outputs can be read" in output
    for old, new, told in (
        ("[decoding]", "[decoding]\nwhole = true", "decoding.volume.whole"),
        ("channels = 1", "channels = 3", "of kind 'volume' size is { policy = \"keep\" }, channels 1"),
        ('kind = "volume"', 'kind = "semantic"', "[input.volume] and kind 'volume' belong together"),
        ("overlap = 0.5", 'overlap = 0.5\naxes = "RAL"', "not 'RAL'"),
        ('output = "logits"', 'output = "scores"', "BROKEN  the outputs are there: scores"),
    ):
        code, output = run("check", changed(volume_graphs.write(tmp_path), old, new))
        assert code == 1
        assert told in output, (old, output)
    small = volume_graphs.write(tmp_path, "small", graph=volume_graphs.box_filter(sides=(8, 8, 8)))
    code, output = run("check", small)
    assert "BROKEN  it takes windows of 16 × 16 × 16 voxels: patch: 8 × 8 × 8" in output


def test_three_dimensions_told_as_two(tmp_path: Path) -> None:
    """A graph of three dimensions whose manifest is that of a picture's: it is told what a volume's has."""
    written = volume_graphs.write(tmp_path)
    text = written.read_text()
    volume = text[text.index("[input.volume]") : text.index("[decoding]")]
    written.write_text(text.replace(volume, "").replace('kind = "volume"', 'kind = "semantic"'))
    code, output = run("check", written)
    assert code == 1
    assert "BROKEN  it is NCHW: " in output
    assert 'kind = "volume" and a table [input.volume]' in output


def test_another_graph(unet: Path) -> None:
    """A graph that is not the manifest's is told with its digest, which a new manifest needs."""
    graph = unet.with_suffix(".onnx")
    graph.write_bytes(graph.read_bytes() + b"\0")
    code, output = run("check", unet)
    assert code == 1
    assert f"BROKEN  sha256 of unet.onnx: {hashlib.sha256(graph.read_bytes()).hexdigest()}" in output


def test_add(unet: Path, tmp_path: Path) -> None:
    """What keeps its promises is copied with all its files, and workers find it; nothing else is copied."""
    own = tmp_path / "own"
    assert run("add", GRAPHS / "sam.toml", own=own)[0] == 0
    assert sorted(path.name for path in own.iterdir()) == ["sam-decoder.onnx", "sam.onnx", "sam.toml"]
    assert "sam" in {expert.manifest.name for expert in Registry.load(own=own).experts}
    code, output = run("add", changed(unet, "background = [0]", "background = []"), own=own)
    assert code == 1
    assert "nothing was added: 1 promise is broken" in output
    assert not (own / "unet.toml").exists()


@pytest.mark.parametrize("location", ["bright.onnx.data", "weights/w.bin"])
def test_external_data_is_checked_and_added_along(tmp_path: Path, location: str) -> None:
    """Its digest is told, it lies below one's own folder as it did, and the expert is found there."""
    manifest, own = write_expert(tmp_path / "given", location=location), tmp_path / "own"
    code, output = run("check", manifest)
    assert code == 0, output
    assert f"external data {location}: 16 bytes, sha256 {hashlib.sha256(WEIGHTS).hexdigest()}" in output
    assert run("add", manifest, own=own)[0] == 0
    files = sorted(path.relative_to(own).as_posix() for path in own.rglob("*") if path.is_file())
    assert files == sorted(["bright.onnx", "bright.toml", location])
    shutil.rmtree(tmp_path / "given")
    assert "bright" in {expert.manifest.name for expert in Registry.load(own=own).experts}


def test_external_data_that_is_missing_is_a_broken_promise(tmp_path: Path) -> None:
    """And nothing is added."""
    manifest, own = write_expert(tmp_path), tmp_path / "own"
    (tmp_path / "bright.onnx.data").unlink()
    for command in ("check", "add"):
        code, output = run(command, manifest, own=own)
        assert code == 1
        assert "BROKEN  external data is below its folder: bright.onnx names external data that is not there" in output
    assert not own.exists()


def test_external_data_of_another_expert_is_not_overwritten(tmp_path: Path) -> None:
    """Exporters give every file one name; an expert's own is overwritten by its new version."""
    own = tmp_path / "own"
    for name, weights, code in (("one", WEIGHTS, 0), ("two", WEIGHTS, 0), ("three", WEIGHTS[::-1], 1)):
        given = write_expert(tmp_path / name, name=name, location="model.data", weights=weights)
        found, output = run("add", given, own=own)
        assert found == code
    assert "'model.data' in that folder is another expert's" in output
    assert (own / "model.data").read_bytes() == WEIGHTS
    (own / "two.onnx").unlink()
    assert run("add", write_expert(tmp_path / "new", "one", "model.data", WEIGHTS[::-1]), own=own)[0] == 0


def test_add_without_a_folder(unet: Path) -> None:
    """Where there is no folder of one's own, the setting is named."""
    code, output = run("add", unet)
    assert code == 1
    assert "TRISTREAM_EXPERTS" in output


def test_import_writes_checks_and_can_be_added(tmp_path: Path) -> None:
    """What was made of a bundle is checked at once; a refusal says what to do, without a trace of Python."""
    bundle, own = exports.monai(tmp_path / "spleen"), tmp_path / "own"
    code, output = run("import", bundle, "--out", tmp_path / "made", "--organ", "abdomen", own=own)
    assert code == 0, output
    assert "BROKEN" not in output
    assert run("add", tmp_path / "made" / "spleen.toml", own=own)[0] == 0
    assert "spleen@0.5.7 | volume | CT | abdomen | spleen | own" in run("list", own=own)[1]
    (bundle / "models" / "model.onnx").unlink()
    code, output = run("import", bundle, "--out", tmp_path / "made", own=own)
    assert code == 1
    assert "python -m monai.bundle onnx_export" in output
    assert "Traceback" not in output


def lines_of(folder: Path, patients: int, *, marked: bool = True) -> Path:
    """Triplets of unet@1.0.0, which finds a bone where one is marked, and every third time beside it."""
    lines: list[bytes] = []
    for number in range(patients):
        right = number % 3 > 0
        regions = [region("candidate", "bone", 10 if right else 40, 0.9 if right else 0.6)]
        if marked:
            regions = [region("source annotation", "Rib", 10), *regions]
        lines.append(orjson.dumps(triplet("candidate") | {
            "object_id": f"{number:032x}", "regions": regions,
            "experts": [{"expert": "unet@1.0.0", "outcome": "regions", "regions": 1}],
        }))  # fmt: skip
    path = folder / "marked.jsonl"
    path.write_bytes(b"\n".join(lines))
    return path


def region(kind: str, label: str, x: int, score: float | None = None) -> dict[str, object]:
    mask = np.zeros((48, 64), np.uint8, order="F")
    mask[10:20, x : x + 10] = 1
    (told,) = cast(list[dict[str, object]], triplet(kind)["regions"])
    return told | {
        "label": label, "score": score, "mask": {"size": [48, 64], "counts": coco.encode(mask)["counts"].decode()},
        "expert": "source" if kind == "source annotation" else "unet@1.0.0",
    }  # fmt: skip


def test_calibrate_tells_lines_that_a_manifest_may_state(unet: Path) -> None:
    """Precision and calibration of marked triplets; put below the label, its regions have probabilities."""
    triplets = lines_of(unet.parent, 30)
    code, output = run("calibrate", unet, triplets, "--of", "a clinic", "--mark", "bone=rib")
    assert code == 0, output
    told = output[output.index("# bone:") :]
    assert told.startswith("# bone: 30 regions on 30 images of 30 patients\n")
    assert "precision = { value = 0.67, images = 30, regions = 30, interval = [" in told
    label = tomllib.loads(told)
    assert label["calibration"]["slope"] > 0
    changed(unet, 'name = "bone"\n', f'name = "bone"\n{told}')
    assert run("check", unet)[0] == 0
    found = Calibration.model_validate(label["calibration"])
    right, wrong = found.at(0.9), found.at(0.6)
    assert right is not None
    assert wrong is not None
    assert (right > 0.85, wrong < 0.3) == (True, True)


def test_calibrate_reads_no_other_files(unet: Path) -> None:
    """A region of another size than its image, or a manifest that is none, is one line that says so."""
    triplets = lines_of(unet.parent, 1)
    triplets.write_bytes(triplets.read_bytes().replace(b'"size":[48,64]', b'"size":[64,48]'))
    code, output = run("calibrate", unet, triplets, "--of", "a clinic", "--mark", "bone=rib")
    assert (code, "line 1: a region is of another size than the image" in output) == (1, True)
    unet.write_text("name =")
    code, output = run("calibrate", unet, triplets, "--of", "a clinic")
    assert (code, "has no valid manifest" in output) == (1, True)


def test_calibrate_says_what_is_missing(unet: Path) -> None:
    """Few are not calibrated; images without marks count where that is said; other words are told of."""
    triplets = lines_of(unet.parent, 6)
    _, output = run("calibrate", unet, triplets, "--of", "a clinic", "--mark", "bone=rib")
    assert "# not calibrated: that takes 20 regions of 10 patients" in output
    assert "calibration =" not in output
    code, output = run("calibrate", unet, triplets, "--of", "a clinic")
    assert (code, "no triplet holds a region of unet@1.0.0" in output) == (1, True)
    assert run("calibrate", unet, triplets, "--of", "a clinic", "--mark", "rib")[0] == 2
    code, output = run("calibrate", unet, triplets, "--of", "a clinic", "--mark", "bones=rib")
    assert (code, "has no label bones: --mark takes one of" in output) == (1, True)
    unmarked = lines_of(unet.parent, 25, marked=False)
    _, output = run("calibrate", unet, unmarked, "--of", "a clinic", "--unmarked")
    assert "precision = { value = 0.0, images = 25" in output
