"""Answers in the sample formats of lmms-eval and VLMEvalKit, so that others can score them by their own means.

lmms-eval: `samples_<task>.jsonl`, a line a question with what its `--log_samples` writes and the question beside it,
`<task>.json`, which its model `from_log` answers from, and `<task>.yaml`, a task of those questions. VLMEvalKit:
`<model>_<dataset>.tsv`, the questions with a column `prediction`, which its evaluation reads with `PRED_FORMAT=tsv`.
Both find a question by its number in the split.
"""

import csv
import hashlib
import json
import re
from pathlib import Path

from models.llava_tri.evaluation.prompts import prompt_of
from models.llava_tri.evaluation.questions import Benchmark
from models.llava_tri.evaluation.result import Result
from models.llava_tri.evaluation.scores.boxes import Scale

# Questions and answers by the names of their columns: a template would have boxes and numbers turned into such.
_TASK = """\
# In this folder: lmms-eval --model from_log --model_args logs=. --include_path . --tasks TASK
task: {task}
dataset_path: json
dataset_kwargs: {{data_files: {{test: {samples}}}}}
test_split: test
output_type: generate_until
doc_to_text: input
doc_to_target: target
generation_kwargs: {{max_new_tokens: 256}}
metric_list:
  - {{metric: exact_match, aggregation: mean, higher_is_better: true, ignore_case: true, ignore_punctuation: true}}
"""
_COLUMNS = ("index", "question", "answer", "category", "l2-category", "split", "id", "image_path", "prediction")


def write_samples(
    folder: Path, result: Result, benchmark: Benchmark, scale: Scale, *, plain: bool = False
) -> tuple[Path, Path]:
    """Write them into a folder, which is made where there is none; returns samples and table.

    Args:
        folder: to write into.
        result: with the answers.
        benchmark: that was asked.
        scale: in which boxes were asked for.
        plain: whether questions were put as they stand.
    """
    folder.mkdir(parents=True, exist_ok=True)
    questions = {one.id: one for one in benchmark.questions}
    task = _name(f"{result.benchmark}_{result.split}")
    lmms = folder / f"samples_{task}.jsonl"
    with lmms.open("w", encoding="utf-8") as lines:
        for number, one in enumerate(result.answers):
            doc = {"id": one.id, "question": one.question, "answer": one.right[0], "image_path": one.images[0]}
            line = {
                "doc_id": number, "doc": doc, "target": one.right[0],
                "input": prompt_of(questions[one.id], scale, plain=plain),
                "resps": [[one.answer]], "filtered_resps": [one.answer],
                "doc_hash": hashlib.sha256(json.dumps(doc, indent=2, ensure_ascii=False).encode()).hexdigest(),
                **one.values,
            }  # fmt: skip
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")
    log = {
        "args": {"model": result.model, "model_args": "", "limit": None},
        "model_configs": {"task": task},
        "logs": [{"doc_id": number, "resps": [[one.answer]]} for number, one in enumerate(result.answers)],
    }
    (folder / f"{task}.json").write_text(json.dumps(log, ensure_ascii=False) + "\n", encoding="utf-8")
    told = {"task": json.dumps(task, ensure_ascii=False), "samples": json.dumps(lmms.name, ensure_ascii=False)}
    (folder / f"{task}.yaml").write_text(_TASK.format(**told), encoding="utf-8")
    table = folder / f"{_name(result.model)}_{task}.tsv"
    with table.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter="\t")
        rows.writerow(_COLUMNS)
        for number, one in enumerate(result.answers):
            question = questions[one.id]
            rows.writerow(
                (
                    number, one.question, _as_one(one.right[0]), one.kind, question.topic, result.split, one.id,
                    one.images[0], one.answer,
                )
            )  # fmt: skip
    return lmms, table


def _as_one(right: str) -> str:
    """A right answer as VLMEvalKit takes it: what looks like a list, as a box does, it would take for several."""
    return json.dumps([right]) if right.startswith("[") else right


def _name(text: str) -> str:
    return re.sub(r"[^\w.@-]+", "_", text)
