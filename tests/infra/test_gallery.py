"""What a gallery tells of triplets: words instead of pointers, colours, masks and what was masked, and bad lines."""

import asyncio
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pybase64
import pytest
from click.testing import CliRunner

from infra.cli import main
from infra.gallery import cards, words
from infra.gallery.colours import colours
from models.imaging import encode_png
from schemas.triplets import Evidence, Removed, Statement, Triplet, Verdict
from tests.models.describers.drawn_images import composed, drawn_image, plain_image


@pytest.fixture(scope="module")
def plain() -> Triplet:
    """A CT image of 20 × 30 px of which nothing is known, with its pixels."""
    triplet = asyncio.run(composed(plain_image(organ="liver")))
    png = pybase64.b64encode_as_string(encode_png(np.zeros((triplet.image.rows, triplet.image.columns), np.uint8)))
    return triplet.model_copy(update={"image": triplet.image.model_copy(update={"data": png})})


def dumped(triplet: Triplet) -> bytes:
    return orjson.dumps(triplet.model_dump(mode="json"))


def gallery(path: Path, *options: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["gallery", str(path), *map(str, options)])
    return done.exit_code, done.output


def shown(folder: Path) -> list[dict[str, Any]]:
    """The cards of a gallery."""
    script = (folder / "cards.js").read_bytes()
    return orjson.loads(script.removeprefix(b"gallery.cards(").removesuffix(b");\n"))["cards"]


@pytest.mark.parametrize(
    ("cleaning", "told"),
    [
        ({"scanned": False, "reason": "not suspected"}, "Text in the pixels: not looked for (not suspected)."),
        ({"scanned": True, "reason": "ultrasound"}, "Text in the pixels: none found (ultrasound)."),
        (
            {
                "scanned": True,
                "reason": "projection X-ray",
                "masked_share": 0.00071,
                "boxes": [{"left": 3, "top": 4, "right": 20, "bottom": 12, "score": 0.9}],
            },
            "Masked: 0.071 % of the pixels, 1 box of text (projection X-ray).",
        ),
        (
            {"scanned": True, "reason": "ultrasound", "masked_share": 0.4, "outside_ultrasound_regions": True},
            "Masked: 40 % of the pixels, all outside the ultrasound regions (ultrasound).",
        ),
    ],
)
def test_a_page_tells_what_was_masked(cleaning: dict[str, Any], told: str) -> None:
    """Share, boxes and why."""
    metadata = plain_image(pixel_cleaning={"policy": "mask", **cleaning}).metadata
    assert metadata.pixel_cleaning is not None
    assert cards.masking(metadata.pixel_cleaning) == told


@pytest.mark.parametrize("number", [0, 1, 7, 12, 40, 300])
def test_each_region_has_a_colour_of_its_own(number: int) -> None:
    """However many there are."""
    found = colours(number)
    assert len(found) == len(set(found)) == number
    assert found == colours(300)[:number]


@pytest.mark.parametrize("seed", range(0, 60, 3))
async def test_evidence_is_told_in_words(seed: int) -> None:
    """No fact that a sentence rests on is named by its pointer, and its value stands there."""
    triplet = await composed(drawn_image(seed))
    for sentence in cards.sentences(triplet):
        for name, value in sentence.evidence:
            assert value
            assert not {"/", "_", "None"} & {*name}, name
            assert not name.startswith(("regions", "experts", "relations", "passages")), name


@pytest.mark.parametrize(
    "pointer", ["/", "//", "/regions", "/regions/99/label", "/regions/-1/x", "/no~1such/0", "/x" * 50]
)
async def test_evidence_that_points_nowhere_is_told_too(pointer: str) -> None:
    """Triplets of others may hold any pointer."""
    triplet = await composed(drawn_image(3))
    name, value = words.told(Evidence(kind="region", pointer=pointer, value="0.123456"), triplet)
    assert value == "0.1235"
    assert words.region_ids([pointer], triplet) == ()
    assert name != pointer


async def test_the_description_is_made_of_its_sentences() -> None:
    """Each stands in it once, in the order of the text; what stands in none of them is kept."""
    triplet = await composed(drawn_image(4))
    found = cards.sentences(triplet)
    description = triplet.description.description
    text = cards.running_text(description + " And more.", found)
    assert " ".join(found[part].text if isinstance(part, int) else part for part in text) == f"{description} And more."
    assert text[-1] == "And more."
    assert len({part for part in text if isinstance(part, int)}) == len(text) - 1 > 1


def test_a_triplet_is_found_by_the_verdicts_of_its_sentences(plain: Triplet) -> None:
    """Those that were kept and those that were removed; sentences written from measurements have none."""
    evidence = plain.description.modality.evidence
    held = Verdict(outcome="unsupported", reason="nothing speaks for it", pointers=("/metadata/organ",))
    marked = Statement(text="A cyst is seen.", evidence=evidence, author="a-model@1", verdict=held)
    removed = Removed(part="texture", author="a-model@1", verdict=held)
    description = plain.description.model_copy(update={"regions": (marked,), "removed": (removed,)})
    triplet = plain.model_copy(update={"description": description})
    assert cards.verdicts(plain) == ("written from measurements",)
    assert cards.verdicts(triplet) == ("unsupported", "written from measurements")
    sentence = next(one for one in cards.sentences(triplet) if one.part == "regions")
    assert (sentence.verdict, sentence.against, sentence.author) == ("unsupported", ("organ",), "a-model 1")


def test_lines_that_cannot_be_shown_are_told_and_the_others_are_shown(plain: Triplet, tmp_path: Path) -> None:
    """By their numbers, from a compressed file as from any other; exit status 1."""
    huge = plain.model_copy(update={"triplet_id": "a" * 32, "image": plain.image.model_copy(update={"rows": 60000})})
    empty = plain.model_copy(update={"triplet_id": "b" * 32, "image": plain.image.model_copy(update={"data": "AAAA"})})
    path = tmp_path / "t.jsonl.gz"
    lines = [dumped(plain), b"", b"no JSON", dumped(huge), dumped(empty), dumped(plain)]
    path.write_bytes(gzip.compress(b"\n".join(lines)))
    status, said = gallery(path)
    assert status == 1
    assert "line 3 of the triplets is no triplet of this version" in said
    assert "line 4 of the triplets cannot be shown: its image is no PNG file of its rows and columns" in said
    assert "line 5 of the triplets cannot be shown" in said
    assert "1 triplets, 1 that stood there twice" in said
    assert [card["id"] for card in shown(tmp_path / "t-gallery")] == [plain.triplet_id]


def test_a_file_without_a_triplet_makes_no_gallery_and_removes_none(plain: Triplet, tmp_path: Path) -> None:
    """A map beside the triplets, of the same name but for its ending, would otherwise empty their gallery."""
    (tmp_path / "t.jsonl").write_bytes(dumped(plain))
    (tmp_path / "t.csv").write_text("path,object_id\n")
    assert gallery(tmp_path / "t.jsonl")[0] == 0
    status, said = gallery(tmp_path / "t.csv")
    assert status == 1
    assert "no gallery was written: line 1 of the triplets is no triplet of this version" in said
    assert [card["id"] for card in shown(tmp_path / "t-gallery")] == [plain.triplet_id]


def test_the_folder_that_one_is_in_is_not_replaced(
    plain: Triplet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By no way of writing it."""
    (tmp_path / "t.jsonl").write_bytes(dumped(plain))
    (tmp_path / "g").mkdir()
    monkeypatch.chdir(tmp_path / "g")
    for name in (".", "../g"):
        status, said = gallery(tmp_path / "t.jsonl", "--out", name)
        assert (status, "the folder that you are in" in said) == (2, True)
    assert gallery(tmp_path / "t.jsonl", "--out", "../h/.")[0] == 0
    assert len(shown(tmp_path / "h")) == 1


def test_triplets_without_pixels_are_shown_without_a_picture(plain: Triplet, tmp_path: Path) -> None:
    """As annotate --no-image writes them."""
    left_out = plain.image.model_copy(update={"data": None, "reference": "sha256/0.png"})
    (tmp_path / "t.jsonl").write_bytes(dumped(plain.model_copy(update={"image": left_out})))
    assert gallery(tmp_path / "t.jsonl", "--out", tmp_path / "g")[0] == 0
    assert [card["thumbnail"] for card in shown(tmp_path / "g")] == [None]
    assert not any((tmp_path / "g" / "pictures").iterdir())


def test_a_gallery_takes_the_place_of_a_gallery_and_of_nothing_else(plain: Triplet, tmp_path: Path) -> None:
    """A folder with other files stays as it is."""
    path = tmp_path / "t.jsonl"
    path.write_bytes(dumped(plain))
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "index.html").write_text("my own")
    status, said = gallery(path, "--out", mine)
    assert status == 1
    assert "holds no gallery" in said
    assert [file.name for file in mine.iterdir()] == ["index.html"]
    for organ in ("liver", "lung"):
        metadata = plain.metadata.model_copy(update={"organ": organ})
        path.write_bytes(dumped(plain.model_copy(update={"metadata": metadata})))
        assert gallery(path, "--out", tmp_path / "g")[0] == 0
        assert [card["facets"]["organ"] for card in shown(tmp_path / "g")] == [[organ]]
    assert {file.name for file in tmp_path.iterdir()} == {"t.jsonl", "mine", "g"}
