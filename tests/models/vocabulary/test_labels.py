"""Labels of public collections and of archives, and what they mean."""

import csv
from pathlib import Path

import pytest

from models.vocabulary import TERMS, read_label

LABELS = list(csv.DictReader(Path(__file__).with_name("labels.csv").read_text(encoding="utf-8").splitlines()))


def _read(row: dict[str, str]) -> tuple[str, str, str]:
    main = read_label(row["label"], row["collection"] or None).main
    if main is None:
        return "", "", ""
    name = main.term.name if main.term.name == "abnormality" else main.text.removeprefix("no ")
    if main.side in ("left", "right"):
        name = name.removeprefix(f"{main.side} ")
    return name, main.side or "", "yes" if main.negated else ""


def test_labels_are_read_as_they_are_meant() -> None:
    """Of more than 400, each as its source means it; what is not understood is said to be so."""
    wrong = [(row["label"], _read(row)) for row in LABELS if _read(row) != (row["name"], row["side"], row["negated"])]
    assert len(LABELS) >= 400
    assert not wrong


@pytest.mark.parametrize("label", ["John Smith", "Dr. Liver", "Mary Tumor", "DOE^JANE", "Brain Smith", "Skin5mm"])
def test_a_word_that_is_not_known_makes_a_label_unknown(label: str) -> None:
    """A name beside a term must neither leave nor pass for anything."""
    assert not read_label(label).understood


@pytest.mark.parametrize("name", TERMS)
def test_every_term_is_read_by_its_name(name: str) -> None:
    """And is not denied; no other term has its name."""
    main = read_label(name).main
    assert main is not None
    assert main.term is TERMS[name]
    assert not main.negated


@pytest.mark.parametrize("label", ["possible pneumonia", "rule out pneumonia", "pneumonia?", "pneumonia or tumour"])
def test_a_doubt_is_no_finding(label: str) -> None:
    """What a source asks, it does not say."""
    assert not read_label(label).understood


def test_several_things_are_all_there() -> None:
    """A tumour is there, and necrosis is not; a judgement is about the finding beside it."""
    there, absent = read_label("tumor without necrosis").named
    assert (there.term.name, there.negated, absent.term.name, absent.negated) == ("tumour", False, "necrosis", True)
    assert [one.term.name for one in read_label("liver and spleen").named] == ["liver", "spleen"]
    assert read_label("malignant breast lesion").named[0].qualifiers == ("malignant",)


@pytest.mark.parametrize("label", [
    "no acute fracture", "no residual tumor", "without active tuberculosis", "not acute infarct",
    "effusion absent, edema", "no effusion with edema", "lymph node negative", "Normal-mild",
])  # fmt: skip
def test_what_a_denial_covers_is_not_guessed(label: str) -> None:
    """Neither is the thing there, for it is denied, nor all of it absent: an old fracture may be there."""
    assert not read_label(label).understood


def test_a_denied_quality_denies_no_thing() -> None:
    """Unlike "no", "non" belongs to the word behind it; and "free" to the one before."""
    assert read_label("non-displaced fracture").named[0].qualifiers == ("non-displaced",)
    assert read_label("liver not enlarged").named[0].qualifiers == ("non-enlarged",)
    (free,) = read_label("tumor-free liver").named
    assert (free.term.name, free.negated) == ("tumour", True)


@pytest.mark.parametrize("label", [
    "Bladder_Wall", "lung segment", "part of left lung", "liver disease", "lymph node positive", "Lungs-GTV",
    "Lung_L - PTV", "free liver", "tumor=0", "tumor 0.1",
])  # fmt: skip
def test_a_part_of_a_structure_is_not_the_structure(label: str) -> None:
    """Nor is its disease, nor what is left of it around a target volume (AAPM TG-263, 6.5)."""
    assert not read_label(label).understood


@pytest.mark.parametrize("label", ["DR 0", "DR0", "DR grade 0", "0 - No DR", "pneumonia_0"])
def test_grade_0_of_a_disease_is_no_disease(label: str) -> None:
    """Numbers of findings count them, from 0 too; of diseases they are grades."""
    assert not read_label(label).understood
    assert read_label("lesion_0").text == "lesion"
    assert read_label("DR 3").text == "diabetic retinopathy"
