"""A whole pipeline of worker processes on a real Kafka, and how tests wait for it."""

import os
import signal
import sys
import time
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import orjson
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import UID

from agents.settings import Settings
from infra.accounting import Summary
from infra.annotate import Outputs, annotate, find_files
from infra.collect import through_pipeline
from infra.processes import Processes
from streams.reader import read
from streams.settings import Wires
from streams.topics import Topic

STAGES = ("preprocess", "ground", "retrieve", "describe")


GOOD = (
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_RLE.dcm",
    "693_J2KR.dcm",
    "examples_palette.dcm",
    "examples_rgb_color.dcm",
    "JPEG2000.dcm",
    "image_dfl.dcm",
    "color-pl.dcm",
)


def sample(name: str) -> Path:
    path = get_testdata_file(name, download=False)
    assert path is not None, f"{name} is not installed"
    return Path(str(path))


class Pipeline:
    """Workers of all stages, on topics of their own."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.processes = Processes(grace_s=8, most_crashes=50, first_delay_s=0.1)

    def start(self, stage: str, name: str | None = None, *arguments: str) -> None:
        name = name or stage
        self.processes.start(
            name,
            [sys.executable, "-m", "infra.cli", "worker", stage, *arguments],
            env=self.settings.with_wires(worker=name).handed_on(),
            log_path=self.folder / f"{name}.log",
        )

    def start_all(self) -> None:
        for stage in STAGES:
            self.start(stage)

    def kill(self, *names: str) -> None:
        for name in names:
            if (pid := self.processes.pids.get(name)) is not None:
                os.kill(pid, signal.SIGKILL)

    def annotate(self, *paths: Path, meanwhile: Callable[[], None] = lambda: None) -> tuple[Summary, Path]:
        out = self.folder / uuid.uuid4().hex
        outputs = Outputs(out / "t.jsonl", out / "d.jsonl", out / "map.csv")

        def poll() -> None:
            self.processes.poll()
            meanwhile()

        accounts = annotate(find_files(paths), outputs, self.settings, through_pipeline(self.settings, poll=poll))
        assert accounts.complete
        return accounts.summary(0.0), out


def rows(path: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def bad_inputs(folder: Path) -> dict[str, str]:
    """Files that cannot be annotated, with what is wrong."""
    folder.mkdir()
    data = sample("CT_small.dcm").read_bytes()
    (folder / "cut in the header").write_bytes(data[:900])
    (folder / "cut in the pixels").write_bytes(data[:-5000])
    (folder / "empty").write_bytes(b"")
    (folder / "text").write_text("Patient DOE^JOHN, born 1950-01-01")
    (folder / "zeros").write_bytes(bytes(5000))
    (folder / "compressed text").write_bytes(zlib.compress(b"DOE^JOHN" * 100))
    dataset = dcmread(sample("CT_small.dcm"))
    del dataset.PixelData
    dataset.save_as(folder / "no pixels")
    dataset = dcmread(sample("CT_small.dcm"))
    dataset.file_meta.TransferSyntaxUID = UID("1.2.3.4.5.6.7.8.9")
    dataset.save_as(folder / "unknown syntax", implicit_vr=False, little_endian=True)
    dataset = dcmread(sample("CT_small.dcm"))
    dataset.Rows = 4000
    dataset.save_as(folder / "wrong lengths")
    encoded = cv2.imencode(".png", np.zeros((64, 64), np.uint8))[1].tobytes()
    (folder / "cut.png").write_bytes(encoded[:-20])
    encoded = cv2.imencode(".jpg", np.full((64, 64), 90, np.uint8))[1].tobytes()
    (folder / "cut.jpg").write_bytes(encoded[:-20])
    return {path.name: path.name for path in folder.iterdir()}


def wait_for(wires: Wires, topic: Topic[Any], count: int, seconds: float = 600.0) -> None:
    """Return when a topic holds so many keys: of many, once read is far less work than read anew at each look."""
    deadline, keys = time.monotonic() + seconds, set[str]()
    for record in read(wires, [topic], follow=True, idle=0.2):
        keys |= {record.key} if record else set()
        if len(keys) >= count:
            return
        assert time.monotonic() < deadline, f"it did not happen in time: {len(keys)} of {count}"


def wait_until(condition: Callable[[], bool], seconds: float = 240.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
