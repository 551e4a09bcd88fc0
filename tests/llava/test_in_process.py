"""A model asked in this process, and the lineage of a trained one as the audit reads it."""

# pyright: basic, reportMissingImports=false
# torch is installed in .venv-llava only.

import asyncio
import io
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the environment of make llava-env")

from PIL import Image  # noqa: E402

from models.llava_tri.evaluation.in_process import InProcess  # noqa: E402
from models.llava_tri.evaluation.lineage import digest_of, learned_from, missing  # noqa: E402
from models.llava_tri.training.examples import TrainingSet  # noqa: E402
from models.llava_tri.training.lineage import first_lineage, write_lineage  # noqa: E402
from models.llava_tri.training.settings import Run, Stage  # noqa: E402


def picture(level: int) -> bytes:
    """A plain one."""
    out = io.BytesIO()
    Image.new("L", (64, 48), level).save(out, "PNG")
    return out.getvalue()


def test_the_same_question_has_the_same_answer(qwen: Path) -> None:
    """With a picture, without one, and after the model was loaded anew; its name holds the digest of its weights."""

    async def asked() -> list[str]:
        model = InProcess(qwen, max_tokens=6)
        found = [await model.answer(some, "Is it bright?") for some in ([picture(200)], [], [picture(200)])]
        await model.close()
        return [model.name, *found]

    name, seen, unseen, again = asyncio.run(asked())
    assert seen == again
    assert asyncio.run(asked()) == [name, seen, unseen, again]
    assert name.partition("@")[0] == qwen.name
    assert len(name.partition("@")[2]) == 12


def test_questions_that_wait_are_answered_together(qwen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one picture or none, each as it would be answered alone."""
    asked = [
        (pictures, text)
        for text in ("Is it bright?", "Is there a tumour in the upper left third of the picture?", "Why?")
        for pictures in ([picture(200)], [], [picture(20)])
    ]
    together: list[int] = []

    async def answered(at_once: int) -> list[str]:
        model = InProcess(qwen, max_tokens=4, at_once=at_once)
        model._model.float()  # in which padding does not move the likeliest token
        answer = model._answers
        monkeypatch.setattr(model, "_answers", lambda some: together.append(len(some)) or answer(some))
        return await asyncio.gather(*(model.answer(pictures, text) for pictures, text in asked))

    alone = asyncio.run(answered(1))
    assert set(together) == {1}
    together.clear()
    assert asyncio.run(answered(4)) == alone
    assert sum(together) == len(asked)
    assert len(together) == 3


def test_a_question_that_fails_takes_no_other_with_it(qwen: Path) -> None:
    """What waited beside it is answered when its turn comes."""

    async def asked() -> list[str | BaseException]:
        model = InProcess(qwen, max_tokens=2, at_once=1)
        shown = [b"no picture"], [picture(9)]
        return await asyncio.gather(*(model.answer(one, "What?") for one in shown), return_exceptions=True)

    failed, answer = asyncio.run(asked())
    assert isinstance(failed, Exception)
    assert isinstance(answer, str)


def test_a_trained_models_lineage_is_read_by_the_audit(data_set: Path, qwen: Path, tmp_path: Path) -> None:
    """The data set that training wrote down is the one that the audit asks for."""
    run = Run(str(qwen), (str(data_set),), (Stage("align", "projector", 1e-2, batch=2, steps=1),))
    write_lineage(tmp_path, first_lineage(run, [TrainingSet(data_set)], None))
    assert list(learned_from(tmp_path)) == [digest_of(data_set)]
    assert missing(tmp_path, [data_set]) == ()
    assert missing(tmp_path, []) == (data_set.name,)
