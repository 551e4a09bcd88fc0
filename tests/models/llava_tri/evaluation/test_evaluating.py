"""An evaluation from end to end, against a stub of a model on a real port."""

import ast
import asyncio
import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from click.testing import Result as Outcome

from infra.cli import main
from models.llava_tri.evaluation.answering import Blind, Given
from models.llava_tri.evaluation.audit import Leakage
from models.llava_tri.evaluation.benchmarks import LOADERS
from models.llava_tri.evaluation.controls import centre_box, majority, nearest, yes_and_no
from models.llava_tri.evaluation.evaluating import evaluate, sampled
from models.llava_tri.evaluation.pictures import swapped
from models.llava_tri.evaluation.questions import Benchmark, Question, WrongLayout
from models.llava_tri.evaluation.result import Result
from models.llava_tri.evaluation.samples import write_samples
from tests.models.llava_tri.evaluation.conftest import PICTURES, drawn
from tests.models.llava_tri.evaluation.seeing_server import Stub, always_yes, serving

NO_AUDIT = Leakage({}, 0, 0, ())
ALWAYS_YES = Blind("always-yes@1", lambda benchmark: {one.id: "yes" for one in benchmark.questions})


def run(folder: Path, model: str, out: Path, *more: str) -> Outcome:
    """`tristream evaluate` in this process."""
    arguments = ["evaluate", "--benchmark", "vqa-rad", "--at", str(folder), "--model", model, "--out", str(out)]
    return CliRunner().invoke(main, [*arguments, "--name", "stub/vlm@1", *more])


def result_of(out: Path) -> Result:
    return Result.model_validate_json((out / "result.json").read_bytes())


def test_a_model_that_sees_is_shown(benchmark_folder: Path, tmp_path: Path) -> None:
    """It beats all five controls; each was asked what it should be; the second run asks nothing."""
    out = tmp_path / "out"
    with serving() as stub:
        assert run(benchmark_folder, stub.url, out, "--lineage", str(_others(tmp_path))).exit_code == 0
        asked = stub.asked.total()
        # Without a picture and under the same grey one every question is the same, so it is asked a few times at most.
        assert {len(pictures) for _, pictures in stub.asked} == {0, 1}
        assert ("Is it bright?\nAnswer yes or no.", (128.0,)) in stub.asked
        assert all(body["temperature"] == 0 and "response_format" not in body for body in stub.bodies)
        before = (out / "result.json").read_bytes()
        assert run(benchmark_folder, stub.url, out, "--lineage", str(tmp_path / "others")).exit_code == 0
        assert stub.asked.total() == asked
    assert (out / "result.json").read_bytes() == before
    found = result_of(out)
    assert found.shown
    assert found.audit.verdict.startswith("clean")
    closed = {one.name: one.figures["closed"]["accuracy"].value for one in found.all.runs}
    assert closed["stub/vlm@1"] == 1
    assert closed["no image"] == closed["majority answer"] == closed["grey image"] == 0.5
    assert (found.n, found.images) == (PICTURES, PICTURES)
    assert all(one is not None and one.beaten for one in found.all.parts["closed"].against.values())


def test_a_model_that_does_not_look_is_not_shown(benchmark_folder: Path, tmp_path: Path) -> None:
    """However it is asked, its answer is the same: no control is beaten."""
    with serving(always_yes) as stub:
        assert run(benchmark_folder, stub.url, tmp_path / "out").exit_code == 0
    found = result_of(tmp_path / "out")
    assert not found.shown
    assert found.audit.verdict == "not audited: no figure here may be called clean"
    assert not any(one.beaten for one in found.all.parts["closed"].against.values() if one is not None)


def test_a_part_of_the_split_shows_nothing(benchmark_folder: Path, tmp_path: Path) -> None:
    """Were it ever so good."""
    with serving() as stub:
        assert run(benchmark_folder, stub.url, tmp_path / "out", "--limit", "20").exit_code == 0
    found = result_of(tmp_path / "out")
    assert (found.n, found.of, found.all.shown, found.shown) == (20, PICTURES, True, False)


def test_a_refused_question_is_a_wrong_answer(benchmark_folder: Path, tmp_path: Path) -> None:
    """It stays in the mean, and is told by its reason."""

    def refuses(_question: str, pictures: Sequence[float]) -> str | int:
        return 400 if pictures and pictures[0] > 140 else "No"

    with serving(refuses) as stub:
        assert run(benchmark_folder, stub.url, tmp_path / "out").exit_code == 0
    model = result_of(tmp_path / "out").all.runs[0]
    assert model.missing == {"RequestRefused": PICTURES // 2}
    assert (model.figures["closed"]["accuracy"].value, model.figures["closed"]["accuracy"].n) == (0.5, PICTURES)


def test_a_server_that_is_away_is_one_line(benchmark_folder: Path, tmp_path: Path) -> None:
    """Not a traceback."""
    done = run(benchmark_folder, "http://127.0.0.1:9", tmp_path / "out")
    assert done.exit_code == 1
    assert done.output.splitlines()[-1] == "Error: the model server does not answer: ConnectError"


def _wait_for(stub: Stub, answers: int) -> None:
    until = time.monotonic() + 60
    while stub.asked.total() < answers and time.monotonic() < until:
        time.sleep(0.02)
    assert stub.asked.total() >= answers


def test_killed_it_goes_on(benchmark_folder: Path, tmp_path: Path) -> None:
    """SIGKILL in the midst of it: what was answered is not asked again, and the result is that of an unbroken run."""
    environment = {**os.environ, "TRISTREAM_SGLANG_CONCURRENCY": "2"}
    with serving(seconds=0.1) as stub:
        arguments = [
            str(Path(sys.executable).with_name("tristream")), "evaluate", "--benchmark", "vqa-rad",
            "--at", str(benchmark_folder), "--model", stub.url, "--name", "stub/vlm@1",
            "--out", str(tmp_path / "killed"),
        ]  # fmt: skip
        process = subprocess.Popen(arguments, env=environment, stderr=subprocess.DEVNULL)
        _wait_for(stub, 10)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (tmp_path / "killed/result.json").exists()
        assert subprocess.run(arguments, env=environment, check=False, stderr=subprocess.DEVNULL).returncode == 0
        # Two were in flight when it died. All else was asked once, also what several questions have in common.
        assert sum(n - 1 for n in stub.contents.values()) <= 2
    with serving() as stub:
        assert run(benchmark_folder, stub.url, tmp_path / "whole").exit_code == 0
    assert result_of(tmp_path / "killed") == result_of(tmp_path / "whole")


def test_given_answers_are_scored_with_what_is_missing(benchmark_folder: Path, tmp_path: Path) -> None:
    """A file can be right by luck alone: controls that need the model stay open, and nothing is shown."""
    benchmark = LOADERS["vqa-rad"](benchmark_folder, "test", None)
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps({"id": str(n), "answer": "yes" if n % 2 else "no"}) + "\n" for n in range(20)))
    found = asyncio.run(evaluate(benchmark, Given(path), NO_AUDIT))
    assert found.all.runs[0].figures["closed"]["accuracy"].value == pytest.approx(20 / 24)
    assert found.all.runs[0].missing == {"not in the file": 4}
    assert found.all.parts["closed"].against["no image"] is None
    assert not found.shown
    path.write_text('{"id": "999", "answer": "no"}\n')
    with pytest.raises(WrongLayout, match=r"1 answers are to questions that VQA-RAD test has not, such as '999'"):
        asyncio.run(evaluate(benchmark, Given(path), NO_AUDIT))
    path.write_text("no\n")
    with pytest.raises(WrongLayout, match=r"answers\.jsonl, line 1: an object with 'id' and 'answer'"):
        Given(path)


def test_odd_answers_in_a_file(benchmark_folder: Path, tmp_path: Path) -> None:
    """Two answers to one question are no choice, what is no text is no answer, and half a character breaks nothing."""
    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": "1", "answer": "yes"}\n{"id": "1", "answer": "no"}\n')
    with pytest.raises(WrongLayout, match=r"answers\.jsonl, line 2: a second answer to '1'"):
        Given(path)
    for odd in ("NaN", "0", '["yes", "no"]', "true"):
        path.write_text(f'{{"id": "1", "answer": {odd}}}\n')
        with pytest.raises(WrongLayout, match=r"line 1: the answer to '1' is no text"):
            Given(path)
    path.write_text('{"id": "0", "answer": null}\n{"id": "1", "answer": "yes \\ud800"}\n')
    told = run(benchmark_folder, str(path), tmp_path / "out")
    assert told.exit_code == 0, told.output
    found = result_of(tmp_path / "out")
    assert found.all.runs[0].missing == {"null in the file": 1, "not in the file": 22}
    assert [one.answer for one in found.answers if one.id == "1"] == ["yes ?"]


def test_samples_are_read_back(benchmark_folder: Path, tmp_path: Path) -> None:
    """What is written for lmms-eval gives the same result again; VLMEvalKit's table has a prediction a question."""
    import pandas

    with serving() as stub:
        assert run(benchmark_folder, stub.url, tmp_path / "out").exit_code == 0
    (lmms,) = (tmp_path / "out/samples").glob("*.jsonl")
    (table,) = (tmp_path / "out/samples").glob("*.tsv")
    benchmark = LOADERS["vqa-rad"](benchmark_folder, "test", None)
    again = asyncio.run(evaluate(benchmark, Given(lmms), NO_AUDIT))
    assert again.all.runs[0].figures == result_of(tmp_path / "out").all.runs[0].figures
    log = json.loads((tmp_path / "out/samples/VQA-RAD_test.json").read_bytes())
    assert log["model_configs"]["task"] == "VQA-RAD_test"
    assert [one["resps"][0][0] for one in log["logs"]] == ["No.", "Yes."] * (PICTURES // 2)
    assert [one["doc_id"] for one in log["logs"]] == list(range(PICTURES))
    rows = pandas.read_csv(table, sep="\t")
    assert rows["prediction"].tolist() == ["No.", "Yes."] * (PICTURES // 2)
    assert {"index", "question", "answer", "category", "split"} <= set(rows.columns)
    assert table.name == "stub_vlm@1_VQA-RAD_test.tsv"
    task = yaml.safe_load((tmp_path / "out/samples/VQA-RAD_test.yaml").read_bytes())
    assert task["task"] == log["model_configs"]["task"]
    assert task["dataset_kwargs"] == {"data_files": {"test": lmms.name}}
    first = json.loads(lmms.read_text(encoding="utf-8").splitlines()[0])
    assert (first[task["doc_to_text"]], first[task["doc_to_target"]]) == ("Is it bright?\nAnswer yes or no.", "no")


def test_two_runs_are_compared(benchmark_folder: Path, tmp_path: Path) -> None:
    """By the same questions alone."""
    with serving() as stub:
        assert run(benchmark_folder, stub.url, tmp_path / "sees").exit_code == 0
    assert run(benchmark_folder, "majority", tmp_path / "blind").exit_code == 0
    told = CliRunner().invoke(main, ["evaluate", "compare", str(tmp_path / "sees"), str(tmp_path / "blind")])
    assert told.exit_code == 0
    assert "= +50.0 points" in told.output
    assert "only the first right 12, only the second 0, McNemar's exact p two-sided 0.0005" in told.output
    assert run(benchmark_folder, "majority", tmp_path / "part", "--limit", "5").exit_code == 0
    told = CliRunner().invoke(main, ["evaluate", "compare", str(tmp_path / "sees"), str(tmp_path / "part")])
    assert told.exit_code == 1
    assert "only the same can be compared" in told.output


# ── controls ──


def closed(number: int, text: str, answer: str, image: str) -> Question:
    return Question(str(number), (image,), text, (answer,), "closed", ("yes", "no"))


def test_data_sets_of_one_name_are_told_apart(benchmark_folder: Path, tmp_path: Path) -> None:
    """By as much of their paths as it takes: both are called `set` as a rule. One that is given twice is refused."""
    folders = [tmp_path / name / "set" for name in ("real", "drawn")]
    for number, folder in enumerate(folders):
        folder.mkdir(parents=True)
        (folder / "one.png").write_bytes(drawn(300 + number))
    lineage = [one for folder in folders for one in ("--lineage", str(folder))]
    told = run(benchmark_folder, "majority", tmp_path / "out", *lineage)
    assert told.exit_code == 0, told.output
    assert result_of(tmp_path / "out").audit.datasets == {"real/set": 1, "drawn/set": 1}
    told = run(benchmark_folder, "majority", tmp_path / "out", *lineage[:2], *lineage[:2])
    assert told.exit_code == 2
    assert "given twice" in told.output


def test_pictures_of_a_patient_are_drawn_together() -> None:
    """Of ten patients with six slices each, all right or all wrong, the interval is that of ten and not of sixty."""
    asked = [
        dataclasses.replace(
            closed(number, "Is it so?", "yes" if number % 60 < 30 else "no", str(number)), patient=whose
        )
        for number in range(60)
        for whose in (f"p{number // 6}",)
    ]
    told = asyncio.run(evaluate(Benchmark("b", "test", asked, lambda _: None), ALWAYS_YES, NO_AUDIT))
    untold = [dataclasses.replace(one, patient="") for one in asked]
    by_picture = asyncio.run(evaluate(Benchmark("b", "test", untold, lambda _: None), ALWAYS_YES, NO_AUDIT))
    ten, sixty = (one.all.runs[0].figures["closed"]["accuracy"] for one in (told, by_picture))
    assert (told.over, told.images, ten.images) == ("patients", 60, 10)
    assert (by_picture.over, by_picture.images, sixty.images) == ("pictures", 60, 60)
    assert ten.value == sixty.value == 0.5
    assert ten.high - ten.low > 1.8 * (sixty.high - sixty.low)


def test_controls_learn_from_the_train_split() -> None:
    """The most frequent answer, and that of the nearest wording; of equally near ones the most frequent."""
    train = [
        closed(1, "Is there a pneumothorax?", "yes", "a"), closed(2, "Is the liver enlarged?", "no", "b"),
        closed(3, "Is the spleen enlarged?", "no", "c"), closed(4, "Is there a pneumothorax?", "yes", "d"),
        closed(5, "Is there a pneumothorax?", "no", "e"), closed(6, "Is the heart enlarged?", "no", "e"),
    ]  # fmt: skip
    asked = [closed(10, "Is a pneumothorax there?", "no", "x"), closed(11, "Is the liver large?", "yes", "y")]
    other = Question("12", ("x",), "CT or MRI?", ("MRI",), "closed", ("mri", "ct"))
    benchmark = Benchmark("b", "test", [*asked, other], lambda _: None, train)
    assert majority(benchmark) == {"10": "no", "11": "no", "12": "mri"}
    found = nearest(benchmark)
    assert (found["10"], found["11"]) == ("yes", "no")


def test_without_a_train_split_a_control_never_learns_from_the_same_picture() -> None:
    """Else it would know the answer by heart."""
    asked = [closed(1, "Is it so?", "yes", "a"), closed(2, "Is it so?", "yes", "a"), closed(3, "Is it so?", "no", "b")]
    found = nearest(Benchmark("b", "test", asked, lambda _: None))
    assert found == {"1": "no", "2": "no", "3": "yes"}


def test_saying_everything_earns_nothing(benchmark_folder: Path) -> None:
    """By accuracy; by the published rule it is perfect, which is why that is no result."""
    benchmark = LOADERS["vqa-rad"](benchmark_folder, "test", None)
    found = asyncio.run(evaluate(benchmark, Blind("yes-and-no@1", yes_and_no), NO_AUDIT))
    figures = found.all.runs[0].figures["closed"]
    assert (figures["accuracy"].value, figures["first_word"].value, figures["papers_rule"].value) == (0, 0, 1)


def test_boxes_are_held_against_the_median_box() -> None:
    """A control writes in its own scale, a model in its own."""
    boxes = [(0.1, 0.1, 0.3, 0.3), (0.1, 0.1, 0.3, 0.3), (0.5, 0.5, 0.9, 0.9)]
    train = [Question(str(n), (f"t{n}",), "Where is the cyst?", ("",), "box", box=box) for n, box in enumerate(boxes)]
    benchmark = Benchmark("b", "test", [dataclasses.replace(train[0], id="9", images=("x",))], lambda _: None, train)
    assert majority(benchmark)["9"] == "[0.100, 0.100, 0.300, 0.300]"
    found = asyncio.run(evaluate(benchmark, Blind("majority@1", majority), NO_AUDIT))
    assert found.all.runs[0].figures["box"]["iou"].value == pytest.approx(1)


def test_a_right_box_is_one_answer_to_others(tmp_path: Path) -> None:
    """VLMEvalKit evaluates an answer that is a list of Python's and takes its items for right answers."""
    box = "[0.10, 0.10, 0.30, 0.30]"
    asked = [Question("9", ("x",), "Where is the cyst?", (box,), "box", box=(0.1, 0.1, 0.3, 0.3))]
    benchmark = Benchmark("b", "test", asked, lambda _: None, asked)
    result = asyncio.run(evaluate(benchmark, Blind("majority@1", majority), NO_AUDIT))
    _, table = write_samples(tmp_path, result, benchmark, "parts")
    (row,) = csv.DictReader(table.read_text(encoding="utf-8").splitlines(), delimiter="\t")
    assert ast.literal_eval(row["answer"]) == [box]


def test_a_box_in_the_middle_is_as_large_as_boxes_are() -> None:
    """Wherever those of the train split lie; to a question of another kind it says nothing."""
    boxes = [(0.0, 0.0, 0.2, 0.4), (0.7, 0.1, 0.9, 0.5), (0.1, 0.5, 0.9, 0.9)]
    train = [Question(str(n), (f"t{n}",), "Where is the cyst?", ("",), "box", box=box) for n, box in enumerate(boxes)]
    asked = [dataclasses.replace(train[0], id="9", images=("x",)), closed(10, "Is it so?", "yes", "x")]
    benchmark = Benchmark("b", "test", asked, lambda _: None, train)
    assert centre_box(benchmark) == {"9": "[0.400, 0.300, 0.600, 0.700]", "10": ""}


def test_each_topic_is_held_against_the_controls_by_itself() -> None:
    """One that the model knows beside one that it does not; none of too few pictures to say anything."""
    topics = {"side": "left", "count": "2", "rare": "x"}
    asked = [
        Question(f"{topic}-{n}", (str(n),), f"{topic}?", (right,), "open", topic=topic)
        for topic, right in topics.items()
        for n in range(2 if topic == "rare" else 20)
    ]
    train = [dataclasses.replace(asked[0], id="t", images=("t",), answers=("never",))]
    benchmark = Benchmark("b", "test", asked, lambda _: None, train)
    source = Blind("knows@1", lambda _: {one.id: "left" for one in asked})
    found = asyncio.run(evaluate(benchmark, source, NO_AUDIT)).all.parts["open"].topics
    told = {
        topic: {name: one.value for name, one in some.items() if one is not None and "majority" in name}
        for topic, some in found.items()
    }
    assert [list(one.values()) for one in told.values()] == [[0], [1]]
    assert list(told) == ["count", "side"]


def test_no_picture_is_shuffled_onto_itself() -> None:
    """And always in the same way; one alone cannot be."""
    keys = [str(n) for n in range(50)]
    found = swapped(keys)
    assert found == swapped(keys[::-1])
    assert sorted(found.values()) == sorted(keys)
    assert all(key != other for key, other in found.items())
    assert swapped(["a"]) == {}


def test_some_pictures_with_all_their_questions(benchmark_folder: Path) -> None:
    """A limit is of pictures, which are drawn from all over the set; of a larger one come the same and more."""
    benchmark = LOADERS["vqa-rad"](benchmark_folder, "test", None)
    three, four = (set(sampled(benchmark, n).pictures) for n in (3, 4))
    assert len(three) == 3
    assert three < four < set(benchmark.pictures)
    assert three != set(benchmark.pictures[:3]), "those that stand first are often of one kind"
    assert sampled(benchmark, None) is benchmark


def _others(tmp_path: Path) -> Path:
    """A folder of pictures that the benchmark has not."""
    folder = tmp_path / "others"
    folder.mkdir(exist_ok=True)
    for number in range(200, 204):
        (folder / f"{number}.png").write_bytes(drawn(number))
    return folder
