"""Where an image comes from, told with every message on its way, and nothing that says whose it is."""

import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from pydicom import dcmread
from pydicom.data import get_testdata_file

from infra.cli import main
from models.imaging import encode_png
from schemas.base import Provenance
from schemas.triplets import Triplet, triplet_id
from tests.models.describers.drawn_images import composed, plain_image

KEY = "00112233445566778899aabbccddeeff"


def annotated(folder: Path, *options: str) -> tuple[list[Triplet], list[dict[str, Any]], str]:
    """Triplets in the order of their files, dead letters, and all that was written."""
    out = folder.with_name("out")
    paths = [out / name for name in ("t.jsonl", "d.jsonl", "m.csv")]
    given = ["--triplets", str(paths[0]), "--dead-letters", str(paths[1]), "--jobs", "1", *options]
    done = CliRunner().invoke(main, ["annotate", str(folder), *given], env={"TRISTREAM_KEY": KEY})
    assert not isinstance(done.exception, Exception), done.exception
    texts = [path.read_text() if path.exists() else "" for path in paths[:2]]
    triplets, letters = ([orjson.loads(line) for line in text.splitlines()] for text in texts)
    return [Triplet.model_validate(one) for one in triplets], letters, "".join(texts) + done.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two slices of a patient in two folders, and a picture of another with a sidecar; names everywhere."""
    source = dcmread(get_testdata_file("CT_small.dcm"))
    for number, place in enumerate(("JONES a", "JONES b")):
        (tmp_path / "in" / place).mkdir(parents=True)
        pixels = source.pixel_array.copy()
        pixels[0, 0] = number
        source.PatientID, source.PixelData = "JONES77", pixels.tobytes()
        source.save_as(tmp_path / "in" / place / "x.dcm")
    (tmp_path / "in" / "c").mkdir()
    png = tmp_path / "in" / "c" / "JONES.png"
    png.write_bytes(encode_png(source.pixel_array.astype("uint8")))
    shutil.copy(png, png.with_name("other.png"))
    png.with_name("JONES.png.json").write_bytes(
        orjson.dumps({"patient": "JONES77", "split": "test", "source": "set@1"})
    )
    png.with_name("_defaults.json").write_bytes(orjson.dumps({"source": "of the folder", "organ": "lung"}))
    return tmp_path / "in"


def test_a_triplet_tells_where_it_comes_from_and_not_whose_it_is(folder: Path) -> None:
    """Headers, sidecars, defaults of the folder and of the command together, each where the one before says nothing."""
    triplets, letters, written = annotated(folder, "--licence", "CC0-1.0", "--organ", "liver", "--source", "mine")
    assert not letters
    slices = [one for one in triplets if one.metadata.source_format == "DICOM"]
    pictures = {
        one.provenance.source: one for one in triplets if one.metadata.source_format == "PNG" and one.provenance
    }
    first, second = (one.provenance or Provenance() for one in slices)
    assert first == second
    assert (first.source, first.licence, first.patient_by) == ("mine", "CC0-1.0", "header")
    assert first.study is not None
    assert first.series is not None
    assert first.text_from == ("header", "organ")
    assert {one.metadata.organ for one in slices} == {"liver"}
    assert slices[0].lineage.provenance_missing == ()
    (name,) = pictures  # The same pixels and words twice are one triplet.
    picture = pictures[name]
    assert picture.metadata.organ == "lung"
    assert picture.also_in
    assert picture.lineage.provenance_missing == ("study", "series")
    assert "JONES" not in written.upper()


def test_a_field_misspelt_is_a_dead_letter_that_names_it(folder: Path) -> None:
    """And the right one; what stands there is not told."""
    (folder / "c" / "JONES.png.json").write_text('{"licens": "JONES"}')
    (folder / "c" / "_defaults.json").write_text('{"Organe": "JONES"}')
    _, letters, written = annotated(folder)
    told = sorted(letter["message"] for letter in letters)
    assert [letter["error"] for letter in letters] == ["InvalidSidecar"] * 2
    assert all("Organe is no field: organ is meant" in one for one in told)
    assert "JONES" not in written.upper()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--modality", "CAT"], "modality does not hold what it may"),
        (["--organ", "hepar"], "organ is no word of the vocabulary"),
        (["--patients", "hospital"], "hospital"),
        (["--source", "x", "--kafka", "127.0.0.1:1"], "TRISTREAM_SOURCE"),
    ],
)
def test_what_is_said_of_all_files_is_checked_before_any_is_read(folder: Path, options: list[str], told: str) -> None:
    """Bad usage: not a dead letter a file."""
    done = CliRunner().invoke(main, ["annotate", str(folder), "--triplets", str(folder / "t"), *options])
    assert done.exit_code == 2
    assert told in done.output


async def test_provenance_comes_with_the_same_triplet() -> None:
    """What is missing is no part of a triplet's identity, and older messages have none."""
    image = plain_image()
    told = await composed(image.model_copy(update={"provenance": Provenance(source="a", patient="0" * 32)}))
    untold = await composed(image)
    assert told.triplet_id == untold.triplet_id == triplet_id(told.image_id, told.lineage)
    assert told.lineage.provenance_missing == ("licence", "study", "series")
    assert untold.lineage.provenance_missing == ("source", "licence", "patient", "study", "series")
    assert "provenance" not in untold.model_dump()
