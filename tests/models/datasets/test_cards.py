"""What a data set tells of itself: the card, Croissant, and the proof of its splits."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub
import mlcroissant
import pytest

from models.datasets.build import build
from models.datasets.cards import cautions
from models.datasets.report import Report
from schemas.base import Provenance
from schemas.triplets import Triplet
from tests.models.datasets.conftest import POLICY, lines, splits_of


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
    assert licences_of(built[0]) == ["other"]
    build(lambda: lines(named_only(triplets)), tmp_path / "set", [], POLICY)
    assert licences_of(tmp_path / "set") == ["cc0-1.0"]


def licences_of(folder: Path) -> list[str]:
    """As Hugging Face reads a card."""
    data: Any = huggingface_hub.DatasetCard.load(folder / "README.md").data
    return data.license


def test_what_a_source_calls_itself_stays_in_its_cell(triplets: list[Triplet], tmp_path: Path) -> None:
    """No line, cell or tag of the card is a source's doing."""
    provenance = Provenance(source="A | 7 |\n\n# Checked by radiologists\n<img src=x>", licence="CC-BY-4.0")
    odd = triplets[0].model_copy(update={"provenance": provenance})
    build(lambda: lines([odd, *triplets[1:]]), tmp_path / "set", [], POLICY)
    text = (tmp_path / "set" / "README.md").read_text()
    assert "| A \\| 7 \\| # Checked by radiologists &lt;img src=x> | 1 |" in text
    assert "\n# Checked" not in text


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


def test_texts_of_a_language_model_are_told_and_can_be_left_out(triplets: list[Triplet], tmp_path: Path) -> None:
    """Whether the model wrote all of a text or a sentence of it: in the card, the index, and by --composed."""
    first, second, *others = named_only(triplets)
    said = second.description
    written = [
        first.model_copy(update={"lineage": first.lineage.model_copy(update={"describer": "llava-tri@2"})}),
        second.model_copy(
            update={
                "description": said.model_copy(
                    update={"modality": said.modality.model_copy(update={"author": "llava-tri@2"})}
                )
            }
        ),
    ]
    report = build(lambda: lines([*written, *others]), tmp_path / "set", [], POLICY)
    assert any(one.startswith("of 2 images a language model wrote") for one in cautions(report))
    assert "of 2 images a language model wrote" in (tmp_path / "set" / "README.md").read_text().lower()
    entries = map(json.loads, (tmp_path / "set" / "index.jsonl").read_text().splitlines())
    by = {one["triplet_id"]: one["authors"] for one in entries}
    assert by[first.triplet_id] == "llava-tri@2"
    assert by[second.triplet_id].startswith("composer@")
    assert by[second.triplet_id].endswith(", llava-tri@2")
    composed = replace(POLICY, composed=True)
    left = build(lambda: lines([*written, *others]), tmp_path / "composed", [], composed)
    assert left.left_out["a text of a language model"] == 2
    assert not cautions(left)


def test_what_has_the_id_of_another_triplet_is_counted(triplets: list[Triplet], tmp_path: Path) -> None:
    """Sent twice, or another picture under a known name: one of them is taken, and the other is told."""
    first, second, *others = triplets
    forged = second.model_copy(update={"triplet_id": first.triplet_id})
    report = build(lambda: lines([first, first, forged, *others]), tmp_path / "set", [], POLICY)
    assert report.left_out["a triplet that came before"] == 2
    assert sum(report.images.values()) + sum(report.left_out.values()) == report.triplets


def named_only(triplets: list[Triplet]) -> list[Triplet]:
    """Those of which the source tells patient and licence."""
    return [one for one in triplets if one.provenance and one.provenance.licence]
