"""The loop closed on real servers: composed triplets go through again, and a model on SGLang describes them anew."""

import uuid
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from agents.settings import Settings
from infra.cli import main
from infra.sglang.local import MODEL, LocalSglang
from models.describers import Composer
from models.describers.settings import Serving
from models.llava_tri.training.examples import TrainingSet
from models.llava_tri.training.settings import BadRun
from schemas.triplets import Triplet
from streams.reader import latest
from streams.settings import Wires
from streams.topics import DEAD_LETTERS, TRIPLETS, create_topics
from tests.integration.pipeline import Pipeline, sample, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(2400)]

FILES = ("CT_small.dcm", "MR_small.dcm")


def of(settings: Settings) -> list[Triplet]:
    """All triplets of the pipeline's topic."""
    found = (record.message for record in latest(settings.wires, TRIPLETS).values())
    return [one for one in found if isinstance(one, Triplet)]


@pytest.fixture
def settings(kafka: str, tmp_path: Path) -> Settings:
    """A pipeline in which the composer writes."""
    wires = Wires(
        bootstrap=kafka, prefix=f"l{uuid.uuid4().hex[:8]}.", partitions=2, state=tmp_path / "state", session_timeout=6.0
    )
    create_topics(wires)
    return Settings(wires=wires, key="0" * 64, readable="/")


def test_what_was_composed_is_described_anew_and_not_learnt_from_unasked(
    settings: Settings, sglang: LocalSglang, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command that promotion names; the new triplets tell model, revision and generation, and training asks."""
    pipeline = Pipeline(settings, tmp_path)
    try:
        pipeline.start_all()
        summary, _ = pipeline.annotate(*(sample(name) for name in FILES))
        assert summary.triplets == len(FILES)
        assert {one.lineage.describer for one in of(settings)} == {Composer.name}

        serving = Serving(sglang.url, f"{MODEL}@random", sglang.api_key, max_tokens=24, deadline=300, generation=2)
        pipeline.settings = settings.model_copy(update={"serving": serving})
        pipeline.processes.stop("describe")
        pipeline.start("describe", "describe-model")
        for name, value in pipeline.settings.handed_on().items():
            monkeypatch.setenv(name, value)
        again = CliRunner().invoke(main, ["replay", "--stale"])
        assert again.stdout.splitlines()[-1] == f"{len(FILES)} sent again"
        wait_for(settings.wires, TRIPLETS, 2 * len(FILES), seconds=1200)
        assert CliRunner().invoke(main, ["replay", "--stale"]).stdout.splitlines()[-1] == "0 sent again"
    finally:
        pipeline.processes.stop()
    assert not latest(settings.wires, DEAD_LETTERS)
    written = [one for one in of(settings) if one.lineage.generation]
    assert {(one.lineage.describer, one.lineage.generation) for one in written} == {(serving.name, 2)}
    assert {one.image_id for one in written} == {one.image_id for one in of(settings)}

    path, data = tmp_path / "written.jsonl", tmp_path / "set"
    path.write_bytes(b"".join(orjson.dumps(one.model_dump(mode="json")) + b"\n" for one in written))
    built = CliRunner().invoke(
        main,
        ["dataset", "build", str(path), "--out", str(data), "--format", "parquet", "--test", "0", "--validation", "0"],
    )
    assert built.exit_code == 0, built.output
    with pytest.raises(BadRun, match=rf"{MODEL}@random \(generation 2\).*--model-written"):
        TrainingSet(data)
    assert TrainingSet(data, model_written=True).generation == 2
