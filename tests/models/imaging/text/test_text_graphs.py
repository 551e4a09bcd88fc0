"""Graphs that are run in halves, or for one channel, answer as the whole ones do."""

import numpy as np
import pytest

from benchmarks.text_free import view_of
from models.imaging.text.graphs import for_grey, halves_of
from models.imaging.text.weights import FINDER, recogniser, session_of


def test_two_halves_are_the_whole() -> None:
    """The recogniser says the same of a picture, whatever its width, with what its first half gives."""
    model = recogniser().read_bytes()
    first, second, whole = (session_of(one) for one in (*halves_of(model, "Add.99"), model))
    for width in (32, 91):
        line = np.random.default_rng(width).uniform(-1, 1, (1, 3, 48, width)).astype(np.float32)
        (middle,) = first.run(None, {"x": line})
        np.testing.assert_allclose(second.run(None, {"Add.99": middle})[0], whole.run(None, {"x": line})[0], atol=1e-4)
    assert second.get_modelmeta().custom_metadata_map == whole.get_modelmeta().custom_metadata_map


@pytest.mark.parametrize(("tensor", "why"), [("Add.98765", "no node"), ("Add.97", "needs the input")])
def test_a_graph_is_cut_only_where_all_goes_through(tensor: str, why: str) -> None:
    """Not within a block that is gone around."""
    with pytest.raises(ValueError, match=why):
        halves_of(recogniser().read_bytes(), tensor)


def test_the_finder_for_grey_answers_as_for_three_equal_channels() -> None:
    """On a real film."""
    grey = view_of("RG1_J2KR.dcm")[:512, :768, None]
    (answer,) = session_of(for_grey(FINDER.read_bytes())).run(None, {"picture": grey[None]})
    (expected,) = session_of(FINDER).run(None, {"picture": np.repeat(grey, 3, axis=2)[None]})
    assert expected.max() > 0.1
    np.testing.assert_allclose(answer, expected, atol=1e-4)


def test_only_a_graph_that_takes_colours_is_made_for_grey() -> None:
    """Of one that is for grey already nothing is summed."""
    with pytest.raises(ValueError, match="0 weights"):
        for_grey(for_grey(FINDER.read_bytes()))
