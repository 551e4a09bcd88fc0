"""BERTScore by an encoder whose vectors are one-hot, so that it can be counted by hand; and by MiniLM where it is."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.cli import main
from infra.variables import from_environment
from models.knowledge.folders import write_folder
from models.llava_tri.evaluation.result import Result
from models.llava_tri.evaluation.scores.bert import NoEncoder, TokenEncoder, bert_score, encoder_of

HERE = Path(__file__).parent
TOKENIZER = HERE.parents[1] / "knowledge/tiny-encoder/tokenizer.json"


@pytest.fixture
def one_hot(tmp_path: Path) -> Path:
    """A folder as `make encoder` writes it, of 23 words."""
    told = {"kind": "sentence", "name": "one-hot", "source": "a test", "dimensions": 23, "length": 16}
    files = {"encoder.onnx": (HERE / "one-hot.onnx").read_bytes(), "tokenizer.json": TOKENIZER.read_bytes()}
    write_folder(tmp_path / "one-hot", told, files)
    return tmp_path / "one-hot"


@pytest.mark.parametrize(
    ("answer", "right", "f1"),
    [
        ("bright liver", ["bright liver"], 1.0),
        ("liver, bright", ["bright liver"], 2 * (2 / 3) / (2 / 3 + 1)),
        ("bright bone", ["bright liver"], 0.5),
        ("bright bone", ["liver", "bright bone is bright"], 2 * 0.75 / 1.75),
        ("bone", ["liver"], 0.0),
        ("bone", [""], 0.0),
    ],
)
def test_each_token_counts_by_its_likest(one_hot: Path, answer: str, right: list[str], f1: float) -> None:
    """Of several right texts the best; and what marks the ends of texts, which all have, counts for nothing."""
    assert bert_score([answer], [right], encoder_of(str(one_hot))) == [pytest.approx(f1, abs=1e-6)]


def test_many_texts_are_scored_in_their_order(one_hot: Path) -> None:
    """Of lengths that are mixed, over several batches, as each by itself."""
    answers = ["bone", "bright liver, bone", "is", "the liver is bright on ct"] * 40
    right = [["bright bone"], ["liver"], ["is", "bone"], ["on the ct, liver is bright fat", "fat"]] * 40
    encoder = encoder_of(str(one_hot))
    each = [bert_score([answer], [some], encoder)[0] for answer, some in zip(answers[:4], right[:4], strict=True)]
    assert bert_score(answers, right, encoder) == pytest.approx(each * 40)


def test_result_and_page_name_the_encoder(one_hot: Path, benchmark_folder: Path, tmp_path: Path) -> None:
    """With what right answers to other questions have by it; without one there is no such score."""
    rows = benchmark_folder / "testset.json"
    rows.write_text(
        rows.read_text().replace('"CLOSED"', '"OPEN"').replace('"yes"', '"bright"').replace('"no"', '"fat"')
    )
    arguments = ["evaluate", "--benchmark", "vqa-rad", "--at", str(benchmark_folder), "--model", "majority"]
    for out, more in (("with", ["--encoder", str(one_hot)]), ("without", [])):
        done = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / out), *more])
        assert done.exit_code == 0, done.output
    found, plain = (
        Result.model_validate_json((tmp_path / out / "result.json").read_bytes()) for out in ("with", "without")
    )
    assert found.bert_score is not None
    assert found.bert_score.encoder.startswith("one-hot@")
    assert found.bert_score.encoder.endswith(", last layer")
    assert 0.2 < found.bert_score.by_chance["open"].value < 0.8
    figures = found.all.runs[0].figures["open"]
    assert figures["bert_score"].value == pytest.approx(figures["exact"].value)
    assert f"By {found.bert_score.encoder}" in (tmp_path / "with/index.html").read_text()
    assert plain.bert_score is None
    assert "bert_score" not in plain.all.runs[0].figures["open"]


def test_what_is_no_encoder_is_told(one_hot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is asked of a model."""
    with pytest.raises(NoEncoder, match="the last layer alone"):
        encoder_of(str(one_hot), 3)
    (one_hot / "encoder.onnx").write_bytes(b"another")
    with pytest.raises(NoEncoder, match="not the file that its manifest names"):
        encoder_of(str(one_hot))
    monkeypatch.setattr("models.llava_tri.evaluation.scores.bert.find_spec", lambda _: None)
    with pytest.raises(NoEncoder, match="make encoder"):
        encoder_of("roberta-large@0123456")


@pytest.fixture
def minilm() -> TokenEncoder:
    """As `make encoder` installs it."""
    folder = from_environment().installed_encoder
    if not folder.is_dir():
        pytest.skip("needs make encoder")
    return encoder_of(str(folder))


def test_what_means_the_same_is_liker(minilm: TokenEncoder) -> None:
    """By the real encoder: other words for the same above a report of something else."""
    right = ["There is a large effusion in the left pleural space."]
    same, other = bert_score(
        ["A big left-sided pleural effusion.", "The optic disc of this eye is pale."], [right, right], minilm
    )
    assert same > other + 0.2
