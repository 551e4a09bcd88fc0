"""What a sentence is read as: to what its words are bound, and what is denied."""

from known_images import brain

from models.statements import claims as c
from models.statements import read


def test_numbers_are_bound_to_the_region_they_stand_next_to() -> None:
    """Two regions in one sentence keep their own."""
    found = [one for one in read("r1 covers 9.1 cm², and r2 covers 39 cm².", brain()).claims if isinstance(one, c.Size)]
    assert [(one.regions, one.values) for one in found] == [(("r1",), (9.1,)), (("r2",), (39.0,))]


def test_exchanged_numbers_are_contradicted() -> None:
    """Each is true of the other region only."""
    facts = brain()
    found = [one for one in read("r1 covers 39 cm², and r2 covers 9.1 cm².", facts).claims if isinstance(one, c.Size)]
    assert [one.judge(facts).truth for one in found] == [False, False]


def test_numbers_in_words_and_other_units_are_the_same_claim() -> None:
    """Converted when they are judged."""
    facts = brain()
    for text in ("r1 is 44 mm long.", "r1 is 4.4 centimetres long.", "r1 occupies about five percent of the brain."):
        sizes = [one for one in read(text, facts).claims if isinstance(one, c.Size)]
        assert [one.judge(facts).truth for one in sizes] == [True]


def test_a_denial_ends_with_its_clause() -> None:
    """What stands behind 'but' is asserted."""
    found = read("r1 is not round, but it is oval.", brain()).claims
    assert [(one.word, one.negated) for one in found if isinstance(one, c.Word)] == [("round", True), ("oval", False)]


def test_an_adjective_belongs_to_the_noun_it_stands_before() -> None:
    """And not to the subject."""
    found = read("r2 is larger than the oval tumour r1.", brain()).claims
    assert [one.regions for one in found if isinstance(one, c.Word)] == [("r1",)]


def test_words_that_no_phrase_licenses_are_kept_apart() -> None:
    """Beside claims that are read all the same."""
    reading = read("The feathery tumour lies on the patient's left.", brain())
    assert reading.unlicensed == ["feathery"]
    assert any(isinstance(one, c.Place) for one in reading.claims)


def test_quotations_are_read_as_such() -> None:
    """Their words claim nothing of the image."""
    reading = read("“A meningioma is a tumour of the meninges.”", brain())
    assert [type(one) for one in reading.claims] == [c.Quotation]


def test_ids_that_are_listed_are_one_subject_and_a_clause_begins_behind_its_verb() -> None:
    """'r1 is larger than r6, and r3 is oval' compares two; 'r1 and r3 are oval' speaks of two."""
    facts = brain()
    (listed,) = read("r1, r3 and r4 are oval.", facts).claims
    assert isinstance(listed, c.Word)
    assert (listed.regions, listed.every) == (("r1", "r3", "r4"), True)
    compared = read("r1 is larger than r6, and r3 is oval.", facts).claims
    assert [(one.regions, one.object) for one in compared if isinstance(one, c.Relation)] == [(("r1",), "r6")]
    assert [one.regions for one in compared if isinstance(one, c.Word)] == [("r3",)]


def test_a_number_before_the_region_it_was_measured_in_is_its() -> None:
    """Not the one before it."""
    found = read("The area is 9.1 cm² in r1 and 39 cm² in r2.", brain()).claims
    assert [(one.regions, one.values) for one in found if isinstance(one, c.Size)] == [
        (("r1",), (9.1,)),
        (("r2",), (39.0,)),
    ]


def test_a_range_is_one_number() -> None:
    """That lies between both; signs may be words."""
    (size,) = (one for one in read("r1 is between 4 and 5 cm long.", brain()).claims if isinstance(one, c.Size))
    assert (size.values, size.bound, size.unit) == ((4.0, 5.0), "between", "cm")
    (mean,) = (one for one in read("r1 has a mean of minus 834 HU.", brain()).claims if isinstance(one, c.Size))
    assert mean.values == (-834.0,)


def test_a_denial_that_denies_nothing_is_not_passed_over() -> None:
    """'but not in r6' denies of r6 what was said; a bare 'not' is not licensed."""
    facts = brain()
    (said, denied) = (one for one in read("r1 is oval, but not r6.", facts).claims if isinstance(one, c.Word))
    assert (said.regions, said.negated, denied.regions, denied.negated) == (("r1",), False, ("r6",), True)
    assert "not" in read("The tumour is not.", facts).unlicensed
