"""What manifests tell of each series, collections of one's own, and licences that are not what they seem."""

import csv
import json
from pathlib import Path

import pydicom
import pydicom.data
import pytest
from click.testing import CliRunner
from PIL import Image

from infra.cli import main
from models.datasets.licences import Licences, permits_of
from models.datasets.sources import Placed, WrongLayout, collections, place
from models.datasets.sources.dicom import licence_named

IDC = ("SeriesInstanceUID", "collection_id", "source_DOI", "license_short_name")
TCIA = ("Series UID", "Collection", "Data Description URI", "License Name")
DOI = "10.7937/tcia.1"


def series(root: Path, names: dict[str, str]) -> dict[str, str]:
    """Real DICOM files, by the name of a test file: where each lies; and their series."""
    found: dict[str, str] = {}
    for name, folder in names.items():
        path = root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Path(str(pydicom.data.get_testdata_file(name, download=False))).read_bytes())
        found[name] = str(pydicom.dcmread(path).SeriesInstanceUID)
    return found


def manifest(path: Path, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """A table of series."""
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",").writerows([columns, *rows])


@pytest.mark.parametrize(("columns", "name"), [(IDC, "selection.csv"), (IDC, "index.tsv"), (TCIA, "metadata.csv")])
def test_a_manifest_tells_of_each_series(columns: tuple[str, ...], name: str, tmp_path: Path) -> None:
    """In CRDC's folders, one a series, and where two series lie in one folder; licences as SPDX names them."""
    root = tmp_path / "idc"
    uids = series(root, {"CT_small.dcm": "0a1b", "MR_small.dcm": "2c3d", "examples_overlay.dcm": "2c3d"})
    told = [
        (uids["CT_small.dcm"], "lidc_idri", DOI, "CC BY 3.0"),
        (
            uids["MR_small.dcm"],
            "upenn_gbm",
            DOI,
            "Creative Commons Attribution-NonCommercial 4.0 International",
        ),
        (uids["examples_overlay.dcm"], "other", DOI, "CC BY-NC 4.0"),
    ]
    manifest(root / name, columns, told)
    out = tmp_path / "out"
    assert len(list(place(root, collections()["idc"], out))) == 3
    result = CliRunner().invoke(main, ["annotate", str(out), "--triplets", str(tmp_path / "triplets.jsonl")])
    assert result.exit_code == 0, result.output
    lines = (tmp_path / "triplets.jsonl").read_bytes().splitlines()
    found = {(one["provenance"]["source"], one["provenance"]["licence"]) for one in map(json.loads, lines)}
    assert found == {
        (f"Imaging Data Commons: lidc_idri, {DOI}", "CC-BY-3.0"),
        (f"Imaging Data Commons: upenn_gbm, {DOI}", "CC-BY-NC-4.0"),
        (f"Imaging Data Commons: other, {DOI}", "CC-BY-NC-4.0"),
    }


def test_licences_are_those_of_the_series(tmp_path: Path) -> None:
    """What a manifest does not tell is unknown, and counts as not permitted."""
    root = tmp_path / "idc"
    uids = series(root, {"CT_small.dcm": "a", "MR_small.dcm": "b", "examples_overlay.dcm": "c"})
    manifest(
        root / "m.csv",
        IDC,
        [(uids["CT_small.dcm"], "x", "", "CC BY 4.0"), (uids["MR_small.dcm"], "y", "", "CC BY-NC 4.0")],
    )
    command = ["source", "idc", str(root), "--json", "--out"]
    result = CliRunner().invoke(main, [*command, str(tmp_path / "p"), "--licences", "permissive"])
    assert json.loads(result.stdout) == {
        "images": {"new": 1},
        "left_out": {
            "licence not permitted: CC-BY-NC-4.0": 1,
            f"licence not permitted: {collections()['idc'].licence}": 1,
        },
        "without": {},
    }
    result = CliRunner().invoke(main, [*command, str(tmp_path / "r"), "--licences", "research"])
    assert json.loads(result.stdout)["images"] == {"new": 2}


def test_a_manifest_that_is_cut_off_is_named(tmp_path: Path) -> None:
    """By its line; a table that names no series is passed over."""
    series(tmp_path / "idc", {"CT_small.dcm": "a"})
    (tmp_path / "idc" / "clinical.csv").write_text("patient,age\n1,2\n")
    assert len(list(place(tmp_path / "idc", collections()["idc"], tmp_path / "out"))) == 1
    manifest(tmp_path / "idc" / "m.csv", IDC, [("", "x", "", "")])
    with pytest.raises(WrongLayout, match=r"^m\.csv, line 2: no SeriesInstanceUID stands there$"):
        list(place(tmp_path / "idc", collections()["idc"], tmp_path / "out"))


@pytest.mark.parametrize(
    ("named", "licence"),
    [
        ("CC BY 4.0", "CC-BY-4.0"), ("CC-BY-SA 3.0", "CC-BY-SA-3.0"), ("TCIA Restricted", "TCIA Restricted"),
        ("Creative Commons Attribution 3.0 Unported License", "CC-BY-3.0"), ("", ""),
        ("Creative Commons Attribution-NonCommercial-ShareAlike 4.0", "CC-BY-NC-SA-4.0"),
        ("Creative Commons Attribution", "Creative Commons Attribution"),
    ],
)  # fmt: skip
def test_licences_by_their_names(named: str, licence: str) -> None:
    """Those of Creative Commons; others as they stand, and nothing is guessed of one without a version."""
    assert licence_named(named) == licence


@pytest.mark.parametrize(
    "licence",
    [
        "CC-BY-NonCommercial", "CC-BY-NCSA-4.0", "MIT-research-only", "Apache-2.0-with-noncommercial", "CC-BY-4.0-NC",
        "CC0-1.0-but-ask", "BSD-3-Clause-NonCommercial", "CC-BY-4.0 (no derivatives)", "CC-BY-4.0\nnot", "PERMISSIVE",
        "research is not permitted", "research by agreement only", "researchers of our own house", "Unlicensed",
        "CC‑BY‑4.0", "commercial", "permissive",
    ],
)  # fmt: skip
def test_a_licence_that_only_begins_like_one_is_unknown(licence: str) -> None:
    """Nor is the word that a user chooses by a licence."""
    assert permits_of(licence) == "unknown"
    assert not Licences(["research", "permissive", "MIT"]).permit(licence)


def placed(root: Path, table: Path) -> list[Placed]:
    """By a table of one's own."""
    return list(place(root, collections(table)["ours"], root.with_name("out")))


def test_a_collection_of_ones_own(tmp_path: Path) -> None:
    """Declared in a TOML file, by the command too."""
    (tmp_path / "scans" / "nodule").mkdir(parents=True)
    Image.new("L", (64, 48), 90).save(tmp_path / "scans" / "nodule" / "1.png")
    table = tmp_path / "ours.toml"
    table.write_text(
        '[[collections]]\nname = "ours"\ntitle = "Our clinic"\nlicence = "CC-BY-4.0"\npermits = "commercial"\n'
        'access = "here"\nmodality = "ultrasound"\npath = \'(?P<class>[^/]+)/(?P<stem>[^/]+)\\.png$\'\n'
        'disease = { nodule = "thyroid nodule" }\n'
    )
    assert len(placed(tmp_path / "scans", table)) == 1
    out = tmp_path / "two"
    command = ["source", "ours", str(tmp_path / "scans"), "--declared", str(table), "--out", str(out)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    told = json.loads((out / "nodule" / "1.png.json").read_bytes())
    assert (told["source"], told["disease"], told["modality"]) == ("Our clinic", "thyroid nodule", "ultrasound")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[collections]]\nname = 1", "collection 1: name: "),
        ('[[collections]]\nname = "x"\ncolour = 1', "collection 1: title: Field required"),
        ("", "declares no collection"),
        ("[[", "is no TOML file that can be read"),
    ],
)
def test_a_table_that_is_none_says_what_is_wrong(text: str, why: str, tmp_path: Path) -> None:
    """By its entry and field, in one line."""
    (tmp_path / "t.toml").write_text(text)
    command = ["source", "list", "--declared", str(tmp_path / "t.toml")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code != 0
    assert why in result.output
    assert "Traceback" not in result.output
