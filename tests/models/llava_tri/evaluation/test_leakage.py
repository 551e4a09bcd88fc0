"""The audit of leakage: what it finds, scores apart, and does not call clean."""

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from models.datasets.duplicates import decoded
from models.imaging.perceptual import perceptual_hash
from models.llava_tri.evaluation.answering import Blind
from models.llava_tri.evaluation.audit import audit, of_dataset
from models.llava_tri.evaluation.benchmarks import LOADERS
from models.llava_tri.evaluation.controls import majority
from models.llava_tri.evaluation.evaluating import evaluate
from models.llava_tri.evaluation.lineage import digest_of, learned_from, missing
from models.llava_tri.evaluation.page import page
from models.llava_tri.evaluation.questions import Benchmark, WrongLayout
from tests.models.llava_tri.evaluation.conftest import PICTURES, drawn


def saved_again(data: bytes, edit: Callable[[Image.Image], Image.Image] = lambda image: image) -> bytes:
    """The same picture, edited, as a JPEG of middling quality."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        edit(image.convert("RGB")).save(out, "JPEG", quality=60)
    return out.getvalue()


def hash_of(number: int) -> str:
    """As it stands in an index."""
    return f"{perceptual_hash(decoded(drawn(number))):064x}"


@pytest.fixture
def benchmark(benchmark_folder: Path) -> Benchmark:
    """Of 24 pictures."""
    return LOADERS["vqa-rad"](benchmark_folder, "test", None)


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    """A data set of pictures of which two are the benchmark's: one as it is, one saved again."""
    folder = tmp_path / "seen"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/exact.png").write_bytes(drawn(3))
    (folder / "near.jpg").write_bytes(saved_again(drawn(8)))
    (folder / "another.png").write_bytes(drawn(300))
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def test_exact_and_near_copies_are_found(benchmark: Benchmark, seen: Path) -> None:
    """And nothing else."""
    found = audit(benchmark, {"seen": of_dataset(seen)})
    exact, near = found.hits
    assert (exact.picture, exact.exact) == ("p03.png", True)
    assert (near.picture, near.exact) == ("p08.png", False)
    assert (found.datasets, found.pictures, found.complete) == ({"seen": 3}, PICTURES, True)


@pytest.mark.parametrize(
    "edit",
    [
        lambda image: ImageOps.crop(image, image.width // 12),
        lambda image: ImageOps.expand(image, image.width // 25),
        ImageOps.mirror,
        ImageOps.invert,
    ],
)
def test_an_edited_copy_is_found(
    benchmark: Benchmark, tmp_path: Path, edit: Callable[[Image.Image], Image.Image]
) -> None:
    """By what also keeps pictures of evaluation sets out of data sets."""
    folder = tmp_path / "edited"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(saved_again(drawn(8), edit))
    found = audit(benchmark, {"set": of_dataset(folder)})
    assert [(hit.picture, hit.exact) for hit in found.hits] == [("p08.png", False)]


def test_what_leaked_is_scored_apart(benchmark: Benchmark, seen: Path) -> None:
    """Both halves have their own n, and the page says how many."""
    found = asyncio.run(
        evaluate(benchmark, Blind("majority@1", majority), audit(benchmark, {"seen": of_dataset(seen)}))
    )
    assert found.clean is not None
    assert found.leaked is not None
    assert (found.clean.n, found.leaked.n, found.all.n) == (PICTURES - 2, 2, PICTURES)
    assert found.audit.verdict == "2 of 24 pictures leaked"
    assert sum(one.leaked for one in found.answers) == 2
    text = page(found, benchmark)
    assert "Pictures that did not leak" in text
    assert "2 of 24 pictures leaked" in text


def test_all_leaked_shows_nothing(benchmark: Benchmark, benchmark_folder: Path) -> None:
    """There is no figure left that could be clean."""
    leakage = audit(benchmark, {"all": of_dataset(benchmark_folder / "images")})
    found = asyncio.run(evaluate(benchmark, Blind("majority@1", majority), leakage))
    assert found.clean is None
    assert not found.shown
    assert "All pictures leaked" in page(found, benchmark)


def test_nothing_is_clean_without_all_of_the_lineage(benchmark: Benchmark, tmp_path: Path) -> None:
    """Without an audit, with pictures that are not there, with an empty folder, or with a data set left out."""
    rule = Blind("majority@1", majority)
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.png").write_bytes(drawn(300))
    part = "audited in part: no figure here may be called clean"
    for leakage, verdict in (
        (audit(benchmark, {}), "not audited: no figure here may be called clean"),
        (audit(benchmark, {"empty": iter(())}), part),
        (audit(benchmark, {"other": of_dataset(other)}, missing=("set-2",)), part),
        (audit(benchmark, {"other": of_dataset(other)}), "clean by the audit below"),
    ):
        assert asyncio.run(evaluate(benchmark, rule, leakage)).audit.verdict == verdict
    blind = Benchmark("b", "test", benchmark.questions, lambda _: None)
    assert not audit(blind, {"other": of_dataset(other)}).complete


def test_an_index_without_pictures_is_enough(benchmark: Benchmark, tmp_path: Path) -> None:
    """A data set of ours whose pictures were removed is known by the hashes of its index."""
    line = {"triplet_id": "t", "image_id": "i", "group": "g", "split": "train", "hash": hash_of(5)}
    (tmp_path / "index.jsonl").write_text(json.dumps(line) + "\n")
    (hit,) = audit(benchmark, {"set": of_dataset(tmp_path)}).hits
    assert (hit.picture, hit.exact) == ("p05.png", False)
    (tmp_path / "index.jsonl").write_text('{"hash": "xyz"}\n')
    with pytest.raises(WrongLayout, match=r"index\.jsonl, line 1"):
        list(of_dataset(tmp_path))


@pytest.mark.parametrize("name", ["parquet/data/train-00000-of-00001.parquet", "webdataset/train-000000.tar"])
def test_a_data_set_of_which_half_is_lost_is_no_clean_one(tmp_path: Path, name: str) -> None:
    """Its pictures cannot be looked through, and that is one line."""
    (tmp_path / "index.jsonl").touch()
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_bytes(b"PAR1 and no more" * 100)
    with pytest.raises(WrongLayout, match="pictures of the data set cannot be read"):
        list(of_dataset(tmp_path))


def test_what_is_held_out_was_not_learnt_from(benchmark: Benchmark, tmp_path: Path) -> None:
    """A model trained on a data set is asked its test split: that is no leak; its train split is one."""
    rows: list[str] = []
    for number, split in ((5, "train"), (6, "test"), (7, "train"), (9, "test")):
        rows.append(json.dumps({"triplet_id": f"t{number}", "split": split, "hash": hash_of(number)}))
        if number > 6:
            (tmp_path / "imagefolder" / split).mkdir(parents=True)
            (tmp_path / "imagefolder" / split / f"t{number}.png").write_bytes(drawn(number))
    (tmp_path / "index.jsonl").write_text("\n".join(rows) + "\n")
    found = audit(benchmark, {"set": of_dataset(tmp_path)})
    assert [(hit.picture, hit.exact) for hit in found.hits] == [("p05.png", False), ("p07.png", True)]
    assert found.datasets == {"set": 2}


def test_a_models_lineage_names_what_it_learned_from(tmp_path: Path) -> None:
    """Those of the model that it began from too; a folder that is not given is missing."""
    first, second, model = tmp_path / "first", tmp_path / "second", tmp_path / "model"
    for folder in (first, second, model):
        folder.mkdir()
    (first / "croissant.json").write_text("1")
    (second / "croissant.json").write_text("2")
    base = {"sets": [{"name": "first", "digest": digest_of(first)}], "base": {"lineage": None}}
    lineage = {"sets": [{"name": "second", "digest": digest_of(second)}], "base": {"lineage": base}}
    (model / "lineage.json").write_text(json.dumps(lineage))
    assert set(learned_from(model).values()) == {"first", "second"}
    assert missing(model, [second]) == ("first",)
    assert missing(model, [first, second]) == ()
    (model / "lineage.json").write_text("{}")
    with pytest.raises(WrongLayout, match=r"model: no lineage\.json"):
        learned_from(model)
