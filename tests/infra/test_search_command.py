"""`tristream search`: by the image of a triplet and by a picture of one's own, by vectors and by hashes."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from infra.cli import main
from tests.models.experts.adapters.examples import write
from tests.models.experts.adapters.test_embedding import TABLE, features


@pytest.fixture(scope="module")
def annotated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four films, dark to bright, whose encoder tells how bright they are; the experts' folder beside them."""
    folder = tmp_path_factory.mktemp("search")
    (folder / "experts").mkdir()
    write(folder / "experts", TABLE, features())
    (folder / "in").mkdir()
    (folder / "in" / "_defaults.json").write_text('{"modality": "X-ray"}')
    draw = np.random.default_rng(5)
    for number, level in enumerate((40, 60, 120, 200)):
        film = draw.normal(level, 8, (96, 96)).clip(0, 255).astype(np.uint8)
        film[20 : 30 + 5 * number, 30:60] = level // 2
        cv2.imwrite(str(folder / "in" / f"{number}.png"), film)
    told = ["annotate", str(folder / "in"), "--triplets", str(folder / "t.jsonl.gz"), "--map", str(folder / "map.csv")]
    result = CliRunner().invoke(main, told, env={"TRISTREAM_EXPERTS": str(folder / "experts")})
    assert result.exit_code == 0, result.output
    return folder


def searched(folder: Path, *options: str, experts: bool = True) -> Result:
    env = {"TRISTREAM_EXPERTS": str(folder / "experts") if experts else None}
    return CliRunner().invoke(main, ["search", str(folder / "t.jsonl.gz"), *options], env=env)


def names(folder: Path, result: Result) -> list[str]:
    """Which files were found, in order."""
    rows = [line.split(",") for line in (folder / "map.csv").read_text().splitlines()[1:]]
    by_image = {row[4]: Path(row[0]).stem for row in rows}
    return [by_image[json.loads(line)["image_id"]] for line in result.stdout.splitlines()]


def image_of(folder: Path, name: str) -> str:
    rows = [line.split(",") for line in (folder / "map.csv").read_text().splitlines()[1:]]
    return next(row[4] for row in rows if Path(row[0]).stem == name)


def test_by_the_image_of_a_triplet(annotated: Path) -> None:
    """The likest first, itself not among them; with what the triplet says."""
    result = searched(annotated, "--image", image_of(annotated, "1"), "--most", "2")
    assert result.exit_code == 0, result.output
    assert names(annotated, result) == ["0", "2"]
    first = json.loads(result.stdout.splitlines()[0])
    assert (first["by"], first["modality"]) == ("vectors@1.0.0", "X-ray")
    assert 0.9 < first["likeness"] < 1
    assert first["description"]


def test_an_encoder_that_the_image_has_no_vector_by(annotated: Path) -> None:
    """It is told by its name; nothing is compared by the hash in its place."""
    result = searched(annotated, "--image", image_of(annotated, "1"), "--encoder", "vectors@2")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "that image has no vector by vectors@2" in result.output


def test_by_a_picture_of_ones_own(annotated: Path) -> None:
    """It is looked at as ground looks at images: the file of a triplet has that triplet's vector."""
    result = searched(annotated, "--picture", str(annotated / "in" / "3.png"))
    assert result.exit_code == 0, result.output
    assert names(annotated, result) == ["3", "2", "1", "0"]
    assert json.loads(result.stdout.splitlines()[0])["likeness"] == pytest.approx(1, abs=1e-4)


def test_by_hash(annotated: Path) -> None:
    """Without an encoder, or where it is asked for: copies, and it says that these are found and no more."""
    for options, experts in ((("--by-hash",), True), ((), False)):
        result = searched(annotated, "--picture", str(annotated / "in" / "0.png"), *options, experts=experts)
        assert result.exit_code == 0, result.output
        first = json.loads(result.stdout.splitlines()[0])
        assert (names(annotated, result)[0], first["likeness"], first["by"]) == ("0", 1.0, "perceptual hash")
        assert "which find copies" in result.stderr


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (("--image", "0" * 32), 1, "no triplet has the image_id or triplet_id"),
        ((), 2, "give --image ID or --picture FILE"),
        (("--encoder", "other", "--picture", "0.png"), 1, "other is no encoder in TRISTREAM_EXPERTS"),
        (("--picture", "0.png", "--frame", "3"), 1, "the picture has 1 frames: give --frame 0 to 0"),
        (("--picture", "_defaults.json"), 1, "the picture cannot be read"),
    ],
)
def test_what_cannot_be_searched_for(annotated: Path, options: tuple[str, ...], code: int, told: str) -> None:
    """One line that says what to do."""
    options = tuple(str(annotated / "in" / one) if one.endswith((".png", ".json")) else one for one in options)
    result = searched(annotated, *options)
    assert (result.exit_code, told in result.output) == (code, True), result.output
