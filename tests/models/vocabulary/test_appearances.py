"""What diseases may look like is said in words that a measurement can bear out."""

import csv

from models.statements.table import table
from models.vocabulary import TERMS, may_look_like
from models.vocabulary.terms import TABLES
from schemas.images import MODALITIES

with TABLES.joinpath("appearances.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))

# Thickness of a layer and movement: of these the table has no word.
NONE_FITS = {("glaucoma", "OCT"), ("heart failure", "ultrasound")}


def test_every_word_is_one_of_the_claims_table() -> None:
    """Each word is a word for a measurement on that modality, each name one of the vocabulary, and no row twice."""
    for row in ROWS:
        assert row["name"] in TERMS, row
        assert row["modality"] in MODALITIES, row
        words = row["words"].split("|")
        allowed = {one.word for one in table().rows() if not one.modalities or row["modality"] in one.modalities}
        assert set(words) <= allowed, row
        assert len(set(words)) == len(words), row
    assert len({(row["name"], row["modality"]) for row in ROWS}) == len(ROWS)


def test_at_least_150_diseases_on_every_modality_that_shows_them() -> None:
    """At least 150 diseases look like something, and each term that has words has them on each modality of its row."""
    names = {row["name"] for row in ROWS}
    assert sum(TERMS[name].kind == "disease" for name in names) >= 150
    for name in names:
        for modality in TERMS[name].modalities:
            looks = may_look_like(name, modality)
            assert bool(looks) is ((name, modality) not in NONE_FITS), (name, modality)


def test_no_row_contradicts_itself() -> None:
    """What is of even texture is not of uneven texture on the same modality."""
    for row in ROWS:
        assert not {"homogeneous", "heterogeneous"} <= set(row["words"].split("|")), row


def test_what_has_no_words_has_none() -> None:
    """An unknown name, and a modality that does not show it, have no words."""
    assert may_look_like("kidney cyst", "ultrasound")[0] == "hypoechoic"
    assert may_look_like("kidney cyst", "dermoscopy") == ()
    assert may_look_like("no such thing", "CT") == ()
