"""status: what it says of a pipeline, and what to do."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from rich.console import Console

from infra import status_page
from infra.status import Status, Verdict, judged
from infra.status_page import as_json, count, duration, headline, page, show
from schemas.dead_letters import DeadLetter, Origin, Stage
from schemas.failures import Unavailable
from schemas.stages import StageState
from streams.dead_letters import Subject, dead_letter
from streams.lag import Position
from streams.settings import Wires

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STAGES: tuple[Stage, ...] = ("preprocess", "ground", "retrieve", "describe")


def word(stage: Stage, name: str = "a", ago: float = 1.0, **found: object) -> StageState:
    fixed = {"worker": f"{stage}/{name}", "stage": stage, "state": "running", "in_flight": 0, "done": 0}
    moment = NOW - timedelta(seconds=ago)
    return StageState.model_validate({**fixed, "dead_letters": 0, "updated_at": moment, "per_second": 2.0, **found})


def seen(
    waiting: Mapping[Stage, int], *words: StageState, letters: int = 0, ages: Mapping[Stage, float] | None = None
) -> Status:
    positions = {stage: {0: Position(0, 100, 100 + waiting.get(stage, 0))} for stage in STAGES}
    named = {one.stage for one in words}
    everyone = [*words, *(word(stage) for stage in STAGES if stage not in named)]
    origin = Origin(topic="objects", partition=0, offset=0)
    open_: list[DeadLetter] = [dead_letter("preprocess", Subject(), "NotAnImage", "No.", origin)] * letters
    return judged("k:9092", positions, ages or {}, everyone, open_, NOW)


def idle(stage: Stage, oldest_s: float) -> Status:
    """A stage that finished nothing in the last minute, and for how long the oldest of its messages waits."""
    return seen({stage: 10}, word(stage, per_second=0.0), ages={stage: NOW.timestamp() - oldest_s})


@pytest.mark.parametrize(
    ("status", "verdict", "advice"),
    [
        (seen({}), "up to date", ""),
        (seen({"ground": 10}), "working", ""),
        (
            seen({"ground": 10}, word("ground", state="paused", cause="dead letters", reason="see them")),
            "paused",
            "ground: see them",
        ),
        (
            seen({"describe": 10}, word("describe", state="waiting", reason="the server does not answer")),
            "waiting",
            "describe: the server does not answer",
        ),
        (
            seen(
                {"preprocess": 10}, word("preprocess", state="paused", cause="backpressure", reason="goes on at 1 MiB")
            ),
            "working",
            "by itself",
        ),
        (seen({"ground": 10}, word("ground", ago=3600)), "stuck", "start one with 'tristream worker ground'"),
        (seen({"ground": 10}, word("ground"), word("ground", "b", ago=40)), "waiting", "b says nothing"),
        (seen({"ground": 10}, word("ground", per_second=0.0)), "stuck", "see its log"),
        (idle("ground", 90), "stuck", "see its log"),
        (idle("ground", 14), "working", ""),
        (idle("describe", 300), "working", ""),
        (idle("describe", 900), "stuck", "see its log"),
        (seen({}, word("ground", per_second=0.0)), "up to date", ""),
        (seen({}, letters=2), "up to date", "tristream replay"),
    ],
)
def test_it_says_how_it_is_and_what_to_do(status: Status, verdict: Verdict, advice: str) -> None:
    """The gravest of what is so, and for what a person must see to the command that does it."""
    assert status.verdict == verdict
    assert advice in "\n".join(status.advice)
    if not advice:
        assert not status.advice
    page(status)


def test_it_says_how_long_it_will_take() -> None:
    """By the rate of all workers of the slowest stage, over the last minute; unknown where nothing is known of it."""
    status = seen({"preprocess": 10, "ground": 1200}, word("ground"), word("ground", "b"))
    assert status.work_off_s == 300
    assert headline(status) == "Working. 1,210 messages wait, about 5 min at this rate."
    unknown = seen({"ground": 1}, word("ground", per_second=None))
    assert headline(unknown) == "Working. 1 message waits; how long that takes is not known yet."


def test_it_says_how_old_the_oldest_is_and_how_many_letters_are_open() -> None:
    """Both in the page's JSON too, by stage and class of error."""
    found = as_json(seen({"ground": 1}, ages={"ground": NOW.timestamp() - 90}, letters=3))
    assert found["stages"]["ground"]["oldest_s"] == 90
    assert found["dead_letters"] == [{"stage": "preprocess", "error": "NotAnImage", "open": 3}]


@pytest.mark.parametrize("json_lines", [True, False])
def test_who_watches_is_told_that_kafka_is_away_and_that_it_is_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], json_lines: bool
) -> None:
    """It goes on until it is asked to stop; asked once, it fails."""
    answers = iter((Unavailable("Kafka does not answer"), seen({"ground": 1}), KeyboardInterrupt()))

    def look(_: Wires) -> Status:
        if isinstance(answer := next(answers), BaseException):
            raise answer
        return answer

    monkeypatch.setattr(status_page, "look", look)
    monkeypatch.setattr(status_page, "EVERY", 0.0)
    with pytest.raises(KeyboardInterrupt):
        show(Wires(), json_lines=json_lines, watch=True)
    said = capsys.readouterr().out
    if json_lines:
        away, back = map(orjson.loads, said.splitlines())
        assert (away["verdict"], away["advice"]) == ("waiting", ["Kafka does not answer"])
        assert back["stages"]["ground"]["waiting"] == 1
    else:
        assert "1 message waits" in said
    answers = iter((Unavailable("Kafka does not answer"),))
    with pytest.raises(Unavailable):
        show(Wires(), json_lines=json_lines, watch=False)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (61, "1 min 1 s"), (300, "5 min"), (3661, "1 h 1 min"), (90000, "1 d 1 h")],
)
def test_times_are_said_in_two_units(seconds: float, words: str) -> None:
    """As a person would."""
    assert duration(seconds) == words


def test_one_is_one() -> None:
    """And two are several."""
    assert [count(number, "object") for number in (0, 1, 2, 1000)] == [
        "0 objects",
        "1 object",
        "2 objects",
        "1,000 objects",
    ]


def test_a_page_fits_a_terminal_of_80_columns() -> None:
    """Each stage in one line with its figures whole, and why it is as it is below the table."""
    busy = [word(stage, per_second=25.3) for stage in ("ground", "retrieve", "describe")]
    held = word("preprocess", state="waiting", reason="the bucket is being listed anew after its server came back")
    ages = {"preprocess": NOW.timestamp() - 4250, "describe": NOW.timestamp() - 1859}
    status = seen({"preprocess": 1_022_229, "describe": 90_196}, held, *busy, ages=ages)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(page(status))
    lines = console.export_text().splitlines()
    row = {stage: next(line for line in lines if line.startswith(f"{stage} ")) for stage in STAGES}
    assert "1,022,229" in row["preprocess"]
    assert "1 h 10 min" in row["preprocess"]
    assert row["preprocess"].rstrip().endswith("waiting")
    assert "30 min 59 s" in row["describe"]
    assert "25.3" in row["describe"]
    assert any("listed anew" in line for line in lines)
