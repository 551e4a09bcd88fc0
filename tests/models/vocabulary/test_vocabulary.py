"""The tables of the vocabulary hold together."""

from collections import Counter

from pydicom.sr._concepts_dict import concepts

from models.vocabulary import TERMS
from models.vocabulary.terms import holders, phrases, words_of
from schemas.images import MODALITIES


def test_it_covers_what_data_sets_name() -> None:
    """At least 150 diseases and findings and 120 structures."""
    kinds = Counter(term.kind for term in TERMS.values())
    assert kinds["disease"] + kinds["finding"] >= 150
    assert kinds["structure"] >= 120


def test_every_structure_that_a_row_names_is_one() -> None:
    """And what is part of what has an end."""
    for term in TERMS.values():
        if term.structure is not None:
            assert TERMS[term.structure].kind == "structure", term.name
        assert len(list(holders(term.name))) < 8


def test_no_phrase_means_two_things() -> None:
    """Else the order of rows would decide what a label means."""
    meant = Counter(phrase for term in TERMS.values() for phrase in term.phrases)
    assert [phrase for phrase, count in meant.items() if count > 1] == []
    assert all(phrases())


def test_codes_are_those_of_dicom() -> None:
    """Each means what the term does, in words that the term is known by."""
    meanings: dict[str, set[tuple[str, ...]]] = {}
    for codes in concepts["SCT"].values():
        for value, (meaning, _) in codes.items():
            meanings.setdefault(value, set()).add(words_of(meaning))
    coded = [term for term in TERMS.values() if term.snomed]
    assert len(coded) >= 250
    assert [term.name for term in coded if not meanings[term.snomed or ""].intersection(term.phrases)] == []


def test_modalities_are_those_of_messages() -> None:
    """A misspelt one would fit no image."""
    assert {one for term in TERMS.values() for one in term.modalities} <= set(MODALITIES)
