"""Sentences on volumes: what is written is read back as it was meant, and other figures are not borne out."""

import pytest

from models.statements.solids import judge, read, told
from schemas.regions import VolumeFinding
from schemas.volumes import StackedLabel, VolumeRecord

LUNG = StackedLabel(
    kind="source annotation", label="right lung", expert="source", voxels=580_000, volume_ml=1661.0, parts=1,
    largest_part_ml=1661.0, slices=30, first_slice=0, last_slice=29, extent_mm=(90.0, 231.4, 160.1),
)  # fmt: skip
CORD = LUNG.model_copy(
    update={"label": "spinal cord", "volume_ml": 12.9, "parts": 2, "largest_part_ml": 9.874, "voxels": 4505}
)
NODULE = VolumeFinding(
    volume="0" * 32, label="nodule", expert="lung-nodules@1.2.0", voxels=420, volume_ml=1.203, parts=3,
    largest_part_ml=0.7, slices=4, first_slice=3, extent_mm=(12.0, 14.2, 9.5), score=0.8,
)  # fmt: skip
RECORD = VolumeRecord(
    record_id="1" * 32, volume="0" * 32, modality="CT", slices=30, seen=30, complete=True, rows=512, columns=512,
    spacing_mm=(3.0, 0.97, 0.97), labels=(LUNG, CORD), volumes=(NODULE,), preprocess="1", grounding="1", made_by="v@1",
)  # fmt: skip
PART = RECORD.model_copy(update={"seen": 29, "complete": False})
LEFT_OUT = LUNG.model_copy(
    update={"kind": "candidate", "expert": "ct@1", "label": "high-density focus", "partial": True}
)
FLAT = LUNG.model_copy(update={"volume_ml": None, "largest_part_ml": None, "extent_mm": None})


def test_a_record_in_sentences() -> None:
    """One of what was looked at, one a finding, those of the source named so, each with what it rests on."""
    first, lung, cord, nodule = (one.text for one in told(RECORD))
    assert first == "CT volume of 30 slices."
    assert lung == (
        "Right lung, marked by the source, measures 1661 ml in 1 part and extends over 90 x 231.4 x 160.1 mm."
    )
    assert cord == (
        "Spinal cord, marked by the source, measures 12.9 ml in 2 parts, the largest of 9.874 ml, and extends over "
        "90 x 231.4 x 160.1 mm."
    )
    assert nodule == (
        "Nodule, outlined as a candidate by lung-nodules, measures 1.203 ml in 3 parts, the largest of 0.7 ml, and "
        "extends over 12 x 14.2 x 9.5 mm."
    )
    assert told(RECORD)[3].pointers == tuple(
        f"/volumes/0/{name}" for name in ("label", "expert", "volume_ml", "parts", "largest_part_ml", "extent_mm")
    )


@pytest.mark.parametrize("record", [RECORD, PART, RECORD.model_copy(update={"labels": (FLAT, LEFT_OUT)})])
def test_all_that_is_written_is_borne_out(record: VolumeRecord) -> None:
    """Whole or not, with spacing or without: no sentence is lost, and none has a word that is not read."""
    statements = told(record)
    assert len(statements) == 1 + len(record.labels) + len(record.volumes)
    assert all(read(one.text, record)[1] == () for one in statements)


def test_where_slices_are_missing_figures_are_lower_bounds() -> None:
    """And parts are not counted, for one can have fallen in two."""
    assert told(PART)[1].text == (
        "Right lung, marked by the source, measures at least 1661 ml and extends over at least 90 x 231.4 x 160.1 mm."
    )
    assert told(PART)[0].text == "CT volume of 30 slices, 29 of them seen."
    assert judge("The right lung measures 1661 ml.", PART).outcome == "unsupported"
    assert judge("The right lung measures 1500 ml.", PART).outcome == "contradicted"
    assert judge("The right lung measures at least 1500 ml.", PART).outcome == "supported"
    assert judge("The right lung measures at least 2000 ml.", PART).outcome == "unsupported"


def test_where_an_expert_leaves_regions_out_figures_are_lower_bounds() -> None:
    """Of what it outlined, and of nothing else."""
    record = RECORD.model_copy(update={"labels": (LUNG, LEFT_OUT)})
    assert judge("The high-density focus measures 1661 ml.", record).outcome == "unsupported"
    assert judge("The high-density focus measures at least 1661 ml.", record).outcome == "supported"
    assert judge("The right lung measures 1661 ml.", record).outcome == "supported"


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("The right lung has a volume of 1.66 litres.", "supported"),
        ("The right lung occupies about 1,661 cc.", "supported"),
        ("Total volume of the right lung: 1661.0 cm³.", "supported"),
        ("The spinal cord measures 12.9 millilitres in two parts.", "supported"),
        ("Nodules in three parts, the largest is 0.7 ml.", "supported"),
        ("The nodule extends over 1.2 x 1.42 x 0.95 cm.", "supported"),
        ("The spinal cord measures 1661 ml.", "contradicted"),
        ("The right lung measures 166 ml.", "contradicted"),
        ("The right lung measures 1.61 litres.", "contradicted"),
        ("The right lung has 2 parts.", "contradicted"),
        ("The nodule measures over 2 ml.", "contradicted"),
        ("CT volume of 31 slices.", "contradicted"),
        ("The nodule, marked by the source, measures 1.203 ml.", "unsupported"),
        ("The left lung measures 1661 ml.", "unsupported"),
        ("The right lung does not measure 1661 ml.", "unsupported"),
        ("The malignant nodule measures 1.203 ml.", "unsupported"),
        ("MR volume of 30 slices.", "unsupported"),
        ("The right lung is large.", "unsupported"),
    ],
)  # fmt: skip
def test_sentences_of_others(text: str, outcome: str) -> None:
    """A figure beside the measured one is contradicted; what is not measured, or not read, is not supported."""
    assert judge(text, RECORD).outcome == outcome
