"""A chain on a real Kafka whose workers are killed and stopped, whose files are mended: nothing is lost or twice."""

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.announce import Replayed, announce, replay_dead_letters
from schemas.objects import ObjectReference
from streams.buckets.references import reference_to
from streams.lag import LagReader, ask
from streams.reader import latest, read
from streams.topics import DEAD_LETTERS, GROUNDED, OBJECTS, TRIPLETS
from tests.integration.pipeline import STAGES, Pipeline, rows, sample, wait_until
from tests.models.imaging.samples import distinct_copies

pytestmark = pytest.mark.integration


def ends_each_in_one_triplet(pipeline: Pipeline, folder: Path, count: int, meanwhile: Callable[[], None]) -> None:
    """Annotate distinct images: each of them under compaction."""
    summary, out = pipeline.annotate(folder, meanwhile=meanwhile)
    triplets = rows(out / "t.jsonl")
    assert (
        summary.triplets == len({row["triplet_id"] for row in triplets}) == len({row["object_id"] for row in triplets})
    )
    assert (summary.triplets, summary.dead_letters) == (count, 0)


def test_kill_9_of_each_stage_in_turn_loses_nothing(pipeline: Pipeline, tmp_path: Path) -> None:
    """Each while it has work in hand that is not committed, the next once the last one killed has gone on."""
    folder = distinct_copies(tmp_path / "images", 60)
    wires, victims, killed = pipeline.settings.wires, list(STAGES), list[tuple[str, int]]()
    looked = 0.0

    def meanwhile() -> None:
        nonlocal looked
        if not victims or time.monotonic() < looked + 0.5:
            return
        lags, looked = ask(wires, LagReader.read), time.monotonic()
        if killed and lags[killed[-1][0]].done <= killed[-1][1]:
            return
        if (lag := lags[victims[0]]).waiting:
            pipeline.kill(victims[0])
            killed.append((victims.pop(0), lag.done))

    ends_each_in_one_triplet(pipeline, folder, 60, meanwhile)
    assert [stage for stage, _ in killed] == list(STAGES)


def test_kill_9_of_all_stages_at_once_loses_nothing(pipeline: Pipeline, tmp_path: Path) -> None:
    """In mid-run, and again while they start."""
    folder = distinct_copies(tmp_path / "images", 60)
    started, kills = time.monotonic(), 0

    def meanwhile() -> None:
        nonlocal kills
        if kills < 2 and time.monotonic() - started > 0.7 + 1.5 * kills:
            kills += 1
            pipeline.kill(*STAGES)

    ends_each_in_one_triplet(pipeline, folder, 60, meanwhile)
    assert kills == 2


def test_a_backlog_is_worked_off_after_a_restart(pipeline: Pipeline, tmp_path: Path) -> None:
    """Objects announced while no worker runs are annotated when they come back."""
    pipeline.processes.stop()
    folder = distinct_copies(tmp_path / "images", 30)
    announce(pipeline.settings, [reference_to(path, Path(path.anchor)) for path in sorted(folder.iterdir())])
    assert ask(pipeline.settings.wires, LagReader.read)["preprocess"].waiting >= 30
    pipeline.start_all()
    summary, _ = pipeline.annotate(folder)
    assert summary.triplets == 30


def test_two_workers_of_a_stage_share_the_work(pipeline: Pipeline, tmp_path: Path) -> None:
    """A second worker takes some of the partitions, and everything still comes out once."""
    pipeline.start("ground", "ground-2")
    folder = distinct_copies(tmp_path / "images", 80)
    summary, _ = pipeline.annotate(folder)
    assert summary.triplets == 80
    pipeline.processes.stop("ground-2")
    partitions = {r.partition for r in read(pipeline.settings.wires, [GROUNDED]) if r is not None}
    assert len(partitions) == 4


def test_a_dead_letter_is_replayed_when_its_cause_is_mended(pipeline: Pipeline, tmp_path: Path) -> None:
    """Replay sends the object again and clears the dead letter; only what fails again comes back."""
    path = tmp_path / "later.dcm"
    reference = ObjectReference.model_validate(
        reference_to(sample("CT_small.dcm"), Path("/")).model_dump() | {"bucket": tmp_path.as_uri(), "key": path.name}
    )
    announce(pipeline.settings, [reference])
    object_id = pipeline.settings.identity.object_id(reference)
    wires = pipeline.settings.wires
    wait_until(lambda: object_id in latest(wires, DEAD_LETTERS))
    shutil.copy(sample("CT_small.dcm"), path)
    assert replay_dead_letters(pipeline.settings, object_id).sent == 1
    wait_until(lambda: object_id in {r.message.object_id for r in latest(wires, TRIPLETS).values() if r.message})
    assert object_id not in latest(wires, DEAD_LETTERS)


def test_a_replayed_object_that_went_is_over(pipeline: Pipeline, tmp_path: Path) -> None:
    """No dead letter comes back for a file that is no longer there."""
    wires, path = pipeline.settings.wires, tmp_path / "gone.dcm"
    path.write_bytes(b"no image")
    reference = reference_to(path, tmp_path)
    object_id = pipeline.settings.identity.object_id(reference)
    announce(pipeline.settings, [reference])
    wait_until(lambda: object_id in latest(wires, DEAD_LETTERS))
    path.unlink()
    assert replay_dead_letters(pipeline.settings, object_id) == Replayed(1, 0)
    wait_until(lambda: object_id not in latest(wires, DEAD_LETTERS))
    # What is announced after it ends after it: of one partition, objects are taken in their order.
    wait_until(lambda: ask(wires, LagReader.read)["preprocess"].waiting == 0)
    assert object_id not in latest(wires, DEAD_LETTERS)


def test_a_corrected_file_closes_its_old_dead_letter(pipeline: Pipeline, tmp_path: Path) -> None:
    """In a watched folder, and by annotate; other files' letters stay."""
    wires, inbox = pipeline.settings.wires, tmp_path / "inbox"
    inbox.mkdir()
    for name in ("a.dcm", "b.dcm", "c.dcm"):
        (inbox / name).write_bytes(b"no image " + name.encode())
    bad = {path.name: pipeline.settings.identity.object_id(reference_to(path, inbox)) for path in inbox.iterdir()}
    pipeline.start("watch", "watch", "--inbox", str(inbox))
    wait_until(lambda: set(bad.values()) <= set(latest(wires, DEAD_LETTERS)))
    time.sleep(2)  # The watch stage has read of them.
    shutil.copy(sample("CT_small.dcm"), inbox / "a.dcm")
    wait_until(lambda: bad["a.dcm"] not in latest(wires, DEAD_LETTERS))
    pipeline.processes.stop("watch")
    assert {bad["b.dcm"], bad["c.dcm"]} <= set(latest(wires, DEAD_LETTERS))
    (tmp_path / "later.dcm").write_bytes(b"no image")
    pipeline.annotate(tmp_path / "later.dcm")
    earlier = pipeline.settings.identity.object_id(reference_to(tmp_path / "later.dcm", Path("/")))
    assert earlier in latest(wires, DEAD_LETTERS)
    shutil.copy(sample("MR_small.dcm"), tmp_path / "later.dcm")
    pipeline.annotate(tmp_path / "later.dcm")
    assert earlier not in latest(wires, DEAD_LETTERS)
    assert bad["b.dcm"] in latest(wires, DEAD_LETTERS)


def test_files_dropped_in_the_inbox_come_out(pipeline: Pipeline, tmp_path: Path) -> None:
    """The watch stage announces a dropped file once, also across its restart, and re-dropping makes nothing new."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    wires = pipeline.settings.wires
    before = len(latest(wires, OBJECTS))
    pipeline.start("watch", "watch", "--inbox", str(inbox))
    names = random.Random(3).sample(range(1000), 5)
    for name in names:
        shutil.copy(sample("CT_small.dcm"), inbox / f"Jos\u00e9 {name}.dcm")
    wait_until(lambda: len(latest(wires, OBJECTS)) == before + 5)
    pipeline.kill("watch")
    pipeline.processes.stop("watch")
    pipeline.start("watch", "watch", "--inbox", str(inbox))
    shutil.copy(sample("CT_small.dcm"), inbox / f"Jos\u00e9 {names[0]}.dcm")
    shutil.copy(sample("MR_small.dcm"), inbox / "new.dcm")
    wait_until(lambda: len(latest(wires, OBJECTS)) == before + 6)
    sent = sum(
        1 for record in read(wires, [OBJECTS]) if record and record.message and record.message.bucket == inbox.as_uri()
    )
    assert sent == 6
    pipeline.processes.stop("watch")
