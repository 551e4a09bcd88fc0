"""The default encoder, and the terms it counts."""

import numpy as np
import pytest

from models.knowledge import STARTER_CORPUS, read_corpus
from models.knowledge.encoder import fit_encoder
from models.knowledge.text import words

TEXTS = [passage.text for passage in read_corpus(STARTER_CORPUS)]


def test_vectors_have_unit_length() -> None:
    """Each text becomes one float32 row of length 1."""
    vectors = fit_encoder(TEXTS, 32).encode(TEXTS)
    assert vectors.shape == (len(TEXTS), 32)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_unknown_text_becomes_zeros() -> None:
    """A text without a known n-gram has no direction."""
    np.testing.assert_array_equal(fit_encoder(TEXTS, 8).encode(["", "ξψω"]), np.zeros((2, 8), np.float32))


def test_full_rank_keeps_tfidf_similarity() -> None:
    """With all dimensions kept, dot products are the cosines of the TF-IDF vectors themselves."""
    texts = TEXTS[:12]
    encoder = fit_encoder(texts, 12)
    whole = encoder.encode(texts)
    cosines = whole @ whole.T
    # The projection's columns are orthonormal, so that it only rotates what lies in the span of the corpus.
    np.testing.assert_allclose(encoder.projection.T @ encoder.projection, np.eye(12), atol=1e-5)
    np.testing.assert_allclose(np.diag(cosines), 1, atol=1e-5)
    assert cosines[~np.eye(12, dtype=bool)].max() < 0.9


def test_one_text_vectors_do_not_depend_on_others() -> None:
    """Encoding together or one by one gives the same."""
    encoder = fit_encoder(TEXTS, 16)
    np.testing.assert_array_equal(encoder.encode(TEXTS[:3])[1], encoder.encode([TEXTS[1]])[0])


def test_word_forms_are_near() -> None:
    """Forms of one word lie closer than words of another meaning."""
    encoder = fit_encoder(TEXTS, 64)
    form, same, other = encoder.encode(["hyperintensity", "hyperintense", "collimator"])
    assert form @ same > 0.8 > 0.3 > form @ other


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("haemorrhage", "hemorrhage"),
        ("oedema", "edema"),
        ("oesophagus", "esophagus"),
        ("haematoxylin", "hematoxylin"),
        ("tumours", "tumor"),
        ("colour", "color"),
        ("grey", "gray"),
        ("fibres", "fibers"),
        ("centre", "center"),
        ("normalisation", "normalization"),
        ("opacities", "opacity"),
        ("vessels", "vessel"),
    ],
)
def test_spellings_meet(british: str, american: str) -> None:
    """British and American spelling, singular and plural, are one term."""
    assert words(british) == words(american)
