"""What a watcher has announced."""

import itertools

from streams.buckets.known import Known, fingerprint


def test_a_state_is_new_once() -> None:
    """And again only after it was forgotten."""
    known = Known()
    assert [known.add(("a.dcm", "1")), known.add(("a.dcm", "1")), known.add(("a.dcm", "2"))] == [True, False, True]
    assert (("a.dcm", "1") in known, ("b.dcm", "1") in known, len(known)) == (True, False, 2)
    known.discard(("a.dcm", "1"))
    assert (("a.dcm", "1") in known, len(known)) == (False, 1)


def test_where_one_part_ends_matters() -> None:
    """Parts that read the same one after another are different states."""
    states = [("ab", "c"), ("a", "bc"), ("abc", ""), ("abc",), ("a', 'b", "c"), (b"ab", "c"), ("", "abc")]
    assert all(fingerprint(*one) != fingerprint(*other) for one, other in itertools.combinations(states, 2))
