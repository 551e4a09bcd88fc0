"""A tiny encoder of MedCPT's shape, exported: the same vectors as torch. Runs in the export environment."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the export environment: make test-export")
transformers = pytest.importorskip("transformers", reason="needs the export environment: make test-export")

from models.knowledge.biomedical import BiomedicalEncoder  # noqa: E402
from models.knowledge.export.__main__ import ARTICLE_LENGTH, QUERY_LENGTH, export, tower  # noqa: E402
from tests.export.encoder_inputs import ARTICLES, TEXTS  # noqa: E402

pytestmark = pytest.mark.xdist_group("encoder_export")
"""One process makes what all of them look at."""
TINY = Path(__file__).parents[1] / "models" / "knowledge" / "tiny-encoder"
"""Committed, for the tests of the pipeline, which knows no torch."""
WORDS = "kidney stone ##s renal colic is bright on ct liver fat the cyst ##ic air bone , ."


def made(folder: Path, seed: int) -> Path:
    """A BERT of random weights, one layer of 16, saved as transformers saves it. Wide weights: words must matter."""
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        vocab_size=32, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=512, initializer_range=0.5,
    )  # fmt: skip
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split()]))
    transformers.BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=True).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def towers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("towers")
    return made(folder / "tiny-query", 1), made(folder / "tiny-article", 2)


@pytest.fixture(scope="module")
def exported(towers: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("encoder")
    export(*towers, out, "tiny")
    return out


def by_torch(folder: Path, inputs: list, length: int) -> np.ndarray:
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
    batch = tokenizer(inputs, truncation=True, padding=True, return_tensors="pt", max_length=length)
    with torch.no_grad():
        return tower(folder)(**batch).numpy()


@pytest.mark.parametrize("committed", [False, True], ids=["fresh", "committed"])
def test_same_vectors_as_torch(towers: tuple[Path, Path], exported: Path, committed: bool) -> None:
    """Both towers, for texts of unequal and of too great length, tokens and all, to within 1e-4."""
    encoder = BiomedicalEncoder(TINY if committed else exported)
    queries = by_torch(towers[0], TEXTS, QUERY_LENGTH)
    articles = by_torch(towers[1], [list(pair) for pair in ARTICLES], ARTICLE_LENGTH)
    np.testing.assert_allclose(encoder.encode(TEXTS), queries, atol=1e-4)
    np.testing.assert_allclose(encoder.encode_passages(ARTICLES), articles, atol=1e-4)
    assert np.abs(queries[0] - queries[1]).max() > 0.1


def test_no_traces(exported: Path) -> None:
    """The graphs hold no paths of the machine that exported them."""
    for file in ("query.onnx", "article.onnx"):
        assert b"site-packages" not in (exported / file).read_bytes()


def test_the_committed_vectors_are_those_of_torch(towers: tuple[Path, Path]) -> None:
    """What the pipeline's own tests compare with."""
    vectors = np.load(TINY / "vectors.npz")
    np.testing.assert_allclose(vectors["queries"], by_torch(towers[0], TEXTS, QUERY_LENGTH), atol=1e-4)
    articles = by_torch(towers[1], [list(pair) for pair in ARTICLES], ARTICLE_LENGTH)
    np.testing.assert_allclose(vectors["articles"], articles, atol=1e-4)


if __name__ == "__main__":  # writes the committed files anew
    import tempfile

    with tempfile.TemporaryDirectory() as temporary:
        query, article = made(Path(temporary) / "tiny-query", 1), made(Path(temporary) / "tiny-article", 2)
        export(query, article, TINY, "tiny")
        pairs = [list(pair) for pair in ARTICLES]
        np.savez(
            TINY / "vectors.npz",
            queries=by_torch(query, TEXTS, QUERY_LENGTH),
            articles=by_torch(article, pairs, ARTICLE_LENGTH),
        )
