"""Processes that annotate: each object has its outcomes, whatever becomes of the process that was at it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.settings import Settings
from infra import jobs
from infra.jobs import ChainBroken, Jobs
from infra.results import Result
from schemas.objects import ObjectReference
from tests.infra.jobs_served import reference

SETTINGS = Settings(key="0" * 64)


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the processes, which have no chain here, write what they did."""
    boot = jobs._BOOT.replace("infra.serving", "tests.infra.jobs_served")  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(jobs, "_BOOT", boot)
    monkeypatch.setenv("TRISTREAM_TEST_FOLDER", str(tmp_path))
    return tmp_path


def annotated(names: list[str], processes: int = 2, run: int = 1, said: list[str] | None = None) -> list[Result]:
    with Jobs(SETTINGS, processes, run=run) as started:
        say = (said if said is not None else []).append
        return list(started.annotate(map(reference, names), poll=lambda: None, say=say))


def counted(results: list[Result], names: list[str]) -> dict[str, Counter[str]]:
    ids = {SETTINGS.identity.object_id(reference(name)): name for name in names}
    found: dict[str, Counter[str]] = {name: Counter() for name in names}
    for result in results:
        found[ids[result.object_id]][result.error] += 1
    return found


def test_all_processes_work_and_each_frame_has_an_outcome(folder: Path) -> None:
    """Of few objects, too, each process gets some."""
    names = ["two a", "b", "c", "two d"]
    found = counted(annotated(names, run=1), names)
    assert {name: count["Fine"] for name, count in found.items()} == {"two a": 2, "b": 1, "c": 1, "two d": 2}
    assert len({line.split()[0] for line in (folder / "taken").read_text().splitlines()}) == 2


@pytest.mark.parametrize("processes", [1, 2])
def test_what_a_dead_process_was_at_is_done_by_another(processes: int) -> None:
    """The one that kills again is a dead letter; those beside it are done, and so are those after it."""
    names = list(map(str, range(40)))
    names[5], names[20], names[39] = "kills always", "kills once", "kills always too"
    found = counted(annotated(names, processes, run=4), names)
    for name, outcomes in found.items():
        expected = "ProcessDied" if name.startswith("kills always") else "Fine"
        assert set(outcomes) == {expected}, name
        assert outcomes.total() == 1, name


def test_an_object_that_kills_at_once_is_not_taken_for_a_broken_installation() -> None:
    """The process was ready before it died."""
    found = annotated(["kills always"], processes=1)
    assert [(one.error, "memory" in one.message) for one in found] == [("ProcessDied", True)]


def test_a_chain_that_cannot_start_says_why(folder: Path) -> None:
    """In one line, and not for each object."""
    (folder / "broken").touch()
    with pytest.raises(ChainBroken, match="the experts cannot be loaded"):
        annotated(["a", "b"])


def test_a_process_that_never_starts_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of being started for ever."""
    monkeypatch.setattr(jobs, "_BOOT", "raise SystemExit(7)  # {path} {arguments}")
    with pytest.raises(ChainBroken, match="status 7"):
        annotated(["a"])


def test_what_is_waited_for_is_said_once() -> None:
    """However often it is tried."""
    said: list[str] = []
    annotated(["waits"], said=said)
    assert said == ["waiting: the server is away"]


def test_objects_are_taken_only_as_there_is_room() -> None:
    """Of many more than processes have in hand."""
    taken = 0

    def many() -> Iterator[ObjectReference]:
        nonlocal taken
        for number in range(200):
            taken += 1
            yield reference(str(number))

    with Jobs(SETTINGS, 2, run=4) as started:
        given = 0
        for _ in started.annotate(many(), poll=lambda: None, say=lambda _: None):
            given += 1
            assert taken - given <= 2 * 4 * 2
    assert given == 200
