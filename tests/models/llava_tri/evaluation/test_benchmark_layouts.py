"""Benchmarks read from small folders of each layout that they are found in; what lies otherwise is told by its file."""

import csv
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from models.llava_tri.evaluation.benchmarks import LOADERS
from models.llava_tri.evaluation.questions import NoPicture, WrongLayout

ROWS: list[dict[str, Any]] = [
    {
        "qid": 1,
        "image_name": "a.png",
        "image_organ": "CHEST",
        "answer": "Yes",
        "answer_type": "CLOSED",
        "question_type": "PRES",
        "question": "Is there an effusion?",
        "phrase_type": "freeform",
    },
    {
        "qid": 2,
        "image_name": "b.png",
        "image_organ": "ABD",
        "answer": 3,
        "answer_type": "OPEN",
        "question_type": "COUNT",
        "question": "How many cysts?",
        "phrase_type": "test_freeform",
    },
    {
        "qid": 3,
        "image_name": "b.png",
        "image_organ": "HEAD",
        "answer": "MRI",
        "answer_type": "CLOSED ",
        "question_type": "MODALITY",
        "question": "Is this an MRI or a CT scan?",
        "phrase_type": "test_para",
    },
]


def png(level: int) -> bytes:
    """A small grey picture."""
    out = io.BytesIO()
    Image.new("L", (12, 10), level).save(out, "PNG")
    return out.getvalue()


def put(folder: Path, *names: str) -> None:
    """A picture of its own under each name."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(40 * number))


def parquet(path: Path, **columns: list[Any]) -> None:
    """A Parquet file as Hugging Face's `datasets` writes one, two rows a row group."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, row_group_size=2)


def test_vqa_rad_as_its_authors_gave_it(tmp_path: Path) -> None:
    """One file; the split stands in `phrase_type`."""
    (tmp_path / "VQA_RAD Dataset Public.json").write_text(json.dumps(ROWS))
    put(tmp_path / "VQA_RAD Image Folder", "a.png", "b.png")
    found = LOADERS["vqa-rad"](tmp_path, "test", None)
    assert [one.id for one in found.questions] == ["2", "3"]
    assert [one.id for one in found.train] == ["1"]
    first, second = found.questions
    assert (first.kind, first.answers, first.organ, first.topic) == ("open", ("3",), "abdomen", "COUNT")
    assert (second.kind, second.options) == ("closed", ("mri", "ct"))
    assert found.picture("b.png") == png(40)
    assert found.pictures == ("b.png",)


def test_vqa_rad_in_split_files(tmp_path: Path) -> None:
    """As MEVF prepared it; numbers that stand twice give way to places."""
    (tmp_path / "trainset.json").write_text(json.dumps(ROWS[:1]))
    (tmp_path / "testset.json").write_text(json.dumps([{**one, "qid": 7} for one in ROWS[1:]]))
    put(tmp_path / "images", "a.png", "b.png")
    found = LOADERS["vqa-rad"](tmp_path, "test", None)
    assert [one.id for one in found.questions] == ["test-0", "test-1"]
    assert len(found.train) == 1


@pytest.mark.parametrize("name", ["vqa-rad", "slake", "pathvqa"])
def test_hugging_face(tmp_path: Path, name: str) -> None:
    """Pictures stand in the rows; the same one is one picture; yes and no are closed."""
    pictures = [{"bytes": png(level), "path": None} for level in (0, 0, 200)]
    asked = ["Is it left?", "Where?", "What?"]
    parquet(
        tmp_path / "data/test-00000-of-00001.parquet", image=pictures, question=asked, answer=["no", "lung", "cyst"]
    )
    parquet(tmp_path / "data/train-00000-of-00001.parquet", image=pictures[:1], question=["Where?"], answer=["liver"])
    found = LOADERS[name](tmp_path, "test", None)
    assert [one.kind for one in found.questions] == ["closed", "open", "open"]
    assert len(found.pictures) == 2
    assert [found.picture(key) for key in found.pictures] == [png(0), png(200)]
    assert [one.answers for one in found.train] == [("liver",)]


def test_slake_english_alone_with_its_folders_and_zip(tmp_path: Path) -> None:
    """Every picture is called source.jpg: the folder tells them apart. Hugging Face has them in one zip."""
    row = {
        "img_name": "xmlab1/source.jpg",
        "question": "Which organ?",
        "answer": "Liver",
        "q_lang": "en",
        "location": "Abdomen",
        "modality": "CT",
        "answer_type": "OPEN",
        "content_type": "Organ",
        "qid": 5,
    }
    rows = [row, {**row, "qid": 6, "q_lang": "zh"}, {**row, "qid": 7, "img_name": "xmlab2/source.jpg"}]
    for folder in ("plain", "zip"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "test.json").write_text(json.dumps(rows))
    put(tmp_path / "plain/imgs", "xmlab2/source.jpg", "xmlab1/source.jpg")
    with zipfile.ZipFile(tmp_path / "zip/imgs.zip", "w") as archive:
        archive.writestr("imgs/xmlab2/source.jpg", png(0))
        archive.writestr("imgs/xmlab1/source.jpg", png(40))
    for folder in ("plain", "zip"):
        found = LOADERS["slake"](tmp_path / folder, "test", None)
        assert [one.id for one in found.questions] == ["5", "7"]
        assert (found.questions[0].modality, found.questions[0].organ) == ("CT", "abdomen")
        assert [found.picture(key) for key in found.pictures] == [png(40), png(0)]


@pytest.mark.parametrize("prepared", [False, True])
def test_pathvqa_pickled(tmp_path: Path, prepared: bool) -> None:
    """As its authors gave it, and as prepared for training; pictures are named without a suffix."""
    plain = [{"image": "test_0001", "question": "Is it benign?", "answer": "no"}]
    known = [
        {"img_id": "test_0001", "sent": "Is it benign?", "label": {"no": 1}, "question_id": 9, "answer_type": "yes/no"}
    ]
    path = tmp_path / "qas/test" / ("test_vqa.pkl" if prepared else "test_qa.pkl")
    path.parent.mkdir(parents=True)
    path.write_bytes(pickle.dumps(known if prepared else plain))
    put(tmp_path / "images/test", "test_0001.jpg")
    found = LOADERS["pathvqa"](tmp_path, "test", None)
    assert [(one.kind, one.answers) for one in found.questions] == [("closed", ("no",))]
    assert found.picture("test_0001") == png(0)


def test_a_pickle_that_names_code_runs_nothing(tmp_path: Path) -> None:
    """It is refused, by its file name."""
    (tmp_path / "qas/test").mkdir(parents=True)
    (tmp_path / "qas/test/test_qa.pkl").write_bytes(pickle.dumps([Path("/")]))
    with pytest.raises(WrongLayout, match=r"test_qa\.pkl is no pickle of plain values: it names pathlib"):
        LOADERS["pathvqa"](tmp_path, "test", None)


def test_llava_med(tmp_path: Path) -> None:
    """Conversations of a question and its answer."""
    turns = [{"from": "human", "value": "Is it left?\n<image>"}, {"from": "gpt", "value": "Yes"}]
    (tmp_path / "test.json").write_text(
        json.dumps([{"id": 4, "image": "a.png", "answer_type": "CLOSED", "conversations": turns}])
    )
    put(tmp_path, "a.png")
    (one,) = LOADERS["vqa-rad"](tmp_path, "test", None).questions
    assert (one.id, one.text, one.kind, one.images) == ("4", "Is it left?", "closed", ("a.png",))


def test_iu_xray_of_r2gen(tmp_path: Path) -> None:
    """Two views are one study."""
    report = {
        "id": "CXR1",
        "report": "The lungs are clear.",
        "image_path": ["CXR1/0.png", "CXR1/1.png"],
        "split": "test",
    }
    (tmp_path / "annotation.json").write_text(json.dumps({"train": [], "val": [], "test": [report]}))
    put(tmp_path / "images", "CXR1/0.png", "CXR1/1.png")
    found = LOADERS["iu-xray"](tmp_path, "test", None)
    assert found.questions[0].images == ("CXR1/0.png", "CXR1/1.png")
    assert found.questions[0].unit == "CXR1/0.png"
    assert found.picture("CXR1/1.png") == png(40)


def _kaggle(folder: Path) -> None:
    with (folder / "indiana_reports.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["uid", "MeSH", "findings", "impression"])
        rows.writerows([[1, "normal", "The lungs are clear.", "Normal"], [2, "normal", "", "Nothing else."]])
    with (folder / "indiana_projections.csv").open("w", newline="") as file:
        views = (("1_IM-0001-4001.dcm.png", "Frontal"), ("1_IM-0001-3001.dcm.png", "Lateral"))
        csv.writer(file).writerows([["uid", "filename", "projection"], *((1, *view) for view in views)])
    put(folder / "images/images_normalized", *(name for name, _ in views))


OPEN_I = """<?xml version="1.0" encoding="utf-8"?><eCitation><MedlineCitation><Article><Abstract>
<AbstractText Label="COMPARISON">None.</AbstractText><AbstractText Label="FINDINGS">{findings}</AbstractText>
<AbstractText Label="IMPRESSION">Normal.</AbstractText></Abstract></Article></MedlineCitation>
<parentImage id="CXR1_1_IM-0001-4001"/><parentImage id="CXR1_1_IM-0001-3001"/></eCitation>"""


def _open_i(folder: Path) -> None:
    (folder / "ecgen-radiology").mkdir()
    (folder / "ecgen-radiology/1.xml").write_text(OPEN_I.format(findings="The lungs are clear."))
    (folder / "ecgen-radiology/2.xml").write_text(OPEN_I.format(findings=""))
    put(folder, "CXR1_1_IM-0001-4001.png", "CXR1_1_IM-0001-3001.png")


@pytest.mark.parametrize("lay", [_kaggle, _open_i])
def test_iu_xray_without_a_split(tmp_path: Path, lay: Callable[[Path], None]) -> None:
    """Of Kaggle and of Open-i: all studies with findings are asked, and the benchmark does not call them a test."""
    lay(tmp_path)
    found = LOADERS["iu-xray"](tmp_path, "test", None)
    assert (found.split, found.train) == ("all", [])
    (one,) = found.questions
    assert one.answers == ("The lungs are clear.",)
    assert [found.picture(key) for key in one.images] == [png(0), png(40)]


def _csv(folder: Path) -> None:
    with (folder / "test_captions.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["ID", "Caption"], ["R_1", "CT of a liver"], ["R_2", "A chest film"]])
    put(folder / "test", "R_1.jpg", "R_2.jpg")


def _text(folder: Path) -> None:
    put(folder / "test/radiology/images", "R_1.jpg", "R_2.jpg")
    (folder / "test/radiology/captions.txt").write_text("R_1\tCT of a liver\nR_2\tA chest film\n")


def _parquet(folder: Path) -> None:
    pictures = [{"bytes": png(level), "path": None} for level in (0, 40)]
    parquet(
        folder / "data/test-0.parquet",
        image=pictures,
        image_id=["R_1", "R_2"],
        caption=["CT of a liver", "A chest film"],
    )


@pytest.mark.parametrize("lay", [_csv, _text, _parquet])
def test_roco_and_roco_v2(tmp_path: Path, lay: Callable[[Path], None]) -> None:
    """Three layouts, the same captions."""
    lay(tmp_path)
    found = LOADERS["roco"](tmp_path, "test", None)
    assert [(one.id, one.answers[0]) for one in found.questions] == [("R_1", "CT of a liver"), ("R_2", "A chest film")]
    assert [found.picture(key) for key in found.pictures] == [png(0), png(40)]


@pytest.mark.parametrize(
    ("name", "file", "content", "told"),
    [
        ("vqa-rad", None, "", r"VQA-RAD: no file of split 'test' .*testset\.json"),
        ("vqa-rad", "testset.json", "{", r"testset\.json is no JSON"),
        ("vqa-rad", "testset.json", "{}", r"testset\.json: an array of objects is expected"),
        ("vqa-rad", "testset.json", '[{"question": "Is it?"}]', r"testset\.json: an object without 'answer'"),
        ("vqa-rad", "testset.json", '[{"question": "?", "answer": NaN}]', r"testset\.json: an object without 'answer'"),
        (
            "vqa-rad",
            "testset.json",
            '[{"question": "?", "answer": ["a"]}]',
            r"'answer' of an object is no text: \['a'\]",
        ),
        (
            "vqa-rad",
            "test.json",
            '[{"conversations": "a"}]',
            r"test\.json: 'conversations' of a question and its answer",
        ),
        (
            "slake",
            "test.json",
            '[{"question": "?", "answer": "a", "q_lang": "zh"}]',
            "no question stands in split 'test'",
        ),
        ("pathvqa", "qas/test/test_qa.pkl", "no pickle", r"test_qa\.pkl is no pickle"),
        ("iu-xray", None, "", r"none of R2Gen's annotation\.json"),
        ("iu-xray", "ecgen-radiology/1.xml", "<a>", r"1\.xml is no XML"),
        ("iu-xray", "ecgen-radiology/1.xml", "<eCitation/>", "no question stands in split 'all'"),
        ("iu-xray", "annotation.json", '{"test": [{"id": 1}]}', r"annotation\.json: report 0 has no list 'image_path'"),
        ("roco", "test_captions.csv", "name,text\n1,2\n", r"test_captions\.csv: no column 'ID'"),
        ("roco", "test_captions.csv", "ID,Caption\n1,\udcff\n", r"test_captions\.csv is no text in UTF-8"),
        ("iu-xray", "annotation.json", '{"test": {"a": 1}}', r"annotation\.json: 'test' is no list of reports"),
        ("roco", "test/radiology/captions.txt", "a caption\n", r"captions\.txt, line 1: an id, a tab"),
        ("roco", "data/test-0.parquet", "PAR", r"test-0\.parquet is no Parquet"),
        ("held-out", None, "", "tristream dataset build"),
        ("held-out", "parquet/data/test-0.parquet", "PAR", r"test-0\.parquet is no Parquet"),
        ("grounding", None, "", r"instances_test\.json"),
    ],
)
def test_another_layout_is_told_by_its_file(
    tmp_path: Path, name: str, file: str | None, content: str, told: str
) -> None:
    """With what was expected in it."""
    if file is not None:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(WrongLayout, match=told):
        LOADERS[name](tmp_path, "test", None)


def test_half_a_zip_of_pictures_is_told(tmp_path: Path) -> None:
    """And not taken for one without them."""
    (tmp_path / "testset.json").write_text('[{"question": "Is it?", "answer": "yes", "image_name": "1.png"}]')
    (tmp_path / "imgs.zip").write_bytes(b"PK half")
    with pytest.raises(WrongLayout, match=r"imgs\.zip is no whole zip"):
        LOADERS["vqa-rad"](tmp_path, "test", None).picture("1.png")


def test_a_held_out_answer_is_a_label_without_the_words_around_it(tmp_path: Path) -> None:
    """Whichever phrasing the set has it in; numbers as digits, places without their frame. One chooses among all."""
    turns = {
        "count": ("How many?", "There are two."), "side": ("Left or right?", "On the patient's left."),
        "place": ("Where?", "It lies in the centre of the image."), "modality": ("What is it?", "It is an MR image."),
    }  # fmt: skip
    said = [text for turn in turns.values() for text in turn]
    row = {
        "messages": [{"role": "user", "content": [{"type": "text", "text": text}]} for text in said],
        "kinds": list(turns), "caption": None, "triplet_id": "0", "modality": "MR", "organ": None, "width": 9,
        "height": 9,
    }  # fmt: skip
    asked, answer = ({"role": "user", "content": [{"type": "text", "text": text}]} for text in ("How many?", "One"))
    other = row | {"triplet_id": "1", "kinds": ["count"], "messages": [asked, answer]}
    (tmp_path / "dataset.json").write_text("{}")
    index = [{"triplet_id": name, "group": "the same patient", "split": "test"} for name in ("0", "1")]
    (tmp_path / "index.jsonl").write_text("".join(json.dumps(one) + "\n" for one in index))
    (tmp_path / "data").mkdir()
    pq.write_table(pa.Table.from_pylist([row, other]), tmp_path / "data/test-0.parquet")
    found = {one.id: one for one in LOADERS["held-out"](tmp_path, "test", None).questions}
    assert {one.unit for one in found.values()} == {"the same patient"}
    assert {one.kind for one in found.values()} == {"class"}
    labels = [one.answers for one in found.values()]
    assert labels == [("2",), ("left",), ("centre",), ("mr image",), ("1",)]
    assert found["0-0"].options == ("1", "2")


def test_a_picture_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Questions alone can be read; who needs the picture learns which one is missing."""
    (tmp_path / "testset.json").write_text(json.dumps(ROWS[:1]))
    found = LOADERS["vqa-rad"](tmp_path, "test", None)
    with pytest.raises(NoPicture, match=r"'a\.png' is not there"):
        found.picture("a.png")
