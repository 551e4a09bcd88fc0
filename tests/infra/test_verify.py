"""`tristream verify`: anybody's sentences against triplets."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from infra.cli import main
from tests.models.describers.drawn_images import composed, plain_image


@pytest.fixture
def triplets(tmp_path: Path) -> Path:
    """One triplet: an axial CT of the liver."""
    triplet = asyncio.run(composed(plain_image(organ="liver", plane="axial")))
    path = tmp_path / "triplets.jsonl"
    path.write_bytes(orjson.dumps(triplet.model_dump(mode="json")) + b"\n")
    return path


def run(triplets: Path, lines: list[Any]) -> tuple[Result, list[Any]]:
    """What the command says and writes of these lines."""
    statements, out = triplets.with_name("statements.jsonl"), triplets.with_name("verdicts.jsonl")
    statements.write_text("\n".join(one if isinstance(one, str) else orjson.dumps(one).decode() for one in lines))
    result = CliRunner().invoke(
        main, ["verify", "--triplets", str(triplets), "--statements", str(statements), "--out", str(out)]
    )
    return result, [orjson.loads(line) for line in out.read_bytes().splitlines()] if out.exists() else []


def test_each_line_comes_back_with_its_verdict(triplets: Path) -> None:
    """By triplet_id, or by object_id and frame; other fields are kept."""
    known = orjson.loads(triplets.read_bytes())
    by_triplet, by_object = {"triplet_id": known["triplet_id"]}, {"object_id": known["object_id"]}
    result, found = run(
        triplets,
        [
            {**by_triplet, "text": "An axial CT of the liver.", "model": "a"},
            {**by_object, "text": "This is an MR image."},
            {**by_object, "frame": 0, "text": "The spleen is enlarged."},
        ],
    )
    assert result.exit_code == 0, result.output
    assert [one["verdict"] for one in found] == ["supported", "contradicted", "unsupported"]
    assert found[0]["model"] == "a"
    assert {one["kind"] for one in found[0]["claims"]} == {"plane", "modality", "structure"}
    assert all(one["holds"] for one in found[0]["claims"])
    assert "CT" in found[1]["reason"]


def test_lines_that_cannot_be_judged_are_told_and_the_others_are_judged(triplets: Path) -> None:
    """With their number, and exit status 1."""
    known = orjson.loads(triplets.read_bytes())
    right = {"triplet_id": known["triplet_id"], "text": "An axial CT."}
    result, found = run(triplets, ["no JSON", {"triplet_id": "f" * 32, "text": "An axial CT."}, right])
    assert result.exit_code == 1
    assert "line 1" in result.output
    assert "line 2" in result.output
    assert [one["verdict"] for one in found] == ["supported"]


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({}, "names no image: give triplet_id, or object_id and frame"),
        ({"triplet_id": "f" * 32}, "no triplet of the file has this triplet_id"),
        ({"object_id": "f" * 32}, "no triplet of the file has this object_id"),
        ({"object_id": None}, "the object has 2 frames: give frame too"),
        ({"object_id": None, "frame": 7}, "the object has no triplet of this frame"),
    ],
)
def test_a_sentence_that_names_no_image_is_told_what_to_name(triplets: Path, named: dict[str, Any], told: str) -> None:
    """An id that is not there, an object of several frames without one, or nothing at all."""
    known = orjson.loads(triplets.read_bytes())
    second = orjson.dumps(known | {"frame": 1, "triplet_id": "1" * 32})
    triplets.write_bytes(triplets.read_bytes() + second + b"\n")
    given = {name: value or known[name] for name, value in named.items()}
    result, found = run(triplets, [{**given, "text": "An axial CT."}])
    assert (result.exit_code, found) == (1, [])
    assert f"line 1: {told}" in result.output


def test_what_is_no_triplet_is_bad_usage(triplets: Path) -> None:
    """Nothing is judged by halves."""
    triplets.write_text("{}\n")
    result, found = run(triplets, [{"triplet_id": "0" * 32, "text": "An axial CT."}])
    assert result.exit_code == 2
    assert "line 1 of the triplets" in result.output
    assert not found
