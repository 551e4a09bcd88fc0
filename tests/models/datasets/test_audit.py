"""A finished data set held against its promises, and what an audit sees where one is broken."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.cli import main
from models.datasets.audit import NoDataset, audit
from models.datasets.cards import UNTOLD
from models.datasets.report import Report


@pytest.fixture
def copy(built: tuple[Path, Report], tmp_path: Path) -> Path:
    """The data set, to be damaged."""
    return Path(shutil.copytree(built[0], tmp_path / "set"))


def test_an_audit_of_what_is_whole_finds_no_fault(built: tuple[Path, Report]) -> None:
    """And says what it looked at."""
    found = audit(built[0])
    assert found.faults == []
    assert found.counts["pictures in parquet"] == sum(built[1].images.values())


def test_what_no_image_tells_is_no_source(built: tuple[Path, Report]) -> None:
    """Of images without one is told how many there are; they are not counted as one source, or licence."""
    counts = audit(built[0]).counts
    for name, told in (("source", built[1].sources), ("licence", built[1].licences)):
        assert counts[f"{name}s"] == len({*told} - {UNTOLD})
        assert counts.get(f"images whose {name} is not told", 0) == told.get(UNTOLD, 0)


def test_an_audit_sees_a_torn_group(copy: Path) -> None:
    """One image moved to another split, in the index."""
    entries = [json.loads(line) for line in (copy / "index.jsonl").read_text().splitlines()]
    groups = [line["group"] for line in entries]
    line = next(line for line in entries if groups.count(line["group"]) > 1)
    line["split"] = "test" if line["split"] == "train" else "train"
    (copy / "index.jsonl").write_text("".join(json.dumps(one) + "\n" for one in entries))
    faults = " ".join(audit(copy).faults)
    assert "1 groups stand in two splits" in faults
    assert "index.jsonl is not what croissant.json says" in faults


def test_an_audit_sees_a_changed_picture(copy: Path) -> None:
    """Another picture under a right name."""
    first, second, *_ = sorted((copy / "imagefolder" / "train").glob("*.png"))
    for folder in ("parquet", "webdataset", "llava", "swift", "coco"):
        shutil.rmtree(copy / folder)
    first.write_bytes(second.read_bytes())
    assert any("in imagefolder is another one than was looked at" in fault for fault in audit(copy).faults)


def test_an_audit_sees_rows_of_another_split(copy: Path) -> None:
    """Test rows that were put into the file for training, though its hash was written anew."""
    for name, join in (
        ("llava/{}.json", lambda one, other: one.rstrip().removesuffix("]") + "," + other.lstrip().removeprefix("[")),
        ("swift/{}.jsonl", lambda one, other: one + other),
        ("imagefolder/{}/metadata.jsonl", lambda one, other: one + other),
    ):
        train, test = (copy / name.format(split) for split in ("train", "test"))
        train.write_text(join(train.read_text(), test.read_text()))
        card = json.loads((copy / "croissant.json").read_bytes())
        for file in card["distribution"]:
            if file["contentUrl"] == name.format("train"):
                file["sha256"] = hashlib.sha256(train.read_bytes()).hexdigest()
        (copy / "croissant.json").write_text(json.dumps(card))
    faults = audit(copy).faults
    for name in ("llava", "swift", "imagefolder"):
        assert any(fault.startswith(f"a row of train in {name} is not in the index") for fault in faults)
    assert not any("is not what croissant.json says" in fault for fault in faults)


def test_an_audit_sees_a_changed_card_and_files_that_were_added(copy: Path) -> None:
    """Shards that a loader would read, and words that a person would."""
    card = copy / "README.md"
    card.write_text(card.read_text() + "All licences permit training.")
    (copy / "parquet" / "more").mkdir()
    shutil.copy(next(copy.glob("parquet/data/test-*.parquet")), copy / "parquet" / "more" / "train-00000.parquet")
    faults = audit(copy).faults
    assert "README.md is not what croissant.json says" in faults
    assert "parquet/more/train-00000.parquet is there, and croissant.json tells nothing of it" in faults


def test_an_audit_of_something_else_says_so(tmp_path: Path) -> None:
    """A folder without a data set."""
    with pytest.raises(NoDataset, match=r"dataset\.json is not there"):
        audit(tmp_path)


def test_the_folder_that_one_is_in_can_be_audited(built: tuple[Path, Report], monkeypatch: pytest.MonkeyPatch) -> None:
    """What an audit writes for itself lies beside the folder, by its name, and is gone when it ends."""
    monkeypatch.chdir(built[0])
    done = CliRunner().invoke(main, ["dataset", "audit", "."])
    assert (done.exit_code, "no fault was found" in done.stderr) == (0, True), done.output
    assert not [path for path in built[0].parent.iterdir() if path.name.startswith(f".{built[0].name}.")]
