"""Data sets as they are written: each format read back by its own library, and every promise audited."""

import io
import json
import shutil
from pathlib import Path

import cv2
import datasets
import duckdb
import huggingface_hub
import imagehash
import mlcroissant
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import webdataset
from click.testing import CliRunner
from PIL import Image
from pycocotools.coco import COCO

from infra.cli import main
from models.datasets.audit import NoDataset, audit
from models.datasets.build import CannotBuild, Report, build, picture_of
from models.datasets.cards import cautions
from models.datasets.duplicates import perceptual_hash
from models.datasets.evaluation import NoPictures, pictures_of
from models.datasets.formats import FORMATS
from models.datasets.lines import BadLine, Line
from models.datasets.policy import Policy
from models.datasets.splits import Shares
from schemas.base import Provenance
from schemas.triplets import Triplet, Verdict
from tests.models.datasets.conftest import lines, read

POLICY = Policy(shares=Shares(0.2, 0.2))


@pytest.fixture(scope="module")
def built(triplet_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    """A data set in all formats."""
    out = tmp_path_factory.mktemp("built") / "set"
    return out, build(lambda: read(triplet_file), out, tuple(FORMATS), POLICY)


def splits_of(folder: Path) -> dict[str, str]:
    """The split of each image, by triplet_id."""
    rows = duckdb.sql(f"select triplet_id, split from read_json('{folder / 'index.jsonl'}')").fetchall()
    return dict(rows)


def test_every_image_is_once_in_one_split(built: tuple[Path, Report], triplets: list[Triplet]) -> None:
    """And nothing is lost without a reason."""
    folder, report = built
    splits = splits_of(folder)
    assert len(splits) == sum(report.images.values())
    assert len(splits) + sum(report.left_out.values()) == len({one.triplet_id for one in triplets})
    assert set(splits.values()) == {"train", "validation", "test"}


def test_frames_of_one_object_stay_together(built: tuple[Path, Report], triplets: list[Triplet]) -> None:
    """A cine's frames, which are alike, never stand in two splits."""
    splits = splits_of(built[0])
    objects: dict[str, set[str]] = {}
    for triplet in triplets:
        if triplet.triplet_id in splits:
            objects.setdefault(triplet.object_id, set()).add(splits[triplet.triplet_id])
    assert any(sum(one.object_id == key for one in triplets) > 1 for key in objects)
    assert all(len(found) == 1 for found in objects.values())


def test_images_of_a_patient_stay_together(built: tuple[Path, Report], triplets: list[Triplet]) -> None:
    """Whatever files they are in; and what the collection tests on is tested on."""
    splits = splits_of(built[0])
    patients: dict[str, list[str]] = {}
    for triplet in triplets:
        assert triplet.provenance
        if triplet.triplet_id in splits and triplet.provenance.patient_by == "sidecar":
            patients.setdefault(str(triplet.provenance.patient), []).append(splits[triplet.triplet_id])
            if triplet.provenance.split:
                assert splits[triplet.triplet_id] == triplet.provenance.split
    assert sorted(len(found) for found in patients.values()) == [1, 1, 1, 2, 2, 2]
    assert all(len(set(found)) == 1 for found in patients.values())
    assert built[1].group_levels["patient by sidecar"] == 9


def test_licences_that_are_not_permitted_are_left_out(triplets: list[Triplet], tmp_path: Path) -> None:
    """An unknown one counts as not permitted."""
    report = build(lambda: lines(triplets), tmp_path / "set", [], Policy(licences=("permissive",)))
    assert report.licences == {"CC0-1.0": sum(report.images.values())}
    assert report.sources == {"Drawn 1": sum(report.images.values())}
    assert report.left_out["licence not permitted"] > 0
    with pytest.raises(CannotBuild, match="licence not permitted"):
        build(lambda: lines(triplets), tmp_path / "none", [], Policy(licences=("MIT",)))


def test_parquet_is_what_trl_reads(built: tuple[Path, Report], triplets: list[Triplet], tmp_path: Path) -> None:
    """`datasets` decodes the pictures without being told, and roles alternate from user to assistant."""
    folder = built[0]
    by_id = {triplet.triplet_id: triplet for triplet in triplets}
    splits = splits_of(folder)
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path))
    assert {split: len(rows) for split, rows in loaded.items()} == {k: v for k, v in built[1].images.items() if v}
    for split, rows in loaded.items():
        for row in rows:
            assert splits[row["triplet_id"]] == split
            (image,) = row["images"]
            assert image.size == (row["width"], row["height"])
            triplet = by_id[row["triplet_id"]]
            assert np.array_equal(np.asarray(image), np.asarray(Image.open(io.BytesIO(picture_of(triplet)))))
            assert [one["role"] for one in row["messages"]] == ["user", "assistant"] * (len(row["messages"]) // 2)
            kinds = [part["type"] for message in row["messages"] for part in message["content"]]
            assert kinds.count("image") == 1
            assert kinds[0] == "image"
            assert row["description"] == triplet.description.description


def test_llava_reads_its_json(built: tuple[Path, Report]) -> None:
    """One picture token, before the first question; pictures are where they are said to be."""
    folder = built[0] / "llava"
    for split, n in built[1].images.items():
        items = json.loads((folder / f"{split}.json").read_bytes()) if n else []
        assert len(items) == n
        for item in items:
            assert cv2.imread(str(folder / "images" / item["image"])) is not None
            said = item["conversations"]
            assert [one["from"] for one in said] == ["human", "gpt"] * (len(said) // 2)
            assert said[0]["value"].startswith("<image>\n")
            assert sum(one["value"].count("<image>") for one in said) == 1
            assert not any("<box>" in one["value"] for one in said)


def test_swift_has_a_box_for_each_place(built: tuple[Path, Report], triplets: list[Triplet]) -> None:
    """In pixels, within the picture, in the order of the text."""
    by_id = {triplet.triplet_id: triplet for triplet in triplets}
    boxes = 0
    for path in (built[0] / "swift").glob("*.jsonl"):
        for line in path.read_text().splitlines():
            item = json.loads(line)
            text = "".join(message["content"] for message in item["messages"])
            found = item.get("objects", {}).get("bbox", [])
            assert text.count("<bbox>") == len(found)
            triplet = by_id[Path(item["images"][0]).stem]
            corners = {(b.x, b.y, b.x + b.width, b.y + b.height) for b in (one.box for one in triplet.regions)}
            assert {tuple(box) for box in found} <= corners
            boxes += len(found)
    assert boxes > 3


# webdataset leaves its shards to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_reads_its_shards(built: tuple[Path, Report], triplets: list[Triplet]) -> None:
    """Each sample has its picture, its text, and the triplet without the picture."""
    by_id = {triplet.triplet_id: triplet for triplet in triplets}
    seen = 0
    for path in (built[0] / "webdataset").glob("*.tar"):
        for sample in webdataset.WebDataset(str(path), shardshuffle=False).decode("rgb8"):
            triplet = by_id[sample["__key__"]]
            assert sample["txt"] == triplet.description.description
            assert sample["png"].shape[:2] == (triplet.image.rows, triplet.image.columns)
            assert "data" not in sample["json"]["triplet"]["image"]
            assert sample["json"]["triplet"]["triplet_id"] == triplet.triplet_id
            seen += 1
    assert seen == sum(built[1].images.values())


def test_coco_has_the_masks(built: tuple[Path, Report], triplets: list[Triplet]) -> None:
    """As pycocotools decodes them: of the area and box that they are said to have."""
    by_id = {triplet.triplet_id: triplet for triplet in triplets}
    seen = 0
    for split, n in built[1].images.items():
        if not n:
            continue
        coco = COCO(str(built[0] / "coco" / "annotations" / f"instances_{split}.json"))
        assert len(coco.getImgIds()) == n
        for annotation in coco.loadAnns(coco.getAnnIds()):
            image = coco.loadImgs(annotation["image_id"])[0]
            mask = coco.annToMask(annotation)
            assert mask.shape == (image["height"], image["width"])
            assert mask.sum() == annotation["area"]
            x, y, width, height = (int(one) for one in annotation["bbox"])
            assert mask[y : y + height, x : x + width].sum() == annotation["area"]
            name = coco.loadCats(annotation["category_id"])[0]["name"]
            assert name in {region.label for region in by_id[image["triplet_id"]].regions}
            seen += 1
    assert seen > 10


def test_imagefolder_is_read_by_datasets(built: tuple[Path, Report], tmp_path: Path) -> None:
    """Pictures with their caption and objects."""
    loaded = datasets.load_dataset("imagefolder", data_dir=str(built[0] / "imagefolder"), cache_dir=str(tmp_path))
    assert sum(len(rows) for rows in loaded.values()) == sum(built[1].images.values())
    row = next(row for row in loaded["train"] if row["objects"]["bbox"])
    assert len(row["objects"]["bbox"]) == len(row["objects"]["category"])
    assert row["image"].size[0] >= row["objects"]["bbox"][0][2]


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_croissant_validates_and_reads_the_index(built: tuple[Path, Report]) -> None:
    """By mlcroissant, with every file under its hash."""
    card = mlcroissant.Dataset(jsonld=str(built[0] / "croissant.json"))
    assert not card.metadata.issues.errors
    records = list(card.records("index"))
    assert {one["index/triplet_id"].decode() for one in records} == set(splits_of(built[0]))


def test_the_proof_is_counted_in_what_was_written(built: tuple[Path, Report]) -> None:
    """Images and groups of each split, none of which stands in two."""
    proof = json.loads((built[0] / "splits.json").read_bytes())
    entries = [json.loads(line) for line in (built[0] / "index.jsonl").read_text().splitlines()]
    groups = {(entry["group"], entry["split"]) for entry in entries}
    assert sum(proof["groups"].values()) == len(groups) == len({group for group, _ in groups})
    assert sum(proof["images"].values()) == len(entries)
    assert (proof["groups_in_two_splits"], proof["images_twice"]) == (0, 0)


def test_the_card_tells_what_is_there(built: tuple[Path, Report]) -> None:
    """Numbers of the index, and that it was held against no evaluation set."""
    text = (built[0] / "README.md").read_text()
    assert f"| train | {built[1].images['train']} |" in text
    assert "held against none" in text
    assert "glioma" in text


def test_the_card_is_one_that_hugging_face_takes(
    built: tuple[Path, Report], triplets: list[Triplet], tmp_path: Path
) -> None:
    """Its front matter names licences of their list; where one is not told or not theirs, `other`."""
    assert huggingface_hub.DatasetCard.load(built[0] / "README.md").data.license == ["other"]
    build(lambda: lines(named_only(triplets)), tmp_path / "set", [], POLICY)
    assert huggingface_hub.DatasetCard.load(tmp_path / "set" / "README.md").data.license == ["cc0-1.0"]


def test_what_is_to_be_known_of_splits_is_said(triplets: list[Triplet], tmp_path: Path) -> None:
    """Where patients are guessed by folder, a split is empty, and licences are not told; in the card too."""
    assert not cautions(build(lambda: lines(named_only(triplets)), tmp_path / "told", [], POLICY))
    guessed = [
        one.model_copy(update={"provenance": Provenance(patient="0" * 32, patient_by="folder")}) for one in triplets
    ]
    said = cautions(build(lambda: lines(guessed), tmp_path / "set", [], POLICY))
    assert [any(word in one for one in said) for word in ("--patients file", "no image for test", "no licence")] == [
        True
    ] * 3
    assert all(one[1:] in (tmp_path / "set" / "README.md").read_text() for one in said)


def named_only(triplets: list[Triplet]) -> list[Triplet]:
    """Those of which the source tells patient and licence."""
    return [one for one in triplets if one.provenance and one.provenance.licence]


def test_an_audit_of_what_is_whole_finds_no_fault(built: tuple[Path, Report]) -> None:
    """And says what it looked at."""
    found = audit(built[0])
    assert found.faults == []
    assert found.counts["pictures in parquet"] == sum(built[1].images.values())


@pytest.fixture
def copy(built: tuple[Path, Report], tmp_path: Path) -> Path:
    """The data set, to be damaged."""
    return Path(shutil.copytree(built[0], tmp_path / "set"))


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


def test_an_audit_of_something_else_says_so(tmp_path: Path) -> None:
    """A folder without a data set."""
    with pytest.raises(NoDataset, match=r"dataset\.json is not there"):
        audit(tmp_path)


def test_evaluation_images_are_left_out(triplet_file: Path, triplets: list[Triplet], tmp_path: Path) -> None:
    """Though they were made smaller, brighter and saved as JPEG; the audit finds them where they were not."""
    chosen = triplets[0]
    picture = cv2.imdecode(np.frombuffer(picture_of(chosen), np.uint8), cv2.IMREAD_GRAYSCALE)
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    brighter = np.clip(small.astype(int) + 10, 0, 255).astype(np.uint8)
    changed = cv2.imencode(".jpg", brighter, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes()
    report = build(
        lambda: read(triplet_file),
        tmp_path / "clean",
        ["parquet"],
        POLICY,
        evaluation={"VQA-RAD": [("synpic1.jpg", changed)]},
    )
    assert report.left_out["near an image of VQA-RAD"] >= 1
    assert chosen.triplet_id not in splits_of(tmp_path / "clean")
    hits = [json.loads(line) for line in (tmp_path / "clean" / "evaluation_hits.jsonl").read_text().splitlines()]
    assert {"triplet_id": chosen.triplet_id, "set": "VQA-RAD", "file": "synpic1.jpg"} in hits
    assert audit(tmp_path / "clean", {"VQA-RAD": [("synpic1.jpg", changed)]}).faults == []
    build(lambda: read(triplet_file), tmp_path / "leaking", ["parquet"], POLICY)
    assert any(
        "VQA-RAD" in fault for fault in audit(tmp_path / "leaking", {"VQA-RAD": [("synpic1.jpg", changed)]}).faults
    )


def test_hashes_are_those_of_imagehash() -> None:
    """Bit by bit, of grey noise and of colour."""
    chance = np.random.default_rng(0)
    for shape in ((64, 64), (200, 130), (90, 90, 3)):
        picture = cv2.GaussianBlur(chance.integers(0, 256, shape).astype(np.uint8), (0, 0), 5)
        grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        small = Image.fromarray(cv2.resize(grey, (64, 64), interpolation=cv2.INTER_AREA))
        bits = np.asarray(imagehash.phash(small, hash_size=16).hash)
        assert perceptual_hash(picture) == int.from_bytes(np.packbits(bits.ravel()).tobytes())


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (b"no JSON", "it is cut off, or no JSON"),
        (b'{"triplet_id": 1}', "its triplet_id is not as it was"),
        (b'{"stage": "preprocess"}', "it has no triplet_id"),
    ],
)
def test_a_line_that_is_no_triplet_is_named(damage: bytes, why: str, triplets: list[Triplet], tmp_path: Path) -> None:
    """By its place, without a word of it; nothing is left behind."""
    with pytest.raises(BadLine, match=rf"^file 1, line 9: is no triplet of this version: {why}$"):
        build(lambda: iter([*lines(triplets[:1]), Line("file 1, line 9", damage)]), tmp_path / "set", [], POLICY)
    assert list(tmp_path.iterdir()) == []


def test_evaluation_sets_are_read_as_they_lie(tmp_path: Path) -> None:
    """Of SLAKE the sources and not the masks; of PathVQA the pictures in Parquet; of others every picture."""
    png = cv2.imencode(".png", np.zeros((8, 8), np.uint8))[1].tobytes()
    for name in ("slake/imgs/xmlab0/source.jpg", "slake/imgs/xmlab0/mask.png", "vqa-rad/synpic1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(png)
    (tmp_path / "path-vqa").mkdir()
    pq.write_table(pa.Table.from_pylist([{"image": {"bytes": png, "path": "a"}}]), tmp_path / "path-vqa" / "t.parquet")
    found = {name: list(pictures_of(name, tmp_path / name)) for name in ("slake", "vqa-rad", "path-vqa")}
    assert found["slake"] == [("imgs/xmlab0/source.jpg", png)]
    assert found["vqa-rad"] == [("synpic1.jpg", png)]
    assert found["path-vqa"] == [("t.parquet:0", png)]
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoPictures, match="evaluation set slake"):
        list(pictures_of("slake", tmp_path / "empty"))


def test_near_duplicates_of_two_objects_share_a_split(triplets: list[Triplet], tmp_path: Path) -> None:
    """One image saved again, under other ids, follows the first whatever the key."""
    first = triplets[0]
    # Nothing tells that both are of one patient.
    named = {"triplet_id": "a" * 32, "image_id": "b" * 32, "object_id": "c" * 32, "provenance": None}
    again = first.model_copy(update=named)
    for key in range(6):
        out = tmp_path / str(key)
        report = build(lambda: lines([*triplets, again]), out, [], Policy(shares=Shares(0.3, 0.3), key=str(key)))
        splits = splits_of(out)
        assert splits[first.triplet_id] == splits["a" * 32]
        assert report.joined_groups >= 1


def test_what_is_not_borne_out_is_left_out(triplets: list[Triplet], tmp_path: Path) -> None:
    """Unless it is asked for."""
    first, *others = triplets
    modality = first.description.modality.model_copy(update={"verdict": Verdict(outcome="unsupported", reason="-")})
    made_up = first.model_copy(update={"description": first.description.model_copy(update={"modality": modality})})
    report = build(lambda: lines([made_up, *others]), tmp_path / "strict", [], POLICY)
    assert report.left_out["a statement without support"] == 1
    report = build(lambda: lines([made_up, *others]), tmp_path / "all", [], Policy(unsupported=True))
    assert "a statement without support" not in report.left_out


def test_caps_and_temperature_thin(triplets: list[Triplet], tmp_path: Path) -> None:
    """No series gives more than asked; at temperature 0 no modality leads by chance alone."""
    report = build(lambda: lines(triplets), tmp_path / "capped", [], Policy(most_a_series=1))
    assert sum(report.images.values()) == len({one.object_id for one in triplets}) - report.left_out.get(
        "same image as another", 0
    )
    even = build(lambda: lines(triplets), tmp_path / "even", [], Policy(temperature=0.0))
    assert sum(even.images.values()) < len(triplets)


def test_the_folder_of_another_set_is_left_alone(triplets: list[Triplet], tmp_path: Path) -> None:
    """Nor is there one where nothing was taken."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    with pytest.raises(CannotBuild, match="not empty"):
        build(lambda: lines(triplets), tmp_path / "mine", [], POLICY)
    with pytest.raises(CannotBuild, match=r"no triplet was taken: \d+ smaller than asked"):
        build(lambda: lines(triplets), tmp_path / "none", [], Policy(smallest_px=100_000))
    assert not (tmp_path / "none").exists()
    (tmp_path / "next.part").mkdir()
    with pytest.raises(CannotBuild, match=r"'\.part', which is none of ours"):
        build(lambda: lines(triplets), tmp_path / "next", [], POLICY)
    assert (tmp_path / "next.part").is_dir()


def test_the_command_builds_and_audits(triplet_file: Path, tmp_path: Path) -> None:
    """From a file of triplets to a data set, and exit status 1 where a promise is broken."""
    runner = CliRunner()
    out = tmp_path / "set"
    result = runner.invoke(main, ["dataset", "build", str(triplet_file), "--out", str(out), "--format", "llava"])
    assert result.exit_code == 0, result.output
    assert runner.invoke(main, ["dataset", "audit", str(out)]).exit_code == 0
    (out / "llava" / "train.json").write_text("[]")
    result = runner.invoke(main, ["dataset", "audit", str(out)])
    assert result.exit_code == 1
    assert "llava/train.json is not what croissant.json says" in result.output
    result = runner.invoke(main, ["dataset", "build", str(triplet_file), "--out", str(out), "--format", "tfrecord"])
    assert result.exit_code == 2
    assert "parquet, llava" in result.output
