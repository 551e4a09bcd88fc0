"""Questions that share the tokens of a picture cost what each of them costs alone."""

# pyright: basic, reportMissingImports=false
# torch is installed in .venv-llava only.

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the environment of make llava-env")

from transformers import AutoModelForImageTextToText, AutoProcessor  # noqa: E402

from models.llava_tri.training.examples import TrainingSet  # noqa: E402
from models.llava_tri.training.run import train  # noqa: E402
from models.llava_tri.training.settings import BadRun, Run, Stage  # noqa: E402
from models.llava_tri.training.stages import as_dataset, in_groups, questions_of  # noqa: E402
from models.llava_tri.training.together import Together, loss_of  # noqa: E402

ALL = Stage("task", "all", 1e-3)


def test_a_question_among_others_costs_what_it_costs_alone(tiny: Path, data_set: Path) -> None:
    """Transformers' own loss of each question of two pictures, averaged by picture, is the loss of both at once."""
    model = AutoModelForImageTextToText.from_pretrained(tiny).eval()
    processor = AutoProcessor.from_pretrained(tiny)
    sets = [TrainingSet(data_set)]
    some = [one for one in questions_of(sets, ALL) if one[1].row < 2]
    groups = in_groups(some, 3)
    assert len(groups) < len(some)
    groups = [groups[0], min(groups[1:], key=len)]
    by_group: list[float] = []
    for group in groups:
        alone: list[float] = []
        rows: Any = as_dataset(sets, [[one] for one in group], "unit", processor)
        for row in rows:
            prompt = processor.apply_chat_template(row["prompt"], add_generation_prompt=True)
            whole = processor.apply_chat_template([*row["prompt"], *row["completion"]])
            before = processor(text=[prompt], images=row["images"], return_tensors="pt")["input_ids"].shape[1]
            inputs = processor(text=[whole], images=row["images"], return_tensors="pt")
            labels = inputs["input_ids"].clone()
            labels[:, :before] = -100
            with torch.no_grad():
                alone.append(model(**inputs, labels=labels).loss.item())
        by_group.append(sum(alone) / len(alone))
    both: Any = as_dataset(sets, groups, "unit", processor)
    batch = Together(processor)(list(both))
    with torch.no_grad():
        assert loss_of(model, batch).item() == pytest.approx(sum(by_group) / 2, abs=1e-4)


def test_groups_are_of_one_picture_and_hold_every_question_once(data_set: Path) -> None:
    """At most so many; none at all leaves each alone."""
    questions = questions_of([TrainingSet(data_set)], ALL)
    groups = in_groups(questions, 2)
    assert max(map(len, groups)) == 2
    assert all(len({one.row for _, one in group}) == 1 for group in groups)
    assert sorted(map(repr, questions)) == sorted(repr(one) for group in groups for one in group)
    assert in_groups(questions, 0) == [[one] for one in questions]


def test_only_a_llavas_questions_stand_together(qwen: Path, data_set: Path, tmp_path: Path) -> None:
    """The places of Qwen's tokens have three axes."""
    stage = Stage("task", "all", 1e-3, steps=1, together=2)
    given: dict[str, Any] = {"precision": "fp32", "gradient_checkpointing": False}
    with pytest.raises(BadRun, match="together"):
        train(Run(str(qwen), (str(data_set),), (stage,), **given), tmp_path / "run")
