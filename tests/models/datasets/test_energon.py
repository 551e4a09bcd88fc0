"""WebDataset as Megatron's energon takes it: prepared, linted and loaded by its own commands, in its environment.

TRISTREAM_TEST_ENERGON names the Python of that environment: see `make test-energon`.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from models.datasets.build import build
from models.datasets.policy import Policy
from models.datasets.splits import Shares
from tests.models.datasets.conftest import read

LOADED = """
import json, sys
from megatron.energon import WorkerConfig, get_loader, get_train_dataset
for part in ("train", "val", "test"):
    data = get_train_dataset(
        sys.argv[1], split_part=part, worker_config=WorkerConfig(rank=0, world_size=1, num_workers=0), batch_size=None,
        shuffle_buffer_size=None, max_samples_per_sequence=None, repeat=False,
    )
    for sample in get_loader(data):
        print(json.dumps([part, sample.__key__.rpartition("/")[2], list(sample.image.shape), sample.caption]))
"""
PARTS = {"train": "train", "val": "validation", "test": "test"}


@pytest.fixture(scope="module")
def python() -> Path:
    """Of energon's environment."""
    named = os.environ.get("TRISTREAM_TEST_ENERGON")
    if named is None:
        pytest.skip("make test-energon runs these")
    return Path(named).absolute()


@pytest.fixture(scope="module")
def prepared(python: Path, triplet_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set that `energon prepare` has gone over as docs/datasets.md has it."""
    out = tmp_path_factory.mktemp("energon") / "set"
    build(lambda: read(triplet_file), out, ("webdataset",), Policy(shares=Shares(0.2, 0.2)))
    run(
        python.with_name("energon"), "prepare", str(out / "webdataset"), "--non-interactive",
        *(word for part, split in PARTS.items() for word in ("--split-parts", rf"{part}:{split}-.*\.tar")),
        "--sample-type", "CaptioningSample", "--field-map", '{"image": "png", "caption": "txt"}',
    )  # fmt: skip
    return out


def run(command: Path, *arguments: str) -> str:
    """What it prints."""
    done = subprocess.run([str(command), *arguments], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_energon_loads_every_sample(python: Path, prepared: Path) -> None:
    """In the split of the index, with its picture and its description."""
    index = [json.loads(line) for line in (prepared / "index.jsonl").read_text().splitlines()]
    loaded = [json.loads(line) for line in run(python, "-c", LOADED, str(prepared / "webdataset")).splitlines()]
    found = {key: PARTS[part] for part, key, _, _ in loaded}
    assert len(found) == len(loaded)
    assert found == {one["triplet_id"]: one["split"] for one in index}
    assert set(found.values()) == set(PARTS.values())
    assert all(len(shape) == 3 and shape[0] == 3 and caption for _, _, shape, caption in loaded)


def test_energon_finds_no_fault(python: Path, prepared: Path) -> None:
    """Its own linter reads all."""
    run(python.with_name("energon"), "lint", str(prepared / "webdataset"))
